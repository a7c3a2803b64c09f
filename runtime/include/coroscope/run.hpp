// run(): the entry of a program, as asyncio.run().
//
//     int main() { coroscope::run(async_main()); }
//     coroscope::run(async_main(), {.debug = true});   // debug mode, as COROSCOPE=1 in the environment
#pragma once

#include <concepts>
#include <type_traits>
#include <utility>

#include "coroscope/loop.hpp"

namespace coroscope {

// An aggregate of trivial members, so that it may be written in place.
struct RunOptions {
    bool debug = false;  // also COROSCOPE in the environment
};

namespace detail {
void start_debug_for_run() noexcept;
void require_no_running_loop();  // throws std::logic_error
}  // namespace detail

// Runs the coroutine on a new loop of the given type until it is done, then cancels what is left and waits for it.
// Returns its value; throws what it threw. Errors: std::logic_error if a loop runs on this thread already.
template <std::derived_from<EventLoop> Loop = EventLoop, class T>
T run(Coro<T> main, RunOptions options = {}) {
    detail::require_no_running_loop();
    if (options.debug) detail::start_debug_for_run();
    Loop loop;
    struct AtEnd {
        explicit AtEnd(EventLoop& the_loop) : loop(the_loop) {}
        ~AtEnd() { loop.cancel_all_tasks(); }
        EventLoop& loop;
    };
    const AtEnd at_end(loop);
    return loop.run_until_complete(std::move(main));
}

// For something that makes the coroutine: a function, or a lambda, whose captures are kept.
template <std::derived_from<EventLoop> Loop = EventLoop, class F>
requires detail::IsCoro<std::invoke_result_t<F&>>::value auto run(F&& make, RunOptions options = {}) {
    if (options.debug) detail::start_debug_for_run();
    return run<Loop>(make(), RunOptions{});
}

}  // namespace coroscope
