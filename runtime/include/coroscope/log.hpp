// Where coroscope's own messages go: stderr, or the app's logger.
//
//     set_log_handler([](LogLevel level, std::string_view text) { my_logger.write(level_of(level), text); });
//
// A message tells of a task that nobody awaited, an exception that nobody looked at, a loop that hangs, an agent that
// does not answer. It has several lines where it shows a stack. The handler gets what would go to stderr, without the
// time and the level: with debug mode on, what COROSCOPE_LOG lets through.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

namespace coroscope {

enum class LogLevel : std::uint8_t { debug, info, warning, error };

using LogHandler = std::function<void(LogLevel, std::string_view)>;

// From now on, in the whole process. An empty handler: stderr again. Before the first loop, best of all.
// The handler is called on any thread, also on several at once, with no lock held. The runtime's own messages come on
// the loop's thread: the handler should be fast there, and must not wait for the loop. Those of debug mode come on a
// thread of their own, which may wait; up to 1,000 of them wait for it. What the handler throws is swallowed. A message
// that comes while it runs, from the same thread, goes to stderr. It lives as long as the process, even when another
// takes its place, for a thread may be about to call it. Thread: any. Throws std::bad_alloc.
void set_log_handler(LogHandler handler);

}  // namespace coroscope
