// Text that no JSON reader chokes on.
#include "agent/trace/json_text.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "proto/words/utf8.hpp"

namespace coroscope::trace::test {
namespace {

TEST(JsonText, AnyBytesGiveJsonThatReadsBack) {
    std::string every;
    for (int i = 0; i < 256; ++i) every.push_back(static_cast<char>(i));
    std::string text;
    {
        Output out(text);
        write_json_string(out, every);
    }
    EXPECT_EQ(nlohmann::json::parse(text).get<std::string>(), words::valid_utf8(every));
}

double microseconds(std::uint64_t time_ns) {
    std::string text;
    {
        Output out(text);
        write_microseconds(out, time_ns);
    }
    return std::stod(text);
}

TEST(JsonText, MicrosecondsKeepEveryNanosecond) {
    std::string text;
    {
        Output out(text);
        for (const std::uint64_t time_ns : {0, 1, 1500, 2000, 1'000'000'000}) {
            write_microseconds(out, time_ns);
            out << ' ';
        }
    }
    EXPECT_EQ(text, "0 0.00146484375 1.5 2 1000000 ");

    for (std::uint64_t time_ns = 1; time_ns < std::uint64_t{1} << 50; time_ns += time_ns / 3 + 1) {
        const double us = microseconds(time_ns);
        EXPECT_EQ(static_cast<std::uint64_t>(std::llround(us * 1000)), time_ns);
        EXPECT_EQ(static_cast<std::uint64_t>(us * 1000), time_ns) << "cut off";
    }
}

// As a reader of the file does it: from the first of all, a begin and a duration give the end.
TEST(JsonText, ADurationAddedToABeginIsExactlyTheEnd) {
    const double first = microseconds(12'345'678'901'237);
    for (std::uint64_t begin_ns = 12'345'678'901'237; begin_ns < 12'345'678'999'999; begin_ns += 131) {
        const std::uint64_t end_ns = begin_ns + begin_ns % 977;
        std::string text;
        {
            Output out(text);
            Json(out).open('[').microseconds_between(begin_ns, end_ns).close();
        }
        const double duration = nlohmann::json::parse(text).at(0).get<double>();
        EXPECT_EQ(microseconds(begin_ns) - first + duration, microseconds(end_ns) - first);
        EXPECT_EQ(microseconds(begin_ns) + duration, microseconds(end_ns));
        EXPECT_EQ(static_cast<std::uint64_t>(std::llround(duration * 1000)), end_ns - begin_ns);
    }
}

}  // namespace
}  // namespace coroscope::trace::test
