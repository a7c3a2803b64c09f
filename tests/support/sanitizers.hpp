// Whether these tests are built with a sanitizer: memory and threads are not as in the product then.
#pragma once

#if defined(__has_feature)
#define COROSCOPE_TEST_HAS_FEATURE(feature) __has_feature(feature)
#else
#define COROSCOPE_TEST_HAS_FEATURE(feature) 0
#endif

namespace coroscope::test {

#if defined(__SANITIZE_THREAD__) || COROSCOPE_TEST_HAS_FEATURE(thread_sanitizer)
inline constexpr bool has_thread_sanitizer = true;
#else
inline constexpr bool has_thread_sanitizer = false;
#endif
#if defined(__SANITIZE_ADDRESS__) || COROSCOPE_TEST_HAS_FEATURE(address_sanitizer)
inline constexpr bool is_sanitized = true;
#else
inline constexpr bool is_sanitized = has_thread_sanitizer;
#endif

}  // namespace coroscope::test
