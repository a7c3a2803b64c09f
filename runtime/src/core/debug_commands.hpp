// What the debugger can ask of the loops of this process, from a thread of its own. Between loop.cpp and the probe's
// CommandTable.
#pragma once

namespace coroscope {
class EventLoop;
}

namespace coroscope::detail {

// A loop takes part from its construction to its destruction. Any thread.
void add_loop_to_commands(EventLoop& loop);
void remove_loop_from_commands(EventLoop& loop) noexcept;

}  // namespace coroscope::detail
