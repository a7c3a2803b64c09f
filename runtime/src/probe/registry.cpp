#include "registry.hpp"

#include <unistd.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include "debug_library.hpp"

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

void set_word(std::uint32_t* word, bool on) noexcept {
    // Relaxed: a hook that sees the old value for a moment emits, or omits, a few events; nothing is ordered by it.
    if (word != nullptr) __atomic_store_n(word, on ? 1u : 0u, __ATOMIC_RELAXED);
}

}  // namespace

std::string pair_version() {
    return COROSCOPE_VERSION "/" + std::to_string(sizeof(Registry)) + "." + std::to_string(sizeof(ThreadProbe)) + "." +
           std::to_string(sizeof(Report)) + "." + std::to_string(sizeof(ResourceDefinition));
}

Registry::Registry(cs_process& the_process) : process(the_process) {
    process.size = sizeof(cs_process);
    process.abi = CS_ABI;
    process.stamps_in_ticks = has_invariant_tsc() ? 1 : 0;
    stamps_are_ticks = process.stamps_in_ticks != 0;
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

std::uint32_t Registry::add_runtime(const Runtime& runtime) {
    const std::scoped_lock lock(runtimes_mutex);
    if (runtimes.size() >= max_runtimes) return 0;
    auto entry = std::make_unique<Runtime>(runtime);
    entry->id = static_cast<std::uint32_t>(runtimes.size()) + 1;
    runtimes.push_back(std::move(entry));
    set_word(runtime.on, __atomic_load_n(&process.on, __ATOMIC_RELAXED) != 0);
    return runtimes.back()->id;
}

std::vector<const Runtime*> Registry::all_runtimes() {
    const std::scoped_lock lock(runtimes_mutex);
    std::vector<const Runtime*> all;
    for (const auto& each : runtimes) all.push_back(each.get());
    return all;
}

void Registry::set_words(bool on) noexcept {
    set_word(&process.on, on);
    for (const auto& each : runtimes) set_word(each->on, on);
}

void Registry::set_on(bool on) noexcept {
    const std::scoped_lock lock(runtimes_mutex);
    set_words(on);
}

void Registry::want_snapshot() noexcept {
    __atomic_add_fetch(&process.snapshot_wanted, 1,
                       __ATOMIC_RELEASE);  // pairs with the acquire in cs_snapshot_wanted()
}

const char* Registry::cancel_task(std::uint64_t task) noexcept {
    const char* why_not = "the app has no runtime that can cancel a task";
    try {
        for (const Runtime* each : all_runtimes()) {
            if (each->cancel == nullptr) continue;
            why_not = each->cancel(each->self, task);
            if (why_not == nullptr) return nullptr;
        }
    } catch (...) {
        return "the app is out of memory";
    }
    return why_not;
}

// In the order in which nobody else takes two of them.
void Registry::lock_all() noexcept {
    runtimes_mutex.lock();
    threads_mutex.lock();
    reports_mutex.lock();
    definitions.mutex().lock();
    resources.mutex().lock();
}

void Registry::unlock_all() noexcept {
    resources.mutex().unlock();
    definitions.mutex().unlock();
    reports_mutex.unlock();
    threads_mutex.unlock();
    runtimes_mutex.unlock();
}

void Registry::start_anew_in_child() noexcept {
    set_words(false);
    for (auto& each : threads) static_cast<void>(each.release());  // leaked: their owners' memory is a mere copy
    threads.clear();
    reports.clear();
    bell.asleep.store(false, std::memory_order_relaxed);
    if (bell.event_fd >= 0) ::close(bell.event_fd);  // the parent's
    bell.event_fd = -1;
}

}  // namespace coroscope::probe
