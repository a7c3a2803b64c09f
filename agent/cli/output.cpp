#include "output.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "command.hpp"

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

// Bytes of the UTF-8 sequence that starts at text[at]; 0: broken.
std::size_t sequence_length(std::string_view text, std::size_t at) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned char first = byte(at);
    const std::size_t length = first < 0x80                    ? 1
                               : first >= 0xc2 && first < 0xe0 ? 2
                               : first >= 0xe0 && first < 0xf0 ? 3
                               : first >= 0xf0 && first < 0xf5 ? 4
                                                               : 0;
    if (length == 0 || at + length > text.size()) return 0;
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(at + i) & 0xc0) != 0x80) return 0;
    }
    return length;
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

std::string duration(std::uint64_t ns) {
    static constexpr struct {
        double ns;
        const char* unit;
    } units[] = {{1e9, "s"}, {1e6, "ms"}, {1e3, "us"}, {1, "ns"}};
    if (ns == 0) return "0";
    const auto value = static_cast<double>(ns);
    for (const auto& unit : units) {
        if (value < unit.ns) continue;
        const double scaled = value / unit.ns;
        const int decimals = unit.ns < 2 || scaled >= 100 ? 0 : scaled >= 10 ? 1 : 2;
        char text[64];
        std::snprintf(text, sizeof text, "%.*f %s", decimals, scaled, unit.unit);
        return text;
    }
    return "0";
}

std::string counted(std::uint64_t count, std::string_view one, std::string_view many) {
    return std::to_string(count) + " " + std::string(count == 1 ? one : many);
}

std::string clean(std::string_view text) {
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t length = sequence_length(text, at);
        const auto first = static_cast<unsigned char>(text[at]);
        // C1 controls (U+0080..9F) steer some terminals too.
        const bool c1 = length == 2 && first == 0xc2 && static_cast<unsigned char>(text[at + 1]) < 0xa0;
        if (length == 0 || first < 0x20 || first == 0x7f || c1) {
            out += first == '\n' || first == '\t' ? " " : "\xef\xbf\xbd";
        } else {
            out.append(text, at, length);
        }
        at += std::max<std::size_t>(length, 1);
    }
    return out;
}

std::string short_place(std::string_view file, std::uint32_t line) {
    if (file.empty()) return "?";
    const std::size_t slash = file.rfind('/');
    std::string place = clean(slash == std::string_view::npos ? file : file.substr(slash + 1));
    if (line != 0) place += ":" + std::to_string(line);
    return place;
}

std::size_t width(std::string_view text) {
    std::size_t columns = 0;
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (text[at] == '\033') {
            at = std::min(text.find('m', at), text.size() - 1);
        } else if ((static_cast<unsigned char>(text[at]) & 0xc0) != 0x80) {
            ++columns;
        }
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
    for (const auto& row : rows) {
        widths.resize(std::max(widths.size(), row.size()));
        for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width(row[i]));
    }
    for (const auto& row : rows) {
        std::string line(indent);
        for (std::size_t i = 0; i < row.size(); ++i) line += i + 1 < row.size() ? pad(row[i], widths[i] + 2) : row[i];
        line.erase(line.find_last_not_of(' ') + 1);
        print(line + "\n");
    }
}

}  // namespace coroscope::cli
