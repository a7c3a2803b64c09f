// A double-ended queue of items in one block of memory that grows by doubling and is never given back before the end:
// what the queues of tasks keep their items in. (std::deque computes three divisions an item and allocates as it goes.)
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>

namespace coroscope::detail {

template <class T>
class RingBuffer {
public:
    RingBuffer() = default;
    RingBuffer(const RingBuffer&) = delete;
    RingBuffer& operator=(const RingBuffer&) = delete;
    ~RingBuffer() {
        while (!empty()) drop_front();
        if (items_ != nullptr) std::allocator<T>().deallocate(items_, capacity_);
    }

    bool empty() const noexcept { return begin_ == end_; }
    std::size_t size() const noexcept { return end_ - begin_; }
    // Amortised O(1). If it throws, nothing has changed.
    void push_back(T&& item) {
        if (size() == capacity_) [[unlikely]]
            grow();
        std::construct_at(place(end_), std::move(item));
        ++end_;
    }
    void push_front(T&& item) {
        if (size() == capacity_) [[unlikely]]
            grow();
        std::construct_at(place(begin_ - 1), std::move(item));
        --begin_;
    }
    // It must not be empty.
    T take_front() {
        T item = std::move(*place(begin_));
        drop_front();
        return item;
    }

private:
    T* place(std::size_t number) const noexcept { return items_ + (number & (capacity_ - 1)); }
    void drop_front() noexcept {
        std::destroy_at(place(begin_));
        ++begin_;
    }
    [[gnu::noinline]] void grow() {
        const std::size_t capacity = std::max<std::size_t>(8, capacity_ * 2);
        T* const items = std::allocator<T>().allocate(capacity);
        const auto new_place = [&](std::size_t number) { return items + (number & (capacity - 1)); };
        std::size_t moved = begin_;
        try {
            for (; moved != end_; ++moved) std::construct_at(new_place(moved), std::move_if_noexcept(*place(moved)));
        } catch (...) {
            while (moved != begin_) std::destroy_at(new_place(--moved));
            std::allocator<T>().deallocate(items, capacity);
            throw;
        }
        for (std::size_t i = begin_; i != end_; ++i) std::destroy_at(place(i));
        if (items_ != nullptr) std::allocator<T>().deallocate(items_, capacity_);
        items_ = items;
        capacity_ = capacity;
    }

    T* items_ = nullptr;
    std::size_t capacity_ = 0;  // a power of two, or 0
    // Items have numbers, which go round where a size_t does; the place of one is what its low bits say.
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
};

}  // namespace coroscope::detail
