// How each thread of the debug library begins. Where cores are short, the app comes first: what these threads then do
// not keep up with is shed.
#pragma once

#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

namespace coroscope::debug {

// The calling thread, and those it starts from now on, get a name and about a third of the app's share of a busy core.
// `name`: at most 15 characters, and it begins with "coroscope", by which count_app_threads() knows them.
inline void begin_own_thread(const char* name) noexcept {
    ::pthread_setname_np(::pthread_self(), name);
    constexpr int nicer = 5;
    const auto thread = static_cast<id_t>(::gettid());  // on Linux, niceness is a thread's
    ::setpriority(PRIO_PROCESS, thread, ::getpriority(PRIO_PROCESS, thread) + nicer);
}

}  // namespace coroscope::debug
