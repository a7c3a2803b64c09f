// COROSCOPE_ASSERT(condition, "sentence"): an invariant of coroscope's own code. It is checked where COROSCOPE_ASSERTS
// is defined: CMake defines it for debug and sanitizer builds. Elsewhere the condition is compiled, but never
// evaluated.
//
// The sentence says what must hold, not what went wrong: "a task is on the list of one loop". For mistakes of users
// there are exceptions. Standard library only.
#pragma once

#if defined(COROSCOPE_ASSERTS)

#include <cstdio>
#include <cstdlib>

namespace coroscope::detail {

[[noreturn, gnu::cold, gnu::noinline]] inline void assertion_failed(const char* sentence, const char* condition,
                                                                    const char* file, int line) noexcept {
    std::fprintf(stderr, "coroscope: an invariant does not hold: %s (%s, %s:%d)\n", sentence, condition, file, line);
    std::abort();
}

}  // namespace coroscope::detail

#define COROSCOPE_ASSERT(condition, sentence) \
    ((condition) ? static_cast<void>(0)       \
                 : ::coroscope::detail::assertion_failed(sentence, #condition, __FILE__, __LINE__))

#else

#define COROSCOPE_ASSERT(condition, sentence) static_cast<void>(sizeof((condition) ? 1 : 0))

#endif
