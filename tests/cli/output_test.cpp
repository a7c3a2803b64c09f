// Widths and JSON for people and scripts.
#include "agent/cli/output.hpp"

#include <gtest/gtest.h>

namespace coroscope::cli {
namespace {

TEST(Output, WidthCountsCharactersNotBytesNorColours) {
    EXPECT_EQ(width("├─ x"), 4u);
    EXPECT_EQ(width("\033[31mred\033[0m"), 3u);
    EXPECT_EQ(width("\033[31"), 0u);
    EXPECT_EQ(pad("é", 3), "é  ");
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
