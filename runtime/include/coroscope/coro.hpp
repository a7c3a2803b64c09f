// Coro<T>: a coroutine object, as a call of an `async def` function gives in Python.
//
//     Coro<std::string> fetch_data(std::string url) { co_await sleep(2s); co_return "Data from " + url; }
//     std::string data = co_await fetch_data("http://example.com");
//
// Lazy: nothing runs until it is awaited (then inside the awaiting task) or made a task by create_task(). Destroyed
// before that, it is reported as never awaited. Move-only; awaiting consumes it. Thread: the loop's. Errors of its body
// are thrown at the await.
//
// Parameters live in the frame: take them by value. A reference parameter must outlive the coroutine (it does when the
// call is awaited in the same expression; it does not when the call is given to create_task).
#pragma once

#include <concepts>
#include <coroutine>
#include <exception>
#include <optional>
#include <source_location>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include "coroscope/detail/promise.hpp"

namespace coroscope {

template <class T>
class Task;
template <class T>
class Future;
template <class T = void>
class [[nodiscard("a coroutine does nothing until it is awaited or made a task")]] Coro;

namespace detail {

template <class T>
class CoroAwaiter;
template <class T, bool shields = false>
class JoinAwaiter;
template <class T>
class FutureAwaiter;

template <class A>
concept Awaiter = std::derived_from<A, OurAwaiter>;

// What a co_await in a coroutine of ours works on: an awaiter, or a reference to one. A temporary awaiter stays where
// it is, because it lives until the end of the full expression, that is, past the await. (g++ 12.2 copies what
// await_transform returns by reference, and awaiters cannot be copied.)
template <class A>
class Awaiting {
public:
    template <class... Arguments>
    explicit Awaiting(Arguments&&... arguments) noexcept(std::is_nothrow_constructible_v<A, Arguments...>)
        : awaiter_(std::forward<Arguments>(arguments)...) {}
    bool await_ready() noexcept(noexcept(std::declval<A&>().await_ready())) { return awaiter_.await_ready(); }
    auto await_suspend(std::coroutine_handle<>) noexcept(noexcept(std::declval<A&>().start())) {
        return awaiter_.start();
    }
    decltype(auto) await_resume() { return awaiter_.await_resume(); }

private:
    A awaiter_;
};

// The worst match for what is awaited: chosen for what cannot be.
struct NotAwaitable {
    template <class A>
    NotAwaitable(const A&) noexcept {
        static_assert(always_false<A>,
                      "this is not awaitable here: a coroutine of coroscope can co_await a Coro, a Task, a Future, and "
                      "what functions of coroscope return for it");
    }
};

struct PromiseWithAwait : PromiseBase {
    // Every co_await passes here, which is how its place becomes known.
    template <class U>
    Awaiting<CoroAwaiter<U>> await_transform(Coro<U>&& coro, SitePointer where = __builtin_source_location()) noexcept;
    template <class U>
    Awaiting<JoinAwaiter<U>> await_transform(const Task<U>& task,
                                             SitePointer where = __builtin_source_location()) noexcept;
    template <class U>
    Awaiting<FutureAwaiter<U>> await_transform(const Future<U>& future,
                                               SitePointer where = __builtin_source_location()) noexcept;
    template <class A>
        requires Awaiter<std::remove_reference_t<A>>
    Awaiting<std::remove_reference_t<A>&> await_transform(A&& awaiter,
                                                          SitePointer where = __builtin_source_location()) noexcept {
        await_site = to_site(where);
        return Awaiting<std::remove_reference_t<A>&>(awaiter);
    }
    // The rest is here for the sentences that the compiler says.
    template <class U>
    std::suspend_never await_transform(Coro<U>&, SitePointer = __builtin_source_location()) noexcept {
        static_assert(always_false<U>,
                      "awaiting a Coro consumes it: of a variable, write co_await std::move(coro); to await it more "
                      "than once, make it a task with create_task(std::move(coro))");
        return {};
    }
    std::suspend_never await_transform(NotAwaitable, SitePointer = __builtin_source_location()) noexcept { return {}; }
};

template <class T>
struct Promise : PromiseWithAwait {
    std::optional<T> result;

    Coro<T> get_return_object() noexcept;
    template <class U>
        requires std::is_convertible_v<U&&, T>
    void return_value(U&& value) {
        result.emplace(std::forward<U>(value));
    }

    T take() {
        rethrow_error();
        return std::move(*result);
    }
    T& get() {
        rethrow_error();
        return *result;
    }
};

template <>
struct Promise<void> : PromiseWithAwait {
    Coro<void> get_return_object() noexcept;
    void return_void() noexcept {}

    void take() const { rethrow_error(); }
    void get() const { rethrow_error(); }
};

}  // namespace detail

template <class T>
class Coro {
public:
    using promise_type = detail::Promise<T>;
    using value_type = T;

    Coro() noexcept = default;
    Coro(Coro&& other) noexcept : promise_(std::exchange(other.promise_, nullptr)) {}
    Coro& operator=(Coro&& other) noexcept {
        if (this != &other) {
            discard();
            promise_ = std::exchange(other.promise_, nullptr);
        }
        return *this;
    }
    ~Coro() { discard(); }

    // Destroys the coroutine without reporting it as never awaited, as Python's coroutine.close().
    void close() noexcept {
        if (promise_ != nullptr) std::exchange(promise_, nullptr)->destroy();
    }
    explicit operator bool() const noexcept { return promise_ != nullptr; }

    // For the runtime: gives up the frame, which the caller will start.
    promise_type* release() noexcept {
        if (promise_ != nullptr) promise_->start();
        return std::exchange(promise_, nullptr);
    }

private:
    friend promise_type;
    explicit Coro(promise_type* promise) noexcept : promise_(promise) {}

    void discard() noexcept {
        if (promise_ == nullptr) return;
        detail::report_never_awaited(*promise_);
        close();
    }

    promise_type* promise_ = nullptr;
};

namespace detail {

template <class T>
Coro<T> Promise<T>::get_return_object() noexcept {
    // See PromiseBase::shifted(): a shift is smaller than the alignment of a frame.
    static_assert(alignof(Promise<T>) <= alignof(void*),
                  "the T of Coro<T> is over-aligned, and g++ 12 misplaces the frames of such coroutines: return a "
                  "std::unique_ptr<T>");
    return Coro<T>(this);
}

inline Coro<void> Promise<void>::get_return_object() noexcept { return Coro<void>(this); }

// Destroys the frames of a suspended task, innermost first, as a destructor of `root` would. By a loop: calls of
// destructors within destructors would need a stack as deep as the chain of frames is long.
void destroy_from_leaf(PromiseBase& leaf, PromiseBase& root) noexcept;

// Runs the child inside the awaiting task, and owns its frame.
class CoroAwaiterBase {
public:
    CoroAwaiterBase(const CoroAwaiterBase&) = delete;
    CoroAwaiterBase& operator=(const CoroAwaiterBase&) = delete;

    bool await_ready() const {
        if (child_ == nullptr) [[unlikely]]
            throw_moved_from();
        return false;
    }
    [[gnu::always_inline]] std::coroutine_handle<> start() noexcept {
        child_->parent = current_frame;
        child_->owner_at = static_cast<std::uint16_t>(reinterpret_cast<std::uintptr_t>(this) -
                                                      reinterpret_cast<std::uintptr_t>(current_frame));
        current_frame = child_;
        return transfer_to(*child_);
    }

protected:
    explicit CoroAwaiterBase(PromiseBase* child) noexcept : child_(child) {}
    [[gnu::always_inline]] ~CoroAwaiterBase() {
        if (child_ != nullptr) child_->destroy();
    }
    PromiseBase* child() const noexcept { return child_; }

private:
    [[noreturn, gnu::cold, gnu::noinline]] static void throw_moved_from() {
        throw std::logic_error("awaited a coroutine object that was moved from");
    }
    friend void destroy_from_leaf(PromiseBase& leaf, PromiseBase& root) noexcept;
    PromiseBase* child_;
};

template <class T>
class [[nodiscard]] CoroAwaiter : public CoroAwaiterBase {
public:
    explicit CoroAwaiter(Promise<T>* child) noexcept : CoroAwaiterBase(child) {}
    T await_resume() { return static_cast<Promise<T>*>(child())->take(); }
};

template <class U>
Awaiting<CoroAwaiter<U>> PromiseWithAwait::await_transform(Coro<U>&& coro, SitePointer where) noexcept {
    await_site = to_site(where);
    return Awaiting<CoroAwaiter<U>>(coro.release());
}

// What functions of coroscope return for co_await is a coroutine in asyncio (queue.get(), event.wait(), sleep()), and a
// Future can be given wherever one can. as_coro() makes all of them one, so that what takes a coroutine takes them,
// too.
template <class A>
concept MovableAwaiter = Awaiter<A> && std::move_constructible<A>;
template <MovableAwaiter A>
auto as_coro(A awaiter) -> Coro<std::remove_cvref_t<decltype(awaiter.await_resume())>> {
    co_return co_await awaiter;
}
template <class T>
Coro<T> as_coro(Future<T> future) {
    co_return co_await future;
}
template <class T>
Coro<T> as_coro(Coro<T> coro) noexcept {
    return coro;
}
template <class A>
using CoroOf = decltype(as_coro(std::declval<A>()));
template <class A>
concept Awaitable = requires { typename CoroOf<A>; };

}  // namespace detail
}  // namespace coroscope
