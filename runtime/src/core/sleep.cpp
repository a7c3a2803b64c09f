#include "coroscope/sleep.hpp"

#include "observe.hpp"

namespace coroscope::detail {

void SleepAwaiter::start() {
    const std::int64_t duration_ns = room();
    if (duration_ns <= 0) return give_up_turn();
    EventLoop& loop = *current_task->loop;
    is_sleep = true;
    loop.add_timer(*this, loop.time_ns() + static_cast<std::uint64_t>(duration_ns));
    suspend(*this);
}

void SleepAwaiter::on_cancel() noexcept {
    task()->loop->remove_timer(*this);
    wake_cancelled();
}

// With the time at which it is due, so that the debugger sees who had to wait for a loop that was held up.
std::uint64_t SleepAwaiter::waits_for() const noexcept {
    if (!queued()) return pack_wait(Verb::timer);
    EventLoop& loop = *task()->loop;
    return pack_wait(Verb::timer, due_on_system_clock(loop.deadline_ns(*this), loop.time_ns()));
}

}  // namespace coroscope::detail
