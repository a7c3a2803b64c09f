#include "coroscope/first_of.hpp"

#include <algorithm>
#include <exception>
#include <optional>

namespace coroscope::detail {

Coro<std::size_t> first_end(std::vector<TaskControl*> tasks) {
    TaskControl* first = nullptr;
    std::exception_ptr cancelled;
    {
        WaitAwaiter some(tasks, ReturnWhen::first_completed, true, WaitAwaiter::OnCancelled::leave, std::nullopt);
        try {
            co_await some;
        } catch (const Cancelled&) {
            cancelled = std::current_exception();
        }
        first = some.first();
    }
    for (TaskControl* task : tasks)
        if (task != first && !task->done()) task->cancel({}, cause_here(CancelOrigin::library));
    {
        WaitAwaiter all(tasks, ReturnWhen::all_completed, true, WaitAwaiter::OnCancelled::cancel, std::nullopt);
        co_await all;
    }
    if (cancelled) std::rethrow_exception(cancelled);
    co_return static_cast<std::size_t>(std::find(tasks.begin(), tasks.end(), first) - tasks.begin());
}

}  // namespace coroscope::detail
