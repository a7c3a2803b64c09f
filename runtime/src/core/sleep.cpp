#include "coroscope/sleep.hpp"

namespace coroscope::detail {

void SleepAwaiter::start() {
    EventLoop& loop = *current_task->loop;
    const auto duration_ns = static_cast<std::int64_t>(deadline_ns);
    if (duration_ns <= 0) {
        suspend(wait_bits(WaitKind::yield), [](Suspension& self) noexcept { self.task()->must_cancel = true; });
        task()->waiting_on = nullptr;
        task()->state = TaskState::ready;
        loop.push_ready(*task());
        return;
    }
    fire = [](TimerNode& timer) noexcept { static_cast<SleepAwaiter&>(timer).wake(); };
    loop.add_timer(*this, loop.time_ns() + static_cast<std::uint64_t>(duration_ns));
    suspend(wait_bits(WaitKind::timer), [](Suspension& base) noexcept {
        auto& self = static_cast<SleepAwaiter&>(base);
        self.task()->loop->remove_timer(self);
        self.wake_cancelled();
    });
}

}  // namespace coroscope::detail
