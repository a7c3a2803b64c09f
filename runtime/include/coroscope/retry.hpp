// retry(): tries again what failed, after a pause that grows and that chance spreads. Cancellation point. Thread: the
// loop's.
//
//     Page page = co_await retry({.attempts = 5}, fetch, url);       // makes fetch(url) anew for each attempt
//     Page page = co_await retry({.should_retry = [](const std::exception& error) {
//                                     return dynamic_cast<const ConnectionError*>(&error) != nullptr;
//                                 }}, fetch, url);
//
// The last attempt's error is thrown. A cancellation, and what is no std::exception, is thrown at once. The pause
// before attempt n + 1 lies between half and the whole of first_pause * factor^(n-1), at most most_pause: clients that
// failed together do not come back together.
#pragma once

#include <algorithm>
#include <chrono>
#include <exception>
#include <tuple>
#include <type_traits>
#include <utility>

#include "coroscope/coro.hpp"
#include "coroscope/detail/temporary.hpp"
#include "coroscope/sleep.hpp"

namespace coroscope {

// Plain functions, not std::function: such an object may stand in an expression with co_await on g++ 12.2.
struct RetryOptions {
    int attempts = 3;  // all of them, with the first; below 1 counts as 1
    std::chrono::nanoseconds first_pause = std::chrono::milliseconds(100);
    std::chrono::nanoseconds most_pause = std::chrono::seconds(30);
    double factor = 2;
    bool (*should_retry)(const std::exception&) = nullptr;  // nullptr: after every error
    double (*chance)() = nullptr;                           // in [0, 1); nullptr: random
};

namespace detail {

double random_share();  // in [0, 1), another in each process
std::chrono::nanoseconds pause_after(const RetryOptions& options, int failed_attempts);

template <class T, class F, class... A>
Coro<T> retry_calls(RetryOptions options, F function, std::tuple<A...> arguments) {
    for (int attempt = 1;; ++attempt) {
        try {
            co_return co_await as_coro(std::apply(function, std::as_const(arguments)));
        } catch (const std::exception& error) {
            if (attempt >= options.attempts || (options.should_retry && !options.should_retry(error))) throw;
        }
        co_await sleep(pause_after(options, attempt));
    }
}

}  // namespace detail

// Keeps the function and copies of the arguments, which each attempt gets as const; std::ref() for what is shared.
template <class F, class... A>
    requires detail::Awaitable<std::invoke_result_t<std::decay_t<F>&, const std::decay_t<A>&...>>
auto retry(RetryOptions options, F&& function, A&&... arguments) {
    COROSCOPE_REFUSE_TEMPORARY_CALLABLE(F, "co_await retry(options, body)");
    COROSCOPE_REFUSE_TEMPORARY_AGGREGATES("co_await retry(options, function, item)", A...);
    using T = typename detail::CoroOf<std::invoke_result_t<std::decay_t<F>&, const std::decay_t<A>&...>>::value_type;
    return detail::retry_calls<T>(std::move(options), std::decay_t<F>(std::forward<F>(function)),
                                  std::tuple<std::decay_t<A>...>(std::forward<A>(arguments)...));
}

}  // namespace coroscope
