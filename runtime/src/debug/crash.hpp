// The end of an app by a fatal signal: what is recorded up to then must not be lost, and the report says where it was.
//
// The signal's handler notes the thread's registers and stack in memory that is there, wakes the emitter, and waits for
// it, at most 300 ms. Then it gives the signal back: the app dies of it as it would have without us, with the same exit
// status and core dump. A handler of the app that was there before ours runs first; a crash is told only if it then
// leaves the signal to its default. One that is installed later replaces ours, and nothing is told.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "stack_copy.hpp"

namespace coroscope::debug {

struct Crash {
    std::string signal;  // "SIGSEGV"
    std::string text;    // "SIGSEGV: no memory at address 0", "SIGABRT: uncaught std::runtime_error: no route"
    std::uint64_t tid = 0;
    std::uint64_t time_ns = 0;
    StackCopy stack;
};

// The process's crash handlers, while it lives. At most one of a process.
class CrashWatch {
public:
    // `bell`: an eventfd that wakes the emitter. Threads of this library that crash wait for nobody.
    explicit CrashWatch(int bell);
    ~CrashWatch();  // gives the signals back
    CrashWatch(const CrashWatch&) = delete;
    CrashWatch& operator=(const CrashWatch&) = delete;

    // A thread has crashed and waits. Told once. Thread: the emitter's.
    static std::optional<Crash> take();
    // The crash is told: the thread may die.
    static void told() noexcept;
    // The calling thread is one that the handler must not wait for.
    static void this_is_the_emitter() noexcept;
};

}  // namespace coroscope::debug
