// Future<T>: a value that comes later, set by somebody else. asyncio.Future. co_await future is a cancellation point.
// Handles share one state. Thread: the loop's. Errors: InvalidStateError when set twice or read too early.
#pragma once

#include <coroutine>
#include <exception>
#include <memory>
#include <type_traits>
#include <utility>
#include <variant>

#include "coroscope/detail/task_control.hpp"
#include "coroscope/error.hpp"

namespace coroscope {

template <class T = void>
class Future {
    using Value = std::conditional_t<std::is_void_v<T>, std::monostate, T>;
    struct State;

public:
    Future() : state_(std::make_shared<State>()) {}

    class [[nodiscard("co_await it")]] Awaiter : public detail::Suspension {
    public:
        explicit Awaiter(std::shared_ptr<State> state) noexcept : state_(std::move(state)) {}
        ~Awaiter() {
            if (waiting_) state_->waiters.remove(*this);
        }
        bool await_ready() const noexcept { return state_->result.index() != 0; }
        template <class P>
        void await_suspend(std::coroutine_handle<P>) noexcept {
            waiting_ = true;
            state_->waiters.push(*this);
            this->suspend(detail::wait_bits(detail::WaitKind::future), [](detail::Suspension& base) noexcept {
                auto& self = static_cast<Awaiter&>(base);
                self.waiting_ = false;
                self.state_->waiters.remove(self);
                self.wake_cancelled();
            });
        }
        T await_resume() {
            this->check_cancelled();
            if constexpr (std::is_void_v<T>) {
                state_->get();
            } else {
                return state_->get();
            }
        }
        Awaiter* next_waiter = nullptr;
        Awaiter* previous_waiter = nullptr;

    private:
        friend State;
        std::shared_ptr<State> state_;
        bool waiting_ = false;
    };

    Awaiter wait() const { return Awaiter(state_); }
    bool done() const noexcept { return state_->result.index() != 0; }
    template <class... A>
    void set_result(A&&... value) const {
        state_->template set<1>(std::forward<A>(value)...);
    }
    void set_exception(std::exception_ptr error) const { state_->template set<2>(std::move(error)); }
    // Cancelled is thrown at its awaits. False if it is done.
    bool cancel() const {
        if (done()) return false;
        set_exception(std::make_exception_ptr(Cancelled()));
        return true;
    }
    const Value& result() const {
        if (!done()) throw InvalidStateError("the future is not done");
        return state_->get();
    }

private:
    struct State {
        std::variant<std::monostate, Value, std::exception_ptr> result;
        detail::WaiterList<Awaiter> waiters;

        template <std::size_t index, class... A>
        void set(A&&... value) {
            if (result.index() != 0) throw InvalidStateError("the future is done already");
            result.template emplace<index>(std::forward<A>(value)...);
            while (Awaiter* waiter = waiters.pop()) {
                waiter->waiting_ = false;
                waiter->wake();
            }
        }
        const Value& get() const {
            if (result.index() == 2) std::rethrow_exception(std::get<2>(result));
            return std::get<1>(result);
        }
    };
    std::shared_ptr<State> state_;
};

}  // namespace coroscope
