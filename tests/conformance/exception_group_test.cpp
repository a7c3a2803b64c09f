// ExceptionGroup: what Python's does (PEP 654): nesting, split(), subgroup().
#include "support.hpp"

namespace coroscope::test {
namespace {

std::exception_ptr runtime(const char* text) { return std::make_exception_ptr(std::runtime_error(text)); }
std::exception_ptr logic(const char* text) { return std::make_exception_ptr(std::logic_error(text)); }
std::exception_ptr nest(const char* message, std::vector<std::exception_ptr> exceptions) {
    return std::make_exception_ptr(ExceptionGroup(message, std::move(exceptions)));
}
std::string text(const std::optional<ExceptionGroup>& group) { return group ? group->what() : "none"; }

TEST(ExceptionGroup, SaysWhatItHolds) {
    const ExceptionGroup group("two went wrong", {runtime("a"), logic("b")});
    EXPECT_EQ(group.message(), "two went wrong");
    EXPECT_STREQ(group.what(), "two went wrong (2 sub-exceptions: std::runtime_error: a; std::logic_error: b)");
    EXPECT_EQ(group.exceptions().size(), 2u);
}

TEST(ExceptionGroup, OfNothingIsAnError) { EXPECT_THROW(ExceptionGroup("empty", {}), std::invalid_argument); }

TEST(ExceptionGroup, SplitsByType) {
    const ExceptionGroup group("g", {runtime("a"), logic("b"), runtime("c")});
    const auto [matching, rest] = group.split<std::runtime_error>();
    EXPECT_EQ(text(matching), "g (2 sub-exceptions: std::runtime_error: a; std::runtime_error: c)");
    EXPECT_EQ(text(rest), "g (1 sub-exception: std::logic_error: b)");
}

TEST(ExceptionGroup, SplitOfAllOrNoneLeavesOneSideEmpty) {
    const ExceptionGroup group("g", {runtime("a")});
    EXPECT_FALSE(group.split<std::runtime_error>().second);
    EXPECT_TRUE(group.split<std::runtime_error>().first);
    EXPECT_FALSE(group.split<std::logic_error>().first);
    EXPECT_TRUE(group.split<std::logic_error>().second);
}

TEST(ExceptionGroup, SplitsABaseClassToo) {
    const ExceptionGroup group("g", {runtime("a"), std::make_exception_ptr(TimeoutError()), logic("b")});
    const auto [matching, rest] = group.split<std::runtime_error>();
    EXPECT_EQ(matching->exceptions().size(), 2u);
    EXPECT_EQ(rest->exceptions().size(), 1u);
}

TEST(ExceptionGroup, SplitKeepsTheNestingAndTheMessages) {
    const ExceptionGroup group("outer", {runtime("a"), nest("inner", {logic("b"), runtime("c")}), logic("d")});
    const auto [matching, rest] = group.split<std::logic_error>();
    EXPECT_EQ(text(matching),
              "outer (2 sub-exceptions: coroscope::ExceptionGroup: inner (1 sub-exception: std::logic_error: b); "
              "std::logic_error: d)");
    EXPECT_EQ(text(rest),
              "outer (2 sub-exceptions: std::runtime_error: a; coroscope::ExceptionGroup: inner (1 sub-exception: "
              "std::runtime_error: c))");
}

TEST(ExceptionGroup, SplitLeavesEmptyInnerGroupsOut) {
    const ExceptionGroup group("outer", {runtime("a"), nest("inner", {logic("b")})});
    EXPECT_EQ(text(group.subgroup<std::runtime_error>()), "outer (1 sub-exception: std::runtime_error: a)");
}

TEST(ExceptionGroup, SplitsByAPredicateThatSeesGroupsToo) {
    const ExceptionGroup group("outer", {runtime("a"), nest("whole", {logic("b"), runtime("c")})});
    const auto [matching, rest] =
        group.split([](const std::exception_ptr& error) { return describe(error).starts_with("coroscope::ExceptionGroup: whole"); });
    EXPECT_EQ(matching->exceptions().size(), 1u);
    EXPECT_EQ(matching->leaves().size(), 2u);
    EXPECT_EQ(text(rest), "outer (1 sub-exception: std::runtime_error: a)");
}

TEST(ExceptionGroup, KeepsTheVeryExceptions) {
    const std::exception_ptr error = runtime("a");
    const ExceptionGroup group("g", {error, logic("b")});
    EXPECT_EQ(group.subgroup<std::runtime_error>()->exceptions().front(), error);
}

TEST(ExceptionGroup, ContainsLooksIntoInnerGroups) {
    const ExceptionGroup group("outer", {nest("inner", {nest("innermost", {logic("b")})})});
    EXPECT_TRUE(group.contains<std::logic_error>());
    EXPECT_FALSE(group.contains<std::runtime_error>());
}

TEST(ExceptionGroup, LeavesAreInOrderOutOfAllNesting) {
    const ExceptionGroup group("outer",
                               {runtime("a"), nest("inner", {runtime("b"), nest("n", {runtime("c")})}), runtime("d")});
    std::string all;
    for (const std::exception_ptr& error : group.leaves()) all += describe(error).back();
    EXPECT_EQ(all, "abcd");
}

TEST(ExceptionGroup, ATypeWithinIsNotCaughtAsSuch) {
    bool as_group = false;
    try {
        throw ExceptionGroup("g", {std::make_exception_ptr(TimeoutError())});
    } catch (const TimeoutError&) {
    } catch (const ExceptionGroup&) {
        as_group = true;
    }
    EXPECT_TRUE(as_group);
}

TEST(ExceptionGroup, WhatIsLeftCanBeThrownOn) {
    const ExceptionGroup group("g", {runtime("a"), logic("b")});
    try {
        throw *group.split<std::runtime_error>().second;
    } catch (const ExceptionGroup& rest) {
        EXPECT_TRUE(rest.contains<std::logic_error>());
        EXPECT_EQ(rest.exceptions().size(), 1u);
    }
}

}  // namespace
}  // namespace coroscope::test
