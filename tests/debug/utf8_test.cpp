#include "runtime/src/debug/utf8.hpp"

#include <gtest/gtest.h>

namespace coroscope::debug {
namespace {

TEST(Utf8, OnlyWhatIsInvalidIsReplaced) {
    EXPECT_EQ(valid_utf8("plain"), "plain");
    EXPECT_EQ(valid_utf8("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"), "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
    EXPECT_EQ(valid_utf8("a\xff"
                         "b\xc3"),
              "a?b?");
    EXPECT_EQ(valid_utf8("\xc0\x80"), "??");            // overlong
    EXPECT_EQ(valid_utf8("\xed\xa0\x80"), "???");       // surrogate
    EXPECT_EQ(valid_utf8("\xf4\x90\x80\x80"), "????");  // past the last code point
}

}  // namespace
}  // namespace coroscope::debug
