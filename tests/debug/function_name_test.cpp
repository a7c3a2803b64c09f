#include "runtime/src/debug/function_name.hpp"

#include <gtest/gtest.h>

#include "runtime/src/debug/utf8.hpp"

namespace coroscope::debug {
namespace {

TEST(FunctionName, OfGccsCoroutines) {
    EXPECT_EQ(readable_function("void say_goodbye(say_goodbye()::_Z11say_goodbyev.Frame*)"), "say_goodbye");
    EXPECT_EQ(readable_function(
                  "void ns::Server::handle(ns::Server::handle(int, std::string)::_ZN2ns6Server6handleEi.Frame*)"),
              "ns::Server::handle");
    EXPECT_EQ(readable_function("forget_to_await(forget_to_await()::_Z15forget_to_awaitv.Frame*) [clone .actor]"),
              "forget_to_await");
}

TEST(FunctionName, OfClangsCoroutines) {
    EXPECT_EQ(readable_function("coroscope::Coro<> say_goodbye()"), "say_goodbye");
    EXPECT_EQ(readable_function("coroscope::Coro<std::map<int, std::string>> ns::f(int, const char *)"), "ns::f");
    EXPECT_EQ(readable_function("Coro<int> (anonymous namespace)::f(int)"), "(anonymous namespace)::f");
}

TEST(FunctionName, OfOrdinaryFunctions) {
    EXPECT_EQ(readable_function("int main()"), "main");
    EXPECT_EQ(readable_function("main"), "main");
    EXPECT_EQ(readable_function("virtual void ns::C<int>::run(std::vector<int>) const"), "ns::C::run");
    EXPECT_EQ(readable_function("bool ns::C::operator<(const C&) const"), "ns::C::operator<");
    EXPECT_EQ(readable_function("void ns::call<int>(int) [with T = int]"), "ns::call");
}

TEST(FunctionName, NonsenseStaysAsItIs) {
    EXPECT_EQ(readable_function(""), "");
    EXPECT_EQ(readable_function("()"), "()");
    EXPECT_EQ(readable_function("<<<"), "<<<");
}

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
