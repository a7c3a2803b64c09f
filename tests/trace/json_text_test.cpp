// Text that no JSON reader chokes on.
#include "agent/trace/json_text.hpp"

#include <gtest/gtest.h>

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

TEST(JsonText, MicrosecondsKeepEveryNanosecond) {
    std::string text;
    {
        Output out(text);
        for (const std::uint64_t time_ns : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{1050},
                                            std::uint64_t{2000}, std::uint64_t{18'446'744'073'709'551'615u}}) {
            write_microseconds(out, time_ns);
            out << ' ';
        }
    }
    EXPECT_EQ(text, "0 0.001 1.050 2 18446744073709551.615 ");
}

}  // namespace
}  // namespace coroscope::trace::test
