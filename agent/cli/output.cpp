#include "output.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "command.hpp"
#include "proto/words/utf8.hpp"

namespace coroscope::cli {

namespace {

bool colours_wanted() {
    static const bool wanted = [] {
        const char* no = std::getenv("NO_COLOR");
        const char* terminal = std::getenv("TERM");
        return ::isatty(STDOUT_FILENO) == 1 && (no == nullptr || *no == '\0') &&
               (terminal == nullptr || std::string_view(terminal) != "dumb");
    }();
    return wanted;
}

}  // namespace

void print(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); }

void print_json(const Json& json) { print(json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n"); }

void finish_output() {
    if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return;
    throw Failure(std::string("cannot write the output: ") + std::strerror(errno));
}

std::string styled(std::string_view text, Style style) {
    if (style == Style::plain || !colours_wanted()) return std::string(text);
    static constexpr const char* codes[] = {"", "1", "2", "31", "32", "33", "36"};
    return std::string("\033[") + codes[static_cast<std::size_t>(style)] + "m" + std::string(text) + "\033[0m";
}

std::size_t width(std::string_view text) {
    std::size_t columns = 0;
    while (!text.empty()) {
        const std::size_t sequence = text.find('\033');
        columns += words::utf8_characters(text.substr(0, sequence));
        if (sequence == std::string_view::npos) break;
        const std::size_t end = text.find('m', sequence);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    return columns;
}

std::string pad(std::string text, std::size_t columns) {
    const std::size_t now = width(text);
    if (now < columns) text.append(columns - now, ' ');
    return text;
}

void print_table(const std::vector<std::vector<std::string>>& rows, std::string_view indent) {
    std::vector<std::size_t> widths;
    for (const auto& row : rows) widths.resize(std::max(widths.size(), row.size()));
    for (const auto& row : rows)
        for (std::size_t i = 0; i < row.size(); ++i)
            if (i + 1 < row.size() || row.size() == widths.size()) widths[i] = std::max(widths[i], width(row[i]));
    for (const auto& row : rows) {
        std::string line(indent);
        for (std::size_t i = 0; i < row.size(); ++i) line += i + 1 < row.size() ? pad(row[i], widths[i] + 2) : row[i];
        line.erase(line.find_last_not_of(' ') + 1);
        print(line + "\n");
    }
}

}  // namespace coroscope::cli
