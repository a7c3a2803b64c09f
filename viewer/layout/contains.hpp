// How filters and the finder compare text.
#pragma once

#include <string_view>

namespace coroscope::viewer {

// Case-insensitive. An empty needle is in everything.
bool contains_text(std::string_view text, std::string_view needle);

}  // namespace coroscope::viewer
