// The app's signals are the app's: none may be delivered to a thread of ours, or of gRPC within the debug library. An
// app that waits for a signal with sigwait() or signalfd blocks it in its own threads only; delivered to one of ours,
// it would end the process.
#pragma once

#include <signal.h>

namespace coroscope::probe {

// While it lives, threads that the calling thread starts have all signals blocked but those of their own faults: a
// crash handler of the app must still see a crash of ours. The calling thread gets its own mask back at the end.
class AppSignalsBlocked {
public:
    AppSignalsBlocked() noexcept {
        sigset_t all;
        ::sigfillset(&all);
        for (const int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS}) ::sigdelset(&all, fault);
        ::pthread_sigmask(SIG_SETMASK, &all, &before_);
    }
    ~AppSignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
    AppSignalsBlocked(const AppSignalsBlocked&) = delete;
    AppSignalsBlocked& operator=(const AppSignalsBlocked&) = delete;

private:
    sigset_t before_;
};

}  // namespace coroscope::probe
