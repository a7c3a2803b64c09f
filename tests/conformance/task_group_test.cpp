// TaskGroup: what asyncio.TaskGroup does (3.13's semantics), with join() for the end of its `async with` block.
#include "support.hpp"

#include <algorithm>

namespace coroscope::test {
namespace {

std::vector<std::string> texts(const std::optional<ExceptionGroup>& group) {
    if (!group) return {"no group was thrown"};
    std::vector<std::string> all;
    for (const std::exception_ptr& error : group->exceptions()) all.push_back(describe(error));
    std::sort(all.begin(), all.end());
    return all;
}

TEST(TaskGroup, WaitsForAllAndLeavesTheirResults) {
    virtually([]() -> Coro<> {
        TaskGroup group;
        Task<int> slow = group.create_task(value_later(2s, 11));
        Task<int> quick = group.create_task(value_later(1s, 42));
        co_await group.join();
        EXPECT_EQ(slow.result(), 11);
        EXPECT_EQ(quick.result(), 42);
    });
}

TEST(TaskGroup, AnEmptyOneEndsAtOnce) {
    virtually([]() -> Coro<> {
        TaskGroup group;
        co_await group.join();
        EXPECT_EQ(group.running(), 0u);
    });
}

TEST(TaskGroup, IsLeftOnlyWhenTheLastTaskIsDoneEvenIfAllWereCreatedBeforeAnAwait) {
    virtually([]() -> Coro<> {
        const std::uint64_t began = EventLoop::running().time_ns();
        TaskGroup group;
        group.create_task(for_ever());
        group.create_task(value_later(1s, 1));
        co_await group.join();
        EXPECT_EQ(EventLoop::running().time_ns() - began, 3'600'000'000'000u);
    });
}

Coro<> join_with_failure(bool& cancelled) {
    TaskGroup group;
    group.create_task(fail_later(1s, "one"));
    group.create_task(note_cancellation(cancelled));
    co_await group.join();
}
TEST(TaskGroup, AFailureCancelsTheSiblingsAndArrivesInAGroup) {
    virtually([]() -> Coro<> {
        bool cancelled = false;
        const auto group = co_await thrown<ExceptionGroup>(join_with_failure(cancelled));
        EXPECT_TRUE(cancelled);
        EXPECT_EQ(texts(group), std::vector<std::string>{"std::runtime_error: one"});
    });
}

Coro<> two_failures() {
    TaskGroup group;
    group.create_task(fail_later(1s, "one"));
    group.create_task(fail_later<std::invalid_argument>(1s, "two"));
    co_await group.join();
}
TEST(TaskGroup, ErrorsOfTheSameTurnArriveTogether) {
    virtually([]() -> Coro<> {
        const auto group = co_await thrown<ExceptionGroup>(two_failures());
        const std::vector<std::string> expected = {"std::invalid_argument: two", "std::runtime_error: one"};
        EXPECT_EQ(texts(group), expected);
    });
}

Coro<> fails_when_cancelled() {
    try {
        co_await for_ever();
    } catch (const Cancelled&) {
    }
    throw std::domain_error("while cleaning up");
}
Coro<> failure_during_abort() {
    TaskGroup group;
    group.create_task(fails_when_cancelled());
    group.create_task(fail_later(1s, "first"));
    co_await group.join();
}
TEST(TaskGroup, AnErrorOfACancelledSiblingIsCollectedToo) {
    virtually([]() -> Coro<> {
        const auto group = co_await thrown<ExceptionGroup>(failure_during_abort());
        const std::vector<std::string> expected = {"std::domain_error: while cleaning up", "std::runtime_error: first"};
        EXPECT_EQ(texts(group), expected);
    });
}

Coro<> body_interrupted(bool& reached) {
    TaskGroup group;
    std::exception_ptr error;
    group.create_task(fail_later(1s, "child"));
    try {
        co_await for_ever();
        reached = true;
    } catch (...) {
        error = std::current_exception();
    }
    co_await group.join_after(error);
}
TEST(TaskGroup, AFailureInterruptsTheBodyAndTheCancellationIsTakenBack) {
    virtually([]() -> Coro<> {
        bool reached = false;
        const auto group = co_await thrown<ExceptionGroup>(body_interrupted(reached));
        EXPECT_FALSE(reached);
        EXPECT_TRUE(group.has_value());
        EXPECT_EQ(current_task().cancelling(), 0u);
        co_await yield();  // no cancellation is left over
    });
}

Coro<> body_throws(TaskGroup&) { throw std::logic_error("body"); }
Coro<> body_throws_with_a_child(TaskGroup& group) {
    group.create_task(fails_when_cancelled());
    co_await yield();
    throw std::logic_error("body");
}
TEST(TaskGroup, AnErrorOfTheBodyArrivesInAGroupToo) {
    virtually([]() -> Coro<> {
        const auto group = co_await thrown<ExceptionGroup>(with_task_group(body_throws));
        EXPECT_EQ(texts(group), std::vector<std::string>{"std::logic_error: body"});
    });
}
TEST(TaskGroup, TheBodysErrorIsJoinedByItsChildrens) {
    virtually([]() -> Coro<> {
        const auto group = co_await thrown<ExceptionGroup>(with_task_group(body_throws_with_a_child));
        const std::vector<std::string> expected = {"std::domain_error: while cleaning up", "std::logic_error: body"};
        EXPECT_EQ(texts(group), expected);
    });
}

Coro<> waits_in_a_group(bool& child_cancelled) {
    TaskGroup group;
    group.create_task(note_cancellation(child_cancelled));
    co_await group.join();
}
TEST(TaskGroup, CancellingTheParentWhileItJoinsCancelsTheChildren) {
    virtually([]() -> Coro<> {
        bool child_cancelled = false;
        Task<> parent = create_task(waits_in_a_group(child_cancelled));
        co_await turns();
        EXPECT_TRUE(parent.cancel());
        EXPECT_TRUE((co_await thrown<Cancelled>(awaiting(parent))).has_value());
        EXPECT_TRUE(child_cancelled);
        EXPECT_TRUE(parent.cancelled());
    });
}

Coro<> waits_in_a_body(TaskGroup& group, bool& child_cancelled) {
    group.create_task(note_cancellation(child_cancelled));
    co_await for_ever();
}
Coro<> group_whose_body_waits(bool& child_cancelled) {
    auto body = [&child_cancelled](TaskGroup& group) { return waits_in_a_body(group, child_cancelled); };
    co_await with_task_group(std::move(body));
}
TEST(TaskGroup, CancellingTheParentInItsBodyCancelsTheChildren) {
    virtually([]() -> Coro<> {
        bool child_cancelled = false;
        Task<> parent = create_task(group_whose_body_waits(child_cancelled));
        co_await turns();
        EXPECT_TRUE(parent.cancel());
        EXPECT_TRUE((co_await thrown<Cancelled>(awaiting(parent))).has_value());
        EXPECT_TRUE(child_cancelled);
    });
}

Coro<> waits_for_a_child_that_fails_when_cancelled() {
    TaskGroup group;
    group.create_task(fails_when_cancelled());
    co_await group.join();
}
TEST(TaskGroup, AnErrorOfAChildWinsOverACancellationOfTheParent) {
    virtually([]() -> Coro<> {
        Task<> parent = create_task(waits_for_a_child_that_fails_when_cancelled());
        co_await turns();
        parent.cancel();
        EXPECT_TRUE((co_await thrown<ExceptionGroup>(awaiting(parent))).has_value());
        EXPECT_FALSE(parent.cancelled());
        EXPECT_EQ(parent.cancelling(), 1u);
    });
}

Coro<> ends_slowly_when_cancelled(bool& ended) {
    try {
        co_await for_ever();
    } catch (const Cancelled&) {
    }
    co_await sleep(1s);
    ended = true;
}
Coro<> waits_for_a_slow_child(bool& ended) {
    TaskGroup group;
    group.create_task(ends_slowly_when_cancelled(ended));
    co_await group.join();
}
TEST(TaskGroup, ACancelledParentIsNotLeftBeforeItsChildrenHaveEnded) {
    virtually([]() -> Coro<> {
        bool ended = false;
        Task<> parent = create_task(waits_for_a_slow_child(ended));
        co_await turns();
        parent.cancel();
        co_await turns();
        EXPECT_FALSE(parent.done());
        EXPECT_TRUE((co_await thrown<Cancelled>(awaiting(parent))).has_value());
        EXPECT_TRUE(ended);
    });
}
TEST(TaskGroup, AParentCancelledTwiceStillWaits) {
    virtually([]() -> Coro<> {
        bool ended = false;
        Task<> parent = create_task(waits_for_a_slow_child(ended));
        co_await turns();
        parent.cancel();
        co_await turns();
        EXPECT_FALSE(parent.done());
        EXPECT_FALSE(ended);
        co_await sleep(100ms);
        EXPECT_TRUE((co_await thrown<Cancelled>(awaiting(parent))).has_value());
        EXPECT_TRUE(ended);
    });
}

TEST(TaskGroup, AChildCancelledAloneTroublesNobody) {
    virtually([]() -> Coro<> {
        TaskGroup group;
        Task<> cancelled = group.create_task(for_ever());
        Task<int> other = group.create_task(value_later(1s, 7));
        co_await yield();
        cancelled.cancel();
        co_await group.join();
        EXPECT_TRUE(cancelled.cancelled());
        EXPECT_EQ(other.result(), 7);
    });
}

Coro<> throws_cancelled() {
    co_await yield();
    throw Cancelled("from within");
}
TEST(TaskGroup, AChildThatThrowsCancelledItselfTroublesNobody) {
    virtually([]() -> Coro<> {
        TaskGroup group;
        Task<> child = group.create_task(throws_cancelled());
        Task<int> other = group.create_task(value_later(1s, 7));
        co_await group.join();
        EXPECT_TRUE(child.cancelled());
        EXPECT_EQ(other.result(), 7);
    });
}

Coro<> spawns_another(TaskGroup& group, Task<int>& spawned) {
    co_await sleep(1s);
    spawned = group.create_task(value_later(1s, 5));
}
TEST(TaskGroup, AChildMayAddTasksWhileTheParentJoins) {
    virtually([]() -> Coro<> {
        TaskGroup group;
        Task<int> spawned;
        group.create_task(spawns_another(group, spawned));
        co_await group.join();
        EXPECT_EQ(spawned.result(), 5);
    });
}

TEST(TaskGroup, AfterItsEndNoTaskCanBeAddedAndTheCoroutineIsClosed) {
    virtually([]() -> Coro<> {
        TaskGroup group;
        co_await group.join();
        testing::internal::CaptureStderr();
        EXPECT_THROW(group.create_task(for_ever()), std::logic_error);
        EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
    });
}

Coro<> adds_while_aborting(TaskGroup& group, bool& refused) {
    try {
        co_await for_ever();
    } catch (const Cancelled&) {
    }
    try {
        group.create_task(for_ever());
    } catch (const std::logic_error&) {
        refused = true;
    }
}
Coro<> aborts_while_one_adds(bool& refused) {
    TaskGroup group;
    group.create_task(adds_while_aborting(group, refused));
    group.create_task(fail_later(1s, "abort"));
    co_await group.join();
}
TEST(TaskGroup, WhileItEndsBecauseOfAnErrorNoTaskCanBeAdded) {
    virtually([]() -> Coro<> {
        bool refused = false;
        testing::internal::CaptureStderr();
        EXPECT_TRUE((co_await thrown<ExceptionGroup>(aborts_while_one_adds(refused))).has_value());
        EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
        EXPECT_TRUE(refused);
    });
}

Coro<> inner_fails() {
    TaskGroup inner;
    inner.create_task(fail_later(1s, "inner"));
    inner.create_task(for_ever());
    co_await inner.join();
}
Coro<> outer_with_inner(bool& sibling_cancelled) {
    TaskGroup outer;
    outer.create_task(inner_fails());
    outer.create_task(note_cancellation(sibling_cancelled));
    co_await outer.join();
}
TEST(TaskGroup, NestedTheInnerGroupsErrorArrivesWithinTheOuters) {
    virtually([]() -> Coro<> {
        bool sibling_cancelled = false;
        const auto group = co_await thrown<ExceptionGroup>(outer_with_inner(sibling_cancelled));
        EXPECT_TRUE(sibling_cancelled);
        EXPECT_TRUE(group.has_value());
        if (!group) co_return;
        EXPECT_EQ(group->exceptions().size(), 1u);
        EXPECT_TRUE(group->contains<std::runtime_error>());
        EXPECT_FALSE(group->contains<std::invalid_argument>());
    });
}

Coro<> nested_in_one_task(bool& after_inner) {
    TaskGroup outer;
    std::exception_ptr error;
    outer.create_task(fail_later(1s, "outer's child"));
    try {
        TaskGroup inner;
        inner.create_task(for_ever());
        co_await inner.join();
        after_inner = true;
    } catch (...) {
        error = std::current_exception();
    }
    co_await outer.join_after(error);
}
TEST(TaskGroup, AnOuterFailureEndsTheInnerGroupOfTheSameTask) {
    virtually([]() -> Coro<> {
        bool after_inner = false;
        EXPECT_TRUE((co_await thrown<ExceptionGroup>(nested_in_one_task(after_inner))).has_value());
        EXPECT_FALSE(after_inner);
        EXPECT_EQ(current_task().cancelling(), 0u);
    });
}

TEST(TaskGroup, NeedsATask) {
    VirtualTimeLoop loop;
    bool refused = false;
    loop.call_soon([&] {
        try {
            TaskGroup group;
        } catch (const std::logic_error&) {
            refused = true;
        }
        loop.stop();
    });
    loop.run_forever();
    EXPECT_TRUE(refused);
}

Coro<> times_out_in_a_group(bool& child_cancelled) {
    TaskGroup group;
    group.create_task(note_cancellation(child_cancelled));
    co_await wait_for(group.join(), 1s);
}
TEST(TaskGroup, ATimeoutAroundJoinCancelsTheChildrenAndIsATimeout) {
    virtually([]() -> Coro<> {
        bool child_cancelled = false;
        EXPECT_TRUE((co_await thrown<TimeoutError>(times_out_in_a_group(child_cancelled))).has_value());
        EXPECT_TRUE(child_cancelled);
        EXPECT_EQ(current_task().cancelling(), 0u);
    });
}

Coro<> child_times_out() { co_await wait_for(for_ever(), 1s); }
Coro<> group_with_a_timeout() {
    TaskGroup group;
    group.create_task(child_times_out());
    group.create_task(for_ever());
    co_await group.join();
}
TEST(TaskGroup, ATimeoutInAChildIsAnErrorLikeAnyOther) {
    virtually([]() -> Coro<> {
        const auto group = co_await thrown<ExceptionGroup>(group_with_a_timeout());
        EXPECT_TRUE(group.has_value() && group->contains<TimeoutError>());
    });
}

TEST(TaskGroup, CancelEndsItsTasksWithoutAnError) {
    virtually([]() -> Coro<> {
        TaskGroup group;
        Task<> one = group.create_task(for_ever());
        Task<> two = group.create_task(for_ever());
        co_await yield();
        group.cancel();
        co_await group.join();
        EXPECT_TRUE(one.cancelled());
        EXPECT_TRUE(two.cancelled());
    });
}

Coro<> swallowed_cancellation_then_group(std::uint32_t& left) {
    try {
        co_await for_ever();
    } catch (const Cancelled&) {
    }
    TaskGroup group;
    Task<int> child = group.create_task(value_later(1s, 3));
    co_await group.join();
    EXPECT_EQ(child.result(), 3);
    left = current_task().cancelling();
}
TEST(TaskGroup, WorksInATaskThatSwallowedACancellationBefore) {
    virtually([]() -> Coro<> {
        std::uint32_t left = 0;
        Task<> task = create_task(swallowed_cancellation_then_group(left));
        co_await turns();
        task.cancel();
        co_await task;
        EXPECT_EQ(left, 1u);
    });
}

Coro<> swallowed_then_group_fails() {
    try {
        co_await for_ever();
    } catch (const Cancelled&) {
    }
    bool noted = false;
    co_await join_with_failure(noted);
}
TEST(TaskGroup, InATaskWithAnOldCancellationAFailureIsStillTheGroups) {
    virtually([]() -> Coro<> {
        Task<> task = create_task(swallowed_then_group_fails());
        co_await turns();
        task.cancel();
        EXPECT_TRUE((co_await thrown<ExceptionGroup>(awaiting(task))).has_value());
        EXPECT_EQ(task.cancelling(), 1u);
    });
}

}  // namespace
}  // namespace coroscope::test
