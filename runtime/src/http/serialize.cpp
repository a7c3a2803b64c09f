#include "serialize.hpp"

#include <ctime>

#include <array>

namespace coroscope::http {

namespace {

// "Mon, 23 Nov 2026 08:00:00 GMT", made once a second and thread.
const std::string& date() {
    thread_local std::time_t made_at = -1;
    thread_local std::string text;
    const std::time_t now = std::time(nullptr);
    if (now == made_at) return text;
    static constexpr std::array days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static constexpr std::array months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    std::tm utc{};
    ::gmtime_r(&now, &utc);
    const auto two = [](int value) { return (value < 10 ? "0" : "") + std::to_string(value); };
    text = std::string(days[static_cast<std::size_t>(utc.tm_wday)]) + ", " + two(utc.tm_mday) + " " +
           months[static_cast<std::size_t>(utc.tm_mon)] + " " + std::to_string(utc.tm_year + 1900) + " " +
           two(utc.tm_hour) + ":" + two(utc.tm_min) + ":" + two(utc.tm_sec) + " GMT";
    made_at = now;
    return text;
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

bool is_ours(std::string_view name) {
    std::string small(name);
    for (char& c : small) c = lower(c);
    return small == "content-length" || small == "connection" || small == "date" || small == "transfer-encoding";
}

bool has_no_body(int status) { return (status >= 100 && status < 200) || status == 204 || status == 304; }

}  // namespace

void serialize(const Response& response, const Framing& framing, std::string& out) {
    out.append("HTTP/1.1 ")
        .append(std::to_string(response.status))
        .append(" ")
        .append(reason_phrase(response.status))
        .append("\r\n");
    for (const auto& [name, value] : response.headers) {
        if (!is_ours(name)) out.append(name).append(": ").append(value).append("\r\n");
    }
    if (!has_no_body(response.status))
        out.append("Content-Length: ").append(std::to_string(response.body.size())).append("\r\n");
    out.append("Date: ").append(date()).append("\r\n");
    if (response.headers.find("Server") == nullptr) out.append("Server: coroscope\r\n");
    if (!framing.keep_alive) {
        out.append("Connection: close\r\n");
    } else if (framing.version == 10) {
        out.append("Connection: keep-alive\r\n");  // the default of 1.1 only
    }
    out.append("\r\n");
    if (!framing.without_body && !has_no_body(response.status)) out.append(response.body);
}

}  // namespace coroscope::http
