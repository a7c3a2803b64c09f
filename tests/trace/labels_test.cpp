// Names as people read them, and text that no JSON or protobuf reader chokes on.
#include "agent/trace/labels.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "agent/trace/json_text.hpp"

namespace coroscope::trace::test {
namespace {

TEST(ShortFunction, DropsReturnTypeAndParameters) {
    EXPECT_EQ(short_function("coroscope::Coro<int> ns::fetch(const std::string&) [with T = int]"), "ns::fetch");
    EXPECT_EQ(short_function("fetch"), "fetch");
    EXPECT_EQ(short_function("int main(int, char**)"), "main");
    EXPECT_EQ(short_function("coroscope::Coro<void> (anonymous namespace)::run(int)"), "(anonymous namespace)::run");
    EXPECT_EQ(short_function("main()::<lambda(int)>"), "main()::<lambda(int)>");
    EXPECT_EQ(short_function("coroscope::Coro<std::map<int, int> > Cache<A, B>::get(int) const"), "Cache<A, B>::get");
    EXPECT_EQ(short_function("bool A::operator()(int)"), "A::operator()");
    EXPECT_EQ(short_function("bool operator<(A, B)"), "operator<");
    EXPECT_EQ(short_function(""), "");
    EXPECT_EQ(short_function("((((("), "(((((");
}

TEST(CleanUtf8, KeepsWhatIsWellFormedAndReplacesTheRest) {
    EXPECT_EQ(clean_utf8("plain, \xc3\xa9, \xe2\x82\xac, \xf0\x9f\x98\x80"),
              "plain, \xc3\xa9, \xe2\x82\xac, \xf0\x9f\x98\x80");
    EXPECT_EQ(clean_utf8("a\xff"
                         "b"),
              "a\xef\xbf\xbd"
              "b");
    EXPECT_EQ(clean_utf8("\xc3"), "\xef\xbf\xbd");
    EXPECT_EQ(clean_utf8("\xc0\xaf"), "\xef\xbf\xbd\xef\xbf\xbd");          // overlong
    EXPECT_EQ(clean_utf8("\xed\xa0\x80").find('\xed'), std::string::npos);  // a surrogate
}

TEST(JsonText, AnyBytesGiveJsonThatReadsBack) {
    std::string every;
    for (int i = 0; i < 256; ++i) every.push_back(static_cast<char>(i));
    std::string text;
    {
        Output out(text);
        write_json_string(out, every);
    }
    EXPECT_EQ(nlohmann::json::parse(text).get<std::string>(), clean_utf8(every));
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
