// Buffered writing with errors in words.
#include "output.hpp"

#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <system_error>

namespace coroscope::trace {

Output& Output::operator<<(std::uint64_t number) {
    char digits[20];
    const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
    return *this << std::string_view{digits, static_cast<std::size_t>(end - digits)};
}

bool Output::flush() {
    std::string_view rest = buffer_;
    if (target_ != nullptr) {
        *target_ += rest;
        rest = {};
    }
    while (!rest.empty() && error_.empty()) {
        const ssize_t count = ::write(file_, rest.data(), rest.size());
        if (count >= 0) {
            rest.remove_prefix(static_cast<std::size_t>(count));
        } else if (errno != EINTR) {
            error_ = std::system_category().message(errno);
            if (error_[0] >= 'A' && error_[0] <= 'Z') error_[0] = static_cast<char>(error_[0] - 'A' + 'a');
            error_ += " (" + name_ + ")";
        }
    }
    buffer_.clear();
    return error_.empty();
}

}  // namespace coroscope::trace
