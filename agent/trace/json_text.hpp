// JSON, written as it comes: strings with escapes, objects with commas in the right places.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "output.hpp"

namespace coroscope::trace {

void write_json_string(Output& out, std::string_view text);  // with quotes; any bytes are safe
// Readers keep times as doubles and add a duration to a begin. 1/1000 has no exact double, and sums of such numbers
// differ in their last bit: a slice would end after the next one begins. So times are multiples of 1/2048 microsecond,
// of which every sum is exact (within 50 days), and the nanosecond is kept, rounded or cut off. 1500 -> 1.5
void write_microseconds(Output& out, std::uint64_t time_ns);

// Nesting objects and arrays. Keys and values alternate as in: json.open('{').key("a").value(1).close();
class Json {
public:
    explicit Json(Output& out) : out_(out) {}

    Json& open(char bracket);  // '{' or '['
    Json& close();
    Json& key(std::string_view name);
    Json& value(std::string_view text);
    Json& value(const char* text) { return value(std::string_view{text}); }
    Json& value(std::uint64_t number);
    Json& integer(std::int64_t number);
    Json& real(double number);  // null if it is infinite or not a number: JSON has none
    Json& truth(bool value);
    Json& microseconds(std::uint64_t time_ns);
    // What has to be added to the begin to get the end, both as microseconds() writes them.
    Json& microseconds_between(std::uint64_t begin_ns, std::uint64_t end_ns);
    Json& line() { return out_ << '\n', *this; }  // between elements, for people with a pager

private:
    void separate();

    Output& out_;
    std::vector<char> closers_;
    bool first_ = true;
    bool after_key_ = false;
};

}  // namespace coroscope::trace
