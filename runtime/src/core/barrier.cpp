#include "coroscope/barrier.hpp"

namespace coroscope {

Barrier::Barrier(std::size_t parties) : parties_(parties) {
    if (parties == 0) throw std::invalid_argument("Barrier: needs at least one party");
}

Barrier::Awaiter::~Awaiter() {
    if (waiting_) barrier_.waiters_.remove(*this);
}

bool Barrier::Awaiter::await_ready() {
    if (barrier_.broken_) throw BrokenBarrierError();
    if (barrier_.waiters_.size() + 1 < barrier_.parties_) return false;
    std::size_t index = 0;
    while (Awaiter* waiter = barrier_.waiters_.pop()) {
        waiter->waiting_ = false;
        waiter->opened_ = true;
        waiter->index_ = index++;
        waiter->wake();
    }
    opened_ = true;
    index_ = index;
    return true;
}

void Barrier::Awaiter::start() noexcept {
    waiting_ = true;
    barrier_.waiters_.push(*this);
    suspend(detail::wait_bits(detail::WaitKind::event, barrier_.id_.get()), [](detail::Suspension& base) noexcept {
        auto& self = static_cast<Awaiter&>(base);
        self.waiting_ = false;
        self.barrier_.waiters_.remove(self);
        self.wake_cancelled();
    });
}

std::size_t Barrier::Awaiter::await_resume() {
    // Once the barrier has opened, the others count on this task: a cancellation that comes later is thrown at its
    // next await.
    if (opened_) return index_;
    check_cancelled();
    throw BrokenBarrierError();
}

void Barrier::send_away() noexcept {
    while (Awaiter* waiter = waiters_.pop()) {
        waiter->waiting_ = false;
        waiter->wake();
    }
}

void Barrier::reset() noexcept {
    broken_ = false;
    send_away();
}

void Barrier::abort() noexcept {
    broken_ = true;
    send_away();
}

}  // namespace coroscope
