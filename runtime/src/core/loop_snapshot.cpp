#include "coroscope/detail/resource.hpp"
#include "coroscope/loop.hpp"
#include "observe.hpp"

namespace coroscope {

using detail::TaskControl;
using detail::TaskState;
using probe::EventKind;

// Lists the live tasks for a debugger that does not know them: a few hundred an iteration, only while its ring has
// room.
void EventLoop::take_snapshot() noexcept {
    constexpr std::size_t most_at_once = 512;
    const std::uint64_t wanted = probe::snapshot_wanted();
    if (!snapshot_running_ || wanted != snapshot_answered_) {  // one that is wanted anew begins anew
        if (wanted == snapshot_answered_ && !probe::lost_events()) return;
        snapshot_answered_ = wanted;
        snapshot_running_ = true;
        snapshot_next_ = first_task_;
        probe::emit(EventKind::loop_started, id_);
        probe::emit(EventKind::snapshot_begin, id_);
    }
    if (cs_has_room() == 0) return;
    detail::listing_tasks = true;
    for (std::size_t count = 0; snapshot_next_ != nullptr && count < most_at_once; ++count) {
        TaskControl& task = *snapshot_next_;
        snapshot_next_ = task.next_task;
        const probe::Stamp stamp = probe::stamp_now();
        probe::emit_at(stamp, EventKind::snapshot_task, task.id, task.parent_id, detail::frame_node(*task.root, task));
        const bool suspended = task.state == TaskState::suspended;
        const std::uint64_t wait = suspended ? detail::waits_for(task) : 0;
        if (const std::uint64_t holder = suspended ? detail::holder_of(task, wait) : 0)
            probe::emit_at(stamp, EventKind::wait_holder, task.id, holder);
        probe::emit_at(stamp, EventKind::snapshot_state, task.id, wait, suspended ? detail::suspension_node(task) : 0);
        for (unsigned i = 0; i < task.time_limits; ++i) probe::emit_at(stamp, EventKind::time_limit_begin, task.id);
        if (task.has_name()) probe::emit_at(stamp, EventKind::task_named, task.id, detail::name_id(task));
    }
    detail::listing_tasks = false;
    if (snapshot_next_ != nullptr) {
        wake();  // go on at once, even if nothing else happens
        return;
    }
    snapshot_running_ = false;
    detail::list_resources();
    probe::emit(EventKind::snapshot_end, id_);
}

}  // namespace coroscope
