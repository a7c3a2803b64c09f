#include "watchdog.hpp"

#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <mutex>
#include <thread>

#include "captured_here.hpp"
#include "own_signal.hpp"
#include "thread_look.hpp"

namespace coroscope::debug {

namespace {

using namespace std::chrono_literals;

constexpr auto patience = 20ms;  // for a thread that computes to be on a CPU, and for the handler to run
constexpr auto glance = 1ms;     // in which a thread that computes does not give up its CPU
constexpr auto short_pause = 200us;
constexpr int most_glances = 25;  // at a thread that sleeps often and for short
constexpr std::uint64_t retry_ns = 5'000'000;
constexpr unsigned most_retries = 4;

// What the one capture under way is about. The handler claims it by state asked -> writing.
enum State : int { idle, asked, writing, done };
std::atomic<int> g_state{idle};
std::atomic<long> g_tid{0};
CapturedHere g_captured;  // between writing and done the handler's, then the watchdog's: ordered by g_state

void capture(int, siginfo_t*, void* context) {
    const int error = errno;
    int expected = asked;
    if (g_tid.load(std::memory_order_relaxed) == ::syscall(SYS_gettid) &&
        g_state.compare_exchange_strong(expected, writing, std::memory_order_acquire, std::memory_order_relaxed)) {
        g_captured.capture(*static_cast<const ucontext_t*>(context));
        g_state.store(done, std::memory_order_release);  // pairs with the acquire in copy_running()
    }
    errno = error;
}

// A timer on a thread's CPU time, which signals that thread.
class CpuTimer {
public:
    CpuTimer(std::uint64_t tid, int signal) {
        sigevent event{};
        event.sigev_notify = SIGEV_THREAD_ID;
        event.sigev_signo = signal;
        event._sigev_un._tid = static_cast<pid_t>(tid);
        if (::timer_create(cpu_clock_of(tid), &event, &timer_) != 0) return;
        itimerspec soon{};
        soon.it_value.tv_nsec = 1;
        is_set_ = ::timer_settime(timer_, 0, &soon, nullptr) == 0;
        if (!is_set_) ::timer_delete(timer_);
    }
    ~CpuTimer() {
        if (is_set_) ::timer_delete(timer_);
    }
    CpuTimer(const CpuTimer&) = delete;
    CpuTimer& operator=(const CpuTimer&) = delete;
    bool is_set() const noexcept { return is_set_; }

private:
    timer_t timer_{};
    bool is_set_ = false;
};

// Of captures: one at a time. Nobody holds it while the process forks.
std::mutex g_capturing;

}  // namespace

StackCopy copy_running(std::uint64_t tid) {
    const std::scoped_lock lock(g_capturing);
    const int signal = take_free_signal(capture);
    if (signal == 0) return {};
    g_tid.store(static_cast<long>(tid), std::memory_order_relaxed);
    g_state.store(asked, std::memory_order_release);  // pairs with the acquire in capture()
    const auto deadline = std::chrono::steady_clock::now() + patience;
    const CpuTimer timer(tid, signal);
    const auto give_up = [] {
        int expected = asked;
        return g_state.compare_exchange_strong(expected, idle, std::memory_order_relaxed);
    };
    while (g_state.load(std::memory_order_acquire) != done) {
        if ((!timer.is_set() || std::chrono::steady_clock::now() > deadline ||
             state_of(tid).what != ThreadState::What::runs) &&
            give_up())
            return {};
        std::this_thread::sleep_for(short_pause);
    }
    StackCopy copy = g_captured.take();
    g_state.store(idle, std::memory_order_relaxed);
    return copy;
}

Watchdog::Watchdog(bool may_signal) {
    const std::scoped_lock lock(g_capturing);
    may_signal_ = may_signal && take_free_signal(capture) != 0;
}

std::optional<RunningStep> running_step(const probe::ThreadProbe& thread) noexcept {
    const cs_producer& producer = thread.ring.producer();
    const std::uint32_t depth = __atomic_load_n(&producer.depth, __ATOMIC_ACQUIRE);  // pairs with cs_enter()
    if (depth == 0) return std::nullopt;
    const cs_step& innermost = producer.steps[std::min(depth, CS_STEP_DEPTH) - 1];
    return RunningStep{__atomic_load_n(&producer.steps[0].stamp, __ATOMIC_RELAXED),
                       __atomic_load_n(&innermost.task, __ATOMIC_RELAXED)};
}

Watchdog::Looked& Watchdog::looked(const probe::ThreadProbe& thread, const RunningStep& step,
                                   std::uint64_t threshold_ns) {
    Looked& looked = looked_[thread.id];
    if (looked.step != step.began) looked = {step.began, threshold_ns, 0};
    return looked;
}

std::uint64_t Watchdog::next_look_ns(const probe::ThreadProbe& thread, const RunningStep& step,
                                     std::uint64_t threshold_ns) {
    return looked(thread, step, threshold_ns).next_ns;
}

std::optional<Stall> Watchdog::look(const probe::ThreadProbe& thread, const RunningStep& step, std::uint64_t lasted_ns,
                                    std::uint64_t threshold_ns) {
    Looked& looked = this->looked(thread, step, threshold_ns);
    if (lasted_ns < looked.next_ns) return std::nullopt;
    Stall stall;
    stall.thread = thread.id;
    stall.tid = thread.tid;
    stall.task = step.task;
    stall.step_stamp = step.began;
    const auto before = voluntary_switches(thread.tid);
    bool sleeps_often = false;
    for (int glances = 0; glances < most_glances && stall.stack.empty() && stall.blocked_in.empty(); ++glances) {
        const ThreadState state = state_of(thread.tid);
        if (state.what == ThreadState::What::unknown) break;
        if (state.what == ThreadState::What::blocked) {
            stall.stack = copy_blocked(thread.tid, state);
            if (!stall.stack.empty() || state.sp == 0) stall.blocked_in = call_words(state);
            sleeps_often = true;  // if it has run meanwhile
            continue;
        }
        if (sleeps_often || !may_signal_) {
            std::this_thread::sleep_for(short_pause);
            continue;
        }
        std::this_thread::sleep_for(glance);
        sleeps_often = voluntary_switches(thread.tid) != before;
        if (!sleeps_often) stall.stack = copy_running(thread.tid);
        if (stall.stack.empty() && glances >= 1) sleeps_often = true;
    }
    // The step may have ended meanwhile: then the stack is another's.
    const auto now = running_step(thread);
    if (now && now->began == step.began && (!stall.stack.empty() || !stall.blocked_in.empty())) {
        stall.task = now->task;
        looked.next_ns = lasted_ns * 2;
        looked.failed = 0;
        return stall;
    }
    looked.next_ns = ++looked.failed < most_retries ? lasted_ns + retry_ns : lasted_ns * 2;
    return std::nullopt;
}

}  // namespace coroscope::debug
