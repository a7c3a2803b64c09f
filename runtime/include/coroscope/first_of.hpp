// first_of(): several things at once, of which the first to end counts. Cancellation point. Thread: the loop's.
//
//     auto first = co_await first_of(queue.get(), stopped.wait());       // whatever can be awaited, or tasks
//     if (first.index() == 1) co_return;                                 // stopped
//     handle(std::get<0>(first));
//
// The others are cancelled, and have ended when it returns: nothing of them runs on. asyncio's
// wait(..., FIRST_COMPLETED), with what everybody writes after it. Where several end at the same time, the one that
// ended first counts. If the first one failed, its error is thrown. What the others throw while they end is told as an
// exception that was never retrieved. Cancelling it cancels all, and it ends when all have ended.
#pragma once

#include <cstddef>
#include <optional>
#include <tuple>
#include <utility>
#include <variant>
#include <vector>

#include "coroscope/gather.hpp"

namespace coroscope {

namespace detail {

// Waits for the first of them, cancels the others, waits for those, and returns the first one's index.
Coro<std::size_t> first_end(std::vector<TaskControl*> tasks);

template <class Result, std::size_t... I, class... T>
Result result_at(std::size_t index, std::tuple<Task<T>...>& tasks, std::index_sequence<I...>) {
    std::optional<Result> result;
    ((I == index ? static_cast<void>(result.emplace(std::in_place_index<I>, stored_result(std::get<I>(tasks))))
                 : static_cast<void>(0)),
     ...);
    return std::move(*result);
}

}  // namespace detail

// Its value in a std::variant, at the place of its argument; void as std::monostate.
template <detail::Gatherable... A>
    requires(sizeof...(A) > 0)
Coro<std::variant<detail::Stored<detail::ValueOf<A>>...>> first_of(A... awaitables) {
    std::tuple<Task<detail::ValueOf<A>>...> tasks{detail::as_task(std::move(awaitables))...};
    const std::size_t first = co_await detail::first_end(detail::controls_of(tasks));
    co_return detail::result_at<std::variant<detail::Stored<detail::ValueOf<A>>...>>(first, tasks,
                                                                                     std::index_sequence_for<A...>());
}

}  // namespace coroscope
