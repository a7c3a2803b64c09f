// sleep() and yield(). Cancellation points. Thread: the loop's.
#pragma once

#include <chrono>
#include <coroutine>

#include "coroscope/loop.hpp"

namespace coroscope {

namespace detail {

class [[nodiscard("co_await it")]] SleepAwaiter : public Suspension, TimerNode {
public:
    explicit SleepAwaiter(std::int64_t duration_ns) noexcept { deadline_ns = static_cast<std::uint64_t>(duration_ns); }
    ~SleepAwaiter() {
        if (queued()) task()->loop->remove_timer(*this);
    }
    bool await_ready() const noexcept { return false; }
    template <class P>
    void await_suspend(std::coroutine_handle<P>) {
        start();
    }
    void await_resume() { check_cancelled(); }

private:
    void start();  // until then deadline_ns is the duration: a sleeping task is small
};

class [[nodiscard("co_await it")]] YieldAwaiter : public Suspension {
public:
    YieldAwaiter() noexcept = default;
    bool await_ready() const noexcept { return false; }
    template <class P>
    void await_suspend(std::coroutine_handle<P>) noexcept {
        suspend(wait_bits(WaitKind::yield), [](Suspension& self) noexcept { self.task()->must_cancel = true; });
        task()->waiting_on = nullptr;  // it is ready: a cancellation is thrown when it runs
        task()->state = TaskState::ready;
        task()->loop->push_ready(*task());
    }
    void await_resume() { check_cancelled(); }
};

}  // namespace detail

// Lets the others run for at least `duration`; not positive: one turn, as asyncio.sleep(0).
template <class Rep, class Period>
detail::SleepAwaiter sleep(std::chrono::duration<Rep, Period> duration) noexcept {
    return detail::SleepAwaiter(std::chrono::ceil<std::chrono::nanoseconds>(duration).count());
}

// Lets the others have one turn.
inline detail::YieldAwaiter yield() noexcept { return {}; }

}  // namespace coroscope
