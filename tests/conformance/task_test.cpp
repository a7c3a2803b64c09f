// Tasks: how they are made, named, awaited, and what is told when they end.
#include <set>

#include "task_support.hpp"

namespace coroscope::test {
namespace {

// --- made of calls

Coro<int> add(int a, const int& b) {
    co_await yield();
    co_return a + b;
}
Coro<std::string> join_text(const std::string& a, std::string b) {
    co_await yield();
    co_return a + b;
}
CORO_TEST(Task, IsMadeOfACallWithItsArguments) {
    auto sum = create_task(add, 1, 2);
    EXPECT_EQ(co_await sum, 3);
}

CORO_TEST(Task, KeepsArgumentsThatReferenceParametersReferTo) {
    Task<std::string> task;
    {
        const std::string text = "a string that is too long to live inside of itself, ";
        task = create_task(join_text, text, "and more");
    }
    const std::string joined = co_await task;
    EXPECT_EQ(joined, "a string that is too long to live inside of itself, and more");
}

CORO_TEST(Task, ConvertsArgumentsOfAFunctionWhenItIsMade) {
    auto task = create_task(join_text, "a literal that a reference parameter wants as a string, ", "here");
    const std::string joined = co_await task;
    EXPECT_EQ(joined, "a literal that a reference parameter wants as a string, here");
}

Coro<int> take_over(std::unique_ptr<int> value) {
    co_await yield();
    co_return *value;
}
CORO_TEST(Task, MovesArgumentsThatCannotBeCopied) {
    auto task = create_task(take_over, std::make_unique<int>(6));
    EXPECT_EQ(co_await task, 6);
}

Coro<> increment(int& value) {
    co_await yield();
    ++value;
}
CORO_TEST(Task, PassesAReferenceOnRequest) {
    int value = 1;
    co_await create_task(increment, std::ref(value));
    EXPECT_EQ(value, 2);
}

CORO_TEST(Task, KeepsTheCapturesOfALambdaWithArguments) {
    Task<int> task;
    {
        const std::string text = "seven..";
        auto count = [text](int more) -> Coro<int> {
            co_await yield();
            co_return static_cast<int>(text.size()) + more;
        };
        task = create_task(count, 3);
    }
    EXPECT_EQ(co_await task, 10);
}

Coro<int> add_five(int a, int b, int c, int d, int e) {
    co_await yield();
    co_return a + b + c + d + e;
}
CORO_TEST(Task, TakesAnyNumberOfArgumentsWithOptions) {
    auto task = create_task(named("adder"), add_five, 1, 2, 3, 4, 5);
    EXPECT_EQ(task.name(), "adder");
    EXPECT_EQ(co_await task, 15);
}

CORO_TEST(Task, DestroysItsArgumentsOnceWithTheLastHandle) {
    int alive = 0;
    const auto hold = [](const Counted&) -> Coro<> { co_await yield(); };
    {
        auto task = create_task(hold, Counted(alive));
        EXPECT_EQ(alive, 1);
        co_await task;
        EXPECT_EQ(alive, 1);
    }
    EXPECT_EQ(alive, 0);
}

CORO_TEST(Task, ACallThatThrowsBeforeItsFirstAwaitFailsTheTask) {
    const auto fail = [](int) -> Coro<> {
        throw FirstError("at once");
        co_return;
    };
    auto task = create_task(fail, 1);
    EXPECT_EQ(co_await thrown_by(task), "FirstError: at once");
}

TEST(Task, OfACallWithoutALoopIsAnError) { EXPECT_THROW(create_task(add, 1, 2), std::logic_error); }

CORO_TEST(Task, OfAMovedCoroutineIsAnError) {
    auto coro = value_now(1);
    co_await std::move(coro);
    EXPECT_THROW(create_task(std::move(coro)), std::logic_error);
}

// --- names

CORO_TEST(Task, HasANameOfItsOwnThatCanBeSet) {
    auto task = create_task(value_now(1));
    EXPECT_EQ(task.name(), "Task-" + std::to_string(task.id()));
    task.set_name("other");
    EXPECT_EQ(task.name(), "other");
    co_await task;
    EXPECT_EQ(task.name(), "other");
}

// --- current_task, all_tasks

// Not the handle itself: a task whose result is itself keeps itself alive.
Coro<std::uint64_t> who_am_i() { co_return current_task().id(); }
CORO_TEST(Task, CurrentTaskIsTheOneThatRuns) {
    auto task = create_task(who_am_i());
    EXPECT_EQ(co_await task, task.id());
    EXPECT_EQ(co_await who_am_i(), current_task().id());  // the same task's frame
}

CORO_TEST(Task, ThereIsNoCurrentTaskInACallback) {
    bool none = false;
    EventLoop::running().call_soon([&none] { none = !current_task(); });
    co_await yield();
    EXPECT_TRUE(none);
}

TEST(Task, AllTasksOfALoopAreThosePending) {
    VirtualTimeLoop loop;
    auto one = loop.create_task(value_now(1));
    auto two = loop.create_task(value_after(1ms, 2));
    EXPECT_EQ(all_tasks(loop).size(), 2u);
    loop.run_until_complete(one);
    ASSERT_EQ(all_tasks(loop).size(), 1u);
    EXPECT_TRUE(all_tasks(loop).front() == two);
    loop.run_until_complete(two);
    EXPECT_TRUE(all_tasks(loop).empty());
}

// --- results

CORO_TEST(Task, ResultAndExceptionOfATaskThatIsNotDoneThrow) {
    auto task = create_task(value_now(1));
    EXPECT_THROW(task.result(), InvalidStateError);
    EXPECT_THROW(task.exception(), InvalidStateError);
    co_await task;
    EXPECT_EQ(task.exception(), nullptr);
}

CORO_TEST(Task, GivesItsErrorToEveryoneWhoAsks) {
    auto task = create_task(fail_after(1ms, "x"));
    EXPECT_EQ(co_await thrown_by(task), "FirstError: x");
    EXPECT_EQ(co_await thrown_by(task), "FirstError: x");
    EXPECT_EQ(thrown_in([&] { task.result(); }), "FirstError: x");
    EXPECT_EQ(text_of(task.exception()), "FirstError: x");
}

Coro<> note_when_done(Task<> task, std::vector<int>& order, int number) {
    co_await task;
    order.push_back(number);
}
CORO_TEST(Task, WhoAwaitsFirstIsWokenFirst) {
    auto task = create_task(for_a_while(5ms));
    std::vector<int> order;
    std::vector<Task<>> waiting;
    for (int i = 1; i <= 4; ++i) waiting.push_back(create_task(note_when_done(task, order, i)));
    co_await gather(waiting);
    EXPECT_EQ(order, (std::vector{1, 2, 3, 4}));
}

Coro<> drop_a_failed_task(bool ask) {
    auto task = create_task(fail_after(1ms, "dropped"));
    co_await task.wait();
    if (ask) task.exception();
}
TEST(Task, AnErrorThatNobodyRetrievedIsReportedOnce) {
    testing::internal::CaptureStderr();
    run<VirtualTimeLoop>(drop_a_failed_task(false));
    const std::string told = testing::internal::GetCapturedStderr();
    EXPECT_NE(told.find("never retrieved"), std::string::npos) << told;
    EXPECT_EQ(told.find("never retrieved"), told.rfind("never retrieved"));
}
TEST(Task, AnErrorThatSomebodyLookedAtIsNotReported) {
    testing::internal::CaptureStderr();
    run<VirtualTimeLoop>(drop_a_failed_task(true));
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

// --- done callbacks

CORO_TEST(Task, DoneCallbacksAreCalledSoonInTheirOrder) {
    auto task = create_task(value_after(1ms, 4));
    std::string calls;
    task.add_done_callback([&](AnyTask done) { calls += done == task ? "a" : "?"; });
    task.add_done_callback([&](AnyTask) { calls += "b"; });
    co_await task.wait();
    co_await yield();
    EXPECT_EQ(calls, "ab");
    task.add_done_callback([&](AnyTask) { calls += "c"; });
    EXPECT_EQ(calls, "ab");  // not from within the call
    co_await yield();
    EXPECT_EQ(calls, "abc");
}

CORO_TEST(Task, ADoneCallbackThatThrowsGoesToTheExceptionHandler) {
    std::string handled;
    EventLoop::running().set_exception_handler(
        [&handled](EventLoop&, const std::exception_ptr& error) { handled = text_of(error); });
    auto task = create_task(value_now(1));
    task.add_done_callback([](AnyTask) { throw FirstError("callback"); });
    co_await task;
    co_await yield();
    EventLoop::running().set_exception_handler({});
    EXPECT_EQ(handled, "FirstError: callback");
}

// --- the loop's end

Coro<> hold_for_ever(Counted) { co_await forever(); }
TEST(Task, ALoopThatEndsLeaksNoPendingTask) {
    int alive = 0;
    Task<> handle;
    testing::internal::CaptureStderr();
    {
        VirtualTimeLoop loop;
        handle = loop.create_task(hold_for_ever(Counted(alive)));
        loop.create_task(hold_for_ever(Counted(alive)));
        const auto counted = std::make_shared<Counted>(alive);
        handle.add_done_callback([counted](AnyTask) {});
        loop.call_soon([counted] {});
        loop.call_later(1h, [counted] {});
        loop.call_soon_threadsafe([counted] {});
        loop.run_once();
    }
    EXPECT_EQ(alive, 0);
    const std::string told = testing::internal::GetCapturedStderr();
    EXPECT_NE(told.find("destroyed but it is pending"), std::string::npos) << told;
    EXPECT_TRUE(handle.cancelled());
    EXPECT_FALSE(handle.cancel());  // the handle outlives the loop
    EXPECT_EQ(thrown_in([&] { handle.result(); }), "Cancelled");
}

Coro<> await_both(Task<> other, Counted) { co_await other; }
TEST(Task, PendingTasksThatAwaitEachOtherEndWithTheLoop) {
    int alive = 0;
    testing::internal::CaptureStderr();
    {
        VirtualTimeLoop loop;
        auto first = loop.create_task(hold_for_ever(Counted(alive)));
        loop.create_task(await_both(first, Counted(alive)));
        loop.run_once();
        loop.run_once();
    }
    testing::internal::GetCapturedStderr();
    EXPECT_EQ(alive, 0);
}

Coro<> hold_lock(Lock& lock, Counted) {
    auto held = co_await lock.acquire();
    co_await forever();
}
TEST(Task, PendingTasksThatWakeEachOtherWhileTheLoopEndsGoAll) {
    int alive = 0;
    testing::internal::CaptureStderr();
    {
        Lock lock;
        VirtualTimeLoop loop;
        for (int i = 0; i < 3; ++i) loop.create_task(hold_lock(lock, Counted(alive)));
        loop.run_once();
    }
    testing::internal::GetCapturedStderr();
    EXPECT_EQ(alive, 0);
}

// Destroys, cancels and schedules from a destructor.
class Meddler {
public:
    explicit Meddler(Task<> other) : loop_(EventLoop::running()), other_(std::move(other)) {}
    Meddler(const Meddler&) = delete;
    Meddler& operator=(const Meddler&) = delete;
    ~Meddler() {
        other_.cancel();
        loop_.call_soon([] {});
        loop_.create_task(forever());
    }

private:
    EventLoop& loop_;
    Task<> other_;
};
Coro<> meddle(Task<> other) {
    const Meddler meddler(std::move(other));
    co_await forever();
}
TEST(Task, DestructorsMayMeddleWithALoopThatEnds) {
    int alive = 0;
    testing::internal::CaptureStderr();
    {
        VirtualTimeLoop loop;
        auto older = loop.create_task(hold_for_ever(Counted(alive)));
        auto meddling = loop.create_task(meddle(older));
        loop.create_task(meddle(meddling));
        loop.run_once();
    }
    testing::internal::GetCapturedStderr();
    EXPECT_EQ(alive, 0);
}

}  // namespace
}  // namespace coroscope::test
