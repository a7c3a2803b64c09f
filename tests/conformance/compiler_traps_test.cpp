// What g++ 12.2 does wrong with coroutines, and that programs on our API do not meet it: temporaries in an expression
// with co_await that are destroyed twice, and frames that it shifts by eight bytes (a coroutine without variables that
// awaits in a condition; see PromiseBase::shifted()).
#include <functional>
#include <memory>

#include "coroscope/net.hpp"
#include "support.hpp"

namespace coroscope::test {
namespace {

// Counts its copies; destroyed twice, the count goes below zero.
class Counted {
public:
    explicit Counted(int& alive) noexcept : alive_(&alive) { ++*alive_; }
    Counted(const Counted& other) noexcept : alive_(other.alive_) { ++*alive_; }
    Counted& operator=(const Counted&) = default;
    ~Counted() { --*alive_; }
    int alive() const noexcept { return *alive_; }

private:
    int* alive_;
};

// --- temporaries

Coro<int> take(Counted value) {
    co_await yield();
    co_return value.alive();
}
TEST(CompilerTraps, AClassWithAConstructorAsATemporaryDiesOnce) {
    virtually([]() -> Coro<> {
        int alive = 0;
        EXPECT_GE(co_await take(Counted(alive)), 1);
        EXPECT_EQ(alive, 0);
    });
}

Coro<std::size_t> lengths(std::string text, std::vector<std::string> more) {
    co_await yield();
    std::size_t sum = text.size();
    for (const std::string& each : more) sum += each.size();
    co_return sum;
}
TEST(CompilerTraps, StringsAndVectorsAsTemporaries) {
    virtually([]() -> Coro<> {
        EXPECT_EQ(co_await lengths(std::string(100, 'x'), std::vector<std::string>(3, std::string(50, 'y'))), 250u);
    });
}

Coro<int> call(std::function<int()> function) {
    co_await yield();
    co_return function();
}
TEST(CompilerTraps, ANamedLambdaWithCapturesCanBeMovedIn) {
    virtually([]() -> Coro<> {
        int alive = 0;
        {
            auto function = [held = Counted(alive)] { return held.alive(); };
            EXPECT_GE(co_await call(std::move(function)), 1);
        }
        EXPECT_EQ(alive, 0);
    });
}

Coro<int> nothing_but_options(StreamOptions stream, ServerOptions server, ConnectOptions connect, RunOptions run) {
    co_await yield();
    co_return static_cast<int>(stream.read_limit / 1024) + server.backlog +
        static_cast<int>(connect.happy_eyeballs_delay.count() > 0) + static_cast<int>(run.debug);
}
TEST(CompilerTraps, OptionsAsTemporaries) {
    virtually([]() -> Coro<> {
        EXPECT_EQ(co_await nothing_but_options(StreamOptions(), ServerOptions(), ConnectOptions(), RunOptions()),
                  64 + 1024 + 1);
    });
}

Coro<Counted> give(Counted value) { co_return value; }
TEST(CompilerTraps, CoroutinesAndTasksAsTemporaries) {
    virtually([]() -> Coro<> {
        int alive = 0;
        EXPECT_GE((co_await give(Counted(alive))).alive(), 1);
        EXPECT_EQ(alive, 0);
        EXPECT_GE((co_await create_task(give(Counted(alive)))).alive(), 1);
        EXPECT_EQ(alive, 0);
        EXPECT_GE((co_await wait_for(give(Counted(alive)), 1s)).alive(), 1);
        EXPECT_EQ(alive, 0);
        EXPECT_GE((co_await shield(give(Counted(alive)))).alive(), 1);
        EXPECT_EQ(alive, 0);
        EXPECT_GE(std::get<0>(co_await gather(give(Counted(alive)), give(Counted(alive)))).alive(), 1);
        EXPECT_EQ(alive, 0);
    });
}

TEST(CompilerTraps, QueueItemsAsTemporaries) {
    virtually([]() -> Coro<> {
        int alive = 0;
        {
            Queue<Counted> queue(1);
            co_await queue.put(Counted(alive));
            EXPECT_EQ(alive, 1);
            EXPECT_GE((co_await queue.get()).alive(), 1);
            EXPECT_EQ(alive, 0);
            co_await queue.put(Counted(alive));
        }
        EXPECT_EQ(alive, 0);
    });
}

TEST(CompilerTraps, ATaskKeepsTheCapturesOfItsLambda) {
    virtually([]() -> Coro<> {
        int alive = 0;
        Task<int> task = create_task([held = Counted(alive)]() -> Coro<int> {
            co_await sleep(1s);
            co_return held.alive();
        });
        EXPECT_GE(alive, 1);
        EXPECT_GE(co_await task, 1);
        task = {};
        EXPECT_EQ(alive, 0);
    });
}

TEST(CompilerTraps, ALockAsATemporaryIsReleasedOnce) {
    virtually([]() -> Coro<> {
        BoundedSemaphore semaphore(1);
        for (int i = 0; i < 3; ++i) {
            static_cast<void>(co_await semaphore.acquire());  // given back at once
            EXPECT_EQ(semaphore.value(), 1u);
        }
    });
}

// --- frames without a variable that await in a condition

Coro<bool> truth(bool value) {
    co_await yield();
    co_return value;
}
Coro<bool> immediate(bool value) { co_return value; }

Coro<int> in_an_if() {
    if (co_await truth(true)) co_return 1;
    co_return 2;
}
Coro<int> in_an_else() {
    if (co_await truth(false)) co_return 1;
    co_return 2;
}
Coro<int> not_suspending() {
    if (co_await immediate(true)) co_return 3;
    co_return 4;
}
Coro<> in_a_while(Queue<int>& queue, int& sum) {
    while (co_await queue.get() != 0) ++sum;
}

TEST(CompilerTraps, ThisCompilerShiftsSuchFrames) {
#if defined(__clang__)
    GTEST_SKIP() << "clang does not";
#else
    Coro<int> shifted = in_an_if();
    detail::Promise<int>* promise = shifted.release();
    EXPECT_TRUE(promise->shifted()) << "then the tests below test nothing; is this another compiler than g++ 12?";
    promise->destroy();
#endif
}

TEST(CompilerTraps, ShiftedFramesGiveTheirValues) {
    virtually([]() -> Coro<> {
        EXPECT_EQ(co_await in_an_if(), 1);
        EXPECT_EQ(co_await in_an_else(), 2);
        EXPECT_EQ(co_await not_suspending(), 3);
        EXPECT_EQ(co_await create_task(in_an_if()), 1);
        EXPECT_EQ(co_await create_task(not_suspending()), 3);
        EXPECT_EQ(co_await wait_for(in_an_else(), 1s), 2);
    });
}

TEST(CompilerTraps, ShiftedFramesCanBeTheFirst) { EXPECT_EQ(run<VirtualTimeLoop>(in_an_if()), 1); }

TEST(CompilerTraps, ShiftedFramesAwaitQueues) {
    virtually([]() -> Coro<> {
        Queue<int> queue;
        int sum = 0;
        Task<> task = create_task(in_a_while(queue, sum));
        for (const int item : {1, 2, 3, 0}) {
            co_await queue.put(item);
            co_await turns();
        }
        co_await task;
        EXPECT_EQ(sum, 3);
    });
}

Coro<bool> fails() {
    co_await yield();
    throw std::runtime_error("in a condition");
}
Coro<int> condition_fails() {
    if (co_await fails()) co_return 1;
    co_return 2;
}
TEST(CompilerTraps, ShiftedFramesPassErrorsOn) {
    virtually([]() -> Coro<> {
        EXPECT_TRUE((co_await thrown<std::runtime_error>(condition_fails())).has_value());
        EXPECT_TRUE((co_await thrown<std::runtime_error>(awaiting(create_task(condition_fails())))).has_value());
    });
}

Coro<bool> truth_in_an_hour(Counted) {
    co_await sleep(1h);
    co_return true;
}
Coro<int> waits_in_a_condition(int& alive) {
    if (co_await truth_in_an_hour(Counted(alive))) co_return 1;
    co_return 2;
}
TEST(CompilerTraps, ShiftedFramesCanBeCancelled) {
    virtually([]() -> Coro<> {
        int alive = 0;
        Task<int> task = create_task(waits_in_a_condition(alive));
        co_await turns();
        task.cancel();
        EXPECT_TRUE((co_await thrown<Cancelled>(awaiting(task))).has_value());
        EXPECT_EQ(alive, 0);
        EXPECT_TRUE((co_await thrown<TimeoutError>(wait_for(waits_in_a_condition(alive), 1s))).has_value());
        EXPECT_EQ(alive, 0);
    });
}

TEST(CompilerTraps, ShiftedFramesAreDestroyedWhileTheyWait) {
    int alive = 0;
    testing::internal::CaptureStderr();
    {
        VirtualTimeLoop loop;
        loop.create_task(waits_in_a_condition(alive));
        loop.run_once();
        EXPECT_GE(alive, 1);
    }
    EXPECT_NE(testing::internal::GetCapturedStderr().find("destroyed but it is pending"), std::string::npos);
    EXPECT_EQ(alive, 0);
}

TEST(CompilerTraps, ShiftedFramesThatNeverRanAreReportedAndDestroyed) {
    virtually([]() -> Coro<> {
        testing::internal::CaptureStderr();
        {
            Coro<int> unused = in_an_if();
        }
        EXPECT_NE(testing::internal::GetCapturedStderr().find("in_an_if' was never awaited"), std::string::npos);
        co_return;
    });
}

Coro<int> nested(int depth) {
    if (co_await truth(depth == 0)) co_return 0;
    co_return 1 + co_await nested(depth - 1);
}
Coro<int> nested_at_once(int depth) {
    if (co_await immediate(depth == 0)) co_return 0;
    co_return 1 + co_await nested_at_once(depth - 1);
}
TEST(CompilerTraps, ShiftedFramesMayNestDeeply) {
    virtually([]() -> Coro<> {
        EXPECT_EQ(co_await nested(10'000), 10'000);
        EXPECT_EQ(co_await nested_at_once(10'000), 10'000);
    });
}

Coro<bool> shifted_truth() {
    if (co_await truth(true)) co_return true;
    co_return false;
}
Coro<int> shifted_in_shifted() {
    if (co_await shifted_truth()) co_return 5;
    co_return 6;
}
TEST(CompilerTraps, ShiftedFramesAwaitShiftedFrames) {
    virtually([]() -> Coro<> {
        EXPECT_EQ(co_await shifted_in_shifted(), 5);
        std::vector<Task<int>> many;
        for (int i = 0; i < 100; ++i) many.push_back(create_task(shifted_in_shifted()));
        for (const int value : co_await gather(std::move(many))) EXPECT_EQ(value, 5);
    });
}

Coro<int> awaits_a_task_in_a_condition(Task<bool> task) {
    if (co_await task) co_return 7;
    co_return 8;
}
Coro<int> awaits_a_future_in_a_condition(Future<bool> future) {
    if (co_await future) co_return 9;
    co_return 10;
}
TEST(CompilerTraps, ShiftedFramesAwaitTasksAndFutures) {
    virtually([]() -> Coro<> {
        EXPECT_EQ(co_await awaits_a_task_in_a_condition(create_task(truth(true))), 7);
        Future<bool> future;
        Task<int> task = create_task(awaits_a_future_in_a_condition(future));
        co_await turns();
        future.set_result(true);
        EXPECT_EQ(co_await task, 9);
    });
}

AsyncGenerator<int> generates_in_a_condition() {
    if (co_await truth(true)) co_yield 11;
}
TEST(CompilerTraps, ShiftedGenerators) {
    virtually([]() -> Coro<> {
        AsyncGenerator<int> generator = generates_in_a_condition();
        EXPECT_EQ(co_await generator.next(), 11);
        EXPECT_FALSE((co_await generator.next()).has_value());
    });
}

}  // namespace
}  // namespace coroscope::test
