// An exception that nobody catches ends the program: the debugger is told before.
#pragma once

namespace coroscope::detail {

// From now on std::terminate() reports the exception and sends what is left, for a second at most; then it does what it
// did before. Any thread; idempotent. Called when debug mode comes on.
void watch_for_uncaught_exceptions() noexcept;

}  // namespace coroscope::detail
