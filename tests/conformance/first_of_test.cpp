// first_of(): the first to end counts, the others are cancelled and have ended.
#include "coroscope/first_of.hpp"

#include <gtest/gtest.h>

#include <string>
#include <variant>

#include "task_support.hpp"

namespace coroscope::test {
namespace {

CORO_TEST(FirstOf, GivesTheFirstAndHasEndedTheOthers) {
    bool cleaned = false;
    Event never;
    const auto first = co_await first_of(clean_up_for(Milliseconds(50), cleaned), value_after(10ms, 7), never.wait());
    EXPECT_EQ(first.index(), 1u);
    EXPECT_EQ(std::get<1>(first), 7);
    EXPECT_TRUE(cleaned);
    EXPECT_EQ(all_tasks().size(), 1u);
}

CORO_TEST(FirstOf, TakesTasksAndWhateverCanBeAwaited) {
    Queue<std::string> queue;
    Task<int> task = create_task(value_after(1h, 1));
    queue.put_nowait("item");
    const auto first = co_await first_of(std::move(task), queue.get(), sleep(1h));
    EXPECT_EQ(std::get<1>(first), "item");
    EXPECT_TRUE(queue.empty());
}

CORO_TEST(FirstOf, ALoserThatHasNotTakenAnItemLeavesIt) {
    Queue<int> queue;
    const auto first = co_await first_of(queue.get(), sleep(1ms));
    EXPECT_EQ(first.index(), 1u);
    queue.put_nowait(3);
    EXPECT_EQ(co_await queue.get(), 3);
}

CORO_TEST(FirstOf, OfSeveralThatEndInOneTurnTheFirstCounts) {
    const auto first = co_await first_of(value_now(1), value_now(2));
    EXPECT_EQ(first.index(), 0u);
}

CORO_TEST(FirstOf, TheFirstOnesErrorIsThrown) {
    bool cleaned = false;
    const auto both = [](bool& flag) -> Coro<> {
        co_await first_of(fail_after(1ms, "first"), clean_up_for(Milliseconds(5), flag));
    };
    const auto error = co_await thrown<FirstError>(both(cleaned));
    EXPECT_TRUE(error);
    EXPECT_TRUE(cleaned);
}

CORO_TEST(FirstOf, CancellingItCancelsAllAndWaitsForThem) {
    bool one = false, two = false;
    const auto both = [](bool& a, bool& b) -> Coro<> {
        co_await first_of(clean_up_for(Milliseconds(20), a), clean_up_for(Milliseconds(40), b));
    };
    auto task = create_task(both(one, two));
    co_await sleep(1ms);
    task.cancel();
    co_await task.wait();
    EXPECT_TRUE(task.cancelled());
    EXPECT_TRUE(one && two);
}

CORO_TEST(FirstOf, OneAloneIsThatOne) {
    const auto first = co_await first_of(value_now(5));
    EXPECT_EQ(std::get<0>(first), 5);
}

}  // namespace
}  // namespace coroscope::test
