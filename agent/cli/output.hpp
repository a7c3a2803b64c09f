// What commands print: colours, tables, JSON. Output goes to stdout in one go; a closed pipe ends the
// command quietly.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace coroscope::cli {

using Json = nlohmann::ordered_json;

// Invalid UTF-8 becomes U+FFFD.
void print_json(const Json& json);
void print(std::string_view text);
// Flushes stdout; throws Failure when something could not be written (a full disk).
void finish_output();

// Colour only on a terminal, and not where NO_COLOR is set.
enum class Style : std::uint8_t { plain, bold, dim, red, green, yellow, cyan };
std::string styled(std::string_view text, Style style);

// Columns a person sees: UTF-8 code points, without terminal sequences.
std::size_t width(std::string_view text);
std::string pad(std::string text, std::size_t columns);

// Rows of cells as aligned columns, two spaces between them. The last cell of a row that is shorter than others may be
// of any length: a note.
void print_table(const std::vector<std::vector<std::string>>& rows, std::string_view indent = "");

}  // namespace coroscope::cli
