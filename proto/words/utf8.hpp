// Text that is safe to send, to cut and to show: valid UTF-8, and on one line.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace coroscope::words {

// Bytes of the well-formed UTF-8 sequence that begins at text[at]; 0: none does (RFC 3629: no overlong forms, no
// surrogates). `at` must be inside the text.
std::size_t utf8_length(std::string_view text, std::size_t at);

// Each byte that belongs to no well-formed sequence becomes U+FFFD. Protobuf and JSON refuse a text for one such byte.
std::string valid_utf8(std::string_view text);

// The longest beginning of `text` that has at most `max_bytes` and does not end inside a character.
std::string_view cut_utf8(std::string_view text, std::size_t max_bytes);

// Text from an app, for one line of a terminal, a window or a file: valid UTF-8; line breaks and tabs become spaces.
// What steers a terminal, or turns the direction of writing round, is shown by its code: \x1b, \u202e. Of a longer text
// than `most_bytes` the rest is counted: "AAAA... (99,996 more bytes)". Idempotent.
std::string printable(std::string_view text, std::size_t most_bytes = std::string_view::npos);
inline constexpr std::size_t most_of_a_name = 200, most_of_a_message = 2000;  // bytes, where a line shows them

// Characters, which are columns for all but wide and combining ones.
std::size_t utf8_characters(std::string_view text);

}  // namespace coroscope::words
