#include "callback.hpp"

#include "coroscope/detail/resource.hpp"
#include "observe.hpp"

namespace coroscope {

using detail::CallbackNode;

namespace {

std::shared_ptr<CallbackNode> callback_node(EventLoop& loop, EventLoop::Callback&& callback,
                                            const std::source_location& where) {
    auto node = std::make_shared<CallbackNode>();
    node->loop = &loop;
    node->callback = std::move(callback);
    node->where = where;
    node->context = detail::current_context();
    node->self = node;
    return node;
}

}  // namespace

void EventLoop::push_callback(CallbackNode& node) noexcept {
    if (probe::on() && node.node == 0) node.node = detail::call_node(node.where);
    push_ready(node);
}

void EventLoop::fire_callback(detail::CallbackTimer& timer) noexcept {
    auto& self = static_cast<CallbackNode&>(timer);
    self.loop->push_callback(self);
}

Handle EventLoop::call_soon(Callback callback, std::source_location where) {
    if (probe::on()) detail::check_thread(*this, nullptr, "call_soon() was called");
    auto node = callback_node(*this, std::move(callback), where);
    push_callback(*node);
    return Handle(std::move(node));
}

void EventLoop::call_soon_from(Callback callback, const std::source_location& where, std::uint32_t node) {
    auto made = callback_node(*this, std::move(callback), where);
    // Whoever runs now did not schedule it.
    if (probe::on()) made->node = node != 0 ? node : probe::intern_node(0, where, probe::NodeKind::call);
    push_callback(*made);
}

Handle EventLoop::call_later(Duration delay, Callback callback, std::source_location where) {
    const std::uint64_t later = delay.count() > 0 ? static_cast<std::uint64_t>(delay.count()) : 0;
    return call_at(time_ns() + later, std::move(callback), where);
}

Handle EventLoop::call_at(std::uint64_t time_ns, Callback callback, std::source_location where) {
    auto node = callback_node(*this, std::move(callback), where);
    if (probe::on()) {
        detail::check_thread(*this, nullptr, "call_at() or call_later() was called");
        node->node = detail::call_node(where);
    }
    node->fire = fire_callback;
    node->when_ns = time_ns;
    add_timer(*node, time_ns);
    return Handle(std::move(node));
}

void EventLoop::run_callback(CallbackNode& node) {
    const std::shared_ptr<CallbackNode> self = std::move(node.self);
    if (node.cancelled) return;
    const bool observed = probe::on();
    if (observed) {
        detail::used_in_step.begin();
        probe::callback_begin(node.node);
        detail::running_callback = node.node;
    }
    try {
        const detail::WithContext with(node.context);
        const Callback callback = std::move(node.callback);  // it may cancel its own handle
        callback();
    } catch (...) {
        call_exception_handler(std::current_exception());
    }
    if (observed) {
        detail::running_callback = 0;
        detail::used_in_step.end();
        probe::callback_end();
    }
}

void EventLoop::call_exception_handler(const std::exception_ptr& error) noexcept {
    if (!exception_handler_) return detail::report_callback_exception(error);
    try {
        const ExceptionHandler handler = exception_handler_;  // it may set another
        handler(*this, error);
    } catch (...) {
        detail::report_callback_exception(error);
        detail::report_callback_exception(std::current_exception());
    }
}

Handle EventLoop::call_soon_threadsafe(Callback callback, std::source_location where) {
    struct Call : detail::RemoteCall {
        std::shared_ptr<CallbackNode> node;
    };
    auto node = callback_node(*this, std::move(callback), where);
    auto* call = new Call;
    call->node = node;
    call->run = [](detail::RemoteCall& base) noexcept {
        const std::unique_ptr<Call> self(static_cast<Call*>(&base));
        self->node->loop->push_callback(*self->node);
    };
    post(*call);
    return Handle(std::move(node));
}

void Handle::cancel() noexcept {
    if (!node_ || node_->cancelled) return;
    node_->cancelled = true;
    const EventLoop::Callback dropped = std::move(node_->callback);
    if (node_->queued()) {
        node_->loop->remove_timer(*node_);
        node_->self.reset();
    }
}

bool Handle::cancelled() const noexcept { return node_ && node_->cancelled; }

std::uint64_t Handle::when() const noexcept { return node_ ? node_->when_ns : 0; }

}  // namespace coroscope
