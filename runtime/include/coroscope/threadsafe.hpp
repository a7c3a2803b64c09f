// run_coroutine_threadsafe(): hands a coroutine to a loop of another thread, and its result back.
// asyncio.run_coroutine_threadsafe.
//
//     ConcurrentFuture<int> answer = run_coroutine_threadsafe(compute(7), loop);     // any thread but the loop's
//     int value = answer.get();                                                      // blocks; throws what it threw
//
// Given a function, the coroutine is made on the loop's thread, and the function is kept as long as it. The loop must
// live until the call returns. A coroutine that the loop's end leaves undone counts as cancelled. Thread: any; handles
// may be copied, and used by several threads. get(), wait() and wait_for() block the thread: std::logic_error on the
// loop's own. Not cancellation points.
#pragma once

#include <chrono>
#include <concepts>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <source_location>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "coroscope/gather.hpp"
#include "coroscope/loop.hpp"

namespace coroscope {

namespace detail {

// What the handles share with the coroutine on the loop. Freed by whoever goes last.
class ConcurrentState : public std::enable_shared_from_this<ConcurrentState> {
public:
    enum class Stage : std::uint8_t { pending, value, error, cancelled };

    explicit ConcurrentState(EventLoop& loop) noexcept : loop_(&loop) {}
    virtual ~ConcurrentState() = default;
    ConcurrentState(const ConcurrentState&) = delete;
    ConcurrentState& operator=(const ConcurrentState&) = delete;

    // Any thread.
    bool wait(std::optional<std::chrono::nanoseconds> most);  // whether it is done
    Stage stage();
    bool cancel(std::string_view message);
    std::exception_ptr error();  // that, or the Cancelled, once it is done

    // The loop's thread.
    void started(AnyTask task) noexcept { task_ = std::move(task); }
    void finish(Stage stage, std::exception_ptr error) noexcept;  // once; a null Cancelled: as the task was asked

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    Stage stage_ = Stage::pending;
    std::exception_ptr error_;
    EventLoop* loop_;  // nullptr: done, the loop may have gone
    AnyTask task_;     // the loop's thread only
};

template <class T>
struct ConcurrentValue final : ConcurrentState {
    using ConcurrentState::ConcurrentState;
    std::optional<Stored<T>> value;  // written before finish(), read after wait()
};

// In the coroutine's frame, or on its way there: if it goes before the coroutine ended, that counts as cancelled.
template <class T>
class ConcurrentEnd {
public:
    explicit ConcurrentEnd(std::shared_ptr<ConcurrentValue<T>> state) noexcept : state_(std::move(state)) {}
    ConcurrentEnd(ConcurrentEnd&&) noexcept = default;
    ConcurrentEnd& operator=(ConcurrentEnd&&) = delete;
    ~ConcurrentEnd() {
        if (state_) state_->finish(ConcurrentState::Stage::cancelled, nullptr);
    }
    template <class... A>
    void value(A&&... value) {
        state_->value.emplace(std::forward<A>(value)...);
        std::exchange(state_, nullptr)->finish(ConcurrentState::Stage::value, nullptr);
    }
    void current_exception(ConcurrentState::Stage stage) noexcept {
        std::exchange(state_, nullptr)->finish(stage, std::current_exception());
    }
    ConcurrentValue<T>& state() noexcept { return *state_; }

private:
    std::shared_ptr<ConcurrentValue<T>> state_;
};

// A coroutine object as a function that gives it, once.
template <class T>
class GivenCoro {
public:
    explicit GivenCoro(Coro<T> coro) noexcept : coro_(std::move(coro)) {}
    GivenCoro(GivenCoro&&) noexcept = default;
    GivenCoro& operator=(GivenCoro&&) = delete;
    ~GivenCoro() { coro_.close(); }  // cancelled before it began
    Coro<T> operator()() { return std::move(coro_); }

private:
    Coro<T> coro_;
};

template <class T, class Make>
Coro<> run_for_thread(ConcurrentEnd<T> end, Make make) {
    try {
        if constexpr (std::is_void_v<T>) {
            co_await make();
            end.value();
        } else {
            end.value(co_await make());
        }
    } catch (const Cancelled&) {
        end.current_exception(ConcurrentState::Stage::cancelled);
    } catch (...) {
        end.current_exception(ConcurrentState::Stage::error);
    }
}

}  // namespace detail

// The handle on another thread. concurrent.futures.Future, read only.
template <class T = void>
class [[nodiscard]] ConcurrentFuture {
public:
    using value_type = T;
    explicit ConcurrentFuture(std::shared_ptr<detail::ConcurrentValue<T>> state) noexcept : state_(std::move(state)) {}

    // Blocks until it is done. The value; throws what it threw, or Cancelled. A value that cannot be copied is moved
    // out: then only once.
    T get() const {
        wait();
        if (const std::exception_ptr error = state_->error()) std::rethrow_exception(error);
        if constexpr (std::is_copy_constructible_v<T>) {
            return *state_->value;
        } else if constexpr (!std::is_void_v<T>) {
            return std::move(*state_->value);
        }
    }
    // asyncio's result(timeout): TimeoutError if it takes longer; the coroutine goes on.
    T get(std::chrono::nanoseconds most) const {
        if (!wait_for(most)) throw TimeoutError();
        return get();
    }
    void wait() const { state_->wait(std::nullopt); }
    bool wait_for(std::chrono::nanoseconds most) const { return state_->wait(most); }  // whether it is done
    // Cancels the task. False if it is done; true: it was asked to end.
    bool cancel(std::string_view message = {}) const { return state_->cancel(message); }
    bool done() const { return state_->stage() != detail::ConcurrentState::Stage::pending; }
    bool cancelled() const { return state_->stage() == detail::ConcurrentState::Stage::cancelled; }
    // What it threw; nullptr if it has a value. Blocks until it is done.
    std::exception_ptr exception() const {
        wait();
        return state_->error();
    }

private:
    std::shared_ptr<detail::ConcurrentValue<T>> state_;
};

template <class Make>
    requires detail::CoroFunction<Make>
auto run_coroutine_threadsafe(Make make, EventLoop& loop,
                              std::source_location where = std::source_location::current()) {
    using T = typename detail::CoroMadeBy<Make>::value_type;
    auto state = std::make_shared<detail::ConcurrentValue<T>>(loop);
    struct Call {
        Call(std::shared_ptr<detail::ConcurrentValue<T>> the_state, Make&& the_make)
            : end(std::move(the_state)), make(std::move(the_make)) {}
        detail::ConcurrentEnd<T> end;
        Make make;
    };
    loop.call_soon_threadsafe(
        [call = std::make_shared<Call>(state, std::move(make)), &loop, where] {
            detail::ConcurrentValue<T>& its_state = call->end.state();
            its_state.started(
                loop.create_task(detail::run_for_thread<T>(std::move(call->end), std::move(call->make)), {}, where));
        },
        where);
    return ConcurrentFuture<T>(std::move(state));
}

template <class T>
ConcurrentFuture<T> run_coroutine_threadsafe(Coro<T> coro, EventLoop& loop,
                                             std::source_location where = std::source_location::current()) {
    return run_coroutine_threadsafe(detail::GivenCoro<T>(std::move(coro)), loop, where);
}
// What else can be awaited: run_coroutine_threadsafe(queue.put(1), loop).
template <detail::MovableAwaiter A>
auto run_coroutine_threadsafe(A awaiter, EventLoop& loop,
                              std::source_location where = std::source_location::current()) {
    return run_coroutine_threadsafe(detail::as_coro(std::move(awaiter)), loop, where);
}

}  // namespace coroscope
