// sleep() and yield(). Cancellation points. Thread: the loop's.
#pragma once

#include <chrono>
#include <concepts>
#include <coroutine>

#include "coroscope/loop.hpp"

namespace coroscope {

namespace detail {

// Suspends the running task, which is ready at once: it waits for its turn only. A cancellation is thrown when it runs.
inline void give_up_turn() noexcept {
    TaskControl& task = *current_task;
    task.leaf = current_frame;
    task.interrupted = false;
    task.yielded = true;
    task.state = TaskState::ready;
    task.loop->push_ready(task);
}
inline void throw_if_cancelled() {
    if (current_task->must_cancel) [[unlikely]]
        throw_cancelled(*current_task);
}

class [[nodiscard("co_await it")]] SleepAwaiter final : public Suspension, TimerNode {
public:
    explicit SleepAwaiter(std::int64_t duration_ns) noexcept : Suspension(Room{duration_ns}) {}
    SleepAwaiter(SleepAwaiter&& other) noexcept : Suspension(static_cast<Suspension&&>(other)), TimerNode() {
        COROSCOPE_ASSERT(!other.queued(), "an awaiter that waits is not moved");
    }
    ~SleepAwaiter() {
        if (queued()) task()->loop->remove_timer(*this);
    }
    bool await_ready() const noexcept { return false; }
    void start();
    void await_resume() { throw_if_cancelled(); }

private:
    friend EventLoop;
    friend Suspension;
    void on_cancel() noexcept;
    std::uint64_t waits_for() const noexcept;
};

class [[nodiscard("co_await it")]] YieldAwaiter : public OurAwaiter {
public:
    YieldAwaiter() noexcept = default;
    YieldAwaiter(YieldAwaiter&&) noexcept = default;
    YieldAwaiter& operator=(YieldAwaiter&&) = delete;
    bool await_ready() const noexcept { return false; }
    void start() noexcept { give_up_turn(); }
    void await_resume() { throw_if_cancelled(); }
};

}  // namespace detail

// Lets the others run for at least `duration`; not positive: one turn, as asyncio.sleep(0).
template <class Rep, class Period>
detail::SleepAwaiter sleep(std::chrono::duration<Rep, Period> duration) noexcept {
    return detail::SleepAwaiter(std::chrono::ceil<std::chrono::nanoseconds>(duration).count());
}

// Of a number without a unit. It is here because the C library's sleep(), which blocks the loop, would be taken else.
template <std::integral T>
detail::SleepAwaiter sleep(T) {
    static_assert(!std::integral<T>,
                  "sleep() takes a duration: write co_await sleep(1s), or ::sleep(1) for the C library's");
    return detail::SleepAwaiter(0);
}

// Lets the others have one turn.
inline detail::YieldAwaiter yield() noexcept { return {}; }

}  // namespace coroscope
