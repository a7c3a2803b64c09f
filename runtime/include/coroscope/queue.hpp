// Queue<T>, PriorityQueue<T>, LifoQueue<T>: asyncio's. Bounded if maxsize > 0.
//
//     Queue<int> queue(10);
//     co_await queue.put(7);            // waits while it is full
//     int item = co_await queue.get();  // waits while it is empty
//     queue.shutdown();                 // no more items: who waits or comes later gets QueueShutDown
//
// put(), get(), join(): cancellation points; a cancelled get() loses no item. Order among waiters: first come, first
// served. Unlike asyncio's, an item goes straight to the task that waits for it: nobody can snatch it before that task
// runs. Thread: the loop's. The queue must outlive who waits on it. No allocation per operation beyond the items' own.
// Complexity: constant; PriorityQueue: logarithmic.
#pragma once

#include <algorithm>
#include <coroutine>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <utility>
#include <vector>

#include "coroscope/detail/ring_buffer.hpp"
#include "coroscope/detail/task_control.hpp"
#include "coroscope/error.hpp"

namespace coroscope {

namespace detail {

// In which order a queue gives its items. take(): there is one. give_back(): one that was taken and not used.
template <class T>
class FifoItems {
public:
    bool empty() const noexcept { return items_.empty(); }
    std::size_t size() const noexcept { return items_.size(); }
    void add(T&& item) { items_.push_back(std::move(item)); }
    void give_back(T&& item) { items_.push_front(std::move(item)); }
    T take() { return items_.take_front(); }

private:
    RingBuffer<T> items_;
};

template <class T>
class LifoItems {
public:
    bool empty() const noexcept { return items_.empty(); }
    std::size_t size() const noexcept { return items_.size(); }
    void add(T&& item) { items_.push_back(std::move(item)); }
    void give_back(T&& item) { add(std::move(item)); }
    T take() {
        T item = std::move(items_.back());
        items_.pop_back();
        return item;
    }

private:
    std::vector<T> items_;
};

template <class T, class Less>
class PriorityItems {
public:
    bool empty() const noexcept { return heap_.empty(); }
    std::size_t size() const noexcept { return heap_.size(); }
    void add(T&& item) {
        heap_.push_back(std::move(item));
        std::push_heap(heap_.begin(), heap_.end(), later);
    }
    void give_back(T&& item) { add(std::move(item)); }
    T take() {
        std::pop_heap(heap_.begin(), heap_.end(), later);
        T item = std::move(heap_.back());
        heap_.pop_back();
        return item;
    }

private:
    static bool later(const T& one, const T& other) { return Less()(other, one); }
    std::vector<T> heap_;
};

}  // namespace detail

// What the three have in common.
template <class T, class Items>
class BasicQueue {
public:
    explicit BasicQueue(std::size_t maxsize = 0) : maxsize_(maxsize), most_(maxsize != 0 ? maxsize : unlimited) {}
    BasicQueue(const BasicQueue&) = delete;
    BasicQueue& operator=(const BasicQueue&) = delete;

    class [[nodiscard("co_await it")]] GetAwaiter final : public detail::Waiter {
    public:
        explicit GetAwaiter(BasicQueue& queue) noexcept : queue_(queue) {}
        ~GetAwaiter() {
            if (this->task() != nullptr) std::destroy_at(&item_);
        }
        bool await_ready() const {
            if (!queue_.items_.empty()) return true;
            queue_.require_open();
            return false;
        }
        void start() noexcept {
            std::construct_at(&item_);
            this->wait_in(queue_.getters_, *this);
        }
        T await_resume() {
            if (this->task() == nullptr) return queue_.take();  // it did not wait
            require_item();
            return std::move(*item_);
        }

    private:
        friend BasicQueue;
        [[gnu::noinline]] void require_item() {  // after a wait
            if (this->cancelled()) {
                if (item_) queue_.give_back(std::move(*item_));  // handed over, then cancelled: others shall have it
                this->check_cancelled();
            }
            if (!item_) throw QueueShutDown();
        }
        friend detail::Suspension;
        std::uint64_t waits_for() const noexcept { return detail::pack_wait(detail::Verb::get, queue_.id_.get()); }
        BasicQueue& queue_;
        union {
            std::optional<T> item_;  // handed over while it waits
        };
    };

    class [[nodiscard("co_await it")]] PutAwaiter final : public detail::Waiter {
    public:
        PutAwaiter(BasicQueue& queue, T&& item) : queue_(queue), item_(std::move(item)) {}
        bool await_ready() {
            if (!queue_.has_room()) {
                queue_.require_open();
                return false;
            }
            queue_.add(std::move(item_));
            return true;
        }
        void start() noexcept {
            added_ = false;
            this->wait_in(queue_.putters_, *this);
        }
        // Once the item is in the queue the put has happened: a cancellation that comes later is thrown at the next
        // await.
        void await_resume() {
            if (this->task() == nullptr || added_) return;
            this->check_cancelled();
            throw QueueShutDown();
        }

    private:
        friend BasicQueue;
        friend detail::Suspension;
        std::uint64_t waits_for() const noexcept { return detail::pack_wait(detail::Verb::put, queue_.id_.get()); }
        BasicQueue& queue_;
        T item_;
        bool added_;  // known once it waited
    };

    GetAwaiter get() noexcept { return GetAwaiter(*this); }
    PutAwaiter put(T item) { return PutAwaiter(*this, std::move(item)); }
    // Throw QueueEmpty, QueueFull, QueueShutDown.
    T get_nowait() {
        if (items_.empty()) {
            require_open();
            throw QueueEmpty();
        }
        return take();
    }
    void put_nowait(T item) {
        if (!has_room()) {
            require_open();
            throw QueueFull();
        }
        add(std::move(item));
    }
    // No more items (3.13's): put() throws QueueShutDown from now on, also where it waits; get() gives what is there
    // and then throws it. `immediate`: what is there is thrown away, and counts as done for join(). Idempotent.
    void shutdown(bool immediate = false) {
        shut_down_ = true;
        most_ = 0;
        while (immediate && !items_.empty()) {
            items_.take();
            if (unfinished_ != 0 && --unfinished_ == 0) joiners_.wake_all();
        }
        putters_.wake_all();
        if (items_.empty()) getters_.wake_all();
    }
    bool is_shut_down() const noexcept { return shut_down_; }

    std::size_t qsize() const noexcept { return items_.size(); }
    std::size_t maxsize() const noexcept { return maxsize_; }
    bool empty() const noexcept { return items_.empty(); }
    bool full() const noexcept { return maxsize_ != 0 && items_.size() >= maxsize_; }

    // One call for every item that was got and dealt with; more calls than items: std::logic_error.
    void task_done() {
        if (unfinished_ == 0) throw std::logic_error("task_done() called too many times");
        if (--unfinished_ == 0) joiners_.wake_all();
    }

    class [[nodiscard("co_await it")]] JoinWaiter final : public detail::Waiter {
    public:
        explicit JoinWaiter(BasicQueue& queue) noexcept : queue_(queue) {}
        bool await_ready() const noexcept { return queue_.unfinished_ == 0; }
        void start() noexcept { this->wait_in(queue_.joiners_, *this); }
        void await_resume() { this->check_cancelled(); }

    private:
        friend BasicQueue;
        friend detail::Suspension;
        std::uint64_t waits_for() const noexcept { return detail::pack_wait(detail::Verb::all_done, queue_.id_.get()); }
        BasicQueue& queue_;
    };
    // Waits until task_done() was called for every item ever put.
    JoinWaiter join() noexcept { return JoinWaiter(*this); }

private:
    bool has_room() const noexcept { return items_.size() < most_; }
    void require_open() const {  // it is empty, or has no room: something may change
        if (shut_down_) [[unlikely]]
            throw QueueShutDown();
    }
    // There is an item. Room comes free: the first that waits to put has its turn.
    T take() {
        T item = items_.take();
        if (!putters_.empty()) admit_putter();
        return item;
    }
    [[gnu::noinline]] void admit_putter() {
        PutAwaiter* putter = putters_.pop();
        putter->added_ = true;
        items_.add(std::move(putter->item_));
        ++unfinished_;
        putter->wake_up();
    }
    // There is room. Who waits for an item gets it handed over.
    void add(T&& item) {
        if (getters_.empty()) {
            items_.add(std::move(item));
        } else {
            hand_over(std::move(item));
        }
        ++unfinished_;
    }
    void give_back(T&& item) {
        if (!getters_.empty()) return hand_over(std::move(item));
        items_.give_back(std::move(item));
    }
    [[gnu::noinline]] void hand_over(T&& item) {
        GetAwaiter* getter = getters_.pop();
        getter->item_.emplace(std::move(item));
        getter->wake_up();
    }

    static constexpr std::size_t unlimited = static_cast<std::size_t>(-1);
    std::size_t maxsize_;
    std::size_t most_;  // items that it takes now; 0: it is shut down
    Items items_;
    bool shut_down_ = false;
    std::size_t unfinished_ = 0;
    detail::WaiterList<GetAwaiter> getters_;
    detail::WaiterList<PutAwaiter> putters_;
    detail::WaiterList<JoinWaiter> joiners_;
    detail::ResourceId id_;
};

// First in, first out.
template <class T>
class Queue : public BasicQueue<T, detail::FifoItems<T>> {
public:
    using BasicQueue<T, detail::FifoItems<T>>::BasicQueue;
};

// Last in, first out.
template <class T>
class LifoQueue : public BasicQueue<T, detail::LifoItems<T>> {
public:
    using BasicQueue<T, detail::LifoItems<T>>::BasicQueue;
};

// The least item first, by Less; among equal ones in no particular order.
template <class T, class Less = std::less<T>>
class PriorityQueue : public BasicQueue<T, detail::PriorityItems<T, Less>> {
public:
    using BasicQueue<T, detail::PriorityItems<T, Less>>::BasicQueue;
};

}  // namespace coroscope
