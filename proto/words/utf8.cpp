#include "utf8.hpp"

#include <algorithm>

#include "amount.hpp"

namespace coroscope::words {

namespace {

constexpr std::string_view replacement = "\xef\xbf\xbd";  // U+FFFD

bool continues(char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; }

}  // namespace

std::size_t utf8_length(std::string_view text, std::size_t at) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
    const unsigned char first = byte(0);
    if (first < 0x80) return 1;
    const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    if (first < 0xc2 || first > 0xf4 || text.size() - at < length) return 0;
    for (std::size_t i = 1; i < length; ++i)
        if (!continues(text[at + i])) return 0;
    // The second byte rules out overlong forms, surrogates, and what is past U+10FFFF.
    const unsigned char second = byte(1);
    if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f)) return 0;
    if ((first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f)) return 0;
    return length;
}

std::string valid_utf8(std::string_view text) {
    std::string result;
    result.reserve(text.size());
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t length = utf8_length(text, at);
        result += length == 0 ? replacement : text.substr(at, length);
        at += std::max<std::size_t>(length, 1);
    }
    return result;
}

std::string_view cut_utf8(std::string_view text, std::size_t max_bytes) {
    if (text.size() <= max_bytes) return text;
    // A character has at most three bytes after its first: text with more of them is broken, and stays so.
    std::size_t end = max_bytes;
    for (int back = 0; back < 3 && end > 0 && continues(text[end]); ++back) --end;
    return text.substr(0, continues(text[end]) ? max_bytes : end);
}

namespace {

// Of a well-formed sequence of at most three bytes; 0 of a longer one.
unsigned code_point(std::string_view sequence) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned>(static_cast<unsigned char>(sequence[i])); };
    switch (sequence.size()) {
        case 1: return byte(0);
        case 2: return (byte(0) & 0x1f) << 6 | (byte(1) & 0x3f);
        case 3: return (byte(0) & 0x0f) << 12 | (byte(1) & 0x3f) << 6 | (byte(2) & 0x3f);
        default: return 0;
    }
}

// Control characters, those that change the direction of writing, and line ends.
bool is_shown_by_code(unsigned code) {
    return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x061c || code == 0x200e || code == 0x200f ||
           (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069) || code == 0xfeff;
}

std::string code_text(unsigned code) {
    static constexpr char hex[] = "0123456789abcdef";
    std::string text = code < 0x100 ? "\\x" : "\\u";
    for (int shift = code < 0x100 ? 4 : 12; shift >= 0; shift -= 4) text += hex[code >> shift & 0xf];
    return text;
}

}  // namespace

std::string printable(std::string_view text, std::size_t most_bytes) {
    const std::string_view kept = cut_utf8(text, most_bytes);
    std::string result;
    result.reserve(kept.size());
    for (std::size_t at = 0; at < kept.size();) {
        const std::size_t length = utf8_length(kept, at);
        const std::string_view sequence = kept.substr(at, length);
        const unsigned code = length == 0 ? 0 : code_point(sequence);
        if (length == 0) {
            result += replacement;
        } else if (code == '\n' || code == '\t' || code == '\r') {
            result += ' ';
        } else if (length < 4 && is_shown_by_code(code)) {
            result += code_text(code);
        } else {
            result += sequence;
        }
        at += std::max<std::size_t>(length, 1);
    }
    if (kept.size() < text.size()) result += "... (" + full_count(text.size() - kept.size()) + " more bytes)";
    return result;
}

std::size_t utf8_characters(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return !continues(c); }));
}

}  // namespace coroscope::words
