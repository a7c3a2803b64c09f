#include "coroscope/future.hpp"

#include "coroscope/loop.hpp"
#include "observe.hpp"

namespace coroscope::detail {

FutureState::~FutureState() {
    if (stage_ == Stage::error && !retrieved_) report_future_exception_never_retrieved(error_, failed_at_);
}

void FutureState::Awaiter::start() noexcept {
    callbacks_before_ = static_cast<std::uint32_t>(state_->callbacks_.size());
    wait_in(state_->waiters_, *this);
    if (!probe::on()) [[likely]]
        return;
    state_->awaited_on_.store(running_loop(), std::memory_order_relaxed);
    if (state_->handles_went_.load(std::memory_order_relaxed)) state_->look_for_orphan(state_.use_count());
}

// Frames of up to a kilobyte lie together in memory that holds nothing else; how large this one is is not known. A
// handle that another place owns (a member, a table of requests) is not in it.
bool FutureState::Awaiter::owns_handle() const noexcept {
    if (task() == nullptr || task()->leaf == nullptr) return false;
    const auto frame = reinterpret_cast<std::uintptr_t>(task()->leaf);
    const auto handle = reinterpret_cast<std::uintptr_t>(handle_);
    return handle > frame && handle - frame < frame_class_bytes * frame_classes;
}

// Nobody can set it if all that refers to it are the tasks that wait for it. Only where other handles were there
// before: who passes a reference to a handle on makes none.
void FutureState::look_for_orphan(long references) noexcept {
    if (done() || orphaned_ || waiters_.empty() || !callbacks_.empty()) return;
    long waiting = 0;
    const void* counted = nullptr;
    waiters_.for_each([&](const Awaiter& waiter) {
        ++waiting;
        if (waiter.handle_ == counted || !waiter.owns_handle()) return;
        ++waiting;
        counted = waiter.handle_;
    });
    if (references != waiting || resource_.id() == 0) return;
    orphaned_ = true;
    probe::emit(probe::EventKind::orphaned, resource_.id());
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
    const std::vector<std::function<void()>> callbacks = std::move(callbacks_);
    std::size_t called = 0;
    while (Awaiter* const waiter = waiters_.pop()) {
        while (called < waiter->callbacks_before_) callbacks[called++]();
        waiter->wake_up();
    }
    while (called < callbacks.size()) callbacks[called++]();
}

void FutureState::fail(std::exception_ptr error) {
    require_pending();
    if (!error) throw std::invalid_argument("set_exception: no exception");
    error_ = std::move(error);
    if (probe::on()) [[unlikely]]
        failed_at_ = running_place();
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

void FutureState::add_done_callback(std::function<std::function<void()>()> call, const std::source_location& where) {
    EventLoop& loop = EventLoop::running();
    if (done()) {
        loop.call_soon(call(), where);
        return;
    }
    const std::uint32_t node = probe::on() ? call_node(where) : 0;
    callbacks_.push_back([&loop, call = std::move(call), where, node] { loop.call_soon_from(call(), where, node); });
}

}  // namespace coroscope::detail
