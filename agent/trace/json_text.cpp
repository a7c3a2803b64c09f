// Streaming JSON.
#include "json_text.hpp"

#include <charconv>
#include <cmath>
#include <string>

#include "proto/words/utf8.hpp"

namespace coroscope::trace {

void write_json_string(Output& out, std::string_view text) {
    static constexpr char hex[] = "0123456789abcdef";
    const std::string clean = words::valid_utf8(text);
    out << '"';
    std::size_t begin = 0;
    for (std::size_t i = 0; i < clean.size(); ++i) {
        const auto c = static_cast<unsigned char>(clean[i]);
        if (c >= 0x20 && c != '"' && c != '\\') continue;
        out << std::string_view{clean}.substr(begin, i - begin);
        begin = i + 1;
        if (c == '"' || c == '\\')
            out << '\\' << clean[i];
        else if (c == '\n')
            out << "\\n";
        else
            out << "\\u00" << hex[c >> 4] << hex[c & 15];
    }
    out << std::string_view{clean}.substr(begin) << '"';
}

namespace {

constexpr std::uint64_t parts = 2048;  // of a microsecond

// Rounded up: less than half a nanosecond.
std::uint64_t to_parts(std::uint64_t time_ns) { return time_ns / 125 * 256 + (time_ns % 125 * 256 + 124) / 125; }

void write_parts(Output& out, std::uint64_t count) {
    out << count / parts;
    std::uint64_t rest = count % parts;
    if (rest == 0) return;
    out << '.';
    for (; rest != 0; rest = rest * 10 % parts) out << static_cast<char>('0' + rest * 10 / parts);
}

}  // namespace

void write_microseconds(Output& out, std::uint64_t time_ns) { write_parts(out, to_parts(time_ns)); }

void Json::separate() {
    if (!after_key_ && !first_) out_ << ',';
    first_ = after_key_ = false;
}

Json& Json::open(char bracket) {
    separate();
    out_ << bracket;
    closers_.push_back(bracket == '{' ? '}' : ']');
    first_ = true;
    return *this;
}

Json& Json::close() {
    out_ << closers_.back();
    closers_.pop_back();
    first_ = false;
    return *this;
}

Json& Json::key(std::string_view name) {
    separate();
    write_json_string(out_, name);
    out_ << ':';
    after_key_ = true;
    return *this;
}

Json& Json::value(std::string_view text) {
    separate();
    write_json_string(out_, text);
    return *this;
}

Json& Json::value(std::uint64_t number) {
    separate();
    out_ << number;
    return *this;
}

Json& Json::integer(std::int64_t number) {
    separate();
    out_ << std::to_string(number);
    return *this;
}

Json& Json::real(double number) {
    separate();
    char text[32];
    if (std::isfinite(number))
        out_ << std::string_view(text, std::to_chars(text, text + sizeof text, number).ptr);
    else
        out_ << "null";
    return *this;
}

Json& Json::truth(bool value) {
    separate();
    out_ << (value ? "true" : "false");
    return *this;
}

Json& Json::microseconds(std::uint64_t time_ns) {
    separate();
    write_microseconds(out_, time_ns);
    return *this;
}

Json& Json::microseconds_between(std::uint64_t begin_ns, std::uint64_t end_ns) {
    separate();
    write_parts(out_, to_parts(end_ns) - to_parts(begin_ns));
    return *this;
}

}  // namespace coroscope::trace
