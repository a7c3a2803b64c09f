#include "blocking_calls.hpp"

#include <unwind.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <iterator>
#include <limits>
#include <utility>

#include "blocking_functions.hpp"
#include "call_patch.hpp"

namespace coroscope::debug {

namespace {

constexpr std::uint64_t never = std::numeric_limits<std::uint64_t>::max();

// One place: a function, called in a step that went on at a node, with a stack.
struct Place {
    std::atomic<std::uint64_t> key{0};  // 0: free
    std::atomic<bool> ready{false};     // what follows up to `frames` is written
    std::uint32_t function = 0;
    probe::NodeId node = 0;
    std::uint32_t frame_count = 0;
    std::uint64_t line = 0;  // key of its Line
    void* frames[BlockingCalls::most_frames] = {};
    std::atomic<std::uint64_t> task{0};
    std::atomic<std::uint32_t> thread{0};
    std::atomic<std::uint64_t> count{0}, ticks{0}, longest{0}, slow{0};
};

// Calls of a function by one instruction that took less than the bound.
struct Line {
    std::atomic<std::uint64_t> key{0};  // 0: free
    std::atomic<std::uint64_t> count{0};
};

// Calls of the step that a thread runs. Its own thread's, but for `owner`.
struct StepCalls {
    static constexpr std::size_t most = 16;  // more of one step are not taken back from the sums if it gets slow
    std::atomic<std::uint32_t> owner{0};     // id of the thread
    std::uint64_t step = 0;
    bool slow = false;
    std::size_t count = 0;
    struct Call {
        Place* place;
        std::uint64_t ticks;
    } calls[most] = {};
};

Place g_places[BlockingCalls::most_places];
Line g_lines[BlockingCalls::most_lines];
StepCalls g_steps[64];
std::atomic<std::uint64_t> g_without_room{0};
std::atomic<std::uint64_t> g_bound{never}, g_slow{never};  // in ticks
std::atomic<cs_producer* (*)() noexcept> g_producer{nullptr};

std::uint64_t mixed(std::uint64_t key) noexcept {
    key = (key ^ key >> 32) * 0x9e3779b97f4a7c15u;
    return key ^ key >> 29;
}

// The entry with this key, which takes a free one; nullptr: there is none nearby.
template <class Entry, std::size_t size>
Entry* entry_of(Entry (&entries)[size], std::uint64_t key, std::size_t tries) noexcept {
    for (std::size_t i = 0; i < tries; ++i) {
        Entry& entry = entries[(key + i) % size];
        std::uint64_t found = entry.key.load(std::memory_order_acquire);
        if (found == 0 && entry.key.compare_exchange_strong(found, key, std::memory_order_acq_rel)) return &entry;
        if (found == key) return &entry;
    }
    return nullptr;
}

std::uint64_t line_key(std::size_t function, const void* caller) noexcept {
    return mixed(reinterpret_cast<std::uintptr_t>(caller) << 8 ^ function) | 1;
}

struct Stack {
    const void* first = nullptr;  // the frames above this one are our own
    bool begun = false;
    std::uint32_t count = 0;
    void* frames[BlockingCalls::most_frames];
};

_Unwind_Reason_Code add_frame(_Unwind_Context* context, void* to) {
    auto& stack = *static_cast<Stack*>(to);
    auto* const address = reinterpret_cast<void*>(_Unwind_GetIP(context));
    if (address == nullptr) return _URC_END_OF_STACK;
    stack.begun = stack.begun || address == stack.first;
    if (!stack.begun) return _URC_NO_REASON;
    stack.frames[stack.count++] = address;
    return stack.count < BlockingCalls::most_frames ? _URC_NO_REASON : _URC_END_OF_STACK;
}

StepCalls* calls_of_step(std::uint32_t thread) noexcept {
    StepCalls& calls = g_steps[thread % std::size(g_steps)];
    std::uint32_t owner = 0;
    if (calls.owner.compare_exchange_strong(owner, thread, std::memory_order_acq_rel) || owner == thread) return &calls;
    return nullptr;
}

// A step that gets slow is told as that: its calls are not lost below the threshold.
void add_to_step(const cs_producer& producer, std::uint64_t now, Place& place, std::uint64_t ticks) noexcept {
    const std::uint64_t step = producer.steps[0].stamp;
    const bool slow = now - step >= g_slow.load(std::memory_order_relaxed);
    StepCalls* const calls = calls_of_step(producer.thread);
    if (calls == nullptr) {
        if (slow) place.slow.fetch_add(ticks, std::memory_order_relaxed);
        return;
    }
    if (calls->step != step) {
        calls->step = step;
        calls->count = 0;
    }
    if (!slow) {
        if (calls->count < StepCalls::most) calls->calls[calls->count++] = {&place, ticks};
        return;
    }
    place.slow.fetch_add(ticks, std::memory_order_relaxed);
    for (std::size_t i = 0; i < calls->count; ++i)
        calls->calls[i].place->slow.fetch_add(calls->calls[i].ticks, std::memory_order_relaxed);
    calls->count = 0;
}

}  // namespace

namespace calls {

cs_producer* begin() noexcept {
    const auto producer_of_thread = g_producer.load(std::memory_order_relaxed);
    if (producer_of_thread == nullptr) return nullptr;
    cs_producer* const producer = producer_of_thread();
    if (producer == nullptr || producer->depth == 0) return nullptr;
    const std::uint64_t step = producer->steps[0].stamp;
    if (producer->in_call == step) return nullptr;  // within another
    producer->in_call = step;
    return producer;
}

void end_blocked(cs_producer& producer, std::size_t function, const void* caller, probe::Stamp now,
                 std::uint64_t ticks) noexcept {
    const int error = errno;
    Stack stack;
    stack.first = caller;
    ::_Unwind_Backtrace(add_frame, &stack);
    if (stack.count == 0) stack.frames[stack.count++] = const_cast<void*>(caller);
    std::uint64_t key = mixed(function ^ std::uint64_t{producer.began_at} << 16);
    for (std::uint32_t i = 0; i < stack.count; ++i)
        key = mixed(key ^ reinterpret_cast<std::uintptr_t>(stack.frames[i]));
    constexpr std::size_t tries = 32;
    Place* const place = entry_of(g_places, key | 1, tries);
    if (place == nullptr) {
        g_without_room.fetch_add(1, std::memory_order_relaxed);
        errno = error;
        return;
    }
    if (place->count.fetch_add(1, std::memory_order_relaxed) == 0) {
        place->function = static_cast<std::uint32_t>(function);
        place->node = producer.began_at;
        place->frame_count = stack.count;
        place->line = line_key(function, caller);
        std::copy_n(stack.frames, stack.count, place->frames);
        place->ready.store(true, std::memory_order_release);  // pairs with take_changed()
    }
    const std::uint32_t depth = std::min(producer.depth, CS_STEP_DEPTH);
    place->task.store(producer.steps[depth - 1].task, std::memory_order_relaxed);
    place->thread.store(producer.thread, std::memory_order_relaxed);
    place->ticks.fetch_add(ticks, std::memory_order_relaxed);
    std::uint64_t longest = place->longest.load(std::memory_order_relaxed);
    while (longest < ticks && !place->longest.compare_exchange_weak(longest, ticks, std::memory_order_relaxed)) {
    }
    add_to_step(producer, now, *place, ticks);
    errno = error;
}

void end(cs_producer& producer, std::size_t function, const void* caller, probe::Stamp began) noexcept {
    const probe::Stamp now = probe::stamp_now();
    const std::uint64_t step = producer.in_call;
    producer.in_call = 0;
    // The call may have run a step of its own, or ended debug mode's record of this one.
    if (producer.depth == 0 || producer.steps[0].stamp != step) return;
    const std::uint64_t ticks = now - began;
    if (ticks >= g_bound.load(std::memory_order_relaxed) && ticks < never / 2) [[unlikely]]
        return end_blocked(producer, function, caller, now, ticks);
    constexpr std::size_t tries = 8;
    if (Line* const line = entry_of(g_lines, line_key(function, caller), tries))
        line->count.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace calls

BlockingCalls::BlockingCalls(probe::Registry& registry, const ClockMap& clock) : clock_(clock) {
    probe::stamps_are_ticks = registry.process.stamps_in_ticks != 0;  // this library's copy of it
    patcher_ = std::make_unique<CallPatcher>(calls::functions());
    tick(registry.slow_step_ns.load(std::memory_order_relaxed));
    g_producer.store(registry.producer_if_any, std::memory_order_relaxed);
}

BlockingCalls::~BlockingCalls() { g_producer.store(nullptr, std::memory_order_relaxed); }

void BlockingCalls::tick(std::uint64_t slow_step_ns) {
    g_bound.store(clock_.ticks(bound_ns), std::memory_order_relaxed);
    g_slow.store(clock_.ticks(std::max<std::uint64_t>(slow_step_ns, 1)), std::memory_order_relaxed);
    patcher_->patch_new_objects();
}

std::vector<BlockedPlace> BlockingCalls::take_changed() {
    std::vector<BlockedPlace> changed;
    for (std::size_t i = 0; i < most_places; ++i) {
        Place& place = g_places[i];
        if (place.key.load(std::memory_order_relaxed) == 0) continue;
        if (!place.ready.load(std::memory_order_acquire)) continue;  // pairs with end_blocked()
        const std::uint64_t count = place.count.load(std::memory_order_relaxed);
        const std::uint64_t slow = place.slow.load(std::memory_order_relaxed);
        if (std::exchange(told_[i], count + slow) == count + slow) continue;
        BlockedPlace out;
        out.index = i;
        out.function = calls::function_name(place.function);
        out.node = place.node;
        out.frames.assign(place.frames, place.frames + place.frame_count);
        out.task = place.task.load(std::memory_order_relaxed);
        out.thread = place.thread.load(std::memory_order_relaxed);
        out.count = count;
        out.total_ns = clock_.length_ns(place.ticks.load(std::memory_order_relaxed));
        out.longest_ns = clock_.length_ns(place.longest.load(std::memory_order_relaxed));
        out.slow_ns = clock_.length_ns(slow);
        for (std::size_t j = 0; j < 8; ++j) {
            const Line& line = g_lines[(place.line + j) % most_lines];
            if (line.key.load(std::memory_order_relaxed) == place.line)
                out.quick = line.count.load(std::memory_order_relaxed);
        }
        changed.push_back(std::move(out));
    }
    return changed;
}

std::uint64_t BlockingCalls::without_room() const noexcept { return g_without_room.load(std::memory_order_relaxed); }

std::vector<std::string> BlockingCalls::take_refused() { return patcher_->take_refused(); }

std::size_t BlockingCalls::patched() const noexcept { return patcher_->patched(); }

}  // namespace coroscope::debug
