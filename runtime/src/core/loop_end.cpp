// What a loop that ends does with what is left on it.
#include "callback.hpp"
#include "coroscope/loop.hpp"
#include "observe.hpp"

namespace coroscope {

using detail::CallbackNode;
using detail::TaskControl;
using detail::TaskOutcome;
using detail::TaskState;

// What was scheduled will not run. Tasks are kept by the list of all tasks.
void EventLoop::drop_ready() noexcept {
    while (first_ready_ != nullptr) {
        detail::ReadyNode& node = *first_ready_;
        first_ready_ = node.next_ready;
        if (first_ready_ == nullptr) last_ready_ = nullptr;
        --ready_count_;  // consistent before each destructor below, which may schedule again
        if (!node.is_task) {
            static_cast<CallbackNode&>(node).self.reset();
        } else if (auto& task = static_cast<TaskControl&>(node); task.ended_in_queue) {
            task.release();
        }
    }
}

// Destructors of frames may wake, cancel and even make other tasks, so no task is released before all frames are
// destroyed, nor while it may be in the queue.
void EventLoop::abandon_tasks() noexcept {
    const auto end = [](TaskControl& task) noexcept {
        task.state = TaskState::done;
        task.outcome = TaskOutcome::cancelled;
    };
    std::size_t pending = 0;
    for (TaskControl* task = first_task_; task != nullptr; task = task->next_task) {
        detail::report_task_destroyed_pending(*task, pending++);
        end(*task);
    }
    detail::report_tasks_destroyed_pending(pending);
    for (TaskControl* task = first_task_; task != nullptr; task = task->next_task) task->destroy_frames();
    for (TaskControl* task = first_task_; task != nullptr; task = task->next_task) end(*task);  // some were woken
    drop_ready();
    while (first_task_ != nullptr) {
        TaskControl& task = *first_task_;
        task.destroy_frames();  // of one that a destructor made
        end(task);
        report_done(task);
        drop_ready();
        unlink(task);
        task.release();
    }
}

}  // namespace coroscope
