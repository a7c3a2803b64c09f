// Event, Lock, Semaphore, BoundedSemaphore, Condition: asyncio's, for tasks of one loop. Waiting is a cancellation
// point; waiters are served in the order of their coming; nothing allocates. Thread: the loop's. Each must outlive who
// waits on it.
//
//     Lock lock;
//     {
//         auto held = co_await lock.acquire();   // released at the end of the scope
//     }
#pragma once

#include <coroutine>
#include <cstddef>
#include <stdexcept>
#include <utility>

#include "coroscope/coro.hpp"
#include "coroscope/detail/task_control.hpp"
#include "coroscope/error.hpp"

namespace coroscope {

class Event {
public:
    Event() = default;
    Event(const Event&) = delete;
    Event& operator=(const Event&) = delete;

    class [[nodiscard("co_await it")]] Awaiter final : public detail::Waiter {
    public:
        explicit Awaiter(Event& event) noexcept : event_(event) {}
        bool await_ready() const noexcept { return event_.set_; }
        template <class P>
        void await_suspend(std::coroutine_handle<P>) noexcept {
            wait_in(event_.waiters_, *this);
        }
        void await_resume() { check_cancelled(); }

    private:
        friend Event;
        friend detail::Suspension;
        std::uint64_t waits_for() const noexcept {
            return detail::pack_wait(detail::Verb::until_set, event_.id_.get());
        }
        Event& event_;
    };

    Awaiter wait() noexcept { return Awaiter(*this); }
    void set() noexcept;
    void clear() noexcept { set_ = false; }
    bool is_set() const noexcept { return set_; }

private:
    bool set_ = false;
    detail::WaiterList<Awaiter> waiters_;
    detail::ResourceId id_;
};

// A counter of permits. acquire() waits while it is 0.
class Semaphore {
public:
    explicit Semaphore(std::size_t value = 1) noexcept : value_(value) {}
    Semaphore(const Semaphore&) = delete;
    Semaphore& operator=(const Semaphore&) = delete;

    // Gives the permit back when it goes.
    class [[nodiscard("the permit is given back at once")]] Held {
    public:
        explicit Held(Semaphore& semaphore) noexcept : semaphore_(&semaphore) {}
        Held(Held&& other) noexcept : semaphore_(std::exchange(other.semaphore_, nullptr)) {}
        Held& operator=(Held&& other) noexcept {
            std::swap(semaphore_, other.semaphore_);
            return *this;
        }
        ~Held() { release(); }
        void release() noexcept {
            if (semaphore_ != nullptr) std::exchange(semaphore_, nullptr)->release();
        }
        bool holds(const Semaphore& semaphore) const noexcept { return semaphore_ == &semaphore; }

    private:
        Semaphore* semaphore_;
    };

    class [[nodiscard("co_await it")]] Awaiter final : public detail::Waiter {
    public:
        explicit Awaiter(Semaphore& semaphore) noexcept : semaphore_(semaphore) {}
        ~Awaiter();
        bool await_ready() noexcept { return semaphore_.try_acquire(); }
        template <class P>
        void await_suspend(std::coroutine_handle<P>) noexcept {
            wait_in(semaphore_.waiters_, *this);
        }
        Held await_resume();

    private:
        friend Semaphore;
        friend detail::Suspension;
        std::uint64_t waits_for() const noexcept {
            return detail::pack_wait(detail::Verb::acquire, semaphore_.id_.get());
        }
        Semaphore& semaphore_;
        bool granted_ = false;
    };

    Awaiter acquire() noexcept { return Awaiter(*this); }
    bool try_acquire() noexcept {
        if (value_ == 0) return false;
        --value_;
        return true;
    }
    void release() noexcept;
    bool locked() const noexcept { return value_ == 0; }
    std::size_t value() const noexcept { return value_; }  // permits that are free

private:
    std::size_t value_;
    detail::WaiterList<Awaiter> waiters_;
    detail::ResourceId id_;
};

// A semaphore that cannot be released more often than it was acquired: asyncio.BoundedSemaphore.
class BoundedSemaphore : public Semaphore {
public:
    explicit BoundedSemaphore(std::size_t value = 1) noexcept : Semaphore(value), bound_(value) {}
    void release();  // throws std::logic_error if all permits are there

private:
    std::size_t bound_;
};

class Lock : public Semaphore {
public:
    Lock() noexcept : Semaphore(1) {}
};

// Waits, with a lock given up meanwhile, until somebody notifies. It has a lock of its own, or shares one.
//
//     auto held = co_await condition.acquire();
//     co_await condition.wait_for(held, [&] { return !items.empty(); });
//
// Errors: std::logic_error if wait() is given another lock, or nobody holds the lock at a notify().
class Condition {
public:
    Condition() noexcept : lock_(own_lock_) {}
    explicit Condition(Lock& lock) noexcept : lock_(lock) {}
    Condition(const Condition&) = delete;
    Condition& operator=(const Condition&) = delete;
    Lock& lock() noexcept { return lock_; }
    Semaphore::Awaiter acquire() noexcept { return lock_.acquire(); }

    // `held` must be this condition's lock. It is released while waiting and held again afterwards, also when
    // cancelled.
    Coro<> wait(Semaphore::Held& held);
    template <class Predicate>
    Coro<> wait_for(Semaphore::Held& held, Predicate predicate) {
        while (!predicate()) co_await wait(held);
    }
    void notify(std::size_t count = 1);
    void notify_all() { notify(static_cast<std::size_t>(-1)); }

    class Awaiter final : public detail::Waiter {
    public:
        explicit Awaiter(Condition& condition) noexcept : condition_(condition) {}
        ~Awaiter();
        bool await_ready() const noexcept { return false; }
        template <class P>
        void await_suspend(std::coroutine_handle<P>) noexcept {
            wait_in(condition_.waiters_, *this);
        }
        void await_resume();

    private:
        friend Condition;
        friend detail::Suspension;
        std::uint64_t waits_for() const noexcept {
            return detail::pack_wait(detail::Verb::notification, condition_.id_.get());
        }
        Condition& condition_;
        bool notified_ = false;
    };

private:
    void wake(std::size_t count) noexcept;

    Lock own_lock_;
    Lock& lock_;
    detail::WaiterList<Awaiter> waiters_;
    detail::ResourceId id_;
};

}  // namespace coroscope
