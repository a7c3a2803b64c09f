// Who waits for whom, and the rules deadlock and stuck_forever that are made of it.
#include "agent/analysis/wait_graph.hpp"

#include <gtest/gtest.h>

#include "agent/analysis/why.hpp"
#include "app_under_test.hpp"

namespace coroscope::analysis::test {
namespace {

using vocabulary::EventKind;
using vocabulary::Outcome;
using vocabulary::ResourceType;
using vocabulary::Role;
using vocabulary::Verb;

// Tasks 1, 2 and what a test adds. Times in ms from 10 on; a test ends with now(). Node 5 is worker.cpp:22, node 7
// worker.cpp:33.
class Waits : public testing::Test {
protected:
    // Threads of the process beside the loop's; -1: not known.
    explicit Waits(int other_threads = 0) : other_threads_(other_threads) {}

    void resource(std::uint64_t id, ResourceType type, std::int64_t capacity = 0) {
        BatchBuilder b = app_.next();
        v2::Resource& made = *b.batch().add_resources();
        made.set_id(id);
        made.set_type(static_cast<std::uint32_t>(type));
        made.set_capacity(capacity);
        made.set_created_ns(1000);
        app_.apply(b);
    }
    void task(std::uint64_t id) { app_.apply(app_.next().created(time(), id, 1, 3)); }
    // The task runs a step at whose end it waits.
    void waits(std::uint64_t id, Verb verb, std::uint64_t operand, std::uint64_t holder = 0, std::uint32_t at = 7) {
        BatchBuilder b = app_.next();
        b.ready(time(), id).begin(time(), id);
        if (holder != 0) b.event(time(), EventKind::wait_holder).subject(id).argument(holder);
        app_.apply(b.end(time(), id, verb, operand, at));
    }
    void used(std::uint64_t resource_id, std::uint64_t by, Role role) {
        app_.apply(app_.next()
                       .event(time(), EventKind::resource_used)
                       .subject(resource_id)
                       .argument(vocabulary::pack_use(role, by))
                       .stack(5));
    }
    void ends(std::uint64_t id, Outcome outcome) {
        app_.apply(app_.next().ready(time(), id).begin(time(), id).done(time(), id, outcome).finish(time(), id));
    }
    void member(std::uint64_t of, std::uint64_t id) {
        app_.apply(app_.next().event(time(), EventKind::member).subject(of).argument(id));
    }
    // The loop polls, and can be woken by nothing of its own.
    void idle(std::uint64_t watched = 0) {
        app_.apply(app_.next().poll_begin(time()).event(time(), EventKind::loop_idle).subject(7).argument(watched));
    }
    // Time goes by.
    void now(std::uint64_t later = 1 * s) {
        BatchBuilder b = app_.next();
        b.batch().set_time_ns(time_ + later);
        if (other_threads_ >= 0) b.batch().set_app_threads(static_cast<std::uint32_t>(1 + other_threads_));
        app_.apply(b);
    }
    std::uint64_t time() { return time_ += 1000; }

    Problem only(const std::string& kind) {
        const auto found = app_.problems();
        EXPECT_EQ(found.size(), 1u);
        if (found.empty()) return {};
        EXPECT_EQ(found.front().kind, kind);
        return found.front();
    }

    int other_threads_;
    std::uint64_t time_ = 10 * ms;
    AppUnderTest app_;  // task 1 waits for task 2, which waits for a timer
};

void expect_has(const std::string& text, std::initializer_list<const char*> parts) {
    for (const char* part : parts) EXPECT_TRUE(contains(text, part)) << part << " is not in: " << text;
}

// ---- deadlock

TEST_F(Waits, TwoLocksInOppositeOrder) {
    resource(1, ResourceType::lock);
    resource(2, ResourceType::lock);
    task(3);
    task(4);
    used(1, 3, Role::acquire);
    used(2, 4, Role::acquire);
    waits(3, Verb::acquire, 2, 4, 5);
    waits(4, Verb::acquire, 1, 3, 7);
    now(0);
    const Problem found = only("deadlock");
    EXPECT_EQ(found.certainty, Certainty::certain);
    EXPECT_EQ(found.summary, "2 tasks wait for each other: 'Task-3', 'Task-4'");
    ASSERT_EQ(found.parts.size(), 2u);
    expect_has(found.parts[0].text,
               {"'Task-3'", "lock 2", "held by Task-4", "'Task-4' first took it at worker.cpp:22"});
    expect_has(found.parts[1].text, {"'Task-4'", "lock 1", "held by Task-3", "at worker.cpp:33"});
    expect_has(found.evidence, {"worker.cpp:22", "worker.cpp:33"});
    expect_has(found.advice, {"same order"});
}

TEST_F(Waits, ALockTakenTwice) {
    resource(1, ResourceType::lock);
    task(3);
    used(1, 3, Role::acquire);
    waits(3, Verb::acquire, 1, 3);
    task(4);
    waits(4, Verb::acquire, 1, 3);
    now(0);
    const Problem found = only("deadlock");
    expect_has(found.summary, {"'Task-3'", "waits for itself"});
    expect_has(found.evidence, {"1 more task waits for these"});
    expect_has(found.advice, {"not re-entrant"});
}

TEST_F(Waits, ALockAgainstAJoin) {
    resource(1, ResourceType::lock);
    task(3);
    task(4);
    waits(3, Verb::join, 4);
    waits(4, Verb::acquire, 1, 3);
    now(0);
    EXPECT_EQ(only("deadlock").parts.size(), 2u);
}

TEST_F(Waits, TasksThatHoldAllPermitsWaitForTasksThatNeedOne) {
    resource(1, ResourceType::semaphore, 2);
    resource(8, ResourceType::gather);
    resource(9, ResourceType::gather);
    for (const std::uint64_t id : {3, 4, 5, 6}) task(id);
    used(1, 3, Role::acquire);
    used(1, 4, Role::acquire);
    member(8, 5);
    member(9, 6);
    waits(3, Verb::members, 8);
    waits(4, Verb::members, 9);
    waits(5, Verb::acquire, 1);
    waits(6, Verb::acquire, 1);
    now(100 * ms);
    EXPECT_TRUE(app_.problems().empty()) << "what ends such a wait may be under way";
    now();
    const Problem found = only("deadlock");
    EXPECT_EQ(found.certainty, Certainty::likely) << "any task may release a semaphore";
    expect_has(found.evidence,
               {"semaphore 1", "acquired by task 'Task-3' (worker) at worker.cpp:22", "these have not ended"});
}

TEST_F(Waits, ThePermitOfASemaphoreTakenTwice) {
    resource(1, ResourceType::semaphore, 1);
    task(3);
    used(1, 3, Role::acquire);
    waits(3, Verb::acquire, 1);
    now();
    EXPECT_EQ(only("deadlock").parts.size(), 1u);
}

TEST_F(Waits, SilentWhereAPermitMayBeGivenByAnother) {
    resource(1, ResourceType::semaphore, 2);  // as a limit of rate: a task gives new permits now and then
    task(3);
    task(4);
    used(1, 3, Role::acquire);
    used(1, 4, Role::acquire);
    waits(3, Verb::acquire, 1);
    waits(4, Verb::acquire, 1);
    now();
    EXPECT_TRUE(app_.problems().empty());
}

TEST_F(Waits, TwoFullQueuesBetweenTwoTasks) {
    resource(1, ResourceType::queue, 1);
    resource(2, ResourceType::queue, 1);
    task(3);
    task(4);
    used(1, 4, Role::get);
    used(2, 3, Role::get);
    waits(3, Verb::put, 1);
    waits(4, Verb::put, 2);
    now();
    const Problem found = only("deadlock");
    expect_has(found.evidence, {"room in queue 1", "taken by", "at worker.cpp:22"});
}

TEST_F(Waits, SilentAboutWorkersThatFeedEachOther) {
    resource(1, ResourceType::queue);
    task(3);
    task(4);
    for (const std::uint64_t id : {3, 4}) {
        used(1, id, Role::put);
        used(1, id, Role::get);
    }
    waits(3, Verb::get, 1);
    waits(4, Verb::get, 1);
    now();
    EXPECT_TRUE(app_.problems().empty()) << "they are at rest: whoever had the first item can have another";
}

TEST_F(Waits, SilentWhereATimeLimitEndsIt) {
    resource(1, ResourceType::lock);
    task(3);
    app_.apply(app_.next().event(time(), EventKind::time_limit_begin).subject(3));
    waits(3, Verb::acquire, 1, 3);
    now();
    only("lock_held_long");
    app_.apply(app_.next().event(time(), EventKind::time_limit_end).subject(3));
    now();
    only("deadlock");
}

TEST_F(Waits, KnownAgainAfterALossOnceTheLoopListsItsTasks) {
    resource(1, ResourceType::lock);
    task(3);
    waits(3, Verb::acquire, 1, 3);
    app_.apply(app_.next().gap(1, 3, time(), time()));
    now();
    EXPECT_TRUE(app_.problems().empty()) << "it may have gone on meanwhile";
    BatchBuilder b = app_.next();
    b.snapshot_begin(time(), 7);
    for (const std::uint64_t id : {1, 2, 3})
        b.snapshot(time(), id, 0, 3, id == 3 ? Verb::acquire : Verb::timer, id == 3 ? 1 : 0, 7);
    app_.apply(b.snapshot_end(time(), 7));
    now();
    only("deadlock");
}

// ---- stuck_forever

class StuckForever : public Waits {};

TEST_F(StuckForever, ForAFutureThatNobodyCanSet) {
    resource(1, ResourceType::future);
    ends(2, Outcome::ok);
    waits(1, Verb::result, 1);
    idle();
    now(500 * ms);
    EXPECT_TRUE(app_.problems().empty()) << "it has been idle for a moment only";
    now();
    const Problem found = only("stuck_forever");
    EXPECT_EQ(found.certainty, Certainty::certain);
    expect_has(found.summary, {"waits for ever", "the result of future 1"});
    expect_has(found.evidence, {"no timer", "no other thread"});
}

class StuckBesideAThread : public Waits {
protected:
    StuckBesideAThread() : Waits(1) {}
};
TEST_F(StuckBesideAThread, SilentWhileAnotherThreadCouldWakeTheLoop) {
    resource(1, ResourceType::future);
    ends(2, Outcome::ok);
    waits(1, Verb::result, 1);
    idle();
    now();
    EXPECT_TRUE(app_.problems().empty());
}

class StuckBesideNobodyKnows : public Waits {
protected:
    StuckBesideNobodyKnows() : Waits(-1) {}
};
TEST_F(StuckBesideNobodyKnows, LikelyWhereThreadsAreNotKnown) {
    resource(1, ResourceType::future);
    ends(2, Outcome::ok);
    waits(1, Verb::result, 1);
    idle();
    now();
    EXPECT_EQ(only("stuck_forever").certainty, Certainty::likely);
}

TEST_F(StuckForever, SilentWhileADescriptorIsWatched) {
    resource(1, ResourceType::future);
    ends(2, Outcome::ok);
    waits(1, Verb::result, 1);
    idle(1);
    now();
    EXPECT_TRUE(app_.problems().empty());
}

TEST_F(StuckForever, SilentOnceAnotherThreadHasWokenTheLoop) {
    resource(1, ResourceType::future);
    ends(2, Outcome::ok);
    waits(1, Verb::result, 1);
    idle();
    app_.apply(app_.next().poll_end(time(), 0));
    idle();
    now();
    EXPECT_TRUE(app_.problems().empty());
}

TEST_F(StuckForever, WhoWaitsForAStuckTaskIsCountedWithIt) {
    resource(1, ResourceType::event);
    waits(2, Verb::until_set, 1);  // task 1 waits for task 2
    idle();
    now();
    const Problem found = only("stuck_forever");
    EXPECT_EQ(found.task, 2u);
    expect_has(found.evidence, {"1 more task waits for it"});
}

TEST_F(StuckForever, ForWorkersThatFailed) {
    resource(1, ResourceType::queue);
    for (const std::uint64_t id : {3, 4}) {
        task(id);
        used(1, id, Role::get);
        ends(id, Outcome::error);
    }
    app_.apply(app_.next().event(time(), EventKind::unfinished).subject(1).argument(5));
    waits(1, Verb::all_done, 1);
    now();
    const Problem found = only("stuck_forever");
    EXPECT_EQ(found.certainty, Certainty::likely) << "task 2 lives";
    expect_has(found.evidence, {"5 items are unfinished", "'Task-3'", "'Task-4'", "taken by", "at worker.cpp:22"});
    EXPECT_EQ(found.parts.size(), 3u);
}

TEST_F(StuckForever, SilentAboutFeedersThatComeAndGo) {
    resource(1, ResourceType::queue);
    task(3);
    used(1, 3, Role::put);
    ends(3, Outcome::ok);
    task(4);
    used(1, 4, Role::put);
    ends(4, Outcome::error);
    waits(1, Verb::get, 1);
    now();
    EXPECT_TRUE(app_.problems().empty()) << "the next one will come as these came";
}

TEST_F(StuckForever, ForAFutureOfWhichNobodyElseHasAHandle) {
    resource(1, ResourceType::future);
    waits(1, Verb::result, 1);  // task 2 lives on
    now();
    EXPECT_TRUE(app_.problems().empty());
    app_.apply(app_.next().event(time(), EventKind::orphaned).subject(1));
    now();
    const Problem found = only("stuck_forever");
    EXPECT_EQ(found.certainty, Certainty::likely);
    expect_has(found.evidence, {"All other handles of the future are gone"});
}

TEST_F(StuckForever, ForALockWhoseOwnerEnded) {
    resource(1, ResourceType::lock);
    task(3);
    used(1, 3, Role::acquire);
    waits(1, Verb::acquire, 1, 3);
    ends(3, Outcome::ok);
    now();
    const Problem found = only("stuck_forever");
    EXPECT_EQ(found.certainty, Certainty::certain);
    expect_has(found.evidence, {"held by Task-3", "'Task-3' ended", "without releasing it"});
}

// ---- why

TEST_F(Waits, WhyIsAChain) {
    resource(1, ResourceType::lock);
    task(3);
    used(1, 3, Role::acquire);
    waits(3, Verb::timer, 0);
    waits(2, Verb::acquire, 1, 3);
    now();
    const WaitGraph graph(app_.model());
    const auto chain = why(app_.model(), graph, 1);
    ASSERT_EQ(chain.size(), 3u);
    expect_has(chain[0].text, {"'Task-1'", "waits for first since", "main.cpp:12"});
    expect_has(chain[1].text, {"'first'", "lock 1 (held by Task-3)"});
    expect_has(chain[2].text, {"'Task-3'", "a timer"});
    EXPECT_FALSE(graph.is_stuck(1));
}

TEST_F(Waits, WhyEndsWhereACircleCloses) {
    waits(2, Verb::join, 1);
    now();
    const auto chain = why(app_.model(), WaitGraph(app_.model()), 1);
    ASSERT_EQ(chain.size(), 2u);
    expect_has(chain[1].text, {"closes a circle"});
}

TEST_F(Waits, ALongChainTakesNoStack) {
    constexpr std::uint64_t many = 100'000;
    BatchBuilder b = app_.next();
    for (std::uint64_t id = 3; id < many; ++id) b.created(time_, id, 1, 3);
    for (std::uint64_t id = 3; id < many; ++id)
        b.begin(time_, id).end(time_, id, Verb::join, id + 1 < many ? id + 1 : 3, 7);
    app_.apply(b);
    now();
    const Problem found = only("deadlock");
    expect_has(found.summary, {"99997 tasks wait for each other"});
    EXPECT_LT(found.evidence.size(), 10'000u);
}

}  // namespace
}  // namespace coroscope::analysis::test
