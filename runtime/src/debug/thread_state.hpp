// What the kernel says of a thread of this process, by /proc/self/task: whether it runs or is blocked, in which system
// call, where its stack is, and what CPU time it had. Nothing is sent to the thread: it does not notice.
//
// Thread: any. A look reads one or two small files: about 10 us.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

namespace coroscope::debug {

struct ThreadState {
    enum class What : std::uint8_t { unknown, runs, blocked };
    static constexpr long no_call = -1;  // blocked, but not in a system call: in a page fault

    What what = What::unknown;
    long call = no_call;                       // while blocked: the number of the system call
    std::array<std::uint64_t, 6> arguments{};  // its arguments
    std::uint64_t sp = 0, pc = 0;              // while blocked: of the thread's own code
    std::uint64_t times_on_cpu = 0;            // equal at two looks: the thread has not run between them; 0: unknown
};
ThreadState state_of(std::uint64_t tid);

// How often the thread gave up its CPU by itself, since it started; nullopt: unknown.
std::optional<std::uint64_t> voluntary_switches(std::uint64_t tid);

// What a thread has had, since it started. Each is unknown on a kernel that does not count it.
struct ThreadTimes {
    std::optional<std::uint64_t> cpu_ns;     // on a CPU
    std::optional<std::uint64_t> queued_ns;  // it could have run, and waited for a CPU
};
ThreadTimes times_of(std::uint64_t tid);

// The clock of the CPU time of a thread, for clock_gettime() and timer_create() by any thread of the process.
int cpu_clock_of(std::uint64_t tid) noexcept;

// A blocked thread's call in words: "clock_nanosleep", "read on fd 5 (a pipe)", "a page fault".
std::string call_words(const ThreadState& blocked);

}  // namespace coroscope::debug
