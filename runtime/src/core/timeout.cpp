#include "coroscope/timeout.hpp"

#include <exception>
#include <stdexcept>

namespace coroscope {

namespace {

std::uint64_t deadline_of(EventLoop& loop, std::chrono::nanoseconds delay) {
    return loop.time_ns() + (delay.count() > 0 ? static_cast<std::uint64_t>(delay.count()) : 0);
}

}  // namespace

Timeout::Timeout() : task_(detail::current_task) {
    if (task_ == nullptr) throw std::logic_error("Timeout: needs a running task");
    cancelling_before_ = task_->cancel_requests;
    fire = [](detail::TimerNode& timer) noexcept {
        auto& self = static_cast<Timeout&>(timer);
        self.expired_ = true;
        self.task_->cancel("timed out", std::source_location::current());
    };
}

Timeout::Timeout(std::chrono::nanoseconds delay) : Timeout() {
    armed_ = true;
    task_->loop->add_timer(*this, deadline_of(*task_->loop, delay));
}

Timeout::~Timeout() {
    if (queued()) task_->loop->remove_timer(*this);
    if (expired_ && !taken_back_) task_->uncancel();  // whoever swallowed it: the request was this timeout's
}

std::optional<std::uint64_t> Timeout::when() const noexcept {
    if (!armed_) return std::nullopt;
    return deadline_ns;
}

void Timeout::reschedule(std::chrono::nanoseconds delay) { reschedule_at(deadline_of(*task_->loop, delay)); }

void Timeout::reschedule_at(std::optional<std::uint64_t> when_ns) {
    if (expired_) throw std::logic_error("Timeout: it has expired");
    task_->loop->remove_timer(*this);
    armed_ = when_ns.has_value();
    if (armed_) task_->loop->add_timer(*this, *when_ns);
}

void Timeout::rethrow() {
    if (expired_ && !taken_back_) {
        taken_back_ = true;
        if (task_->uncancel() <= cancelling_before_) throw TimeoutError();
    }
    std::rethrow_exception(std::current_exception());
}

}  // namespace coroscope
