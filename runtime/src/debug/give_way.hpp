// Where cores are short, the app comes first: what the debug library's threads then do not keep up with is shed.
#pragma once

#include <sys/resource.h>
#include <unistd.h>

namespace coroscope::debug {

// The calling thread, and those it starts from now on, get about a third of the app's share of a busy core.
inline void give_way_to_the_app() noexcept {
    constexpr int nicer = 5;
    const auto thread = static_cast<id_t>(::gettid());  // on Linux, niceness is a thread's
    ::setpriority(PRIO_PROCESS, thread, ::getpriority(PRIO_PROCESS, thread) + nicer);
}

}  // namespace coroscope::debug
