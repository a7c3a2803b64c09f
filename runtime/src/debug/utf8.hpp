// Texts of the app on the wire: protobuf refuses a whole batch for one byte that is not UTF-8.
#pragma once

#include <string>
#include <string_view>

namespace coroscope::debug {

// `text` with every byte that does not belong to valid UTF-8 replaced by '?'.
std::string valid_utf8(std::string_view text);

}  // namespace coroscope::debug
