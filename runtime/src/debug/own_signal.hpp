// A real-time signal that nobody uses, for this library's own handlers.
#pragma once

#include <signal.h>

namespace coroscope::debug {

using SignalHandler = void (*)(int, siginfo_t*, void*);

// Takes a signal that has its default meaning and gives it `handler`; the next time it is the same signal. 0: there is
// none. The signal restarts calls (SA_RESTART) and uses the thread's own stack. It is kept for good: one may still be
// on its way when nobody needs it any more, and its default would end the process. Thread: any; not for two at a time.
inline int take_free_signal(SignalHandler handler) noexcept {
    int free = 0;
    for (int signal = SIGRTMAX - 2; signal > SIGRTMIN + 2; --signal) {
        struct sigaction before{};
        if (::sigaction(signal, nullptr, &before) != 0) continue;
        if ((before.sa_flags & SA_SIGINFO) != 0 && before.sa_sigaction == handler) return signal;
        if (free == 0 && before.sa_handler == SIG_DFL) free = signal;
    }
    if (free == 0) return 0;
    struct sigaction action{};
    action.sa_sigaction = handler;
    action.sa_flags = SA_SIGINFO | SA_RESTART;
    ::sigemptyset(&action.sa_mask);
    return ::sigaction(free, &action, nullptr) == 0 ? free : 0;
}

}  // namespace coroscope::debug
