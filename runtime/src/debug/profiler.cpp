#include "profiler.hpp"

#include <dlfcn.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>
#include <unwind.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <thread>

#include "own_signal.hpp"
#include "stack_copy.hpp"
#include "thread_state.hpp"

namespace coroscope::debug {

struct Profiler::Thread {
    std::atomic<const cs_producer*> producer{nullptr};  // nullptr: no samples are taken
    std::atomic<bool> in_handler{false};
    std::atomic<std::uint64_t> head{0}, tail{0};  // of samples: written by the handler; read by the emitter
    std::atomic<std::uint64_t> lost{0};
    std::uint64_t tid = 0;
    timer_t timer{};
    bool has_timer = false;
    CpuSample samples[room];
};

namespace {

std::atomic<bool> g_unwinds{false};  // by the unwinder of exceptions

struct Walk {
    CpuSample* sample;
    std::uintptr_t pc;
    bool begun = false;
};

_Unwind_Reason_Code add_frame(_Unwind_Context* context, void* to) {
    auto& walk = *static_cast<Walk*>(to);
    const std::uintptr_t address = _Unwind_GetIP(context);
    if (address == 0) return _URC_END_OF_STACK;
    walk.begun = walk.begun || address == walk.pc;
    if (!walk.begun) return _URC_NO_REASON;
    CpuSample& sample = *walk.sample;
    sample.frames[sample.frame_count++] = reinterpret_cast<void*>(address);
    return sample.frame_count < CpuSample::most_frames ? _URC_NO_REASON : _URC_END_OF_STACK;
}

// Along frame pointers, by copies: what they lead to may be anything.
void walk_frame_pointers(CpuSample& sample, std::uintptr_t pc, std::uintptr_t frame) noexcept {
    sample.frames[sample.frame_count++] = reinterpret_cast<void*>(pc);
    while (sample.frame_count < CpuSample::most_frames && frame != 0 && frame % sizeof frame == 0) {
        std::uintptr_t pair[2] = {};
        if (copy_memory(pair, frame, sizeof pair) != sizeof pair || pair[1] == 0) return;
        sample.frames[sample.frame_count++] = reinterpret_cast<void*>(pair[1]);
        if (pair[0] <= frame) return;
        frame = pair[0];
    }
}

void take_stack(CpuSample& sample, const ucontext_t& context) noexcept {
    sample.frame_count = 0;
#if defined(__x86_64__)
    const auto pc = static_cast<std::uintptr_t>(context.uc_mcontext.gregs[REG_RIP]);
    const auto frame = static_cast<std::uintptr_t>(context.uc_mcontext.gregs[REG_RBP]);
#elif defined(__aarch64__)
    const std::uintptr_t pc = context.uc_mcontext.pc, frame = context.uc_mcontext.regs[29];
#else
    const std::uintptr_t pc = 0, frame = 0;
    (void)context;
#endif
    if (pc == 0) return;
    if (g_unwinds.load(std::memory_order_relaxed)) {
        Walk walk{&sample, pc};
        ::_Unwind_Backtrace(add_frame, &walk);
    }
    if (sample.frame_count == 0) walk_frame_pointers(sample, pc, frame);
}

_Unwind_Reason_Code count_frame(_Unwind_Context*, void*) { return _URC_NO_REASON; }

}  // namespace

void Profiler::handle(int, siginfo_t* info, void* context) {
    if (info->si_code != SI_TIMER) return;
    const int error = errno;
    auto& thread = *static_cast<Thread*>(info->si_value.sival_ptr);
    thread.in_handler.store(true);  // pairs, as the load after it, with release(): one of both sees the other
    const cs_producer* const producer = thread.producer.load();
    if (producer != nullptr && producer->depth != 0) {
        const std::uint64_t head = thread.head.load(std::memory_order_relaxed);
        if (head - thread.tail.load(std::memory_order_acquire) < room) {  // pairs with drop_oldest()
            CpuSample& sample = thread.samples[head % room];
            sample.task = producer->steps[std::min(producer->depth, CS_STEP_DEPTH) - 1].task;
            sample.node = producer->began_at;
            take_stack(sample, *static_cast<const ucontext_t*>(context));
            thread.head.store(head + 1, std::memory_order_release);  // pairs with oldest()
        } else {
            thread.lost.fetch_add(1, std::memory_order_relaxed);
        }
    }
    thread.in_handler.store(false);
    errno = error;
}

Profiler::Profiler(unsigned hz) : period_ns_(1'000'000'000u / std::clamp(hz, 1u, most_hz)) {
    signal_ = take_free_signal(handle);
    const bool unwinds = ::dlsym(RTLD_DEFAULT, "_dl_find_object") != nullptr;
    if (unwinds) ::_Unwind_Backtrace(count_frame, nullptr);  // what it sets up once is set up outside of a handler
    g_unwinds.store(unwinds, std::memory_order_relaxed);
    if (signal_ == 0) {
        shortcoming_ = "no CPU profile: the app uses all real-time signals";
    } else if (!unwinds) {
        shortcoming_ =
            "CPU profile: stacks follow frame pointers, because this C library is older than 2.35; build with "
            "-fno-omit-frame-pointer";
    }
}

Profiler::~Profiler() {
    for (const Watched& each : watched_) {
        release(*each.shared);
        idle().push_back(each.shared);
    }
}

std::vector<Profiler::Thread*>& Profiler::idle() {
    static auto* const all = new std::vector<Thread*>;
    return *all;
}

void Profiler::release(Thread& thread) {
    if (thread.has_timer) ::timer_delete(thread.timer);
    thread.has_timer = false;
    thread.producer.store(nullptr);
    // What the handler writes from here on, it has begun already.
    while (thread.in_handler.load()) std::this_thread::sleep_for(std::chrono::microseconds(50));
}

void Profiler::watch(const probe::ThreadProbe& thread) {
    if (signal_ == 0 || std::ranges::any_of(watched_, [&](const Watched& each) { return each.thread == thread.id; }))
        return;
    const auto gone = std::ranges::find_if(idle(), [](const Thread* each) {
        return ::syscall(SYS_tgkill, ::getpid(), static_cast<pid_t>(each->tid), 0) != 0 && errno == ESRCH;
    });
    Thread* shared = nullptr;
    if (gone != idle().end()) {
        shared = *gone;
        idle().erase(gone);
    } else {
        shared = new Thread;
    }
    shared->tid = thread.tid;
    shared->tail.store(shared->head.load());
    shared->producer.store(&thread.ring.producer());
    watched_.push_back({thread.id, shared});
    sigevent event{};
    event.sigev_notify = SIGEV_THREAD_ID;
    event.sigev_signo = signal_;
    event.sigev_value.sival_ptr = shared;
    event._sigev_un._tid = static_cast<pid_t>(thread.tid);
    if (::timer_create(cpu_clock_of(thread.tid), &event, &shared->timer) != 0) return;
    shared->has_timer = true;
    itimerspec every{};
    every.it_interval.tv_sec = static_cast<time_t>(period_ns_ / 1'000'000'000);
    every.it_interval.tv_nsec = static_cast<long>(period_ns_ % 1'000'000'000);
    every.it_value = every.it_interval;
    ::timer_settime(shared->timer, 0, &every, nullptr);
}

void Profiler::forget(std::uint32_t thread) {
    const auto found = std::ranges::find(watched_, thread, &Watched::thread);
    if (found == watched_.end()) return;
    release(*found->shared);
    lost_before_ += found->shared->lost.exchange(0, std::memory_order_relaxed);
    idle().push_back(found->shared);
    watched_.erase(found);
}

const CpuSample* Profiler::oldest(const Thread& thread) noexcept {
    const std::uint64_t tail = thread.tail.load(std::memory_order_relaxed);
    if (thread.head.load(std::memory_order_acquire) == tail) return nullptr;  // pairs with handle()
    return &thread.samples[tail % room];
}

void Profiler::drop_oldest(Thread& thread) noexcept {
    thread.tail.store(thread.tail.load(std::memory_order_relaxed) + 1, std::memory_order_release);
}

std::uint64_t Profiler::lost() const noexcept {
    std::uint64_t lost = lost_before_;
    for (const Watched& each : watched_) lost += each.shared->lost.load(std::memory_order_relaxed);
    return lost;
}

}  // namespace coroscope::debug
