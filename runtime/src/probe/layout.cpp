#include "debug_abi.hpp"

namespace coroscope::probe {

// CMake gives it: a sum of the headers in this folder.
std::uint64_t layout_sum() noexcept { return COROSCOPE_PROBE_LAYOUT; }

}  // namespace coroscope::probe
