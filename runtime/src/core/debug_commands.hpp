// What the debugger can ask of the loops of this process, from a thread of its own. Between loop.cpp and the probe's
// CommandTable.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace coroscope {
class EventLoop;
}

namespace coroscope::detail {

// A loop takes part from its construction to its destruction. Any thread.
void add_loop_to_commands(EventLoop& loop);
void remove_loop_from_commands(EventLoop& loop) noexcept;
// Has each loop call `describe` on its own thread, oldest loop first. nullopt: the loop has not answered within
// `patience`. Any thread but a loop's own.
std::vector<std::optional<std::string>> ask_loops(std::string (*describe)(EventLoop&),
                                                  std::chrono::nanoseconds patience);

}  // namespace coroscope::detail
