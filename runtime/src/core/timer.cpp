#include "coroscope/detail/timer.hpp"

#include "coroscope/detail/assert.hpp"

namespace coroscope::detail {

void TimerHeap::add(TimerNode& node, std::uint64_t deadline_ns) {
    COROSCOPE_ASSERT(!node.queued(), "a timer is in the heap once");
    entries_.push_back({});
    node.order = ++last_order_ & ~(std::uint32_t{1} << 31);
    sift_up(entries_.size() - 1, {deadline_ns, &node});
}

void TimerHeap::remove(TimerNode& node) noexcept {
    const std::size_t index = node.heap_index;
    COROSCOPE_ASSERT(index < entries_.size() && entries_[index].node == &node, "a timer knows its place in the heap");
    node.heap_index = TimerNode::not_queued;
    const Entry last = entries_.back();
    entries_.pop_back();
    if (index == entries_.size()) return;
    if (index > 0 && last.before(entries_[(index - 1) / 4])) {
        sift_up(index, last);
    } else {
        sift_down(index, last);
    }
}

void TimerHeap::sift_up(std::size_t index, Entry entry) noexcept {
    while (index > 0) {
        const std::size_t parent = (index - 1) / 4;
        if (!entry.before(entries_[parent])) break;
        place(index, entries_[parent]);
        index = parent;
    }
    place(index, entry);
    COROSCOPE_ASSERT(index == 0 || !entry.before(entries_[(index - 1) / 4]), "no timer is due before its parent");
}

void TimerHeap::sift_down(std::size_t index, Entry entry) noexcept {
    const std::size_t size = entries_.size();
    for (;;) {
        const std::size_t first = 4 * index + 1;
        if (first >= size) break;
        std::size_t least = first;
        for (std::size_t child = first + 1; child < first + 4 && child < size; ++child)
            if (entries_[child].before(entries_[least])) least = child;
        if (!entries_[least].before(entry)) break;
        place(index, entries_[least]);
        index = least;
    }
    place(index, entry);
}

}  // namespace coroscope::detail
