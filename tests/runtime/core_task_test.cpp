// Coroutines, tasks, cancellation: asyncio's semantics, on a loop with virtual time.
#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "coroscope/coroscope.hpp"
#include "coroscope/virtual_time_loop.hpp"

namespace coroscope {
namespace {

using namespace std::chrono_literals;

template <class F>
auto run_virtually(F make) {
    return run<VirtualTimeLoop>(make());
}

Coro<int> answer() { co_return 42; }
Coro<> fail() {
    co_await yield();
    throw std::runtime_error("broken");
}
Coro<int> answer_later(std::chrono::milliseconds delay, int value) {
    co_await sleep(delay);
    co_return value;
}

TEST(Coro, RunReturnsTheValue) { EXPECT_EQ(run(answer()), 42); }

TEST(Coro, RunThrowsWhatTheCoroutineThrew) { EXPECT_THROW(run(fail()), std::runtime_error); }

Coro<> nested_run() {
    EXPECT_THROW(run(answer()), std::logic_error);
    co_return;
}
TEST(Coro, RunInsideALoopIsAnError) { run(nested_run()); }

TEST(Coro, CreateTaskWithoutALoopIsAnError) { EXPECT_THROW(create_task(answer()), std::logic_error); }

// A million synchronous children must not grow the stack, in any build.
Coro<int> one() { co_return 1; }
Coro<int> many() {
    int sum = 0;
    for (int i = 0; i < 1'000'000; ++i) sum += co_await one();
    co_return sum;
}
TEST(Coro, ManySynchronousChildrenDoNotGrowTheStack) { EXPECT_EQ(run(many()), 1'000'000); }

Coro<int> depth(int n) {
    if (n == 0) co_return 0;
    co_return 1 + co_await depth(n - 1);
}
TEST(Coro, DeepRecursionReturns) { EXPECT_EQ(run(depth(10'000)), 10'000); }

struct Counted {
    explicit Counted(int& the_count) : count(&the_count) { ++*count; }
    Counted(const Counted& other) : count(other.count) { ++*count; }
    Counted& operator=(const Counted&) = delete;
    ~Counted() { --*count; }
    int* count;
};
Coro<int> takes(Counted by_value) {
    co_await yield();
    co_return *by_value.count;
}
Coro<> parameters_die(int& alive) {
    EXPECT_GE(co_await takes(Counted(alive)), 1);
    EXPECT_EQ(alive, 0);
    auto task = create_task(takes(Counted(alive)));
    co_await task;
}
TEST(Coro, ParametersAndLocalsDieOnce) {
    int alive = 0;
    run(parameters_die(alive));
    EXPECT_EQ(alive, 0);
}

Coro<> sleeps_in_order(std::vector<int>& order) {
    auto wait_and_note = [](std::vector<int>& to, int ms) -> Coro<> {
        co_await sleep(std::chrono::milliseconds(ms));
        to.push_back(ms);
    };
    std::vector<Task<>> tasks;
    for (const int ms : {30, 10, 20, 10}) tasks.push_back(create_task(wait_and_note(order, ms)));
    co_await gather(std::move(tasks));
}
TEST(Sleep, WakesInOrderOfDeadlines) {
    std::vector<int> order;
    run<VirtualTimeLoop>(sleeps_in_order(order));
    EXPECT_EQ(order, (std::vector<int>{10, 10, 20, 30}));
}

Coro<> an_hour() {
    const std::uint64_t before = EventLoop::running().time_ns();
    co_await sleep(1h);
    EXPECT_EQ(EventLoop::running().time_ns() - before, 3'600'000'000'000u);
}
TEST(Sleep, VirtualTimeIsExactAndFree) { run<VirtualTimeLoop>(an_hour()); }

// --- tasks

Coro<> names() {
    auto named = create_task(answer(), "adder");
    auto unnamed = create_task(answer());
    EXPECT_EQ(named.name(), "adder");
    EXPECT_EQ(unnamed.name(), "Task-" + std::to_string(unnamed.id()));
    EXPECT_THROW(named.result(), InvalidStateError);
    EXPECT_EQ(co_await named, 42);
    EXPECT_EQ(co_await named, 42);  // again
    EXPECT_EQ(named.result(), 42);
    EXPECT_EQ(co_await unnamed, 42);
}
TEST(Task, NamesAndResults) { run<VirtualTimeLoop>(names()); }

Coro<> drop_and_live(bool& ran) {
    auto set = [](bool& flag) -> Coro<> {
        co_await sleep(5ms);
        flag = true;
    };
    create_task(set(ran));  // the handle goes at once
    co_await sleep(10ms);
}
TEST(Task, RunsOnWithoutAHandle) {
    bool ran = false;
    run<VirtualTimeLoop>(drop_and_live(ran));
    EXPECT_TRUE(ran);
}

Coro<> captures() {
    auto text = std::make_unique<std::string>("kept");
    auto task = create_task([text = std::move(text)]() -> Coro<std::string> {
        co_await sleep(1ms);
        co_return *text;
    });
    EXPECT_EQ(co_await task, "kept");
}
TEST(Task, KeepsTheCaptureOfItsCallable) { run<VirtualTimeLoop>(captures()); }

Coro<> all() {
    auto a = create_task(answer_later(1ms, 1));
    auto b = create_task(answer_later(1ms, 2));
    EXPECT_EQ(all_tasks().size(), 3u);
    co_await gather(a, b);
    EXPECT_EQ(all_tasks().size(), 1u);
    EXPECT_EQ(all_tasks().front(), current_task());
}
TEST(Task, AllTasksAreThoseAlive) { run<VirtualTimeLoop>(all()); }

// --- cancellation

Coro<> wait_for_ever() { co_await sleep(24h); }

Coro<> cancelled_at_its_await() {
    auto task = create_task(wait_for_ever());
    co_await sleep(1ms);
    EXPECT_TRUE(task.cancel("enough"));
    bool thrown = false;
    try {
        co_await task;
    } catch (const Cancelled& cancelled) {
        thrown = true;
        EXPECT_EQ(cancelled.message(), "enough");
    }
    EXPECT_TRUE(thrown);
    EXPECT_TRUE(task.cancelled());
    EXPECT_FALSE(task.cancel());
}
TEST(Cancel, IsThrownAtTheAwait) { run<VirtualTimeLoop>(cancelled_at_its_await()); }

Coro<> note_start(bool& started) {
    started = true;
    co_return;
}
Coro<> cancelled_before_it_starts(bool& started) {
    auto task = create_task(note_start(started));
    task.cancel();
    EXPECT_THROW(co_await task, Cancelled);
}
TEST(Cancel, BeforeTheStartNothingRuns) {
    bool started = false;
    run<VirtualTimeLoop>(cancelled_before_it_starts(started));
    EXPECT_FALSE(started);
}

Coro<int> swallow() {
    try {
        co_await sleep(24h);
    } catch (const Cancelled&) {
    }
    co_return 7;
}
Coro<> swallowed() {
    auto task = create_task(swallow());
    co_await yield();
    task.cancel();
    EXPECT_EQ(co_await task, 7);
    EXPECT_FALSE(task.cancelled());
}
TEST(Cancel, MayBeSwallowed) { run<VirtualTimeLoop>(swallowed()); }

Coro<int> std_catch() {
    try {
        co_await sleep(24h);
    } catch (const std::exception&) {
        co_return 1;
    }
    co_return 0;
}
Coro<> not_std() {
    auto task = create_task(std_catch());
    co_await yield();
    task.cancel();
    EXPECT_THROW(co_await task, Cancelled);
}
TEST(Cancel, IsNotCaughtAsStdException) { run<VirtualTimeLoop>(not_std()); }

Coro<> await_inner(Task<> inner) { co_await inner; }
Coro<> cancels_inner() {
    auto inner = create_task(wait_for_ever());
    auto outer = create_task(await_inner(inner));
    co_await sleep(1ms);
    outer.cancel();
    EXPECT_THROW(co_await outer, Cancelled);
    EXPECT_TRUE(inner.cancelled());
}
TEST(Cancel, OfATaskThatAwaitsATaskCancelsThatOne) { run<VirtualTimeLoop>(cancels_inner()); }

Coro<> await_shielded(Task<int> inner) { co_await shield(inner); }
Coro<> shielded() {
    auto inner = create_task(answer_later(5ms, 3));
    auto outer = create_task(await_shielded(inner));
    co_await sleep(1ms);
    outer.cancel();
    EXPECT_THROW(co_await outer, Cancelled);
    EXPECT_EQ(co_await inner, 3);
}
TEST(Cancel, StopsAtAShield) { run<VirtualTimeLoop>(shielded()); }

Coro<> cancel_self(bool& after_yield) {
    current_task().cancel();
    co_await yield();
    after_yield = true;
}
Coro<> self_cancel(bool& after_yield) {
    auto task = create_task(cancel_self(after_yield));
    EXPECT_THROW(co_await task, Cancelled);
}
TEST(Cancel, OfItselfIsThrownAtTheNextAwait) {
    bool after_yield = false;
    run<VirtualTimeLoop>(self_cancel(after_yield));
    EXPECT_FALSE(after_yield);
}

// --- deadlines

Coro<> too_slow() {
    EXPECT_THROW(co_await wait_for(answer_later(100ms, 1), 10ms), TimeoutError);
    EXPECT_EQ(co_await wait_for(answer_later(10ms, 2), 100ms), 2);
    EXPECT_EQ(current_task().cancelling(), 0u);
}
TEST(WaitFor, ThrowsTimeoutErrorAndTakesItsCancellationBack) { run<VirtualTimeLoop>(too_slow()); }

Coro<> slow_task() {
    auto task = create_task(wait_for_ever());
    EXPECT_THROW(co_await wait_for(task, 10ms), TimeoutError);
    EXPECT_TRUE(task.cancelled());
}
TEST(WaitFor, TheTaskHasEndedAtTheTimeout) { run<VirtualTimeLoop>(slow_task()); }

Coro<> timed() { co_await wait_for(wait_for_ever(), 50ms); }
Coro<> cancelled_from_outside() {
    auto task = create_task(timed());
    co_await sleep(10ms);
    task.cancel();
    EXPECT_THROW(co_await task, Cancelled);
}
TEST(WaitFor, ACancellationFromOutsideStaysOne) { run<VirtualTimeLoop>(cancelled_from_outside()); }

// --- gather, wait

Coro<> gather_values() {
    auto [a, b] = co_await gather(answer_later(2ms, 1), answer_later(1ms, 2));
    EXPECT_EQ(a, 1);
    EXPECT_EQ(b, 2);
}
TEST(Gather, ValuesInOrderOfTheArguments) { run<VirtualTimeLoop>(gather_values()); }

Coro<> gather_error() {
    auto slow = create_task(answer_later(10ms, 1));
    EXPECT_THROW(co_await gather(fail(), slow), std::runtime_error);
    EXPECT_FALSE(slow.done());  // it runs on
    EXPECT_EQ(co_await slow, 1);
}
TEST(Gather, TheFirstErrorComesAtOnceAndTheOthersRunOn) { run<VirtualTimeLoop>(gather_error()); }

Coro<> gather_two(Task<> a, Task<> b) { co_await gather(a, b); }
Coro<> gather_cancelled() {
    auto a = create_task(wait_for_ever());
    auto b = create_task(wait_for_ever());
    auto both = create_task(gather_two(a, b));
    co_await sleep(1ms);
    both.cancel();
    EXPECT_THROW(co_await both, Cancelled);
    EXPECT_TRUE(a.cancelled());
    EXPECT_TRUE(b.cancelled());
}
TEST(Gather, CancellingItCancelsAll) { run<VirtualTimeLoop>(gather_cancelled()); }

Coro<> gather_everything() {
    std::vector<Task<>> tasks{create_task(fail()), create_task(wait_for_ever())};
    tasks[1].cancel();
    const auto results = co_await gather(return_exceptions, tasks);
    EXPECT_EQ(results.size(), 2u);
    EXPECT_EQ(results[0].index(), 1u);
    EXPECT_EQ(results[1].index(), 1u);
}
TEST(Gather, AllWithErrorsAsValues) { run<VirtualTimeLoop>(gather_everything()); }

Coro<> wait_first() {
    std::vector<Task<int>> tasks{create_task(answer_later(20ms, 1)), create_task(answer_later(10ms, 2))};
    auto first = co_await wait(tasks, FIRST_COMPLETED);
    EXPECT_EQ(first.done.size(), 1u);
    EXPECT_EQ(first.done[0].result(), 2);
    EXPECT_EQ(first.pending.size(), 1u);
    auto none = co_await wait(first.pending, ALL_COMPLETED, 1ms);
    EXPECT_TRUE(none.done.empty());
    auto rest = co_await wait(first.pending);
    EXPECT_EQ(rest.done.size(), 1u);
}
TEST(Wait, FirstCompletedTimeoutAndAll) { run<VirtualTimeLoop>(wait_first()); }

Coro<> wait_exception() {
    std::vector<Task<>> tasks{create_task(wait_for_ever()), create_task(fail())};
    auto result = co_await wait(tasks, FIRST_EXCEPTION);
    EXPECT_EQ(result.done.size(), 1u);
    EXPECT_TRUE(result.done[0].exception());
    tasks[0].cancel();
}
TEST(Wait, FirstException) { run<VirtualTimeLoop>(wait_exception()); }

// --- groups

Coro<> group_values() {
    TaskGroup group;
    auto a = group.create_task(answer_later(2ms, 1));
    auto b = group.create_task(answer_later(1ms, 2));
    co_await group.join();
    EXPECT_EQ(a.result() + b.result(), 3);
    EXPECT_THROW(group.create_task(wait_for_ever()), std::logic_error);
}
TEST(TaskGroup, JoinsAll) { run<VirtualTimeLoop>(group_values()); }

Coro<> group_failure() {
    TaskGroup group;
    auto failing = group.create_task(fail());
    auto waiting = group.create_task(wait_for_ever());
    bool thrown = false;
    try {
        co_await group.join();
    } catch (const ExceptionGroup& errors) {
        thrown = true;
        EXPECT_EQ(errors.exceptions().size(), 1u);
        EXPECT_TRUE(errors.contains<std::runtime_error>());
        EXPECT_FALSE(errors.contains<std::logic_error>());
        EXPECT_NE(std::string(errors.what()).find("broken"), std::string::npos);
    }
    EXPECT_TRUE(thrown);
    EXPECT_TRUE(waiting.cancelled());
    EXPECT_EQ(current_task().cancelling(), 0u);
}
TEST(TaskGroup, AFailureCancelsTheOthersAndArrivesAsAGroup) { run<VirtualTimeLoop>(group_failure()); }

Coro<> body_waits(TaskGroup& group) {
    group.create_task(fail());
    co_await sleep(24h);
}
Coro<> group_interrupts_body() {
    EXPECT_THROW(co_await with_task_group(body_waits), ExceptionGroup);
    EXPECT_EQ(current_task().cancelling(), 0u);
    co_await sleep(1ms);  // not cancelled
}
TEST(TaskGroup, AFailureInterruptsTheBody) { run<VirtualTimeLoop>(group_interrupts_body()); }

Coro<> body_throws(TaskGroup& group) {
    group.create_task(wait_for_ever());
    co_await yield();
    throw std::logic_error("body");
}
Coro<> group_body_throws() {
    try {
        co_await with_task_group(body_throws);
        ADD_FAILURE() << "nothing thrown";
    } catch (const ExceptionGroup& errors) {
        EXPECT_TRUE(errors.contains<std::logic_error>());
    }
    EXPECT_EQ(all_tasks().size(), 1u);  // nobody was left behind
}
TEST(TaskGroup, NobodyIsLeftBehindWhenTheBodyThrows) { run<VirtualTimeLoop>(group_body_throws()); }

Coro<> join_group(Task<>& inner) {
    TaskGroup group;
    inner = group.create_task(wait_for_ever());
    co_await group.join();
}
Coro<> group_cancelled() {
    Task<> inner;
    auto task = create_task(join_group(inner));
    co_await sleep(1ms);
    task.cancel();
    EXPECT_THROW(co_await task, Cancelled);
    EXPECT_TRUE(inner.cancelled());
}
TEST(TaskGroup, CancellingTheOwnerCancelsTheGroup) { run<VirtualTimeLoop>(group_cancelled()); }

// --- resources

struct Resource {
    explicit Resource(bool& the_closed) : closed(&the_closed) {}
    Coro<> aclose() {
        co_await sleep(1ms);
        *closed = true;
    }
    bool* closed;
};
Coro<int> use(Resource&) { co_return 5; }
Coro<int> misuse(Resource&) {
    co_await yield();
    throw std::runtime_error("in the body");
}
Coro<> with_resource() {
    bool closed = false;
    EXPECT_EQ(co_await async_with(Resource(closed), use), 5);
    EXPECT_TRUE(closed);
    closed = false;
    EXPECT_THROW(co_await async_with(Resource(closed), misuse), std::runtime_error);
    EXPECT_TRUE(closed);
}
TEST(AsyncWith, ClosesAlsoWhenTheBodyThrows) { run<VirtualTimeLoop>(with_resource()); }

}  // namespace
}  // namespace coroscope
