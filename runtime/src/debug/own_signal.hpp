// A real-time signal that nobody uses, for this library's own handlers.
#pragma once

#include <signal.h>

namespace coroscope::debug {

using SignalHandler = void (*)(int, siginfo_t*, void*);

// Takes a signal that has its default meaning and gives it `handler`. 0: there is none. The signal restarts calls
// (SA_RESTART) and uses the thread's own stack. Thread: any; not for two at a time.
inline int take_free_signal(SignalHandler handler) noexcept {
    for (int signal = SIGRTMAX - 2; signal > SIGRTMIN + 2; --signal) {
        struct sigaction before{};
        if (::sigaction(signal, nullptr, &before) != 0 || before.sa_handler != SIG_DFL) continue;
        struct sigaction action{};
        action.sa_sigaction = handler;
        action.sa_flags = SA_SIGINFO | SA_RESTART;
        ::sigemptyset(&action.sa_mask);
        if (::sigaction(signal, &action, nullptr) == 0) return signal;
    }
    return 0;
}

// Ignored, not defaulted: one may still be on its way, and its default would end the process.
inline void give_back_signal(int signal) noexcept {
    if (signal != 0) ::signal(signal, SIG_IGN);
}

}  // namespace coroscope::debug
