// What lay between two steps: suspended, then ready; and what is left out because it is not known.
#include "agent/model/pauses.hpp"

#include <gtest/gtest.h>

#include <random>

namespace coroscope::model {
namespace {

constexpr NodeId root = 3, await = 5, next_await = 6;

Task task_of(State state, std::uint64_t changed_ns) {
    Task task;
    task.id = 2;
    task.root = root;
    task.created_ns = 100;
    task.state = state;
    task.changed_ns = changed_ns;
    task.woken_by = 9;
    if (state == State::suspended) task.suspended_at = next_await;
    return task;
}

Slice step(std::uint64_t begin_ns, std::uint64_t end_ns, NodeId began_at, NodeId ended_at, std::uint64_t ready_ns = 0) {
    Slice slice;
    slice.task = 2;
    slice.begin_ns = begin_ns;
    slice.end_ns = end_ns;
    slice.began_at = began_at;
    slice.ended_at = ended_at;
    slice.ready_ns = ready_ns;
    slice.woken_by = ready_ns == 0 ? 0 : 9;
    return slice;
}

void expect(const Pause& pause, std::uint64_t begin_ns, std::uint64_t ready_ns, std::uint64_t end_ns, NodeId at,
            TaskId woken_by) {
    EXPECT_EQ(pause.begin_ns, begin_ns);
    EXPECT_EQ(pause.ready_ns, ready_ns);
    EXPECT_EQ(pause.end_ns, end_ns);
    EXPECT_EQ(pause.at, at);
    EXPECT_EQ(pause.woken_by, woken_by);
}

TEST(Pause, BetweenStepsIsSuspendedThenReady) {
    expect(pause_between(step(200, 300, root, await), step(500, 600, await, 0, 450)), 300, 450, 500, await, 9);
}

TEST(Pause, OfATaskThatWasWokenWhileItRanIsReadyAllTheTime) {
    expect(pause_between(step(200, 300, root, await), step(500, 600, await, 0, 250)), 300, 300, 500, 0, 9);
}

TEST(Pause, WithoutATimeOfReadinessIsSuspendedAllTheTime) {
    expect(pause_between(step(200, 300, root, await), step(500, 600, await, 0)), 300, 500, 500, await, 0);
}

TEST(Pause, AfterALostEndIsUnknownUntilTheTaskIsReady) {
    expect(pause_between(step(200, 300, root, 0), step(500, 600, await, 0, 450)), 450, 450, 500, 0, 9);
    expect(pause_between(step(200, 300, root, 0), step(500, 600, await, 0)), 500, 500, 500, 0, 0);
}

TEST(Pause, BeforeTheFirstStepIsReadySinceTheCreation) {
    expect(pause_before(task_of(State::done, 900), step(200, 300, root, await, 100)), 100, 100, 200, 0, 0);
}

TEST(Pause, BeforeTheFirstStepThatIsRetainedIsWhatTheStepSays) {
    expect(pause_before(task_of(State::done, 900), step(500, 600, await, 0, 450)), 450, 450, 500, 0, 9);
    expect(pause_before(task_of(State::done, 900), step(500, 600, await, 0)), 500, 500, 500, 0, 0);
}

TEST(Pause, AfterTheLastStepLasts) {
    const Slice last = step(200, 300, root, await);
    expect(pause_after(task_of(State::suspended, 300), &last).value(), 300, still_lasts, still_lasts, next_await, 0);
    expect(pause_after(task_of(State::ready, 400), &last).value(), 300, 400, still_lasts, await, 9);
    expect(pause_after(task_of(State::created, 100), nullptr).value(), 100, 100, still_lasts, 0, 0);
    expect(pause_after(task_of(State::suspended, 300), nullptr).value(), 300, still_lasts, still_lasts, next_await, 0);
}

TEST(Pause, SaysWhatTheTaskWaitedFor) {
    Slice before = step(200, 300, root, await);
    before.wait = vocabulary::pack_wait(Verb::get, 12);
    const Pause past = pause_between(before, step(500, 600, await, 0, 450));
    EXPECT_EQ(past.wait.verb, Verb::get);
    EXPECT_EQ(past.wait.operand, 12u);
    EXPECT_EQ(pause_after(task_of(State::ready, 400), &before)->wait.verb, Verb::get);
    EXPECT_EQ(pause_between(before, step(500, 600, await, 0, 250)).wait.verb, Verb::unknown) << "it did not wait";
    Task task = task_of(State::suspended, 300);
    task.wait = {Verb::acquire, 7, 4};
    const Pause now = pause_after(task, &before).value();
    EXPECT_EQ(now.wait.verb, Verb::acquire);
    EXPECT_EQ(now.wait.holder, 4u);
}

TEST(Pause, OfAStepThatPausedForANestedOneIsNotAWait) {
    Slice outer = step(200, 300, root, await);
    outer.continues = true;
    expect(pause_between(outer, step(500, 600, await, 0)), 500, 500, 500, 0, 0);
}

TEST(Pause, ThereIsNoneWhileATaskRunsOrIsDone) {
    const Slice open = step(200, 0, root, 0);
    EXPECT_FALSE(pause_after(task_of(State::running, 200), &open));
    EXPECT_FALSE(pause_after(task_of(State::ready, 200), &open));
    EXPECT_FALSE(pause_after(task_of(State::done, 200), nullptr));
}

TEST(Pause, TimesAreInOrderWhateverTheStreamSays) {
    std::mt19937_64 random(1);
    const auto any = [&] { return random() % 4 == 0 ? 0 : random(); };
    for (int i = 0; i < 10'000; ++i) {
        const Slice a = step(any(), any(), root, random() % 3 == 0 ? 0 : await, any());
        const Slice b = step(any(), any(), await, 0, any());
        const Task task = task_of(static_cast<State>(random() % 5), any());
        for (const Pause& pause :
             {pause_before(task, b), pause_between(a, b), pause_after(task, &a).value_or(Pause{})}) {
            EXPECT_LE(pause.begin_ns, pause.ready_ns);
            EXPECT_LE(pause.ready_ns, pause.end_ns);
            EXPECT_TRUE(pause.at == 0 || pause.begin_ns < pause.ready_ns) << "a place without a time";
        }
    }
}

TEST(Waker, IsAnotherTaskAtAKnownTime) {
    Slice slice = step(500, 600, await, 0, 450);
    EXPECT_EQ(waker_of(slice), 9u);
    slice.woken_by = slice.task;
    EXPECT_EQ(waker_of(slice), 0u) << "a task that yields";
    slice.woken_by = 9;
    slice.ready_ns = 0;
    EXPECT_EQ(waker_of(slice), 0u);
}

}  // namespace
}  // namespace coroscope::model
