#include "coroscope/barrier.hpp"

namespace coroscope {

Barrier::Barrier(std::size_t parties, const std::source_location& where) : parties_(parties) {
    if (parties == 0) throw std::invalid_argument("Barrier: needs at least one party");
    resource_.constructed(traits(), where);
}

bool Barrier::Awaiter::await_ready() {
    if (barrier_.broken_) throw BrokenBarrierError();
    if (barrier_.waiters_.size() + 1 < barrier_.parties_) return false;
    std::size_t index = 0;
    while (Awaiter* waiter = barrier_.waiters_.pop()) {
        waiter->opened_ = true;
        waiter->index_ = index++;
        waiter->wake_up();
    }
    opened_ = true;
    index_ = index;
    return true;
}

std::size_t Barrier::Awaiter::await_resume() {
    // Once the barrier has opened, the others count on this task: a cancellation that comes later is thrown at its
    // next await.
    if (opened_) return index_;
    check_cancelled();
    throw BrokenBarrierError();
}

void Barrier::reset() noexcept {
    broken_ = false;
    waiters_.wake_all();
}

void Barrier::abort() noexcept {
    broken_ = true;
    waiters_.wake_all();
}

}  // namespace coroscope
