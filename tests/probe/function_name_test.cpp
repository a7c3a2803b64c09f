#include "runtime/src/probe/function_name.hpp"

#include <gtest/gtest.h>

namespace coroscope::probe {
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

TEST(LibraryFile, IsOfTheRuntimeNotOfTheUser) {
    EXPECT_TRUE(is_library_file("runtime/src/net/stream.cpp") || is_library_file("/here/runtime/src/net/stream.cpp"));
    EXPECT_TRUE(is_library_file("/usr/include/coroscope/queue.hpp"));
    EXPECT_TRUE(is_library_file("runtime/include/coroscope/detail/promise.hpp"));
    EXPECT_FALSE(is_library_file("runtime/examples/greet.cpp"));
    EXPECT_FALSE(is_library_file("/home/me/app/src/main.cpp"));
    EXPECT_FALSE(is_library_file(""));
}

}  // namespace
}  // namespace coroscope::probe
