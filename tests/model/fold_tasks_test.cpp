// What each event of a task does to it.
#include <gtest/gtest.h>

#include "batches.hpp"

namespace coroscope::model::test {
namespace {

class FoldTasks : public ::testing::Test {
protected:
    FoldTasks() {
        BatchBuilder b(++sequence_);
        define_program(b);
        b.loop_started(900, 7).created(1000, 1, 0, 1);
        model_.apply(b);
    }
    BatchBuilder next() { return BatchBuilder(++sequence_); }
    const Task& task(TaskId id) {
        const Task* found = model_.task(id);
        if (found == nullptr) throw std::runtime_error("no task " + std::to_string(id));
        return *found;
    }

    Model model_;
    std::uint64_t sequence_ = 0;
};

TEST_F(FoldTasks, ACreatedTaskIsKnownAndHasNotRun) {
    EXPECT_EQ(task(1).state, State::created);
    EXPECT_EQ(task(1).created_ns, 1000u);
    EXPECT_EQ(task(1).changed_ns, 1000u);
    EXPECT_EQ(task(1).root, 1u);
    EXPECT_EQ(task(1).loop, 7u);
    EXPECT_EQ(task(1).thread, 1u);
    EXPECT_FALSE(task(1).incomplete);
    EXPECT_EQ(model_.tasks_created(), 1u);
    EXPECT_EQ(model_.anomalies(), 0u);
}

TEST_F(FoldTasks, ItsFirstStepCountsTheTimeItWasReady) {
    model_.apply(next().begin(1300, 1));
    EXPECT_EQ(task(1).state, State::running);
    EXPECT_EQ(task(1).ready_ns, 300u);
    EXPECT_EQ(task(1).longest_ready_ns, 300u);
    EXPECT_EQ(task(1).step_began_ns, 1300u);
    EXPECT_EQ(task(1).step_began_at, 1u);
    ASSERT_TRUE(model_.loops()[0]->open_slice);
    EXPECT_EQ(model_.loops()[0]->open_slice->ready_ns, 1000u);
    EXPECT_EQ(model_.loops()[0]->open_slice->task, 1u);
}

TEST_F(FoldTasks, AStepEndsWhereTheTaskWaits) {
    model_.apply(next().begin(1300, 1).end(1500, 1, vocabulary::Verb::get, 99, 4));
    EXPECT_EQ(task(1).state, State::suspended);
    EXPECT_EQ(task(1).suspended_at, 4u);
    EXPECT_EQ(task(1).wait.verb, vocabulary::Verb::get);
    EXPECT_EQ(task(1).wait.operand, 99u);
    EXPECT_EQ(task(1).changed_ns, 1500u);
    EXPECT_EQ(task(1).steps, 1u);
    EXPECT_EQ(task(1).busy_ns, 200u);
    EXPECT_EQ(task(1).longest_step_ns, 200u);
    EXPECT_EQ(task(1).step_began_ns, 0u);
}

TEST_F(FoldTasks, AWokenTaskIsReadyAndKnowsItsWaker) {
    model_.apply(
        next().begin(1300, 1).created(1350, 2, 1, 3).end(1500, 1, vocabulary::Verb::join, 2, 4).ready(1700, 1, 2));
    EXPECT_EQ(task(1).state, State::ready);
    EXPECT_EQ(task(1).changed_ns, 1700u);
    EXPECT_EQ(task(1).woken_by, 2u);
    EXPECT_EQ(task(1).suspended_at, 4u) << "it stands there until it runs";
    model_.apply(next().begin(1800, 1));
    EXPECT_EQ(task(1).step_began_at, 4u);
    EXPECT_EQ(model_.loops()[0]->open_slice->woken_by, 2u);
    EXPECT_EQ(model_.loops()[0]->open_slice->ready_ns, 1700u);
    EXPECT_EQ(task(1).ready_ns, 300u + 100u);
}

TEST_F(FoldTasks, ATaskThatYieldsStaysReady) {
    model_.apply(next().begin(1300, 1).end(1500, 1, vocabulary::Verb::turn, 0, 4));
    EXPECT_EQ(task(1).state, State::ready);
    EXPECT_EQ(task(1).woken_by, 1u);
    model_.apply(next().begin(1600, 1));
    EXPECT_EQ(task(1).ready_ns, 300u + 100u);
}

TEST_F(FoldTasks, ATaskWokenWhileItRunsIsReadyOnceItsStepEnds) {
    model_.apply(next().begin(1300, 1).ready(1400, 1, 5));
    EXPECT_EQ(task(1).state, State::running);
    model_.apply(next().end(1500, 1, vocabulary::Verb::until_set, 3, 4));
    EXPECT_EQ(task(1).state, State::ready);
    EXPECT_EQ(task(1).woken_by, 5u);
}

TEST_F(FoldTasks, DoneComesInsideTheLastStep) {
    model_.apply(next().begin(1300, 1).done(1400, 1, vocabulary::Outcome::error));
    EXPECT_EQ(task(1).state, State::done);
    EXPECT_EQ(task(1).outcome, Outcome::error);
    EXPECT_EQ(task(1).done_ns, 1400u);
    model_.apply(next().finish(1500, 1));
    EXPECT_EQ(task(1).busy_ns, 200u);
    EXPECT_EQ(task(1).steps, 1u);
    EXPECT_EQ(task(1).changed_ns, 1400u);
    EXPECT_TRUE(model_.live_tasks().empty());
    ASSERT_EQ(model_.done_tasks().size(), 1u);
    EXPECT_EQ(model_.loops()[0]->slices.back().ended_at, 0u);
    EXPECT_EQ(model_.anomalies(), 0u);
}

TEST_F(FoldTasks, ATaskCancelledBeforeItsFirstStepIsDoneWithoutOne) {
    model_.apply(next().cancel(1200, 1, 0).done(1400, 1, vocabulary::Outcome::cancelled));
    EXPECT_EQ(task(1).outcome, Outcome::cancelled);
    EXPECT_EQ(task(1).steps, 0u);
    EXPECT_EQ(model_.anomalies(), 0u);
}

TEST_F(FoldTasks, CancelRequestsAreCountedAndTheLastOneKept) {
    model_.apply(
        next().begin(1300, 1).end(1400, 1, vocabulary::Verb::timer, 0, 4).cancel(1500, 1, 8, 2).cancel(1600, 1, 9, 5));
    EXPECT_EQ(task(1).cancel_requests, 2u);
    EXPECT_EQ(task(1).cancelled_by, 9u);
    EXPECT_EQ(task(1).cancelled_at, 5u);
    EXPECT_EQ(task(1).cancelled_ns, 1600u);
    EXPECT_EQ(task(1).cancelled_steps, 1u);
}

TEST_F(FoldTasks, NamesAreLookedUp) {
    EXPECT_EQ(model_.task_name(task(1)), "Task-1");
    model_.apply(next().named(1100, 1, 2));
    EXPECT_EQ(model_.task_name(task(1)), "second");
    EXPECT_EQ(model_.coroutine(task(1)), "app_main");
}

TEST_F(FoldTasks, ANameMayComeLaterThanItsUse) {
    model_.apply(next().named(1100, 1, 50));
    EXPECT_EQ(model_.task_name(task(1)), "Task-1");
    model_.apply(next().name(50, "late"));
    EXPECT_EQ(model_.task_name(task(1)), "late");
}

TEST_F(FoldTasks, ATaskSeenBeforeItsCreationIsAPlaceholderThatIsFilledIn) {
    model_.apply(next().begin(1300, 5).end(1400, 5, vocabulary::Verb::timer, 0, 5));
    EXPECT_TRUE(task(5).incomplete);
    EXPECT_EQ(task(5).created_ns, 0u);
    EXPECT_EQ(task(5).busy_ns, 100u);
    model_.apply(next().created(1250, 5, 1, 3));
    EXPECT_EQ(task(5).parent, 1u);
    EXPECT_EQ(task(5).root, 3u);
    EXPECT_NE(task(5).created_ns, 0u);
    EXPECT_TRUE(task(5).incomplete);
    EXPECT_EQ(task(5).state, State::suspended);
}

TEST_F(FoldTasks, CreatedTwiceIsAnAnomaly) {
    model_.apply(next().begin(1100, 1).created(1200, 1, 3, 2));
    EXPECT_EQ(model_.anomalies(), 1u);
    EXPECT_EQ(task(1).parent, 0u);
    EXPECT_EQ(task(1).state, State::running);
}

TEST_F(FoldTasks, TaskZeroIsNobody) {
    model_.apply(next().created(1100, 0).ready(1200, 0));
    EXPECT_EQ(model_.anomalies(), 2u);
    EXPECT_EQ(model_.all_tasks().size(), 1u);
}

TEST_F(FoldTasks, LateNewsOfADoneTaskChangesNothing) {
    model_.apply(next()
                     .done(1400, 1, vocabulary::Outcome::ok)
                     .ready(1500, 1)
                     .begin(1600, 1)
                     .end(1700, 1, vocabulary::Verb::timer, 0, 4));
    EXPECT_EQ(task(1).state, State::done);
    EXPECT_EQ(task(1).done_ns, 1400u);
    EXPECT_GE(model_.anomalies(), 2u);
}

TEST_F(FoldTasks, ReadyFromAnotherThreadThatIsOlderThanTheWaitWakesNobody) {
    model_.apply(next().begin(1300, 1).end(1500, 1, vocabulary::Verb::job, 0, 4));
    model_.apply(next().thread(2).ready(1400, 1));
    EXPECT_EQ(task(1).state, State::suspended);
}

TEST_F(FoldTasks, LanesOfABatchAreMergedByTime) {
    BatchBuilder b = next();
    b.thread(2).created(1100, 9, 1, 3).cancel(1450, 9, 1).ready(1600, 9);
    b.thread(1).begin(1200, 9).end(1500, 9, vocabulary::Verb::timer, 0, 5);
    model_.apply(b);
    EXPECT_EQ(task(9).state, State::ready);
    EXPECT_FALSE(task(9).incomplete);
    EXPECT_EQ(task(9).ready_ns, 100u);
    EXPECT_EQ(task(9).cancelled_steps, 0u);
    EXPECT_EQ(task(9).loop, 7u) << "where it runs, not where it was created";
    EXPECT_EQ(model_.anomalies(), 0u);
}

TEST_F(FoldTasks, ChildrenById) {
    model_.apply(next().begin(1100, 1).created(1200, 3, 1, 3).created(1210, 2, 1, 3).created(1220, 4, 77, 3));
    EXPECT_EQ(model_.children(1), (std::vector<TaskId>{2, 3}));
    EXPECT_EQ(model_.children(0), (std::vector<TaskId>{1, 4})) << "4's parent is not retained";
    EXPECT_TRUE(model_.children(2).empty());
    model_.apply(next().created(1300, 77, 1, 3));
    EXPECT_EQ(model_.children(77), (std::vector<TaskId>{4}));
    EXPECT_EQ(model_.children(0), (std::vector<TaskId>{1}));
}

TEST_F(FoldTasks, ListsOfTasks) {
    model_.apply(next().created(1200, 3, 1, 3).created(1210, 2, 1, 3).done(1300, 3).done(1400, 1));
    const auto ids = [](const std::vector<const Task*>& tasks) {
        std::vector<TaskId> all;
        for (const Task* each : tasks) all.push_back(each->id);
        return all;
    };
    EXPECT_EQ(ids(model_.live_tasks()), (std::vector<TaskId>{2}));
    EXPECT_EQ(ids(model_.done_tasks()), (std::vector<TaskId>{3, 1}));
    EXPECT_EQ(ids(model_.all_tasks()), (std::vector<TaskId>{1, 2, 3}));
}

TEST_F(FoldTasks, AReportOfADestroyedTaskEndsIt) {
    BatchBuilder b = next();
    b.report(vocabulary::ReportKind::task_destroyed_pending, 2000, 1);
    model_.apply(b);
    EXPECT_EQ(task(1).state, State::done);
    EXPECT_EQ(task(1).outcome, Outcome::unknown);
    ASSERT_EQ(model_.reports().size(), 1u);
    EXPECT_EQ(model_.reports()[0].kind, vocabulary::ReportKind::task_destroyed_pending);
    EXPECT_EQ(model_.now_ns(), 2000u);
}

TEST_F(FoldTasks, AFinishedStepWithoutADoneEndsTheTaskWithUnknownOutcome) {
    model_.apply(next().begin(1300, 1).finish(1500, 1));
    EXPECT_EQ(task(1).state, State::done);
    EXPECT_EQ(task(1).outcome, Outcome::unknown);
    EXPECT_TRUE(task(1).incomplete);
}

TEST_F(FoldTasks, JobsOfThePoolAreCountedAsEvents) {
    const std::uint64_t before = model_.events();
    model_.apply(next().thread(2).job(1500, 1600, 1));
    EXPECT_EQ(model_.events(), before + 2);
    EXPECT_EQ(model_.now_ns(), 1600u);
    EXPECT_EQ(model_.anomalies(), 0u);
}

TEST_F(FoldTasks, TimesAndWallClock) {
    EXPECT_EQ(model_.first_ns(), 900u);
    EXPECT_EQ(model_.now_ns(), 1000u);
    v2::Hello hello;
    hello.set_wall_unix_ns(5'000'000);
    hello.set_wall_at_ns(1000);
    hello.set_slow_step_ns(123);
    model_.set_hello(hello);
    EXPECT_EQ(model_.wall_unix_ns(1500), 5'000'500u);
    EXPECT_EQ(model_.wall_unix_ns(900), 4'999'900u);
    EXPECT_EQ(model_.slow_step_ns(), 123u);
}

TEST_F(FoldTasks, EveryApplyIsANewVersion) {
    const std::uint64_t before = model_.version();
    model_.apply(next());
    EXPECT_NE(model_.version(), before);
}

}  // namespace
}  // namespace coroscope::model::test
