// Future: what CPython's test_futures.py pins down, as far as it has a meaning in C++.
#include "task_support.hpp"

namespace coroscope::test {
namespace {

Coro<int> await_future(Future<int> future) { co_return co_await future; }
Coro<int> await_shielded(Future<int> future) { co_return co_await shield(future); }

CORO_TEST(Future, GivesItsResultToAllWhoAwaitIt) {
    const Future<int> future;
    auto one = create_task(await_future(future));
    auto two = create_task(await_future(future));
    co_await sleep(1ms);
    EXPECT_FALSE(future.done());
    future.set_result(4);
    EXPECT_TRUE(future.done());
    EXPECT_EQ(co_await one + co_await two, 8);
    EXPECT_EQ(co_await future, 4);  // done: at once
    EXPECT_EQ(future.result(), 4);
}

CORO_TEST(Future, OfVoidIsAnEvent) {
    Future<> future;
    EventLoop::running().call_later(5ms, [future] { future.set_result(); });
    co_await future;
    future.result();
    EXPECT_EQ(future.exception(), nullptr);
}

TEST(Future, IsNotReadBeforeItIsDone) {
    Future<int> future;
    EXPECT_THROW(future.result(), InvalidStateError);
    EXPECT_THROW(future.exception(), InvalidStateError);
    EXPECT_FALSE(future.cancelled());
}

TEST(Future, IsSetOnce) {
    Future<int> future;
    future.set_result(1);
    EXPECT_THROW(future.set_result(2), InvalidStateError);
    EXPECT_THROW(future.set_exception(FirstError("x")), InvalidStateError);
    EXPECT_FALSE(future.cancel());
    EXPECT_EQ(future.result(), 1);
}

CORO_TEST(Future, ThrowsItsErrorAtEveryAwait) {
    Future<int> future;
    auto waiting = create_task(await_future(future));
    co_await yield();
    future.set_exception(FirstError("x"));
    EXPECT_EQ(co_await thrown_by(waiting), "FirstError: x");
    EXPECT_EQ(co_await thrown_by(await_future(future)), "FirstError: x");
    EXPECT_EQ(thrown_in([&] { future.result(); }), "FirstError: x");
    EXPECT_EQ(text_of(future.exception()), "FirstError: x");
}

TEST(Future, TakesNoNullException) {
    Future<int> future;
    EXPECT_THROW(future.set_exception(std::exception_ptr()), std::invalid_argument);
    EXPECT_FALSE(future.done());
}

CORO_TEST(Future, ThatIsCancelledThrowsCancelledWithTheMessage) {
    Future<int> future;
    auto waiting = create_task(await_future(future));
    co_await yield();
    EXPECT_TRUE(future.cancel("no more"));
    EXPECT_TRUE(future.cancelled());
    EXPECT_FALSE(future.cancel());
    EXPECT_EQ(co_await thrown_by(waiting), "Cancelled: no more");
    EXPECT_EQ(thrown_in([&] { future.result(); }), "Cancelled: no more");
    EXPECT_EQ(thrown_in([&] { future.exception(); }), "Cancelled: no more");
    EXPECT_THROW(future.set_result(1), InvalidStateError);
}

CORO_TEST(Future, CancellingTheTaskThatAwaitsCancelsIt) {
    Future<int> future;
    auto one = create_task(await_future(future));
    auto two = create_task(await_future(future));
    co_await yield();
    one.cancel("one");
    EXPECT_EQ(co_await thrown_by(one), "Cancelled: one");
    EXPECT_TRUE(future.cancelled());
    EXPECT_EQ(co_await thrown_by(two), "Cancelled: one");
    EXPECT_EQ(two.cancelling(), 0u);
}

CORO_TEST(Future, AShieldKeepsItFromBeingCancelled) {
    Future<int> future;
    auto one = create_task(await_shielded(future));
    auto two = create_task(await_future(future));
    co_await yield();
    one.cancel("one");
    EXPECT_EQ(co_await thrown_by(one), "Cancelled: one");
    EXPECT_FALSE(future.done());
    future.set_result(3);
    EXPECT_EQ(co_await two, 3);
}

CORO_TEST(Future, ATimeoutCancelsIt) {
    Future<int> future;
    EXPECT_EQ(co_await thrown_by(wait_for(await_future(future), 5ms)), "TimeoutError: timed out");
    EXPECT_TRUE(future.cancelled());
}

CORO_TEST(Future, DoneCallbacksAreCalledSoonInTheirOrder) {
    Future<int> future;
    std::string calls;
    future.add_done_callback([&](Future<int> done) { calls += std::to_string(done.result()); });
    future.add_done_callback([&](Future<int>) { calls += "b"; });
    future.set_result(7);
    EXPECT_EQ(calls, "");
    co_await yield();
    EXPECT_EQ(calls, "7b");
    future.add_done_callback([&](Future<int>) { calls += "c"; });
    EXPECT_EQ(calls, "7b");
    co_await yield();
    EXPECT_EQ(calls, "7bc");
}

CORO_TEST(Future, DoneCallbacksAreCalledForACancellation) {
    Future<int> future;
    bool called = false;
    future.add_done_callback([&](Future<int> done) { called = done.cancelled(); });
    future.cancel();
    co_await yield();
    EXPECT_TRUE(called);
}

CORO_TEST(Future, DoneCallbacksAreCalledAlsoWhereTheLastHandleGoesBefore) {
    std::string calls;
    {
        Future<int> future;
        future.add_done_callback([&](Future<int> done) { calls += std::to_string(done.result()); });
        future.set_result(7);
        future.add_done_callback([&](Future<int> done) { calls += std::to_string(done.result() + 1); });
    }
    co_await yield();
    EXPECT_EQ(calls, "78");
}

CORO_TEST(Future, DoneCallbacksOfAFutureThatNobodyCanSetAnyMoreAreDropped) {
    const auto captured = std::make_shared<int>(7);
    {
        Future<int> future;
        future.add_done_callback([captured](Future<int>) {});
        EXPECT_EQ(captured.use_count(), 2);
    }
    EXPECT_EQ(captured.use_count(), 1);
    co_await yield();
}

CORO_TEST(Future, IsWokenInTheOrderOfTheAwaits) {
    Future<> future;
    std::string order;
    const auto note = [](Future<> its_future, std::string& its_order, char name) -> Coro<> {
        co_await its_future;
        its_order += name;
    };
    auto a = create_task(note, future, std::ref(order), 'a');
    auto b = create_task(note, future, std::ref(order), 'b');
    co_await yield();
    future.set_result();
    co_await gather(a, b);
    EXPECT_EQ(order, "ab");
}

CORO_TEST(Future, GivesAValueThatCannotBeCopied) {
    Future<std::unique_ptr<int>> future;
    future.set_result(std::make_unique<int>(5));
    EXPECT_EQ(*future.result(), 5);
    const std::unique_ptr<int> value = co_await future;
    EXPECT_EQ(*value, 5);
}

TEST(Future, AnErrorThatNobodyRetrievedIsReported) {
    testing::internal::CaptureStderr();
    {
        Future<int>().set_exception(FirstError("lost"));
    }
    const std::string told = testing::internal::GetCapturedStderr();
    EXPECT_NE(told.find("never retrieved"), std::string::npos) << told;
    EXPECT_NE(told.find("lost"), std::string::npos) << told;
    testing::internal::CaptureStderr();
    {
        Future<int> future;
        future.set_exception(FirstError("seen"));
        future.exception();
    }
    EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

}  // namespace
}  // namespace coroscope::test
