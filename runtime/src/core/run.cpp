#include "coroscope/run.hpp"

#include <stdexcept>

#include "debug_switch.hpp"

namespace coroscope::detail {

void start_debug_for_run() noexcept { start_debug(); }

void require_no_running_loop() {
    if (running_loop() != nullptr)
        throw std::logic_error("an event loop is running already on this thread: await instead of run()");
}

}  // namespace coroscope::detail
