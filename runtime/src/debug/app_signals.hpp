// The signals of the app, which no thread of the debug library may get.
#pragma once

#include "runtime/src/probe/app_signals.hpp"

namespace coroscope::debug {

using probe::AppSignalsBlocked;

}  // namespace coroscope::debug
