#include "watchdog.hpp"

#include <execinfo.h>
#include <signal.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <thread>

namespace coroscope::debug {

namespace {

constexpr int most_frames = 64;
constexpr auto patience = std::chrono::milliseconds(20);  // for the handler to run

// What the one capture under way is about. The handler claims it by state asked -> writing.
enum State : int { idle, asked, writing, done };
std::atomic<int> g_state{idle};
std::atomic<long> g_tid{0};
void* g_frames[most_frames];  // between writing and done the handler's, then the watchdog's: ordered by g_state
int g_count = 0;

void capture(int, siginfo_t*, void* context) {
    const int error = errno;
    int expected = asked;
    if (g_tid.load(std::memory_order_relaxed) == ::syscall(SYS_gettid) &&
        g_state.compare_exchange_strong(expected, writing, std::memory_order_acquire, std::memory_order_relaxed)) {
        void* frames[most_frames];
        const int count = ::backtrace(frames, most_frames);
        // The handler's own frames come first; the interrupted place is where the context says.
#if defined(__x86_64__)
        auto* at = reinterpret_cast<void*>(static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_RIP]);
#elif defined(__aarch64__)
        auto* at = reinterpret_cast<void*>(static_cast<ucontext_t*>(context)->uc_mcontext.pc);
#else
        void* at = nullptr;
#endif
        int first = 0;
        while (first < count && frames[first] != at) ++first;
        if (first == count) first = 0;
        g_count = 0;
        for (int i = first; i < count; ++i) g_frames[g_count++] = frames[i];
        g_state.store(done, std::memory_order_release);  // pairs with the acquire in look()
    }
    errno = error;
}

}  // namespace

Watchdog::Watchdog() {
    void* warm_up[2];
    ::backtrace(warm_up, 2);  // loads libgcc now, not inside the handler
    for (int signal = SIGRTMAX - 2; signal > SIGRTMIN + 2; --signal) {
        struct sigaction before{};
        if (::sigaction(signal, nullptr, &before) != 0 || before.sa_handler != SIG_DFL) continue;
        struct sigaction action{};
        action.sa_sigaction = capture;
        action.sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK;
        ::sigemptyset(&action.sa_mask);
        if (::sigaction(signal, &action, nullptr) == 0) {
            signal_ = signal;
            return;
        }
    }
}

Watchdog::~Watchdog() {
    // Ignored, not defaulted: one may still be on its way, and its default would end the process.
    if (signal_ != 0) ::signal(signal_, SIG_IGN);
}

std::optional<RunningStep> running_step(const probe::ThreadProbe& thread) noexcept {
    const cs_producer& producer = thread.ring.producer();
    const std::uint32_t depth = __atomic_load_n(&producer.depth, __ATOMIC_ACQUIRE);  // pairs with cs_enter()
    if (depth == 0) return std::nullopt;
    const cs_step& innermost = producer.steps[std::min(depth, CS_STEP_DEPTH) - 1];
    return RunningStep{__atomic_load_n(&producer.steps[0].stamp, __ATOMIC_RELAXED),
                       __atomic_load_n(&innermost.task, __ATOMIC_RELAXED)};
}

std::optional<Stall> Watchdog::look(const probe::ThreadProbe& thread, const RunningStep& step, std::uint64_t lasted_ns,
                                    std::uint64_t threshold_ns) {
    if (signal_ == 0) return std::nullopt;
    Looked& looked = looked_[thread.id];
    if (looked.step != step.began) looked = {step.began, threshold_ns};
    if (lasted_ns < looked.next_ns) return std::nullopt;
    looked.next_ns = lasted_ns * 2;

    g_tid.store(static_cast<long>(thread.tid), std::memory_order_relaxed);
    g_state.store(asked, std::memory_order_release);  // pairs with the acquire in capture()
    if (::syscall(SYS_tgkill, ::getpid(), static_cast<pid_t>(thread.tid), signal_) != 0) {
        g_state.store(idle, std::memory_order_relaxed);
        return std::nullopt;  // the thread has ended
    }
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (g_state.load(std::memory_order_acquire) != done) {
        int expected = asked;
        if (std::chrono::steady_clock::now() > deadline &&
            g_state.compare_exchange_strong(expected, idle, std::memory_order_relaxed))
            return std::nullopt;  // it has the signal blocked, or gets no processor
        std::this_thread::sleep_for(std::chrono::microseconds(50));
    }
    Stall stall;
    // The step may have ended meanwhile: then the stack is another's.
    if (const auto now = running_step(thread); now && now->began == step.began) {
        stall.thread = thread.id;
        stall.tid = thread.tid;
        stall.task = now->task;
        stall.step_stamp = step.began;
        stall.frames.assign(g_frames, g_frames + g_count);
    }
    g_state.store(idle, std::memory_order_relaxed);
    if (stall.frames.empty()) return std::nullopt;
    return stall;
}

}  // namespace coroscope::debug
