// Threads and loops: run_coroutine_threadsafe(), call_soon_threadsafe(), to_thread(), executors.
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "task_support.hpp"

namespace coroscope::test {
namespace {

// A loop that runs on its own thread until the end of the scope.
class LoopThread {
public:
    LoopThread() : thread_([this] { loop_.run_forever(); }) {}
    ~LoopThread() { stop(); }
    LoopThread(const LoopThread&) = delete;
    LoopThread& operator=(const LoopThread&) = delete;
    EventLoop& loop() noexcept { return loop_; }
    void stop() {
        if (!thread_.joinable()) return;
        loop_.stop_threadsafe();
        thread_.join();
    }

private:
    EventLoop loop_;
    std::thread thread_;
};

Coro<std::thread::id> where() { co_return std::this_thread::get_id(); }
Coro<> wait_on(Event& event) { co_await event.wait(); }

TEST(RunCoroutineThreadsafe, RunsOnTheLoopsThreadAndGivesTheResult) {
    LoopThread other;
    const auto answer = run_coroutine_threadsafe(value_after(1ms, 7), other.loop());
    EXPECT_EQ(answer.get(), 7);
    EXPECT_EQ(answer.get(), 7);
    EXPECT_TRUE(answer.done());
    EXPECT_EQ(answer.exception(), nullptr);
    EXPECT_NE(run_coroutine_threadsafe(where(), other.loop()).get(), std::this_thread::get_id());
}

TEST(RunCoroutineThreadsafe, GivesTheError) {
    LoopThread other;
    const auto failing = run_coroutine_threadsafe(fail_after(1ms, "x"), other.loop());
    EXPECT_EQ(thrown_in([&] { failing.get(); }), "FirstError: x");
    EXPECT_EQ(text_of(failing.exception()), "FirstError: x");
    EXPECT_FALSE(failing.cancelled());
}

TEST(RunCoroutineThreadsafe, TakesACallableAndKeepsItsCaptures) {
    LoopThread other;
    const std::string text = "captured";
    const auto answer = run_coroutine_threadsafe(
        [text]() -> Coro<std::size_t> {
            co_await sleep(1ms);
            co_return text.size();
        },
        other.loop());
    EXPECT_EQ(answer.get(), 8u);
}

TEST(RunCoroutineThreadsafe, IsCancelledFromTheOtherThread) {
    LoopThread other;
    Event never;
    const auto waiting = run_coroutine_threadsafe(wait_on(never), other.loop());
    EXPECT_FALSE(waiting.wait_for(1ms));
    EXPECT_FALSE(waiting.done());
    EXPECT_TRUE(waiting.cancel("from here"));
    EXPECT_EQ(thrown_in([&] { waiting.get(); }), "Cancelled: from here");
    EXPECT_TRUE(waiting.cancelled());
    EXPECT_FALSE(waiting.cancel());
}

TEST(RunCoroutineThreadsafe, ATimeoutOfTheBlockingWaitLeavesTheCoroutine) {
    LoopThread other;
    Event event;
    const auto waiting = run_coroutine_threadsafe(wait_on(event), other.loop());
    EXPECT_EQ(thrown_in([&] { waiting.get(1ms); }), "TimeoutError: timed out");
    other.loop().call_soon_threadsafe([&event] { event.set(); });
    waiting.get();
}

TEST(RunCoroutineThreadsafe, MaySwallowItsCancellation) {
    LoopThread other;
    const auto waiting = run_coroutine_threadsafe(swallow_cancellation(5), other.loop());
    const auto barrier = run_coroutine_threadsafe(value_now(0), other.loop());
    barrier.get();
    waiting.cancel();
    EXPECT_EQ(waiting.get(), 5);
}

TEST(RunCoroutineThreadsafe, CancelledBeforeItBeganNeverBegins) {
    VirtualTimeLoop loop;  // not running yet
    ::testing::internal::CaptureStderr();
    const auto answer = run_coroutine_threadsafe(value_now(1), loop);
    answer.cancel("too early");
    for (int i = 0; i < 3; ++i) loop.run_once();
    EXPECT_TRUE(answer.cancelled());
    EXPECT_EQ(thrown_in([&] { answer.get(); }), "Cancelled: too early");
    EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

TEST(RunCoroutineThreadsafe, TheEndOfTheLoopCountsAsACancellation) {
    ::testing::internal::CaptureStderr();
    std::optional<ConcurrentFuture<>> begun, queued;
    {
        EventLoop loop;
        begun = run_coroutine_threadsafe(forever(), loop);
        loop.run_once();
        queued = run_coroutine_threadsafe(forever(), loop);
    }
    ::testing::internal::GetCapturedStderr();
    EXPECT_EQ(thrown_in([&] { begun->get(); }), "Cancelled");
    EXPECT_EQ(thrown_in([&] { queued->get(); }), "Cancelled");
    EXPECT_FALSE(begun->cancel());
}

Coro<std::string> block_on_own_loop() {
    const auto answer = run_coroutine_threadsafe(value_now(1), EventLoop::running());
    const std::string thrown = thrown_in([&] { answer.get(); });
    co_await sleep(1ms);
    co_return thrown + (answer.get() == 1 ? ", later done" : "");
}
TEST(RunCoroutineThreadsafe, BlockingOnTheLoopsOwnThreadIsAnErrorNotADeadlock) {
    const std::string thrown = run(block_on_own_loop());
    EXPECT_NE(thrown.find("own thread"), std::string::npos) << thrown;
    EXPECT_NE(thrown.find("later done"), std::string::npos) << thrown;
}

TEST(RunCoroutineThreadsafe, FromManyThreads) {
    LoopThread other;
    std::atomic<int> sum{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
        threads.emplace_back([&] {
            for (int i = 0; i < 50; ++i) sum += run_coroutine_threadsafe(value_now(i), other.loop()).get();
        });
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(sum, 4 * 50 * 49 / 2);
}

TEST(RunCoroutineThreadsafe, GivesAValueThatCannotBeCopied) {
    LoopThread other;
    const auto make = []() -> Coro<std::unique_ptr<int>> { co_return std::make_unique<int>(3); };
    EXPECT_EQ(*run_coroutine_threadsafe(make, other.loop()).get(), 3);
}

// --- call_soon_threadsafe

Coro<> wait_for_call(EventLoop& loop, std::vector<int>& order) {
    Future<> all;
    std::thread thread([&loop, &order, all] {
        for (int i = 0; i < 100; ++i) loop.call_soon_threadsafe([&order, i] { order.push_back(i); });
        loop.call_soon_threadsafe([all] { all.set_result(); });
    });
    co_await all;
    thread.join();
}
TEST(CallSoonThreadsafe, KeepsTheOrderOfOneThread) {
    EventLoop loop;
    std::vector<int> order;
    loop.run_until_complete(wait_for_call(loop, order));
    ASSERT_EQ(order.size(), 100u);
    EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST(CallSoonThreadsafe, GivesAHandle) {
    EventLoop loop;
    bool called = false;
    Handle handle = loop.call_soon_threadsafe([&called] { called = true; });
    handle.cancel();
    loop.run_once();
    loop.run_once();
    EXPECT_TRUE(handle.cancelled());
    EXPECT_FALSE(called);
}

// --- to_thread, executors

// Lets a job on another thread wait for the test.
class Gate {
public:
    void open() {
        const std::scoped_lock lock(mutex_);
        open_ = true;
        changed_.notify_all();
    }
    void pass() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return open_; });
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool open_ = false;
};

Coro<> await_gate(Gate& gate, std::atomic<bool>& passed) {
    auto pass = [&gate, &passed] {
        gate.pass();
        passed = true;
    };
    co_await to_thread(pass);
}
Coro<> cancel_a_job(Gate& gate, std::atomic<bool>& passed) {
    auto task = create_task(await_gate(gate, passed));
    co_await yield();
    task.cancel("enough");
    EXPECT_EQ(co_await thrown_by(task), "Cancelled: enough");
    EXPECT_FALSE(passed.load());
    gate.open();
}
TEST(ToThread, CancellingEndsTheWaitAtOnce) {
    Gate gate;
    std::atomic<bool> passed{false};
    run(cancel_a_job(gate, passed));
}

Coro<int> run_on(ThreadPoolExecutor& executor, Gate& gate, std::atomic<int>& calls) {
    auto job = [&gate, &calls] {
        gate.pass();
        return ++calls;
    };
    co_return co_await run_in_executor(executor, job);
}
Coro<> cancel_a_queued_job(ThreadPoolExecutor& executor, Gate& gate, std::atomic<int>& calls) {
    auto first = create_task(run_on(executor, gate, calls));
    auto queued = create_task(run_on(executor, gate, calls));
    auto last = create_task(run_on(executor, gate, calls));
    co_await yield();
    queued.cancel();
    co_await queued.wait();
    gate.open();
    EXPECT_EQ(co_await first, 1);
    EXPECT_EQ(co_await last, 2);
}
TEST(RunInExecutor, AJobThatIsCancelledBeforeItBeginsIsNotRun) {
    Gate gate;
    std::atomic<int> calls{0};
    {
        ThreadPoolExecutor executor(1);
        run(cancel_a_queued_job(executor, gate, calls));
    }
    EXPECT_EQ(calls, 2);
}

Coro<std::thread::id> thread_of(ThreadPoolExecutor& executor) {
    co_return co_await run_in_executor(executor, std::this_thread::get_id);
}
Coro<> on_one_thread() {
    ThreadPoolExecutor executor(1);
    const auto one = co_await thread_of(executor);
    const auto two = co_await thread_of(executor);
    EXPECT_EQ(one, two);
    EXPECT_NE(one, std::this_thread::get_id());
}
TEST(RunInExecutor, RunsOnTheExecutorsThreads) {
    run(on_one_thread());
    EXPECT_THROW(ThreadPoolExecutor(0), std::invalid_argument);
}

Coro<> fail_on(ThreadPoolExecutor& executor) {
    auto fail = [] { throw FirstError("on the thread"); };
    co_await run_in_executor(executor, fail);
}
TEST(RunInExecutor, GivesTheError) {
    ThreadPoolExecutor executor(1);
    EXPECT_EQ(thrown_in([&] { run(fail_on(executor)); }), "FirstError: on the thread");
}

// The messages of what the loop's exception handler got.
Coro<> handle_failures(std::vector<std::string>& handled) {
    EventLoop& loop = EventLoop::running();
    loop.set_exception_handler([&handled](EventLoop& of, const std::exception_ptr& error) {
        EXPECT_EQ(&of, &EventLoop::running()) << "on the loop's thread";
        handled.push_back(thrown_in([&] { std::rethrow_exception(error); }));
    });
    loop.submit([] { throw FirstError("of a job"); });
    while (handled.empty()) co_await sleep(1ms);
    loop.submit([] { throw 7; });  // no std::exception
    while (handled.size() < 2) co_await sleep(1ms);
}
TEST(Submit, AnExceptionOfAJobGoesToTheLoopsExceptionHandler) {
    std::vector<std::string> handled;
    run(handle_failures(handled));
    ASSERT_EQ(handled.size(), 2u);
    EXPECT_EQ(handled[0], "FirstError: of a job");
}
TEST(Submit, AnExceptionOfAJobIsHandledAlsoByALoopThatEnds) {
    ::testing::internal::CaptureStderr();
    std::atomic<int> handled{0};
    {
        EventLoop loop;
        loop.set_exception_handler([&handled](EventLoop&, const std::exception_ptr&) { ++handled; });
        loop.submit([] { throw FirstError("of a job"); });
    }
    EXPECT_EQ(handled, 1);
    EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}
TEST(ThreadPoolExecutor, AnExceptionOfAJobIsReportedAndTheThreadGoesOn) {
    ::testing::internal::CaptureStderr();
    std::atomic<bool> done{false};
    {
        ThreadPoolExecutor executor(1);
        executor.submit([] { throw FirstError("of a job"); });
        executor.submit([&done] { done = true; });
    }
    EXPECT_TRUE(done);
    EXPECT_NE(::testing::internal::GetCapturedStderr().find("of a job"), std::string::npos);
}

Coro<> leave_a_job(ThreadPoolExecutor& executor, Gate& gate, std::atomic<int>& calls) {
    create_task(run_on(executor, gate, calls));
    co_await yield();
}
TEST(RunInExecutor, AJobMayOutliveTheLoop) {
    Gate gate;
    std::atomic<int> calls{0};
    {
        ThreadPoolExecutor executor(1);
        run(leave_a_job(executor, gate, calls));
        gate.open();
    }
    EXPECT_LE(calls, 1);
}

}  // namespace
}  // namespace coroscope::test
