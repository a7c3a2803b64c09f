#include "coroscope/http/message.hpp"

#include <algorithm>

namespace coroscope::http {

namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

bool same_name(std::string_view a, std::string_view b) {
    return a.size() == b.size() &&
           std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return lower(x) == lower(y); });
}

bool is_token(std::string_view name) {
    constexpr std::string_view others = "!#$%&'*+-.^_`|~";
    return !name.empty() && std::all_of(name.begin(), name.end(), [&](char c) {
        return (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9') ||
               others.find(c) != std::string_view::npos;
    });
}

bool has_control(std::string_view value) {
    return std::any_of(value.begin(), value.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return (byte < 32 && c != '\t') || byte == 127;
    });
}

Response of_type(std::string_view type, std::string body, int status) {
    Response response(status);
    response.headers.add("Content-Type", type);
    response.body = std::move(body);
    return response;
}

}  // namespace

const std::string* Headers::find(std::string_view name) const noexcept {
    for (const Field& field : fields_)
        if (same_name(field.first, name)) return &field.second;
    return nullptr;
}

std::string_view Headers::get(std::string_view name, std::string_view otherwise) const noexcept {
    const std::string* value = find(name);
    return value != nullptr ? std::string_view(*value) : otherwise;
}

std::size_t Headers::count(std::string_view name) const noexcept {
    return static_cast<std::size_t>(std::count_if(fields_.begin(), fields_.end(),
                                                  [&](const Field& field) { return same_name(field.first, name); }));
}

void Headers::add(std::string_view name, std::string_view value) {
    if (!is_token(name)) throw std::invalid_argument("not the name of a header: '" + std::string(name) + "'");
    if (has_control(value)) throw std::invalid_argument("a control character in header '" + std::string(name) + "'");
    fields_.emplace_back(name, value);
}

void Headers::set(std::string_view name, std::string_view value) {
    std::erase_if(fields_, [&](const Field& field) { return same_name(field.first, name); });
    add(name, value);
}

std::string MatchInfo::get(std::string_view name, std::string_view otherwise) const {
    for (const auto& [key, value] : values_)
        if (key == name) return value;
    return std::string(otherwise);
}

std::string_view Request::path() const noexcept { return std::string_view(target_).substr(0, target_.find('?')); }

std::string_view Request::query_string() const noexcept {
    const std::size_t mark = target_.find('?');
    return mark == std::string::npos ? std::string_view() : std::string_view(target_).substr(mark + 1);
}

Response Response::text(std::string body, int status) {
    return of_type("text/plain; charset=utf-8", std::move(body), status);
}
Response Response::html(std::string body, int status) {
    return of_type("text/html; charset=utf-8", std::move(body), status);
}
Response Response::json(std::string body, int status) {
    return of_type("application/json; charset=utf-8", std::move(body), status);
}

HttpError::HttpError(int status)
    : HttpError(status, std::to_string(status) + ": " + std::string(reason_phrase(status))) {}

}  // namespace coroscope::http
