// Future<T>: a value that other code will set. asyncio.Future.
//
//     Future<int> answer;
//     loop.call_later(1s, [answer] { answer.set_result(42); });
//     int value = co_await answer;
//
// Awaiting is a cancellation point, and cancelling the task that awaits cancels the future, as in asyncio: all tasks
// that await it get Cancelled, and a later set_result() throws. `co_await shield(future)` leaves it alone. Handles
// share one state. An exception that nobody retrieved is reported when the last handle is destroyed. Thread: the
// loop's; from another thread set it by call_soon_threadsafe(). Errors: InvalidStateError when set twice or read too
// early. Unlike asyncio's it needs no loop until it is awaited or has a callback.
#pragma once

#include <atomic>
#include <coroutine>
#include <exception>
#include <functional>
#include <memory>
#include <source_location>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "coroscope/coro.hpp"
#include "coroscope/detail/resource.hpp"
#include "coroscope/detail/task_control.hpp"
#include "coroscope/error.hpp"

namespace coroscope {

namespace detail {

// What a future's state has, whatever its value.
class FutureState {
public:
    FutureState() = default;
    FutureState(const FutureState&) = delete;
    FutureState& operator=(const FutureState&) = delete;
    ~FutureState();

    enum class Stage : std::uint8_t { pending, value, error, cancelled };

    class Awaiter : public Waiter {
    public:
        // `handle`: the one that is awaited.
        Awaiter(std::shared_ptr<FutureState> state, const void* handle, bool shielded) noexcept
            : state_(std::move(state)), handle_(handle), shielded_(shielded) {}
        Awaiter(Awaiter&&) noexcept = default;
        bool await_ready() const noexcept { return state_->done(); }
        void start() noexcept;

    protected:
        ~Awaiter() { leave_list(); }  // before the state goes
        friend FutureState;
        friend Suspension;
        void on_cancel() noexcept;
        std::uint64_t waits_for() const noexcept { return state_->resource_.wait(Verb::result, *task(), traits); }
        // The handle that is awaited is a variable of the coroutine that awaits it.
        bool owns_handle() const noexcept;
        std::shared_ptr<FutureState> state_;
        const void* handle_;
        std::uint32_t callbacks_before_ = 0;  // callbacks that were added before it began to wait
        bool shielded_;
    };

    bool done() const noexcept { return stage_ != Stage::pending; }
    bool cancelled() const noexcept { return stage_ == Stage::cancelled; }
    void require_pending() const;
    void require_done() const;  // and not cancelled: throws Cancelled
    void finish(Stage stage) noexcept;
    void fail(std::exception_ptr error);
    bool cancel(std::string_view message);
    std::exception_ptr exception();
    void rethrow_error();  // if it is one
    // `call`, asked once it is done, gives what the loop is to call.
    void add_done_callback(std::function<std::function<void()>()> call, const std::source_location& where);
    void set_name(std::string_view name) noexcept { resource_.set_name(name, traits); }
    // Only with debug mode on. A handle goes; `left` references to this state are left. Any thread: a handle may be
    // kept by a callback that another thread hands over. Only on that of the tasks that wait is there something to look
    // at.
    void handle_gone(long left) noexcept {
        handles_went_.store(true, std::memory_order_relaxed);
        EventLoop* const loop = awaited_on_.load(std::memory_order_relaxed);
        if (loop != nullptr && loop == running_loop()) look_for_orphan(left);
    }

private:
    void look_for_orphan(long references) noexcept;
    // Known from its first wait on: making a future costs the same with debug mode on.
    static constexpr ResourceTraits traits{.type = ResourceType::future, .made_by_wait = true};

    Stage stage_ = Stage::pending;
    bool retrieved_ = false;
    bool orphaned_ = false;                        // reported
    std::atomic<bool> handles_went_{false};        // while debug mode was on; as below, orders nothing
    std::uint32_t failed_at_ = 0;                  // where that was, for the debugger; 0: unknown
    std::atomic<EventLoop*> awaited_on_{nullptr};  // the loop of the task that waited last, while debug mode was on
    std::exception_ptr error_;                     // or the Cancelled
    WaiterList<Awaiter> waiters_;
    std::vector<std::function<void()>> callbacks_;
    Resource resource_;
};

template <class T>
class FutureAwaiter;

}  // namespace detail

template <class T = void>
class Future {
    using Value = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

public:
    using value_type = T;

    Future() : state_(std::make_shared<State>()) {}
    Future(const Future&) noexcept = default;
    Future(Future&&) noexcept = default;
    Future& operator=(Future other) noexcept {
        std::swap(state_, other.state_);
        return *this;
    }
    ~Future() {
        if (state_ && detail::debug_enabled()) [[unlikely]]
            state_->handle_gone(state_.use_count() - 1);
    }

    bool done() const noexcept { return state_->done(); }
    bool cancelled() const noexcept { return state_->cancelled(); }
    template <class... A>
        requires std::is_constructible_v<Value, A...>
    void set_result(A&&... value) const {
        state_->require_pending();
        state_->value.template emplace<1>(std::forward<A>(value)...);
        state_->finish(detail::FutureState::Stage::value);
    }
    void set_exception(std::exception_ptr error) const { state_->fail(std::move(error)); }
    template <class E>
        requires(!std::is_convertible_v<E, std::exception_ptr>)
    void set_exception(E error) const {
        state_->fail(std::make_exception_ptr(std::move(error)));
    }
    // Cancelled, with the message, is thrown at its awaits. False if it is done.
    bool cancel(std::string_view message = {}) const { return state_->cancel(message); }
    // The value; throws its error, Cancelled if it was cancelled, InvalidStateError if it is not done.
    std::add_lvalue_reference_t<const T> result() const {
        state_->require_done();
        state_->rethrow_error();
        if constexpr (!std::is_void_v<T>) return std::get<1>(state_->value);
    }
    // The error; nullptr if it has a value. Throws Cancelled, InvalidStateError.
    std::exception_ptr exception() const { return state_->exception(); }
    // Called by the running loop soon after it is done. Callbacks and the tasks that await it have their turns in the
    // order in which they came.
    void add_done_callback(std::function<void(Future)> callback,
                           std::source_location where = std::source_location::current()) const {
        // Weak: what is kept in the state must not keep it. Once it is done, the call keeps it, as asyncio's does.
        state_->add_done_callback(
            [callback = std::move(callback), weak = std::weak_ptr<State>(state_)]() -> std::function<void()> {
                return [callback, done = Future(weak.lock())] { callback(done); };
            },
            where);
    }
    bool operator==(const Future&) const noexcept = default;
    // For the debugger, which shows the name beside the type. Any time; costs an allocation.
    void set_name(std::string_view name) const noexcept { state_->set_name(name); }

private:
    template <class U>
    friend class detail::FutureAwaiter;
    struct State : detail::FutureState {
        std::variant<std::monostate, Value> value;
    };
    explicit Future(std::shared_ptr<State> state) noexcept : state_(std::move(state)) {}
    std::shared_ptr<State> state_;
};

namespace detail {

template <class T>
class [[nodiscard]] FutureAwaiter final : public FutureState::Awaiter {
public:
    explicit FutureAwaiter(const Future<T>& future, bool shielded = false) noexcept
        : Awaiter(future.state_, &future, shielded) {}
    T await_resume() {
        this->check_cancelled();
        auto& state = static_cast<typename Future<T>::State&>(*this->state_);
        state.require_done();
        state.rethrow_error();
        if constexpr (std::is_copy_constructible_v<T>) {
            return std::get<1>(state.value);
        } else if constexpr (!std::is_void_v<T>) {
            return std::move(std::get<1>(state.value));  // for the one who awaits it
        }
    }
};

template <class U>
Awaiting<FutureAwaiter<U>> PromiseWithAwait::await_transform(const Future<U>& future, SitePointer where) noexcept {
    await_site = to_site(where);
    return Awaiting<FutureAwaiter<U>>(future);
}

}  // namespace detail

// Awaits a future; cancelling the awaiting task does not cancel it.
template <class T>
detail::FutureAwaiter<T> shield(const Future<T>& future) noexcept {
    return detail::FutureAwaiter<T>(future, true);
}

}  // namespace coroscope
