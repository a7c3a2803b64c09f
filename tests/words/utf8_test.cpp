#include "proto/words/utf8.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace coroscope::words {
namespace {

const std::string bad = "\xef\xbf\xbd";  // U+FFFD

TEST(Utf8, OnlyWhatIsInvalidIsReplaced) {
    EXPECT_EQ(valid_utf8("plain"), "plain");
    EXPECT_EQ(valid_utf8("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"), "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
    EXPECT_EQ(valid_utf8("a\xff"
                         "b\xc3"),
              "a" + bad + "b" + bad);
    EXPECT_EQ(valid_utf8("\xc0\x80"), bad + bad);                      // overlong
    EXPECT_EQ(valid_utf8("\xed\xa0\x80"), bad + bad + bad);            // a surrogate
    EXPECT_EQ(valid_utf8("\xf4\x90\x80\x80"), bad + bad + bad + bad);  // past the last code point
}

TEST(Utf8, IsCutAtACharacter) {
    EXPECT_EQ(cut_utf8("plain", 9), "plain");
    EXPECT_EQ(cut_utf8("plain", 3), "pla");
    EXPECT_EQ(cut_utf8("a\xe2\x82\xac", 4), "a\xe2\x82\xac");
    for (const std::size_t bytes : {1u, 2u, 3u}) EXPECT_EQ(cut_utf8("a\xe2\x82\xac", bytes), "a");
    EXPECT_EQ(cut_utf8("\xf0\x9f\x98\x80", 3), "");
    EXPECT_EQ(cut_utf8("x", 0), "");
    // What is no UTF-8 is bounded all the same, and keeps what there is room for.
    EXPECT_EQ(cut_utf8(std::string(100, '\x80'), 10).size(), 10u);
}

TEST(Utf8, PrintableTextIsOneLineThatSteersNoTerminal) {
    EXPECT_EQ(printable("plain caf\xc3\xa9"), "plain caf\xc3\xa9");
    EXPECT_EQ(printable("a\nb\tc\r"), "a b c ");
    EXPECT_EQ(printable("\033[31mred"), "\\x1b[31mred");
    EXPECT_EQ(printable("\xc2\x9b"
                        "31m"),
              "\\x9b31m");  // a control sequence introducer of 8 bits
    EXPECT_EQ(printable("\x7f"), "\\x7f");
    EXPECT_EQ(printable(std::string_view("\0", 1)), "\\x00");
    EXPECT_EQ(printable("\xe2\x80\xae live \xe2\x81\xa6"), "\\u202e live \\u2066");  // the direction of writing
    EXPECT_EQ(printable("\xf0\x9f\x98\x80"), "\xf0\x9f\x98\x80");
    EXPECT_EQ(printable("cut \xe2\x82"), "cut " + bad + bad);
    EXPECT_EQ(printable("\xff"), bad);
}

TEST(Utf8, PrintableTextIsBounded) {
    const std::string cut = printable(std::string(100'000, 'A'), 4);
    EXPECT_EQ(cut, "AAAA... (99 996 more bytes)");
    EXPECT_EQ(printable(cut, most_of_a_name), cut);
    EXPECT_EQ(printable("AAAA", 4), "AAAA");
}

TEST(Utf8, CountsCharacters) {
    EXPECT_EQ(utf8_characters(""), 0u);
    EXPECT_EQ(utf8_characters("caf\xc3\xa9"), 4u);
    EXPECT_EQ(utf8_characters("\xf0\x9f\x98\x80"), 1u);
}

TEST(Utf8, WhatWasMadeValidIsValid) {
    std::mt19937_64 random(7);
    for (int i = 0; i < 20'000; ++i) {
        std::string text;
        for (std::uint64_t length = random() % 12; length > 0; --length)
            text += static_cast<char>(random() % 2 == 0 ? random() % 256 : 0xc0 + random() % 64);
        for (const std::string& made : {valid_utf8(text), printable(text)}) {
            for (std::size_t at = 0; at < made.size();) {
                const std::size_t length = utf8_length(made, at);
                ASSERT_NE(length, 0u);
                at += length;
            }
        }
        ASSERT_EQ(valid_utf8(valid_utf8(text)), valid_utf8(text));
        // Cutting valid text leaves valid text, shorter by no more than a character.
        const std::string valid = valid_utf8(text);
        for (std::size_t bytes = 0; bytes <= valid.size(); ++bytes) {
            const std::string_view cut = cut_utf8(valid, bytes);
            ASSERT_EQ(valid_utf8(cut), cut);
            ASSERT_TRUE(cut.size() <= bytes && bytes - cut.size() < 4);
        }
    }
}

}  // namespace
}  // namespace coroscope::words
