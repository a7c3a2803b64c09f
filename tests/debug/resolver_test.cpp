// Addresses of this program become its own functions and lines, one answer a question, in order.
#include "runtime/src/debug/resolver.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <vector>

namespace coroscope::debug {
namespace {

using namespace std::chrono_literals;

[[gnu::noinline]] void* here() { return __builtin_return_address(0); }

std::vector<NativeFrame> next(Resolver& resolver) {
    EXPECT_TRUE(resolver.wait_for_answer(60s));
    auto answer = resolver.take_answer();
    EXPECT_TRUE(answer.has_value());
    return answer.value_or(std::vector<NativeFrame>());
}

TEST(Resolver, FindsFunctionFileAndLine) {
    std::atomic<int> answers{0};
    Resolver resolver([&] { ++answers; });
    void* const address = here();
    const std::uint32_t line = __LINE__ - 1;
    resolver.ask({address});
    const std::vector<NativeFrame> frames = next(resolver);
    ASSERT_FALSE(frames.empty());
    EXPECT_NE(frames[0].function.find("TestBody"), std::string::npos) << frames[0].function;
    EXPECT_TRUE(frames[0].file.ends_with("resolver_test.cpp")) << frames[0].file;
    EXPECT_EQ(frames[0].line, line);
}

TEST(Resolver, AnswersInOrder) {
    Resolver resolver([] {});
    EXPECT_FALSE(resolver.take_answer());
    EXPECT_FALSE(resolver.wait_for_answer(0s));
    resolver.ask({here()});
    resolver.ask({});
    resolver.ask({here(), here()});
    EXPECT_GE(next(resolver).size(), 1u);
    EXPECT_TRUE(next(resolver).empty());
    EXPECT_GE(next(resolver).size(), 2u);
    EXPECT_FALSE(resolver.take_answer());
}

TEST(Resolver, PastItsBoundQuestionsGetNoPlacesButAnAnswer) {
    Resolver resolver([] {});
    constexpr std::size_t many = Resolver::most_waiting * 3;
    for (std::size_t i = 0; i < many; ++i) resolver.ask({here()});
    std::size_t without = 0;
    for (std::size_t i = 0; i < many; ++i) without += next(resolver).empty() ? 1 : 0;
    EXPECT_EQ(without, resolver.refused());
}

}  // namespace
}  // namespace coroscope::debug
