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
        while (size_ != 0) drop_front();
        if (items_ != nullptr) std::allocator<T>().deallocate(items_, capacity_);
    }

    bool empty() const noexcept { return size_ == 0; }
    std::size_t size() const noexcept { return size_; }
    // Amortised O(1). If it throws, nothing has changed.
    void push_back(T&& item) {
        if (size_ == capacity_) [[unlikely]]
            grow();
        std::construct_at(items_ + ((first_ + size_) & (capacity_ - 1)), std::move(item));
        ++size_;
    }
    void push_front(T&& item) {
        if (size_ == capacity_) [[unlikely]]
            grow();
        const std::size_t before = (first_ - 1) & (capacity_ - 1);
        std::construct_at(items_ + before, std::move(item));
        first_ = before;
        ++size_;
    }
    // It must not be empty.
    T take_front() {
        T item = std::move(items_[first_]);
        drop_front();
        return item;
    }

private:
    void drop_front() noexcept {
        std::destroy_at(items_ + first_);
        first_ = (first_ + 1) & (capacity_ - 1);
        --size_;
    }
    [[gnu::noinline]] void grow() {
        const std::size_t capacity = std::max<std::size_t>(8, capacity_ * 2);
        T* const items = std::allocator<T>().allocate(capacity);
        std::size_t moved = 0;
        try {
            for (; moved < size_; ++moved)
                std::construct_at(items + moved, std::move_if_noexcept(items_[(first_ + moved) & (capacity_ - 1)]));
        } catch (...) {
            std::destroy_n(items, moved);
            std::allocator<T>().deallocate(items, capacity);
            throw;
        }
        for (std::size_t i = 0; i < size_; ++i) std::destroy_at(items_ + ((first_ + i) & (capacity_ - 1)));
        if (items_ != nullptr) std::allocator<T>().deallocate(items_, capacity_);
        items_ = items;
        capacity_ = capacity;
        first_ = 0;
    }

    T* items_ = nullptr;
    std::size_t capacity_ = 0;  // a power of two, or 0
    std::size_t first_ = 0;
    std::size_t size_ = 0;
};

}  // namespace coroscope::detail
