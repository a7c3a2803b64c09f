#include "contains.hpp"

#include <algorithm>
#include <cctype>

namespace coroscope::viewer {

bool contains_text(std::string_view text, std::string_view needle) {
    const auto same = [](char a, char b) {
        return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
    };
    return std::search(text.begin(), text.end(), needle.begin(), needle.end(), same) != text.end();
}

}  // namespace coroscope::viewer
