// Barrier: asyncio.Barrier. Lets tasks go on together, as soon as a number of them has come.
//
//     Barrier barrier(3);
//     const std::size_t index = co_await barrier.wait();     // 0, 1 or 2, each once
//     if (index == 0) print_the_results();
//
// wait() is a cancellation point; a task that is cancelled while it waits leaves, and the others wait for one more.
// Unlike asyncio's, indices are given when the barrier opens, so each is given once also if somebody left before; and
// who comes while the tasks of one round are still leaving counts for the next round at once. Thread: the loop's.
// Errors: BrokenBarrierError. Nothing allocates. The barrier must outlive who waits on it.
#pragma once

#include <coroutine>
#include <cstddef>
#include <stdexcept>

#include "coroscope/detail/task_control.hpp"

namespace coroscope {

// asyncio.BrokenBarrierError: the barrier was aborted, or reset while tasks waited.
class BrokenBarrierError : public std::runtime_error {
public:
    BrokenBarrierError() : std::runtime_error("the barrier is broken") {}
};

class Barrier {
public:
    explicit Barrier(std::size_t parties);  // throws std::invalid_argument for 0
    Barrier(const Barrier&) = delete;
    Barrier& operator=(const Barrier&) = delete;

    class [[nodiscard("co_await it")]] Awaiter final : public detail::Waiter {
    public:
        explicit Awaiter(Barrier& barrier) noexcept : barrier_(barrier) {}
        bool await_ready();  // throws BrokenBarrierError
        void start() noexcept { wait_in(barrier_.waiters_, *this); }
        std::size_t await_resume();

    private:
        friend Barrier;
        friend detail::Suspension;
        std::uint64_t waits_for() const noexcept { return detail::pack_wait(detail::Verb::others, barrier_.id_.get()); }
        Barrier& barrier_;
        std::size_t index_ = 0;
        bool opened_ = false;
    };

    // Waits until as many tasks wait as there are parties.
    Awaiter wait() noexcept { return Awaiter(*this); }
    // Who waits gets BrokenBarrierError; then it is as new, also if it was broken.
    void reset() noexcept;
    // Who waits, and who comes until reset(), gets BrokenBarrierError.
    void abort() noexcept;

    std::size_t parties() const noexcept { return parties_; }
    std::size_t n_waiting() const noexcept { return waiters_.size(); }
    bool broken() const noexcept { return broken_; }

private:
    std::size_t parties_;
    bool broken_ = false;
    detail::WaiterList<Awaiter> waiters_;
    detail::ResourceId id_;
};

}  // namespace coroscope
