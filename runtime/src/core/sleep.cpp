#include "coroscope/sleep.hpp"

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

}  // namespace coroscope::detail
