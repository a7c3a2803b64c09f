#include "coroscope/timeout.hpp"

#include <exception>
#include <stdexcept>

namespace coroscope {

namespace {

std::uint64_t deadline_of(EventLoop& loop, std::chrono::nanoseconds delay) {
    return loop.time_ns() + (delay.count() > 0 ? static_cast<std::uint64_t>(delay.count()) : 0);
}

}  // namespace

Timeout::Timeout(std::chrono::nanoseconds delay) : task_(detail::current_task) {
    if (task_ == nullptr) throw std::logic_error("Timeout: needs a running task");
    cancelling_before_ = task_->cancel_requests;
    fire = [](detail::TimerNode& timer) noexcept {
        auto& self = static_cast<Timeout&>(timer);
        self.expired_ = true;
        self.task_->cancel("timed out", std::source_location::current());
    };
    task_->loop->add_timer(*this, deadline_of(*task_->loop, delay));
}

Timeout::~Timeout() {
    if (queued()) task_->loop->remove_timer(*this);
}

void Timeout::reschedule(std::chrono::nanoseconds delay) {
    if (expired_) throw std::logic_error("Timeout: it has expired");
    task_->loop->remove_timer(*this);
    task_->loop->add_timer(*this, deadline_of(*task_->loop, delay));
}

void Timeout::rethrow() {
    if (expired_ && task_->uncancel() <= cancelling_before_) throw TimeoutError();
    std::rethrow_exception(std::current_exception());
}

}  // namespace coroscope
