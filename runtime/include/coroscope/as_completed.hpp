// as_completed(): tasks in the order in which they are done. asyncio.as_completed, in its 3.13 form: it gives the very
// tasks that it was given.
//
//     auto completed = as_completed(std::move(tasks), 10s);
//     while (Task<Page> task = co_await completed.next()) show(task.result());   // throws what the task threw
//
// next() is a cancellation point; it gives an empty Task when all were given, and throws TimeoutError when the time,
// counted from as_completed(), is over. Neither that nor a cancellation cancels the tasks. Thread: the loop's.
// Complexity: one allocation for all.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "coroscope/sync.hpp"
#include "coroscope/task.hpp"

namespace coroscope {

namespace detail {

class CompletionOrder {
public:
    CompletionOrder(std::span<TaskControl* const> tasks, std::optional<std::chrono::nanoseconds> timeout);
    ~CompletionOrder();
    CompletionOrder(const CompletionOrder&) = delete;
    CompletionOrder& operator=(const CompletionOrder&) = delete;
    Coro<TaskControl*> next();  // one reference is the caller's; nullptr: all were given

private:
    struct Hook : DoneHook {
        CompletionOrder* owner = nullptr;
        TaskControl* target = nullptr;
    };
    Coro<> wait_for_one();

    std::vector<Hook> hooks_;
    std::vector<TaskControl*> done_;  // in order; from given_ on they wait to be given
    std::size_t given_ = 0;
    std::optional<std::uint64_t> deadline_ns_;
    Event more_;
};

}  // namespace detail

template <class T>
class AsCompleted {
public:
    AsCompleted(std::vector<Task<T>> tasks, std::optional<std::chrono::nanoseconds> timeout) {
        std::vector<detail::TaskControl*> controls;
        controls.reserve(tasks.size());
        for (const Task<T>& task : tasks) controls.push_back(task.control());
        order_ = std::make_unique<detail::CompletionOrder>(controls, timeout);
    }
    Coro<Task<T>> next() { co_return Task<T>(AnyTask::adopt(co_await order_->next())); }

private:
    std::unique_ptr<detail::CompletionOrder> order_;
};

template <class T>
AsCompleted<T> as_completed(std::vector<Task<T>> tasks, std::optional<std::chrono::nanoseconds> timeout = {}) {
    return AsCompleted<T>(std::move(tasks), timeout);
}

}  // namespace coroscope
