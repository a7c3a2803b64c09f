// ExceptionGroup: what Python's own tests of it pin down.
#include "task_support.hpp"

namespace coroscope::test {
namespace {

template <class E>
std::exception_ptr error(const char* text) {
    return std::make_exception_ptr(E(text));
}
ExceptionGroup flat() { return {"flat", {error<FirstError>("a"), error<SecondError>("b"), error<FirstError>("c")}}; }
ExceptionGroup nested() {
    return {"outer", {error<FirstError>("a"), std::make_exception_ptr(flat()), error<SecondError>("d")}};
}
std::vector<std::string> texts(const ExceptionGroup& group) {
    std::vector<std::string> all;
    for (const auto& leaf : group.leaves()) all.push_back(text_of(leaf));
    return all;
}
using Texts = std::vector<std::string>;

TEST(ExceptionGroup, NeedsAnException) {
    EXPECT_THROW(ExceptionGroup("empty", {}), std::invalid_argument);
    EXPECT_THROW(ExceptionGroup("null", {nullptr}), std::invalid_argument);
}

TEST(ExceptionGroup, SaysItsMessageAndWhatItHolds) {
    EXPECT_EQ(flat().message(), "flat");
    EXPECT_EQ(flat().exceptions().size(), 3u);
    EXPECT_NE(std::string(flat().what()).find("flat (3 sub-exceptions: "), std::string::npos) << flat().what();
    EXPECT_NE(std::string(ExceptionGroup("one", {error<FirstError>("x")}).what()).find("(1 sub-exception: "),
              std::string::npos);
}

TEST(ExceptionGroup, SplitDividesByTypeAndKeepsOrderAndMessage) {
    const auto [matching, rest] = flat().split<FirstError>();
    ASSERT_TRUE(matching && rest);
    EXPECT_EQ(texts(*matching), (Texts{"FirstError: a", "FirstError: c"}));
    EXPECT_EQ(texts(*rest), (Texts{"SecondError: b"}));
    EXPECT_EQ(matching->message(), "flat");
    EXPECT_EQ(rest->message(), "flat");
}

TEST(ExceptionGroup, SplitWithNoMatchGivesTheWholeRest) {
    const auto [matching, rest] = flat().split<std::bad_alloc>();
    EXPECT_FALSE(matching);
    ASSERT_TRUE(rest);
    EXPECT_EQ(texts(*rest).size(), 3u);
}

TEST(ExceptionGroup, SplitWhereAllMatchLeavesNoRest) {
    const auto [matching, rest] = flat().split<std::runtime_error>();
    ASSERT_TRUE(matching);
    EXPECT_EQ(texts(*matching).size(), 3u);
    EXPECT_FALSE(rest);
}

TEST(ExceptionGroup, SplitByTheTypeOfTheGroupItselfMatchesAll) {
    const auto [matching, rest] = nested().split<ExceptionGroup>();
    ASSERT_TRUE(matching);
    EXPECT_EQ(texts(*matching).size(), 5u);
    EXPECT_FALSE(rest);
    EXPECT_TRUE(nested().split<std::exception>().first);
}

TEST(ExceptionGroup, SplitKeepsTheNestingAndTheMessages) {
    const auto [matching, rest] = nested().split<FirstError>();
    ASSERT_TRUE(matching && rest);
    EXPECT_EQ(matching->message(), "outer");
    ASSERT_EQ(matching->exceptions().size(), 2u);  // a, and the inner group
    EXPECT_EQ(text_of(matching->exceptions()[0]), "FirstError: a");
    try {
        std::rethrow_exception(matching->exceptions()[1]);
    } catch (const ExceptionGroup& inner) {
        EXPECT_EQ(inner.message(), "flat");
        EXPECT_EQ(texts(inner), (Texts{"FirstError: a", "FirstError: c"}));
    }
    EXPECT_EQ(texts(*rest), (Texts{"SecondError: b", "SecondError: d"}));
}

TEST(ExceptionGroup, SplitDropsGroupsThatBecomeEmpty) {
    const ExceptionGroup group(
        "outer", {std::make_exception_ptr(ExceptionGroup("inner", {error<FirstError>("x")})), error<SecondError>("y")});
    const auto [matching, rest] = group.split<SecondError>();
    EXPECT_EQ(matching->exceptions().size(), 1u);
    EXPECT_EQ(rest->exceptions().size(), 1u);
}

TEST(ExceptionGroup, ThePartsHoldTheVerySameExceptions) {
    const ExceptionGroup group = flat();
    const auto [matching, rest] = group.split<SecondError>();
    EXPECT_EQ(matching->exceptions()[0], group.exceptions()[1]);
    EXPECT_EQ(rest->exceptions()[0], group.exceptions()[0]);
}

TEST(ExceptionGroup, SplitTakesAnyCondition) {
    const auto is_b = [](const std::exception_ptr& each) { return text_of(each) == "SecondError: b"; };
    const auto [matching, rest] = nested().split(is_b);
    EXPECT_EQ(texts(*matching), (Texts{"SecondError: b"}));
    EXPECT_EQ(texts(*rest).size(), 4u);
}

TEST(ExceptionGroup, SubgroupIsTheMatchingPart) {
    EXPECT_EQ(texts(*nested().subgroup<SecondError>()), (Texts{"SecondError: b", "SecondError: d"}));
    EXPECT_FALSE(nested().subgroup<std::bad_alloc>());
    const auto nothing = [](const std::exception_ptr&) { return false; };
    EXPECT_FALSE(nested().subgroup(nothing));
}

TEST(ExceptionGroup, LeavesAndContainsLookIntoNestedGroups) {
    EXPECT_EQ(texts(nested()),
              (Texts{"FirstError: a", "FirstError: a", "SecondError: b", "FirstError: c", "SecondError: d"}));
    EXPECT_TRUE(nested().contains<SecondError>());
    EXPECT_FALSE(nested().contains<std::bad_alloc>());
}

TEST(ExceptionGroup, HoldsExceptionsThatAreNoStdExceptions) {
    const ExceptionGroup group("odd", {std::make_exception_ptr(Cancelled("why")), std::make_exception_ptr(7)});
    EXPECT_TRUE(group.contains<Cancelled>());
    EXPECT_EQ(texts(*group.subgroup<int>()), (Texts{"int"}));
}

// --- except*

TEST(ExceptStar, EachHandlerGetsItsPartAsAGroup) {
    Texts first, second;
    const auto take_first = [&](const ExceptionGroup& group) { first = texts(group); };
    const auto take_second = [&](const ExceptionGroup& group) { second = texts(group); };
    try {
        throw nested();
    } catch (...) {
        ExceptStar().except<FirstError>(take_first).except<SecondError>(take_second).finish();
    }
    EXPECT_EQ(first.size(), 3u);
    EXPECT_EQ(second.size(), 2u);
}

TEST(ExceptStar, WhatNobodyTookIsThrown) {
    const auto ignore = [](const ExceptionGroup&) {};
    const auto handle = [&] {
        try {
            throw flat();
        } catch (...) {
            ExceptStar().except<FirstError>(ignore).finish();
        }
    };
    EXPECT_EQ(thrown_in(handle), "ExceptionGroup: flat (1 sub-exception: coroscope::test::SecondError: b)");
}

TEST(ExceptStar, AHandlerThatComesLaterGetsOnlyWhatIsLeft) {
    int calls = 0;
    const auto count = [&](const ExceptionGroup&) { ++calls; };
    ExceptStar star(std::make_exception_ptr(flat()));
    star.except<std::runtime_error>(count).except<FirstError>(count).finish();
    EXPECT_EQ(calls, 1);
}

TEST(ExceptStar, ANakedErrorComesInAGroupOfItsOwn) {
    Texts got;
    const auto take = [&](const ExceptionGroup& group) {
        EXPECT_EQ(group.message(), "");
        got = texts(group);
    };
    ExceptStar(error<FirstError>("x")).except<FirstError>(take).finish();
    EXPECT_EQ(got, (Texts{"FirstError: x"}));
}

TEST(ExceptStar, ANakedErrorThatNobodyTookFliesAsItCame) {
    const auto ignore = [](const ExceptionGroup&) {};
    EXPECT_EQ(thrown_in([&] { ExceptStar(error<FirstError>("x")).except<SecondError>(ignore).finish(); }),
              "FirstError: x");
}

TEST(ExceptStar, WhatHandlersThrowComesWithTheRest) {
    const auto fail = [](const ExceptionGroup&) { throw std::bad_alloc(); };
    try {
        ExceptStar(std::make_exception_ptr(flat())).except<FirstError>(fail).finish();
        FAIL();
    } catch (const ExceptionGroup& group) {
        ASSERT_EQ(group.exceptions().size(), 2u);
        EXPECT_TRUE(detail::is_exception<std::bad_alloc>(group.exceptions()[0]));
        EXPECT_TRUE(detail::is_exception<ExceptionGroup>(group.exceptions()[1]));
    }
}

TEST(ExceptStar, NeedsAnException) { EXPECT_THROW(ExceptStar(), std::logic_error); }

}  // namespace
}  // namespace coroscope::test
