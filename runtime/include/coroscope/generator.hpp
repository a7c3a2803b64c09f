// AsyncGenerator<T>: a coroutine that gives values one after the other and may await in between. Python's `async def`
// with `yield`.
//
//     AsyncGenerator<Row> rows(Connection& db, std::string query) {
//         Cursor cursor = co_await db.execute(query);
//         while (auto row = co_await cursor.fetch()) co_yield std::move(*row);
//     }
//
//     co_await for_each(rows(db, "..."), show);                       // Coro<> show(Row row); always closes
//     AsyncGenerator<Row> all = rows(db, "...");
//     while (std::optional<Row> row = co_await all.next()) ...        // by hand; aclose() it if you leave early
//
// Lazy: the body runs only inside next(), in the task that awaits it, and its place shows in that task's stack. Errors
// of the body are thrown by next(), which then ends the generator. Cancellation points: next(), athrow(),
// aclose(). Thread: the loop's. One at a time: a second next() while one is under way throws std::logic_error.
//
// Leaving early: aclose() throws GeneratorExit at the co_yield where the body stands, so that it can clean up, also by
// awaiting. A generator that is destroyed unfinished runs its destructors, but no catch block, and cannot await (Python
// leaves it to the loop to close it later, when what it refers to may be gone: not in C++).
#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <source_location>
#include <stdexcept>
#include <type_traits>
#include <utility>

#include "coroscope/coro.hpp"
#include "coroscope/detail/temporary.hpp"

namespace coroscope {

// Thrown at a co_yield by aclose(). As Cancelled it is no std::exception, so that it is not swallowed by accident.
class GeneratorExit {};

template <class T>
class AsyncGenerator;

namespace detail {

template <class T>
class GeneratorPromise : public PromiseWithAwait {
public:
    AsyncGenerator<T> get_return_object() noexcept;
    void return_void() noexcept {}

    // Hands a value to who awaits next(), and goes on when it is awaited again.
    class YieldAwaiter {  // awaited by a co_yield, which no await_transform() sees
    public:
        explicit YieldAwaiter(GeneratorPromise& generator) noexcept : generator_(generator) {}
        bool await_ready() const noexcept { return false; }
        std::coroutine_handle<> await_suspend(std::coroutine_handle<>) const noexcept {
            current_frame = generator_.parent;
            return transfer_to(*generator_.parent);
        }
        void await_resume() const {
            if (generator_.thrown_in) [[unlikely]]
                std::rethrow_exception(std::exchange(generator_.thrown_in, nullptr));
        }

    private:
        GeneratorPromise& generator_;
    };
    template <class U>
        requires std::is_convertible_v<U&&, T>
    YieldAwaiter yield_value(U&& given, SitePointer where = __builtin_source_location()) {
        await_site = to_site(where);
        value.emplace(std::forward<U>(given));
        return YieldAwaiter(*this);
    }

    std::optional<T> value;
    std::exception_ptr thrown_in;  // by aclose() or athrow(), at the co_yield
    bool begun = false;
    bool running = false;  // somebody awaits it
};

}  // namespace detail

template <class T>
class [[nodiscard]] AsyncGenerator {
public:
    using promise_type = detail::GeneratorPromise<T>;
    using value_type = T;

    AsyncGenerator() noexcept = default;
    AsyncGenerator(AsyncGenerator&& other) noexcept : promise_(std::exchange(other.promise_, nullptr)) {}
    AsyncGenerator& operator=(AsyncGenerator&& other) noexcept {
        if (this != &other) {
            destroy();
            promise_ = std::exchange(other.promise_, nullptr);
        }
        return *this;
    }
    ~AsyncGenerator() { destroy(); }

    class [[nodiscard("co_await it")]] NextAwaiter : public detail::OurAwaiter {
    public:
        NextAwaiter(AsyncGenerator& generator, std::exception_ptr thrown_in) noexcept
            : generator_(generator), thrown_in_(std::move(thrown_in)) {}
        NextAwaiter(NextAwaiter&&) noexcept = default;  // before it waits
        NextAwaiter& operator=(NextAwaiter&&) = delete;
        // The frame that awaits was destroyed: nobody is there to go on for.
        ~NextAwaiter() {
            if (suspended_) generator_.destroy();
        }
        bool await_ready() const {
            if (generator_.promise_ == nullptr) return true;
            promise_type& promise = *generator_.promise_;
            if (promise.running) throw std::logic_error("the asynchronous generator is being awaited already");
            return promise.finished();
        }
        std::coroutine_handle<> start() noexcept {
            promise_type& promise = *generator_.promise_;
            if (!promise.begun) promise.start();
            promise.begun = promise.running = suspended_ = true;
            promise.thrown_in = std::move(thrown_in_);
            promise.value.reset();
            promise.parent = detail::current_frame;
            promise.node = 0;  // it may be awaited elsewhere than the last time
            detail::current_frame = &promise;
            return detail::transfer_to(promise);
        }
        std::optional<T> await_resume() {
            if (!suspended_) {  // it had ended before
                if (thrown_in_) std::rethrow_exception(thrown_in_);
                return std::nullopt;
            }
            suspended_ = false;
            promise_type& promise = *generator_.promise_;
            promise.running = false;
            promise.rethrow_error_once();
            return std::move(promise.value);
        }

    private:
        AsyncGenerator& generator_;
        std::exception_ptr thrown_in_;
        bool suspended_ = false;
    };

    // The next value; nothing when the body has ended.
    NextAwaiter next() noexcept { return NextAwaiter(*this, nullptr); }

    // Throws `error` at the co_yield where the body stands (before its begin, or after its end: at once) and gives the
    // next value. Of one that has ended CPython 3.11 gives None instead, and the error is lost.
    Coro<std::optional<T>> athrow(std::exception_ptr error) {
        if (promise_ != nullptr && !promise_->begun) destroy();
        co_return co_await NextAwaiter(*this, std::move(error));
    }

    // Ends it: GeneratorExit is thrown at the co_yield where the body stands. Throws what the body throws then, and
    // std::logic_error if it yields another value instead of ending. Idempotent.
    Coro<> aclose() {
        if (promise_ == nullptr || promise_->finished()) co_return;
        if (!promise_->begun) {
            destroy();
            co_return;
        }
        bool yielded = false;
        try {
            const std::optional<T> value = co_await NextAwaiter(*this, std::make_exception_ptr(GeneratorExit()));
            yielded = value.has_value();
        } catch (const GeneratorExit&) {
        }
        if (yielded) throw std::logic_error("the asynchronous generator ignored GeneratorExit");
    }

private:
    friend promise_type;
    explicit AsyncGenerator(promise_type* promise) noexcept : promise_(promise) {}
    void destroy() noexcept {
        if (promise_ != nullptr) std::exchange(promise_, nullptr)->destroy();
    }
    promise_type* promise_ = nullptr;
};

template <class T>
AsyncGenerator<T> detail::GeneratorPromise<T>::get_return_object() noexcept {
    // See PromiseBase::shifted().
    static_assert(
        alignof(GeneratorPromise<T>) <= alignof(void*),
        "the T of AsyncGenerator<T> is over-aligned, and g++ 12 misplaces the frames of such coroutines: yield a "
        "std::unique_ptr<T>");
    return AsyncGenerator<T>(this);
}

namespace detail {

template <class T, class Body>
Coro<> run_for_each(AsyncGenerator<T> generator, Body body) {
    std::exception_ptr error;
    try {
        while (std::optional<T> value = co_await generator.next()) co_await body(std::move(*value));
    } catch (...) {
        error = std::current_exception();
    }
    co_await generator.aclose();
    if (error) std::rethrow_exception(error);
}

}  // namespace detail

// Awaits body(value) for every value, and closes the generator, whatever happens.
template <class T, class Body>
Coro<> for_each(AsyncGenerator<T> generator, Body&& body) {
    COROSCOPE_REFUSE_TEMPORARY_CALLABLE(Body, "co_await for_each(generator, body)");
    return detail::run_for_each(std::move(generator), std::decay_t<Body>(std::forward<Body>(body)));
}

}  // namespace coroscope
