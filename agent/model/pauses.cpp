// Derives pauses from slices and from a task's present state.
#include "pauses.hpp"

#include <algorithm>

namespace coroscope::model {

namespace {

// With the times in order, whatever a hostile stream says.
Pause ordered(Pause pause) {
    pause.end_ns = std::max(pause.begin_ns, pause.end_ns);
    pause.ready_ns = std::clamp(pause.ready_ns, pause.begin_ns, pause.end_ns);
    if (pause.ready_ns == pause.begin_ns) {
        pause.at = 0;
        pause.wait = {};
    }
    return pause;
}

// Ready from `from_ns` on; before that, nothing is known.
Pause ready_from(std::uint64_t from_ns, std::uint64_t end_ns, TaskId woken_by) {
    return ordered({from_ns, from_ns, end_ns, 0, woken_by, {}});
}

// The holder is known only of the present wait: a slice has no room for it.
Wait wait_of(const Slice& slice) {
    return {static_cast<Verb>(vocabulary::verb_of(slice.wait)), vocabulary::operand_of(slice.wait), 0};
}

}  // namespace

Pause pause_before(const Task& task, const Slice& first) {
    const bool is_its_first = first.began_at != 0 && first.began_at == task.root && task.created_ns != 0;
    if (is_its_first) return ready_from(task.created_ns, first.begin_ns, 0);
    return ready_from(first.ready_ns != 0 ? first.ready_ns : first.begin_ns, first.begin_ns, first.woken_by);
}

Pause pause_between(const Slice& before, const Slice& after) {
    // Not known when it became ready: it was suspended for all that is known.
    const std::uint64_t ready_ns = after.ready_ns != 0 ? after.ready_ns : after.begin_ns;
    if (before.ended_at == 0 || before.continues)  // it ended, or paused for a nested step: it did not wait
        return ready_from(std::max(ready_ns, before.end_ns), after.begin_ns, after.woken_by);
    return ordered({before.end_ns, ready_ns, after.begin_ns, before.ended_at, after.woken_by, wait_of(before)});
}

std::optional<Pause> pause_after(const Task& task, const Slice* last) {
    const bool runs = task.state == State::running || (last != nullptr && last->end_ns == 0);
    if (runs || task.state == State::done) return std::nullopt;
    const std::uint64_t begin_ns = last != nullptr ? last->end_ns : task.changed_ns;
    if (task.state == State::suspended)
        return ordered({begin_ns, still_lasts, still_lasts, task.suspended_at, 0, task.wait});
    const TaskId woken_by = task.state == State::ready ? task.woken_by : 0;
    if (last == nullptr || last->ended_at == 0) return ready_from(task.changed_ns, still_lasts, woken_by);
    return ordered({begin_ns, task.changed_ns, still_lasts, last->ended_at, woken_by, wait_of(*last)});
}

TaskId waker_of(const Slice& slice) { return slice.ready_ns == 0 || slice.woken_by == slice.task ? 0 : slice.woken_by; }

}  // namespace coroscope::model
