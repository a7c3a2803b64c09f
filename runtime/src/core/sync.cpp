#include "coroscope/sync.hpp"

#include <exception>

#include "coroscope/detail/assert.hpp"

namespace coroscope {

void Event::set_and_wake() noexcept {
    set_ = true;
    resource_.used(detail::Role::set, false);
    waiters_.wake_all();
}

Semaphore::Awaiter::~Awaiter() {
    if (granted_) semaphore_.give_back();  // its frame was destroyed between the grant and the resumption
}

Semaphore::Held Semaphore::Awaiter::await_resume() {
    check_cancelled();  // the destructor gives back what was granted
    granted_ = false;
    return Held(semaphore_);
}

void Semaphore::hand_over() noexcept {
    COROSCOPE_ASSERT(value_ == 0, "a task waits for a semaphore only while there is no permit");
    Awaiter* const waiter = waiters_.pop();
    waiter->granted_ = true;
    resource_.used_by(*waiter->task(), detail::Role::acquire);
    waiter->wake_up();
}

void Semaphore::throw_released_too_often() {
    throw std::logic_error("BoundedSemaphore: release() without acquire(): all permits are there");
}

Lock::Awaiter::~Awaiter() {
    if (granted_) lock_.give_back();  // its frame was destroyed between the grant and the resumption
}

Lock::Held Lock::Awaiter::await_resume() {
    check_cancelled();  // the destructor passes the lock on
    granted_ = false;
    return Held(lock_);
}

void Lock::give_back() noexcept {
    if (!locked_) return;  // release() was called for a lock that a Held gives back
    if (Awaiter* waiter = waiters_.pop()) {
        waiter->granted_ = true;
        owner_ = waiter->task()->id;
        resource_.used_by(*waiter->task(), detail::Role::acquire);
        waiter->wake_up();
        return;
    }
    locked_ = false;
}

void Lock::throw_not_held() { throw std::logic_error("Lock: release() by a task that does not hold it"); }

Condition::Awaiter::~Awaiter() {
    if (notified_) condition_.wake(1);  // its frame was destroyed between the notification and the resumption
}

void Condition::Awaiter::await_resume() {
    check_cancelled();  // then the destructor passes the notification on
    notified_ = false;
}

void Condition::wake(std::size_t count) noexcept {
    for (; count > 0; --count) {
        Awaiter* waiter = waiters_.pop();
        if (waiter == nullptr) return;
        waiter->notified_ = true;
        waiter->wake_up();
    }
}

void Condition::notify(std::size_t count) {
    if (!lock_.held_by_running_task())
        throw std::logic_error("Condition: notify() by a task that does not hold its lock");
    resource_.used(detail::Role::notify, false);
    wake(count);
}

Coro<> Condition::wait(Lock::Held& held) {
    if (!held.holds(lock_)) throw std::logic_error("Condition: wait() without holding its lock");
    held.release();
    std::exception_ptr cancelled;
    try {
        Awaiter notified(*this);
        co_await notified;
    } catch (const Cancelled&) {
        cancelled = std::current_exception();
    }
    // Whatever happens, the caller's lock is held again when this ends.
    for (;;) {
        try {
            auto again = co_await lock_.acquire();
            held = std::move(again);
            break;
        } catch (const Cancelled&) {
            cancelled = std::current_exception();
        }
    }
    if (cancelled) std::rethrow_exception(cancelled);
}

}  // namespace coroscope
