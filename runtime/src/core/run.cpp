#include "coroscope/run.hpp"

#include "debug_switch.hpp"

namespace coroscope::detail {

void start_debug_for_run() noexcept { start_debug(); }

}  // namespace coroscope::detail
