#include "coroscope/threadsafe.hpp"

#include <stdexcept>

namespace coroscope::detail {

bool ConcurrentState::wait(std::optional<std::chrono::nanoseconds> most) {
    std::unique_lock lock(mutex_);
    const auto is_done = [this] { return stage_ != Stage::pending; };
    if (!is_done() && loop_ == running_loop())
        throw std::logic_error("ConcurrentFuture: waiting for it on its loop's own thread would never end");
    if (most) return changed_.wait_for(lock, *most, is_done);
    changed_.wait(lock, is_done);
    return true;
}

ConcurrentState::Stage ConcurrentState::stage() {
    const std::scoped_lock lock(mutex_);
    return stage_;
}

std::exception_ptr ConcurrentState::error() {
    const std::scoped_lock lock(mutex_);
    return error_;
}

bool ConcurrentState::cancel(std::string_view message) {
    const std::scoped_lock lock(mutex_);  // while it is held, the loop lives: see finish()
    if (stage_ != Stage::pending) return false;
    loop_->call_soon_threadsafe([self = shared_from_this(), text = std::string(message)] {
        if (self->task_) self->task_.control()->cancel(text, {CancelOrigin::user, 0, 0});
    });
    return true;
}

void ConcurrentState::finish(Stage stage, std::exception_ptr error) noexcept {
    if (stage == Stage::cancelled && !error)
        error = std::make_exception_ptr(Cancelled(std::string(task_ ? task_.control()->message() : "")));
    task_ = {};
    const std::scoped_lock lock(mutex_);
    stage_ = stage;
    error_ = std::move(error);
    loop_ = nullptr;
    changed_.notify_all();
}

}  // namespace coroscope::detail
