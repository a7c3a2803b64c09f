// An exception that nobody catches: the debugger is told before the program ends.
#include "uncaught.hpp"

#include <atomic>
#include <cstdlib>
#include <exception>

#include "debug_switch.hpp"
#include "observe.hpp"

namespace coroscope::detail {

namespace {

std::atomic<std::terminate_handler> handler_before{nullptr};
std::atomic<bool> installed{false};
std::atomic<bool> ending{false};

// The runtime of the language calls it with the exception as the one that is being handled. It does what was done
// before when it has sent what is left. What goes wrong here calls it anew, and is not waited for a second time.
[[noreturn]] void on_terminate() {
    // Without an exception (a thread that was not joined, say) the abort() that follows is told as a crash.
    const std::exception_ptr error = std::current_exception();
    if (error && !ending.exchange(true, std::memory_order_relaxed) && probe::on()) {
        report_uncaught_exception(error);
        finish_debug();
    }
    if (const std::terminate_handler before = handler_before.load(std::memory_order_relaxed)) before();
    std::abort();
}

}  // namespace

void watch_for_uncaught_exceptions() noexcept {
    if (!installed.exchange(true, std::memory_order_relaxed))
        handler_before.store(std::set_terminate(on_terminate), std::memory_order_relaxed);
}

}  // namespace coroscope::detail
