// Barrier: asyncio.Barrier. Lets tasks go on together, as soon as a given number of them waits.
//
//     Barrier barrier(3);
//     const std::size_t index = co_await barrier.wait();     // 0, 1 or 2, each once
//     if (index == 0) print_the_results();
//
// wait() is a cancellation point; a task that is cancelled while it waits leaves, and the others wait for one more.
// Unlike asyncio's, indices are given when the barrier opens, so each is given once also if somebody left before; and
// a task that comes while the tasks of one round are still leaving counts for the next round at once. Thread: the
// loop's. Errors: BrokenBarrierError. Nothing allocates, unless debug mode is on. The barrier must outlive the tasks
// that wait.
#pragma once

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <source_location>
#include <stdexcept>
#include <string_view>

#include "coroscope/detail/resource.hpp"
#include "coroscope/detail/task_control.hpp"

namespace coroscope {

// asyncio.BrokenBarrierError: the barrier was aborted, or reset while tasks waited.
class BrokenBarrierError : public std::runtime_error {
public:
    BrokenBarrierError() : std::runtime_error("the barrier is broken") {}
};

class Barrier {
public:
    // Errors: std::invalid_argument for no parties. `where`: for the debugger.
    explicit Barrier(std::size_t parties, const std::source_location& where = std::source_location::current());
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
        std::uint64_t waits_for() const noexcept {
            return barrier_.resource_.wait(detail::Verb::others, *task(), barrier_.traits());
        }
        Barrier& barrier_;
        std::size_t index_ = 0;
        bool opened_ = false;
    };

    // Waits until as many tasks wait as there are parties.
    Awaiter wait() noexcept { return Awaiter(*this); }
    // Tasks that wait get BrokenBarrierError; the barrier can then be used again, also if it was broken.
    void reset() noexcept;
    // Tasks that wait, and tasks that come until reset(), get BrokenBarrierError.
    void abort() noexcept;

    std::size_t parties() const noexcept { return parties_; }
    std::size_t n_waiting() const noexcept { return waiters_.size(); }
    bool broken() const noexcept { return broken_; }
    // For the debugger, which shows the name beside the type.
    void set_name(std::string_view name) noexcept { resource_.set_name(name, traits()); }

private:
    detail::ResourceTraits traits() const noexcept {
        return {.type = detail::ResourceType::barrier, .capacity = static_cast<std::int64_t>(parties_)};
    }
    std::size_t parties_;
    bool broken_ = false;
    detail::WaiterList<Awaiter> waiters_;
    detail::Resource resource_;
};

}  // namespace coroscope
