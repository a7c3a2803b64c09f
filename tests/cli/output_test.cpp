// Words, widths and JSON for people and scripts.
#include "agent/cli/output.hpp"

#include <gtest/gtest.h>

namespace coroscope::cli {
namespace {

TEST(Output, DurationsKeepThreeDigitsAndTheRightUnit) {
    EXPECT_EQ(duration(0), "0");
    EXPECT_EQ(duration(999), "999 ns");
    EXPECT_EQ(duration(1'500), "1.50 us");
    EXPECT_EQ(duration(203'400'000), "203 ms");
    EXPECT_EQ(duration(12'340'000'000), "12.3 s");
}

TEST(Output, TextFromAnAppCannotSteerTheTerminal) {
    EXPECT_EQ(clean("plain caf\xc3\xa9"), "plain caf\xc3\xa9");
    EXPECT_EQ(clean("a\nb\tc"), "a b c");
    EXPECT_EQ(clean("\033[31mred"), "\xef\xbf\xbd[31mred");
    EXPECT_EQ(clean("\xc2\x9b"
                    "31m"),
              "\xef\xbf\xbd"
              "31m");                                                  // C1 CSI
    EXPECT_EQ(clean("cut \xe2\x82"), "cut \xef\xbf\xbd\xef\xbf\xbd");  // a cut sequence
    EXPECT_EQ(clean("\xff"), "\xef\xbf\xbd");
}

TEST(Output, WidthCountsCharactersNotBytesNorColours) {
    EXPECT_EQ(width("├─ x"), 4u);
    EXPECT_EQ(width("\033[31mred\033[0m"), 3u);
    EXPECT_EQ(width("\033[31"), 0u);
    EXPECT_EQ(pad("é", 3), "é  ");
}

TEST(Output, PlacesAreShort) {
    EXPECT_EQ(short_place("/a/b/web.cpp", 12), "web.cpp:12");
    EXPECT_EQ(short_place("web.cpp", 0), "web.cpp");
    EXPECT_EQ(short_place("", 3), "?");
}

TEST(Output, BrokenUtf8InJsonIsReplacedNotThrown) {
    testing::internal::CaptureStdout();
    print_json({{"name", "bad \xff byte"}});
    std::fflush(stdout);
    const std::string out = testing::internal::GetCapturedStdout();
    const Json read = Json::parse(out, nullptr, false);
    ASSERT_FALSE(read.is_discarded());
    EXPECT_EQ(read["name"], "bad \xef\xbf\xbd byte");
}

}  // namespace
}  // namespace coroscope::cli
