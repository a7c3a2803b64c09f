#include "coroscope/future.hpp"

#include "coroscope/loop.hpp"
#include "observe.hpp"

namespace coroscope::detail {

FutureState::~FutureState() {
    if (stage_ == Stage::error && !retrieved_) report_future_exception_never_retrieved(error_);
}

void FutureState::Awaiter::on_cancel() noexcept {
    leave_list();
    // The others get the future's Cancelled, this one that of its own task.
    if (!shielded_) state_->cancel(task()->message());
    wake_cancelled();
}

void FutureState::require_pending() const {
    if (done()) throw InvalidStateError("the future is done already");
}

void FutureState::require_done() const {
    if (!done()) throw InvalidStateError("the future is not done");
    if (cancelled()) std::rethrow_exception(error_);
}

void FutureState::finish(Stage stage) noexcept {
    stage_ = stage;
    resource_.used(Role::resolve, false);
    waiters_.wake_all();
    std::vector<std::function<void()>> callbacks = std::move(callbacks_);
    for (auto& callback : callbacks) callback();
}

void FutureState::fail(std::exception_ptr error) {
    require_pending();
    if (!error) throw std::invalid_argument("set_exception: no exception");
    error_ = std::move(error);
    finish(Stage::error);
}

bool FutureState::cancel(std::string_view message) {
    if (done()) return false;
    error_ = std::make_exception_ptr(message.empty() ? Cancelled() : Cancelled(std::string(message)));
    finish(Stage::cancelled);
    return true;
}

std::exception_ptr FutureState::exception() {
    require_done();
    retrieved_ = true;
    return error_;
}

void FutureState::rethrow_error() {
    if (!error_) return;
    retrieved_ = true;
    std::rethrow_exception(error_);
}

void FutureState::add_done_callback(std::function<void()> callback) {
    EventLoop& loop = EventLoop::running();
    if (done()) {
        loop.call_soon(std::move(callback));
        return;
    }
    callbacks_.push_back([&loop, callback = std::move(callback)]() mutable { loop.call_soon(std::move(callback)); });
}

}  // namespace coroscope::detail
