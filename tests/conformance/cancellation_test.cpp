// Cancellation: when it is thrown, what it carries, who gets it; by throw and by unwinding.
#include <string>

#include "task_support.hpp"

namespace coroscope::conformance {
namespace {

// --- the message

CORO_TEST(Cancellation, TheMessageArrivesAtTheAwait) {
    auto task = create_task(forever());
    co_await yield();
    task.cancel("enough");
    EXPECT_EQ(co_await thrown_by(task), "Cancelled: enough");
}

CORO_TEST(Cancellation, TheMessageComesWithResultAndException) {
    auto task = create_task(forever());
    co_await yield();
    task.cancel("enough");
    co_await task.wait();
    EXPECT_EQ(thrown_in([&] { task.result(); }), "Cancelled: enough");
    EXPECT_EQ(thrown_in([&] { task.exception(); }), "Cancelled: enough");
}

Coro<> await_task(Task<> inner) { co_await inner; }
CORO_TEST(Cancellation, TheMessagePassesThroughAnAwaitedTask) {
    auto inner = create_task(forever());
    auto outer = create_task(await_task(inner));
    co_await yield();
    co_await yield();
    outer.cancel("from outside");
    EXPECT_EQ(co_await thrown_by(outer), "Cancelled: from outside");
    EXPECT_EQ(co_await thrown_by(inner), "Cancelled: from outside");
}

CORO_TEST(Cancellation, WhoAwaitsACancelledTaskGetsItsMessage) {
    auto inner = create_task(forever());
    auto outer = create_task(await_task(inner));
    co_await yield();
    co_await yield();
    inner.cancel("inner only");
    EXPECT_EQ(co_await thrown_by(outer), "Cancelled: inner only");
    EXPECT_EQ(outer.cancelling(), 0u);
}

CORO_TEST(Cancellation, ATaskThatHasNotBegunNeverBeginsAndKeepsTheMessage) {
    auto task = create_task(value_now(1));
    task.cancel("too early");
    EXPECT_EQ(co_await thrown_by(task), "Cancelled: too early");
    EXPECT_EQ(thrown_in([&] { task.result(); }), "Cancelled: too early");
}

CORO_TEST(Cancellation, TheLastMessageCounts) {
    auto task = create_task(for_a_while(1ms));
    task.cancel("one");
    task.cancel("two");
    EXPECT_EQ(co_await thrown_by(task), "Cancelled: two");
    auto other = create_task(for_a_while(1ms));
    other.cancel("one");
    other.cancel();
    EXPECT_EQ(co_await thrown_by(other), "Cancelled");
}

Coro<> cancel_twice_awaiting(std::string& seen) {
    try {
        co_await forever();
    } catch (const Cancelled& cancelled) {
        seen += cancelled.message() + ";";
    }
    try {
        co_await forever();
    } catch (const Cancelled& cancelled) {
        seen += cancelled.message() + ";";
    }
}
CORO_TEST(Cancellation, AMessageIsThrownOnce) {
    std::string seen;
    auto task = create_task(cancel_twice_awaiting(seen));
    co_await yield();
    task.cancel("one");
    co_await yield();
    task.cancel();
    co_await task;
    EXPECT_EQ(seen, "one;;");
}

// --- when

CORO_TEST(Cancellation, IsFalseWhenTheTaskIsDone) {
    auto task = create_task(value_now(1));
    co_await task;
    EXPECT_FALSE(task.cancel());
    EXPECT_FALSE(task.cancelled());
    EXPECT_EQ(task.cancelling(), 0u);
}

CORO_TEST(Cancellation, ATaskThatSwallowsItGoesOn) {
    auto task = create_task(swallow_cancellation(7));
    co_await yield();
    EXPECT_TRUE(task.cancel());
    EXPECT_EQ(co_await task, 7);
    EXPECT_FALSE(task.cancelled());
    EXPECT_EQ(task.cancelling(), 1u);
}

CORO_TEST(Cancellation, ATaskThatFailsInsteadHasFailed) {
    auto task = create_task(fail_in_cleanup("cleanup"));
    co_await yield();
    task.cancel();
    EXPECT_EQ(co_await thrown_by(task), "SecondError: cleanup");
    EXPECT_FALSE(task.cancelled());
}

Coro<> cancel_self_then(std::string& log) {
    current_task().cancel("self");
    log += "ran on;";
    try {
        co_await yield();
    } catch (const Cancelled&) {
        log += "thrown";
    }
}
CORO_TEST(Cancellation, OfTheRunningTaskIsThrownAtItsNextAwait) {
    std::string log;
    co_await create_task(cancel_self_then(log));
    EXPECT_EQ(log, "ran on;thrown");
}

Coro<int> cancel_self_and_return() {
    current_task().cancel();
    co_return 5;
}
CORO_TEST(Cancellation, ATaskThatEndsWithoutAnotherAwaitIsNotCancelled) {
    auto task = create_task(cancel_self_and_return());
    EXPECT_EQ(co_await task, 5);
    EXPECT_FALSE(task.cancelled());
}

CORO_TEST(Cancellation, OfATaskThatIsReadyIsThrownWhenItRuns) {
    Event event;
    auto waiting = create_task([](Event& the_event) -> Coro<> { co_await the_event.wait(); }, std::ref(event));
    co_await yield();
    event.set();
    waiting.cancel();
    EXPECT_EQ(co_await thrown_by(waiting), "Cancelled");
}

// --- uncancel

CORO_TEST(Cancellation, RequestsAreCounted) {
    auto task = create_task(forever());
    co_await yield();
    EXPECT_EQ(task.uncancel(), 0u);
    task.cancel();
    task.cancel();
    EXPECT_EQ(task.cancelling(), 2u);
    EXPECT_EQ(task.uncancel(), 1u);
    EXPECT_EQ(task.uncancel(), 0u);
    EXPECT_EQ(task.uncancel(), 0u);
    co_await task.wait();
}

Coro<> uncancel_self(bool& went_on) {
    current_task().cancel();
    current_task().uncancel();
    co_await sleep(1ms);
    went_on = true;
}
CORO_TEST(Cancellation, UncancelToZeroTakesAPendingCancelledBack) {
    bool went_on = false;
    co_await create_task(uncancel_self(went_on));
    EXPECT_TRUE(went_on);
}

Coro<> uncancel_self_once(std::string& log) {
    current_task().cancel();
    current_task().cancel();
    current_task().uncancel();
    try {
        co_await yield();
    } catch (const Cancelled&) {
        log = "thrown";
    }
}
CORO_TEST(Cancellation, UncancelAboveZeroLeavesItPending) {
    std::string log;
    co_await create_task(uncancel_self_once(log));
    EXPECT_EQ(log, "thrown");
}

Coro<> take_lock(Lock& lock, bool& got) {
    auto held = co_await lock.acquire();
    got = true;
}
CORO_TEST(Cancellation, UncancelOfATaskThatGaveUpItsWaitDoesNotMakeItSucceed) {
    Lock lock;
    auto held = co_await lock.acquire();
    bool got = false;
    auto task = create_task(take_lock(lock, got));
    co_await yield();
    task.cancel();
    EXPECT_EQ(task.uncancel(), 0u);
    EXPECT_EQ(co_await thrown_by(task), "Cancelled");
    EXPECT_FALSE(got);
    EXPECT_TRUE(lock.locked());
}

// --- tasks that await tasks

CORO_TEST(Cancellation, ALongChainOfTasksEndsFromItsEnd) {
    std::vector<Task<>> chain;
    chain.push_back(create_task(forever()));
    for (int i = 0; i < 100; ++i) chain.push_back(create_task(await_task(chain.back())));
    for (int i = 0; i < 3; ++i) co_await yield();
    chain.back().cancel("down");
    EXPECT_EQ(co_await thrown_by(chain.back()), "Cancelled: down");
    for (const auto& task : chain) EXPECT_TRUE(task.cancelled());
}

Coro<int> await_value(Task<int> inner) { co_return co_await inner; }
CORO_TEST(Cancellation, IsSwallowedForBothWhenTheAwaitedTaskSwallowsIt) {
    auto inner = create_task(swallow_cancellation(3));
    auto outer = create_task(await_value(inner));
    co_await yield();
    co_await yield();
    outer.cancel();
    EXPECT_EQ(co_await outer, 3);
    EXPECT_FALSE(outer.cancelled());
}

Coro<> await_later(const Task<>& other) {
    co_await sleep(1ms);
    Task<> target = other;
    co_await target;
}
CORO_TEST(Cancellation, TasksThatAwaitEachOtherInACircleEnd) {
    Task<> a, b, c;
    a = create_task(await_later(b));
    b = create_task(await_later(c));
    c = create_task(await_later(a));
    co_await sleep(2ms);
    a.cancel("broken up");
    co_await a.wait();
    co_await b.wait();
    co_await c.wait();
    EXPECT_TRUE(a.cancelled() && b.cancelled() && c.cancelled());
}

CORO_TEST(Cancellation, ATaskThatAwaitsItselfEnds) {
    Task<> self;
    self = create_task(await_later(self));
    co_await sleep(2ms);
    self.cancel("alone");
    EXPECT_EQ(co_await thrown_by(self), "Cancelled: alone");
}

// --- wait(): the end without the throw

CORO_TEST(Cancellation, WaitingForTheEndThrowsNothingOfTheTask) {
    auto cancelled = create_task(forever());
    auto failed = create_task(fail_after(1ms, "x"));
    co_await yield();
    cancelled.cancel();
    co_await cancelled.wait();
    co_await failed.wait();
    EXPECT_TRUE(cancelled.cancelled());
    EXPECT_EQ(text_of(failed.exception()), "FirstError: x");
}

Coro<> wait_for_end(Task<> task) { co_await task.wait(); }
CORO_TEST(Cancellation, OfAWaitForTheEndLeavesTheTaskAlone) {
    auto task = create_task(for_a_while(10ms));
    auto waiting = create_task(wait_for_end(task));
    co_await sleep(1ms);
    waiting.cancel();
    EXPECT_EQ(co_await thrown_by(waiting), "Cancelled");
    co_await task;
    EXPECT_FALSE(task.cancelled());
}

// --- unwinding

class Note {
public:
    Note(std::string& log, std::string text) : log_(log), text_(std::move(text)) {}
    Note(const Note&) = delete;
    Note& operator=(const Note&) = delete;
    ~Note() { log_ += text_ + ";"; }

private:
    std::string& log_;
    std::string text_;
};
Coro<> inner_frame(std::string& log) {
    const Note note(log, "inner");
    co_await forever();
}
Coro<> outer_frame(std::string& log) {
    const Note note(log, "outer");
    try {
        co_await inner_frame(log);
    } catch (...) {
        log += "caught;";
        throw;
    }
}
CORO_TEST(Unwinding, RunsDestructorsInnermostFirstAndNoHandlers) {
    std::string log;
    auto task = create_task(named("quiet").unwind_cancellation(), outer_frame(log));
    co_await yield();
    task.cancel("gone");
    EXPECT_EQ(log, "");  // at its turn, as a throw
    co_await task.wait();
    EXPECT_EQ(log, "inner;outer;");
    EXPECT_TRUE(task.cancelled());
    EXPECT_EQ(co_await thrown_by(task), "Cancelled: gone");
    EXPECT_EQ(task.name(), "quiet");
}

CORO_TEST(Unwinding, OfACallDestroysArgumentsWithTheLastHandle) {
    int alive = 0;
    const auto hold = [](const Counted&) -> Coro<> { co_await forever(); };
    {
        auto task = create_task(TaskOptions().unwind_cancellation(), hold, Counted(alive));
        co_await yield();
        task.cancel();
        co_await task.wait();
        EXPECT_EQ(alive, 1);
    }
    EXPECT_EQ(alive, 0);
}

CORO_TEST(Unwinding, GivesALockBack) {
    Lock lock;
    const auto hold = [](Lock& its_lock) -> Coro<> {
        auto held = co_await its_lock.acquire();
        co_await forever();
    };
    auto holder = create_task(TaskOptions().unwind_cancellation(), hold, std::ref(lock));
    co_await yield();
    bool got = false;
    auto next = create_task(take_lock(lock, got));
    co_await yield();
    holder.cancel();
    co_await next;
    EXPECT_TRUE(got);
    EXPECT_FALSE(lock.locked());
}

CORO_TEST(Unwinding, LeavesALocksQueueInOrder) {
    Lock lock;
    auto held = co_await lock.acquire();
    bool first = false, second = false;
    auto one = create_task(TaskOptions().unwind_cancellation(), take_lock(lock, first));
    auto two = create_task(take_lock(lock, second));
    co_await yield();
    one.cancel();
    co_await one.wait();
    held.release();
    co_await two;
    EXPECT_FALSE(first);
    EXPECT_TRUE(second);
}

Coro<> get_into(Queue<int>& queue, std::vector<int>& got) { got.push_back(co_await queue.get()); }
CORO_TEST(Unwinding, LosesNoItemOfAQueue) {
    Queue<int> queue;
    std::vector<int> got;
    auto waiting = create_task(TaskOptions().unwind_cancellation(), get_into(queue, got));
    auto served = create_task(TaskOptions().unwind_cancellation(), get_into(queue, got));
    co_await yield();
    waiting.cancel();
    queue.put_nowait(1);
    served.cancel();  // it has its item already
    co_await waiting.wait();
    co_await served.wait();
    EXPECT_TRUE(got.empty());
    EXPECT_EQ(queue.qsize(), 1u);
}

CORO_TEST(Unwinding, PassesThroughTheTaskThatIsAwaited) {
    std::string log;
    auto inner = create_task(TaskOptions().unwind_cancellation(), inner_frame(log));
    auto outer = create_task(TaskOptions().unwind_cancellation(), await_task(inner));
    co_await yield();
    co_await yield();
    outer.cancel("down");
    co_await outer.wait();
    EXPECT_EQ(log, "inner;");
    EXPECT_TRUE(inner.cancelled() && outer.cancelled());
    EXPECT_EQ(co_await thrown_by(outer), "Cancelled: down");
}

CORO_TEST(Unwinding, WaitsForAnAwaitedTaskThatCleansUp) {
    bool cleaned = false;
    auto inner = create_task(clean_up_for(20ms, cleaned));
    auto outer = create_task(TaskOptions().unwind_cancellation(), await_task(inner));
    co_await sleep(1ms);
    outer.cancel();
    co_await outer.wait();
    EXPECT_TRUE(cleaned);
}

Coro<> time_out_inside(std::string& log) {
    log = co_await thrown_by(wait_for(forever(), 5ms));
    co_await forever();
}
CORO_TEST(Unwinding, ATimeoutInsideIsStillATimeout) {
    std::string log;
    auto task = create_task(TaskOptions().unwind_cancellation(), time_out_inside(log));
    co_await sleep(10ms);
    EXPECT_EQ(log, "TimeoutError: timed out");
    task.cancel();
    co_await task.wait();
    EXPECT_TRUE(task.cancelled());
}

Coro<> own_a_group(bool& cleaned, std::string& log) {
    const Note note(log, "owner");
    TaskGroup group;
    group.create_task(clean_up_for(20ms, cleaned));
    co_await group.join();
}
CORO_TEST(Unwinding, AJoinWaitsForItsTasks) {
    bool cleaned = false;
    std::string log;
    auto task = create_task(TaskOptions().unwind_cancellation(), own_a_group(cleaned, log));
    co_await sleep(1ms);
    task.cancel();
    co_await task.wait();
    EXPECT_TRUE(cleaned);
    EXPECT_EQ(log, "owner;");
}

Coro<> body_with_child(TaskGroup& group, bool& cleaned) {
    group.create_task(clean_up_for(20ms, cleaned));
    co_await forever();
}
Coro<> own_a_group_with_a_body(bool& cleaned) {
    const auto body = [&](TaskGroup& group) { return body_with_child(group, cleaned); };
    auto joined = with_task_group(body);
    co_await std::move(joined);
}
CORO_TEST(Unwinding, ABodyWithTasksIsLeftByAThrowSoThatTheyAreJoined) {
    bool cleaned = false;
    auto task = create_task(TaskOptions().unwind_cancellation(), own_a_group_with_a_body(cleaned));
    co_await sleep(1ms);
    task.cancel();
    co_await task.wait();
    EXPECT_TRUE(cleaned);
    EXPECT_TRUE(task.cancelled());
}

Coro<> guarded(std::string& log) {
    {
        const ThrowingCancellation thrown_here;
        try {
            co_await forever();
        } catch (const Cancelled&) {
            log += "caught;";
        }
    }
    const Note note(log, "unwound");
    co_await outer_frame(log);
}
CORO_TEST(Unwinding, AThrowingScopeSeesTheCancellation) {
    std::string log;
    auto task = create_task(TaskOptions().unwind_cancellation(), guarded(log));
    co_await yield();
    task.cancel();
    co_await yield();
    EXPECT_EQ(log, "caught;");
    task.cancel();
    co_await task.wait();
    EXPECT_EQ(log, "caught;inner;outer;unwound;");
}

Coro<> deep(int depth, int& alive) {
    const Counted counted(alive);
    if (depth == 0) {
        co_await forever();
    } else {
        co_await deep(depth - 1, alive);
    }
}
CORO_TEST(Unwinding, AVeryDeepStackEndsByAThrow) {
    int alive = 0;
    auto task = create_task(TaskOptions().unwind_cancellation(), deep(5000, alive));
    co_await yield();
    EXPECT_EQ(alive, 5001);
    task.cancel();
    co_await task.wait();
    EXPECT_EQ(alive, 0);
}

CORO_TEST(Unwinding, OfTasksInAGroupEndsTheGroup) {
    std::string log;
    TaskGroup group;
    auto task = group.create_task(TaskOptions().unwind_cancellation(), inner_frame(log));
    co_await yield();
    task.cancel();
    co_await group.join();
    EXPECT_EQ(log, "inner;");
}

CORO_TEST(Unwinding, OfAGatherEndsItsTasks) {
    std::string log;
    auto both = gather(inner_frame(log), inner_frame(log));
    auto task = create_task(
        TaskOptions().unwind_cancellation(), [](auto gathered) -> Coro<> { co_await std::move(gathered); },
        std::move(both));
    co_await yield();
    co_await yield();
    task.cancel();
    co_await task.wait();
    EXPECT_EQ(log, "inner;inner;");
}

CORO_TEST(Unwinding, OfATaskThatYieldsEndsItThere) {
    int steps = 0;
    const auto spin = [](int& count) -> Coro<> {
        for (;;) {
            ++count;
            co_await yield();
        }
    };
    auto task = create_task(TaskOptions().unwind_cancellation(), spin, std::ref(steps));
    co_await yield();
    task.cancel();
    co_await task.wait();
    const int then = steps;
    co_await yield();
    EXPECT_EQ(steps, then);
}

TEST(Unwinding, OfTheMainTaskByRunOptions) {
    std::string log;
    Runner<VirtualTimeLoop> runner({.unwind_cancellation = true});
    const auto cancel_self = [](std::string& its_log) -> Coro<> {
        const AnyTask self = current_task();
        EventLoop::running().call_later(1ms, [self] { self.cancel("main"); });
        co_await outer_frame(its_log);
    };
    EXPECT_EQ(thrown_in([&] { runner.run(cancel_self, std::ref(log)); }), "Cancelled: main");
    EXPECT_EQ(log, "inner;outer;");
}

}  // namespace
}  // namespace coroscope::conformance
