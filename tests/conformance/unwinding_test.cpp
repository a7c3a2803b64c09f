// Cancellation by unwinding: what runs, what stays consistent, and where Cancelled is thrown nevertheless.
#include <string>

#include "task_support.hpp"

namespace coroscope::test {
namespace {

Coro<> await_task(Task<> inner) { co_await inner; }
Coro<> take_lock(Lock& lock, bool& got) {
    auto held = co_await lock.acquire();
    got = true;
}

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
CORO_TEST(Unwinding, OfAVeryDeepStackNeedsNoDeepNativeStack) {
    int alive = 0;
    auto task = create_task(TaskOptions().unwind_cancellation(), deep(60'000, alive));
    co_await yield();
    EXPECT_EQ(alive, 60'001);
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
}  // namespace coroscope::test
