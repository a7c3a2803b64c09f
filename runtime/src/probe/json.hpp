// What the answers to the tools are written with: a text as a JSON string. std only.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>

#include "proto/words/utf8.hpp"

namespace coroscope::probe {

// `text` in quotes; what is not valid UTF-8 becomes U+FFFD.
inline std::string json_text(std::string_view text) {
    std::string out = "\"";
    for (const char each : words::valid_utf8(text)) {
        if (each == '"' || each == '\\') {
            out += '\\';
            out += each;
        } else if (static_cast<unsigned char>(each) < 0x20) {
            char escaped[8];
            std::snprintf(escaped, sizeof escaped, "\\u%04x", static_cast<unsigned>(static_cast<unsigned char>(each)));
            out += escaped;
        } else {
            out += each;
        }
    }
    return out + '"';
}

}  // namespace coroscope::probe
