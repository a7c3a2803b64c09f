#include "coroscope/sync.hpp"

#include <exception>

namespace coroscope {

void Event::set() noexcept {
    set_ = true;
    waiters_.wake_all();
}

Semaphore::Awaiter::~Awaiter() {
    if (granted_) semaphore_.release();  // its frame was destroyed between the grant and the resumption
}

Semaphore::Held Semaphore::Awaiter::await_resume() {
    check_cancelled();  // the destructor gives back what was granted
    granted_ = false;
    return Held(semaphore_);
}

void Semaphore::release() noexcept {
    if (Awaiter* waiter = waiters_.pop()) {  // handed over: nobody can snatch it before it runs
        waiter->granted_ = true;
        waiter->wake_up();
        return;
    }
    ++value_;
}

void BoundedSemaphore::release() {
    if (value() >= bound_) throw std::logic_error("BoundedSemaphore: released too many times");
    Semaphore::release();
}

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
