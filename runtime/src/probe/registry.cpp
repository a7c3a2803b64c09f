#include "registry.hpp"

#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include "coroscope/detail/debug_switch.hpp"
#include "hooks.hpp"

namespace coroscope::probe {

namespace {

// Stamps in ticks need a counter that runs at one rate in every state of the processor (CPUID 0x80000007, EDX bit 8).
bool has_invariant_tsc() noexcept {
#if defined(__x86_64__)
    unsigned a = 0, b = 0, c = 0, d = 0;
    return __get_cpuid(0x80000007u, &a, &b, &c, &d) != 0 && (d & (1u << 8)) != 0;
#else
    return false;
#endif
}

// A forked child has neither the drainer's thread nor a usable gRPC: it is not observed.
void disable_in_child() { detail::debug_on.store(false, std::memory_order_relaxed); }

Registry* make_registry() {
    stamps_are_ticks = has_invariant_tsc();
    ::pthread_atfork(nullptr, nullptr, disable_in_child);
    return new Registry;
}

// Retires the thread's ring when the thread ends. The drainer frees it.
struct Retire {
    ~Retire() {
        if (detail_::t_thread == nullptr) return;
        detail_::t_thread->step_stamp.store(0, std::memory_order_relaxed);
        detail_::t_thread->ring.retired.store(true, std::memory_order_release);  // pairs with the drainer's acquire
        detail_::t_thread = nullptr;
    }
};

}  // namespace

Registry& registry() noexcept {
    static Registry* const the_registry = make_registry();  // leaked on purpose: rings outlive static destructors
    return *the_registry;
}

void Registry::report(Report&& report) noexcept {
    try {
        const std::scoped_lock lock(reports_mutex);
        if (reports.size() < max_reports) {
            reports.push_back(std::move(report));
            return;
        }
    } catch (...) {  // out of memory: counted below
    }
    reports_lost.fetch_add(1, std::memory_order_relaxed);
}

namespace detail_ {

thread_local constinit ThreadProbe* t_thread = nullptr;

ThreadProbe* register_thread() noexcept {
    try {
        Registry& shared = registry();
        auto thread = std::make_unique<ThreadProbe>(shared.ring_capacity, &shared.bell);
        thread->tid = static_cast<std::uint64_t>(::syscall(SYS_gettid));
        char name[32] = {};
        if (::pthread_getname_np(::pthread_self(), name, sizeof name) == 0) thread->name = name;
        pthread_attr_t attributes;
        if (::pthread_getattr_np(::pthread_self(), &attributes) == 0) {
            void* low = nullptr;
            std::size_t size = 0;
            if (::pthread_attr_getstack(&attributes, &low, &size) == 0) {
                thread->stack_low = reinterpret_cast<std::uintptr_t>(low);
                thread->stack_high = thread->stack_low + size;
            }
            ::pthread_attr_destroy(&attributes);
        }
        const std::scoped_lock lock(shared.threads_mutex);
        thread->id = ++shared.last_thread_id;
        shared.threads.push_back(std::move(thread));
        t_thread = shared.threads.back().get();
        thread_local Retire retire;
        return t_thread;
    } catch (...) {
        return nullptr;
    }
}

}  // namespace detail_

__attribute__((noinline)) std::size_t capture_frames(void** frames, std::size_t most) noexcept {
    const ThreadProbe* thread = this_thread();
    if (thread == nullptr || thread->stack_high == 0) return 0;
    auto frame = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
    std::size_t count = 0;
    while (count < most && frame >= thread->stack_low && frame + 2 * sizeof(void*) <= thread->stack_high &&
           frame % sizeof(void*) == 0) {
        const auto* words = reinterpret_cast<void* const*>(frame);
        if (words[1] == nullptr) break;
        frames[count++] = words[1];
        const auto next = reinterpret_cast<std::uintptr_t>(words[0]);
        if (next <= frame) break;  // the stack grows down: callers are above
        frame = next;
    }
    return count;
}

}  // namespace coroscope::probe
