// What a suspended task waits on, as one integer for the debugger: see vocabulary::pack_wait().
#pragma once

#include <cstdint>

#include "coroscope/vocabulary.hpp"

namespace coroscope::detail {

using vocabulary::pack_wait;
using vocabulary::Verb;

}  // namespace coroscope::detail
