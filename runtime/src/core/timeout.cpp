#include "coroscope/timeout.hpp"

#include <exception>
#include <stdexcept>
#include <utility>

#include "observe.hpp"

namespace coroscope {

namespace {

std::uint64_t deadline_of(EventLoop& loop, std::chrono::nanoseconds delay) {
    return loop.time_ns() + (delay.count() > 0 ? static_cast<std::uint64_t>(delay.count()) : 0);
}

detail::TaskControl* task_for_timeout() {
    if (detail::current_task == nullptr) throw std::logic_error("Timeout: needs a running task");
    return detail::current_task;
}

// Out of line, so that the rest needs no frame for it.
[[gnu::cold, gnu::noinline]] void report_limit(probe::EventKind kind, const detail::TaskControl& task) noexcept {
    probe::emit(kind, task.id);
}

}  // namespace

void Timeout::fire_limit(detail::CallbackTimer& timer) noexcept {
    auto& self = static_cast<Timeout&>(timer);
    self.expired_ = true;
    self.task_->cancel_for_scope("timed out", {detail::CancelOrigin::timeout, self.task_->id, self.node_});
}

std::optional<std::chrono::nanoseconds> time_left() {
    const detail::TaskControl* const task = detail::current_task;
    if (task == nullptr || task->time_limits == 0) return std::nullopt;
    std::size_t running = 0;
    std::optional<std::uint64_t> first_ns;
    task->loop->timers().for_each([&](const detail::TimerNode& timer) {
        if (timer.is_sleep || static_cast<const detail::CallbackTimer&>(timer).fire != Timeout::fire_limit) return;
        const auto& limit = static_cast<const Timeout&>(static_cast<const detail::CallbackTimer&>(timer));
        if (limit.task_ != task) return;
        ++running;
        if (!first_ns || limit.when_ns_ < *first_ns) first_ns = limit.when_ns_;
    });
    if (running < task->time_limits) return std::chrono::nanoseconds(0);  // the others have expired
    const std::uint64_t now_ns = task->loop->time_ns();
    return std::chrono::nanoseconds(*first_ns > now_ns ? *first_ns - now_ns : 0);
}

[[gnu::always_inline]] inline void Timeout::set_limit(std::uint64_t when_ns) {
    when_ns_ = when_ns;
    task_->loop->add_timer(*this, when_ns_);
    limited_ = true;
    if (task_->time_limits != 255) ++task_->time_limits;
    if (probe::on()) [[unlikely]]
        report_limit(probe::EventKind::time_limit_begin, *task_);
}

[[gnu::always_inline]] inline void Timeout::end_limit() noexcept {
    if (!std::exchange(limited_, false)) return;
    if (queued()) task_->loop->remove_timer(*this);
    if (task_->time_limits != 255) --task_->time_limits;
    if (probe::on()) [[unlikely]]
        report_limit(probe::EventKind::time_limit_end, *task_);
}

[[gnu::always_inline]] inline Timeout::Timeout(const std::source_location& where)
    : task_(task_for_timeout()), cancelling_before_(task_->cancel_requests) {
    fire = fire_limit;
    if (probe::on()) [[unlikely]]
        node_ = detail::call_node(where);
}

Timeout::Timeout(TimeLimit delay, const std::source_location& where) : Timeout(where) {
    if (!delay) return;
    set_limit(deadline_of(*task_->loop, *delay));
}

Timeout timeout_at(std::optional<std::uint64_t> when_ns, const std::source_location& where) {
    return Timeout(Timeout::AtTime(), when_ns, where);
}

Timeout::Timeout(AtTime, std::optional<std::uint64_t> when_ns, const std::source_location& where) : Timeout(where) {
    reschedule_at(when_ns);
}

Timeout::~Timeout() {
    end_limit();
    if (expired_) take_back();
}

std::optional<std::uint64_t> Timeout::when() const noexcept {
    return limited_ ? std::optional<std::uint64_t>(when_ns_) : std::nullopt;
}

void Timeout::reschedule(TimeLimit delay) {
    if (!delay) return reschedule_at(std::nullopt);
    reschedule_at(deadline_of(*task_->loop, *delay));
}

void Timeout::reschedule_at(std::optional<std::uint64_t> when_ns) {
    if (expired_) throw std::logic_error("Timeout: it has expired");
    end_limit();
    if (when_ns) set_limit(*when_ns);
}

// The scope's request, once.
std::uint32_t Timeout::take_back() noexcept {
    if (taken_back_) return task_->cancel_requests;
    taken_back_ = true;
    return task_->uncancel();
}

void Timeout::rethrow() {
    const std::exception_ptr cancelled = std::current_exception();
    if (expired_ && take_back() <= cancelling_before_) {
        detail::settle_cancelled(cancelled);
        throw TimeoutError();
    }
    std::rethrow_exception(cancelled);
}

}  // namespace coroscope
