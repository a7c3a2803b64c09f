// Queue<T>: asyncio.Queue. First in, first out; bounded if maxsize > 0.
//
//     Queue<int> queue(10);
//     co_await queue.put(7);            // waits while it is full
//     int item = co_await queue.get();  // waits while it is empty
//
// put(), get(), join(): cancellation points; a cancelled get() loses no item. Order among waiters: first come, first
// served. Thread: the loop's. The queue must outlive who waits on it. No allocation per operation beyond the items'
// own.
#pragma once

#include <coroutine>
#include <cstddef>
#include <deque>
#include <optional>
#include <stdexcept>
#include <utility>

#include "coroscope/detail/task_control.hpp"
#include "coroscope/error.hpp"

namespace coroscope {

template <class T>
class Queue {
public:
    explicit Queue(std::size_t maxsize = 0) : maxsize_(maxsize) {}
    Queue(const Queue&) = delete;
    Queue& operator=(const Queue&) = delete;

    class [[nodiscard("co_await it")]] GetAwaiter : public detail::Suspension {
    public:
        explicit GetAwaiter(Queue & queue) noexcept : queue_(queue) {}
        ~GetAwaiter() {
            if (waiting_) queue_.getters_.remove(*this);
        }
        bool await_ready() {
            if (queue_.items_.empty()) return false;
            item_.emplace(queue_.take());
            return true;
        }
        template <class P>
        void await_suspend(std::coroutine_handle<P>) noexcept {
            waiting_ = true;
            queue_.getters_.push(*this);
            this->suspend(detail::wait_bits(detail::WaitKind::queue_get, queue_.id_.get()),
                          [](detail::Suspension& base) noexcept {
                              auto& self = static_cast<GetAwaiter&>(base);
                              self.waiting_ = false;
                              self.queue_.getters_.remove(self);
                              self.wake_cancelled();
                          });
        }
        T await_resume() {
            if (this->cancelled()) [[unlikely]] {
                if (item_) queue_.give_back(std::move(*item_));  // handed over, then cancelled: others shall have it
                this->check_cancelled();
            }
            return std::move(*item_);
        }
        GetAwaiter* next_waiter = nullptr;
        GetAwaiter* previous_waiter = nullptr;

    private:
        friend Queue;
        Queue& queue_;
        std::optional<T> item_;
        bool waiting_ = false;
    };

    class [[nodiscard("co_await it")]] PutAwaiter : public detail::Suspension {
    public:
        PutAwaiter(Queue & queue, T && item) : queue_(queue), item_(std::move(item)) {}
        ~PutAwaiter() {
            if (waiting_) queue_.putters_.remove(*this);
        }
        bool await_ready() {
            if (queue_.full()) return false;
            queue_.add(std::move(item_));
            return true;
        }
        template <class P>
        void await_suspend(std::coroutine_handle<P>) noexcept {
            waiting_ = true;
            queue_.putters_.push(*this);
            this->suspend(detail::wait_bits(detail::WaitKind::queue_put, queue_.id_.get()),
                          [](detail::Suspension& base) noexcept {
                              auto& self = static_cast<PutAwaiter&>(base);
                              self.waiting_ = false;
                              self.queue_.putters_.remove(self);
                              self.wake_cancelled();
                          });
        }
        // Once the item is in the queue the put has happened: a cancellation that comes later is thrown at the next
        // await.
        void await_resume() {
            if (!added_) this->check_cancelled();
        }
        PutAwaiter* next_waiter = nullptr;
        PutAwaiter* previous_waiter = nullptr;

    private:
        friend Queue;
        Queue& queue_;
        T item_;
        bool waiting_ = false;
        bool added_ = false;
    };

    GetAwaiter get() noexcept { return GetAwaiter(*this); }
    PutAwaiter put(T item) { return PutAwaiter(*this, std::move(item)); }
    // Throw QueueEmpty, QueueFull.
    T get_nowait() {
        if (items_.empty()) throw QueueEmpty();
        return take();
    }
    void put_nowait(T item) {
        if (full()) throw QueueFull();
        add(std::move(item));
    }

    std::size_t qsize() const noexcept { return items_.size(); }
    std::size_t maxsize() const noexcept { return maxsize_; }
    bool empty() const noexcept { return items_.empty(); }
    bool full() const noexcept { return maxsize_ != 0 && items_.size() >= maxsize_; }

    // One call for every item that was got and dealt with; more calls than items: std::logic_error.
    void task_done() {
        if (unfinished_ == 0) throw std::logic_error("task_done() called too many times");
        if (--unfinished_ == 0)
            while (JoinWaiter* waiter = joiners_.pop()) waiter->wake_up();
    }

    class [[nodiscard("co_await it")]] JoinWaiter : public detail::Suspension {
    public:
        explicit JoinWaiter(Queue & queue) noexcept : queue_(queue) {}
        ~JoinWaiter() {
            if (waiting_) queue_.joiners_.remove(*this);
        }
        bool await_ready() const noexcept { return queue_.unfinished_ == 0; }
        template <class P>
        void await_suspend(std::coroutine_handle<P>) noexcept {
            waiting_ = true;
            queue_.joiners_.push(*this);
            this->suspend(detail::wait_bits(detail::WaitKind::event, queue_.id_.get()),
                          [](detail::Suspension& base) noexcept {
                              auto& self = static_cast<JoinWaiter&>(base);
                              self.queue_.joiners_.remove(self);
                              self.waiting_ = false;
                              self.wake_cancelled();
                          });
        }
        void await_resume() { this->check_cancelled(); }
        JoinWaiter* next_waiter = nullptr;
        JoinWaiter* previous_waiter = nullptr;

    private:
        friend Queue;
        void wake_up() noexcept {
            waiting_ = false;
            this->wake();
        }
        Queue& queue_;
        bool waiting_ = false;
    };
    // Waits until task_done() was called for every item ever put.
    JoinWaiter join() noexcept { return JoinWaiter(*this); }

private:
    // There is an item. Room comes free: the first that waits to put has its turn.
    T take() {
        T item = std::move(items_.front());
        items_.pop_front();
        if (PutAwaiter* putter = putters_.pop()) {
            putter->waiting_ = false;
            putter->added_ = true;
            items_.push_back(std::move(putter->item_));
            ++unfinished_;
            putter->wake();
        }
        return item;
    }
    // There is room. Who waits for an item gets it handed over: nobody can snatch it before it runs.
    void add(T&& item) {
        ++unfinished_;
        if (GetAwaiter* getter = getters_.pop()) {
            getter->waiting_ = false;
            getter->item_.emplace(std::move(item));
            getter->wake();
            return;
        }
        items_.push_back(std::move(item));
    }
    void give_back(T&& item) {
        if (GetAwaiter* getter = getters_.pop()) {
            getter->waiting_ = false;
            getter->item_.emplace(std::move(item));
            getter->wake();
            return;
        }
        items_.push_front(std::move(item));
    }

    std::size_t maxsize_;
    std::deque<T> items_;
    std::size_t unfinished_ = 0;
    detail::WaiterList<GetAwaiter> getters_;
    detail::WaiterList<PutAwaiter> putters_;
    detail::WaiterList<JoinWaiter> joiners_;
    detail::ResourceId id_;
};

}  // namespace coroscope
