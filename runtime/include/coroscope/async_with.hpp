// async_with(): a scope for a resource whose closing must be awaited; closed also when an exception flies. Python's
// `async with`.
//
//     Coro<> use(Session& session);                       // the body
//     co_await async_with(open_session("db"), use);       // awaits session.aclose() at the end, whatever happened
//
// The resource is a movable object with `Coro<> aclose()`; it is given by value or as a coroutine that opens it.
// Errors: the body's; if closing throws as well, closing's is thrown, as in Python. Cancellation points: those of
// opening, body and closing. A cancellation in the body closes the resource before Cancelled is thrown on. Thread: the
// loop's.
#pragma once

#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

#include "coroscope/coro.hpp"
#include "coroscope/detail/temporary.hpp"

namespace coroscope {

template <class R>
concept AsyncClosable = requires(R& resource) {
    { resource.aclose() };
};

namespace detail {

template <AsyncClosable R, class Body>
auto run_async_with(R resource, Body body) -> std::invoke_result_t<Body&, R&> {
    using T = typename std::invoke_result_t<Body&, R&>::value_type;
    std::exception_ptr error;
    if constexpr (std::is_void_v<T>) {
        try {
            co_await body(resource);
        } catch (...) {
            error = std::current_exception();
        }
        co_await resource.aclose();
        if (error) std::rethrow_exception(error);
    } else {
        std::optional<T> value;
        try {
            value.emplace(co_await body(resource));
        } catch (...) {
            error = std::current_exception();
        }
        co_await resource.aclose();
        if (error) std::rethrow_exception(error);
        co_return std::move(*value);
    }
}

template <AsyncClosable R, class Body>
auto open_async_with(Coro<R> open, Body body) -> std::invoke_result_t<Body&, R&> {
    R resource = co_await std::move(open);
    co_return co_await run_async_with(std::move(resource), std::move(body));
}

}  // namespace detail

template <AsyncClosable R, class Body>
auto async_with(R resource, Body&& body) {
    COROSCOPE_REFUSE_TEMPORARY_CALLABLE(Body, "co_await async_with(resource, body)");
    return detail::run_async_with(std::move(resource), std::decay_t<Body>(std::forward<Body>(body)));
}

template <AsyncClosable R, class Body>
auto async_with(Coro<R> open, Body&& body) {
    COROSCOPE_REFUSE_TEMPORARY_CALLABLE(Body, "co_await async_with(open, body)");
    return detail::open_async_with(std::move(open), std::decay_t<Body>(std::forward<Body>(body)));
}

}  // namespace coroscope
