// The timers of a loop: nodes that live in the objects that wait, in a 4-ary heap in which each node knows its place.
// Removing and firing allocate nothing; adding only if the heap grows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace coroscope::detail {

struct TimerNode {
    static constexpr std::uint32_t not_queued = ~std::uint32_t{0};
    std::uint32_t heap_index = not_queued;
    std::uint32_t order : 31 = 0;    // the later it was added, the higher; may wrap round
    std::uint32_t is_sleep : 1 = 0;  // of a SleepAwaiter; else of a CallbackTimer
    bool queued() const noexcept { return heap_index != not_queued; }
};

struct CallbackTimer : TimerNode {
    void (*fire)(CallbackTimer&) noexcept = nullptr;  // already removed when called
};

// Timers with equal deadlines fire in the order in which they were added. add, remove: O(log n); the others: O(1).
// Thread: the loop's.
class TimerHeap {
public:
    void add(TimerNode& node, std::uint64_t deadline_ns);
    void remove(TimerNode& node) noexcept;
    bool empty() const noexcept { return entries_.empty(); }
    std::size_t size() const noexcept { return entries_.size(); }
    // The timer that is due first. The heap must not be empty, here and in the next one.
    TimerNode& first() const noexcept { return *entries_.front().node; }
    // All of them, in no order.
    template <class Visit>
    void for_each(Visit visit) const {
        for (const Entry& entry : entries_) visit(*entry.node);
    }
    std::uint64_t first_deadline_ns() const noexcept { return entries_.front().deadline_ns; }
    std::uint64_t deadline_ns(const TimerNode& queued) const noexcept {
        return entries_[queued.heap_index].deadline_ns;
    }

private:
    // The key beside the pointer: comparing touches no node, but for equal deadlines. Four children take 64 bytes.
    struct Entry {
        std::uint64_t deadline_ns;
        TimerNode* node;
        bool before(const Entry& other) const noexcept {
            if (deadline_ns != other.deadline_ns) return deadline_ns < other.deadline_ns;
            const auto ahead = std::uint32_t{node->order} - std::uint32_t{other.node->order};  // modulo 2^31
            return (ahead & std::uint32_t{1} << 30) != 0;
        }
    };
    void place(std::size_t index, const Entry& entry) noexcept {
        entries_[index] = entry;
        entry.node->heap_index = static_cast<std::uint32_t>(index);
    }
    void sift_up(std::size_t index, Entry entry) noexcept;
    void sift_down(std::size_t index, Entry entry) noexcept;

    std::vector<Entry> entries_;
    std::uint32_t last_order_ = 0;
};

}  // namespace coroscope::detail
