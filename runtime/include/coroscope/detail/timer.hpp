// A timer of a loop: a node that lives in whoever waits, in a 4-ary heap with back indices. Adding, removing and firing
// allocate nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace coroscope::detail {

struct TimerNode {
    static constexpr std::uint32_t not_queued = ~std::uint32_t{0};
    std::uint64_t deadline_ns = 0;
    std::uint32_t heap_index = not_queued;
    std::uint32_t order = 0;                      // of the adding, among equal deadlines; may wrap round
    void (*fire)(TimerNode&) noexcept = nullptr;  // already removed when called
    bool queued() const noexcept { return heap_index != not_queued; }
};

// Equal deadlines fire in the order of their adding. add, remove: O(log n); first: O(1). Thread: the loop's.
class TimerHeap {
public:
    void add(TimerNode& node);
    void remove(TimerNode& node) noexcept;
    TimerNode* first() const noexcept { return entries_.empty() ? nullptr : entries_.front().node; }
    std::size_t size() const noexcept { return entries_.size(); }

private:
    // The key beside the pointer: comparing touches no node, but for equal deadlines. Four children take 64 bytes.
    struct Entry {
        std::uint64_t deadline_ns;
        TimerNode* node;
        bool before(const Entry& other) const noexcept {
            return deadline_ns != other.deadline_ns ? deadline_ns < other.deadline_ns
                                                    : static_cast<std::int32_t>(node->order - other.node->order) < 0;
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
