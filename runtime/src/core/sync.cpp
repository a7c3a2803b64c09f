#include "coroscope/sync.hpp"

#include <exception>

namespace coroscope {

Event::Awaiter::~Awaiter() {
    if (waiting_) event_.waiters_.remove(*this);
}

void Event::Awaiter::start() noexcept {
    waiting_ = true;
    event_.waiters_.push(*this);
    suspend(detail::wait_bits(detail::WaitKind::event, event_.id_.get()), [](detail::Suspension& base) noexcept {
        auto& self = static_cast<Awaiter&>(base);
        self.waiting_ = false;
        self.event_.waiters_.remove(self);
        self.wake_cancelled();
    });
}

void Event::set() noexcept {
    set_ = true;
    while (Awaiter* waiter = waiters_.pop()) {
        waiter->waiting_ = false;
        waiter->wake();
    }
}

Semaphore::Awaiter::~Awaiter() {
    if (waiting_) semaphore_.waiters_.remove(*this);
    if (granted_) semaphore_.release();  // its frame was destroyed between the grant and the resumption
}

void Semaphore::Awaiter::start() noexcept {
    waiting_ = true;
    semaphore_.waiters_.push(*this);
    suspend(detail::wait_bits(semaphore_.kind_, semaphore_.id_.get()), [](detail::Suspension& base) noexcept {
        auto& self = static_cast<Awaiter&>(base);
        self.waiting_ = false;
        self.semaphore_.waiters_.remove(self);
        self.wake_cancelled();
    });
}

Semaphore::Held Semaphore::Awaiter::await_resume() {
    check_cancelled();  // the destructor gives back what was granted
    granted_ = false;
    return Held(semaphore_);
}

void Semaphore::release() noexcept {
    if (Awaiter* waiter = waiters_.pop()) {  // handed over: nobody can snatch it before it runs
        waiter->waiting_ = false;
        waiter->granted_ = true;
        waiter->wake();
        return;
    }
    ++value_;
}

void BoundedSemaphore::release() {
    if (value() >= bound_) throw std::logic_error("BoundedSemaphore: released too many times");
    Semaphore::release();
}

Condition::Awaiter::~Awaiter() {
    if (waiting_) condition_.waiters_.remove(*this);
    if (notified_) condition_.wake(1);  // its frame was destroyed between the notification and the resumption
}

void Condition::Awaiter::await_resume() {
    check_cancelled();  // then the destructor passes the notification on
    notified_ = false;
}

void Condition::Awaiter::start() noexcept {
    waiting_ = true;
    condition_.waiters_.push(*this);
    suspend(detail::wait_bits(detail::WaitKind::lock, condition_.id_.get()), [](detail::Suspension& base) noexcept {
        auto& self = static_cast<Awaiter&>(base);
        self.waiting_ = false;
        self.condition_.waiters_.remove(self);
        self.wake_cancelled();
    });
}

void Condition::wake(std::size_t count) noexcept {
    for (; count > 0; --count) {
        Awaiter* waiter = waiters_.pop();
        if (waiter == nullptr) return;
        waiter->waiting_ = false;
        waiter->notified_ = true;
        waiter->wake();
    }
}

void Condition::notify(std::size_t count) {
    if (!lock_.locked()) throw std::logic_error("Condition: notify() without holding the lock");
    wake(count);
}

Coro<> Condition::wait(Semaphore::Held& held) {
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
