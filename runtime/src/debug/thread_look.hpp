// What a thread does at this moment, for somebody who asks, with debug mode on or off: the call in which it is blocked,
// or that it computes, and its native stack. The program is changed as little as by the watchdog: see watchdog.hpp.
#pragma once

#include <cstdint>
#include <string>

#include "stack_copy.hpp"
#include "thread_state.hpp"

namespace coroscope::debug {

// The stack of a thread that `state` says is blocked. Empty: it has run meanwhile, or its stack cannot be read.
StackCopy copy_blocked(std::uint64_t tid, const ThreadState& state);

struct ThreadLook {
    ThreadState::What what = ThreadState::What::unknown;
    std::string call;  // while blocked: as call_words()
    StackCopy stack;   // empty: it could not be read
};

// Blocks for some 30 ms at the longest. Any thread. `may_signal`: a thread that computes may be signalled.
ThreadLook look_at_thread(std::uint64_t tid, bool may_signal);

// As probe::look_at_thread() says it. Slow: the first look at a module takes libdw up to a second. Any thread.
std::string look_json(const ThreadLook& look);

}  // namespace coroscope::debug
