// What the system refused, as an exception.
#pragma once

#include <string>
#include <system_error>

namespace coroscope::detail {

// `error`: an errno.
[[noreturn]] inline void fail(int error, const std::string& what) {
    throw std::system_error(error, std::generic_category(), what);
}

}  // namespace coroscope::detail
