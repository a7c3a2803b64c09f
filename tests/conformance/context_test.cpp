// Context variables: what Python's contextvars do, alone and with tasks and callbacks.
#include "coroscope/context.hpp"

#include <thread>

#include "support.hpp"

namespace coroscope::test {
namespace {

ContextVar<std::string> user("user", "nobody");
ContextVar<int> depth("depth");

TEST(ContextVar, HasItsDefaultUntilItIsSet) {
    virtually([]() -> Coro<> {
        EXPECT_EQ(user.get(), "nobody");
        user.set("alice");
        EXPECT_EQ(user.get(), "alice");
        EXPECT_EQ(user.name(), "user");
        co_return;
    });
}

TEST(ContextVar, WithoutADefaultItThrowsOrGivesWhatIsAskedFor) {
    virtually([]() -> Coro<> {
        EXPECT_THROW(depth.get(), std::logic_error);
        EXPECT_EQ(depth.get(3), 3);
        depth.set(1);
        EXPECT_EQ(depth.get(3), 1);
        co_return;
    });
}

TEST(ContextVar, ResetPutsBackWhatWasThere) {
    virtually([]() -> Coro<> {
        auto first = user.set("alice");
        auto second = user.set("bob");
        EXPECT_FALSE(first.old_value());
        EXPECT_EQ(second.old_value(), "alice");
        user.reset(second);
        EXPECT_EQ(user.get(), "alice");
        user.reset(first);
        EXPECT_EQ(user.get(), "nobody");
        EXPECT_THROW(user.reset(first), std::logic_error) << "a token is good for once";
        co_return;
    });
}

TEST(ContextVar, ATokenOfAnotherVariableIsRefused) {
    virtually([]() -> Coro<> {
        ContextVar<std::string> other("other");
        auto token = other.set("x");
        EXPECT_THROW(user.reset(token), std::logic_error);
        co_return;
    });
}

Coro<std::string> who() {
    co_await yield();
    co_return user.get();
}

TEST(ContextVar, ATaskBeginsWithItsCreatorsValues) {
    virtually([]() -> Coro<> {
        user.set("alice");
        Task<std::string> task = create_task(who());
        user.set("bob");  // after its creation: not seen
        EXPECT_EQ(co_await task, "alice");
        EXPECT_EQ(user.get(), "bob");
    });
}

Coro<> become(std::string name) {
    user.set(std::move(name));
    co_await yield();
}
TEST(ContextVar, WhatATaskSetsStaysItsOwn) {
    virtually([]() -> Coro<> {
        user.set("alice");
        co_await create_task(become("mallory"));
        EXPECT_EQ(user.get(), "alice");
    });
}

TEST(ContextVar, AnAwaitedCoroutineIsNoTaskAndSharesTheContext) {
    virtually([]() -> Coro<> {
        co_await become("carol");
        EXPECT_EQ(user.get(), "carol");
    });
}

TEST(ContextVar, EachOfManyTasksHasItsOwn) {
    virtually([]() -> Coro<> {
        auto set_and_wait = [](int number) -> Coro<int> {
            depth.set(number);
            co_await sleep(std::chrono::seconds(10 - number));
            co_return depth.get();
        };
        std::vector<Task<int>> tasks;
        for (int i = 0; i < 10; ++i) tasks.push_back(create_task(set_and_wait(i)));
        const std::vector<int> seen = co_await gather(std::move(tasks));
        for (int i = 0; i < 10; ++i) EXPECT_EQ(seen[static_cast<std::size_t>(i)], i);
    });
}

TEST(ContextVar, TasksOfTasksInherit) {
    virtually([]() -> Coro<> {
        auto parent = []() -> Coro<std::string> { co_return co_await create_task(who()); };
        user.set("grandmother");
        EXPECT_EQ(co_await create_task(parent()), "grandmother");
    });
}

TEST(ContextVar, ACallbackRunsInTheContextOfWhoScheduledIt) {
    virtually([]() -> Coro<> {
        std::string soon, later, threadsafe;
        EventLoop& loop = EventLoop::running();
        user.set("alice");
        loop.call_soon([&] { soon = user.get(); });
        loop.call_later(1s, [&] { later = user.get(); });
        loop.call_soon_threadsafe([&] { threadsafe = user.get(); });
        user.set("bob");
        co_await sleep(2s);
        EXPECT_EQ(soon, "alice");
        EXPECT_EQ(later, "alice");
        EXPECT_EQ(threadsafe, "alice");
    });
}

TEST(ContextVar, WhatACallbackSetsStaysItsOwn) {
    virtually([]() -> Coro<> {
        user.set("alice");
        EventLoop::running().call_soon([] { user.set("callback"); });
        co_await sleep(1s);
        EXPECT_EQ(user.get(), "alice");
    });
}

TEST(ContextVar, ATaskCreatedByACallbackBeginsWithTheCallbacks) {
    virtually([]() -> Coro<> {
        Task<std::string> task;
        EventLoop& loop = EventLoop::running();
        loop.call_soon([&] {
            user.set("callback");
            task = create_task(who());
        });
        co_await turns();
        EXPECT_EQ(co_await task, "callback");
    });
}

TEST(Context, ACopyKeepsItsValuesAndItsChanges) {
    virtually([]() -> Coro<> {
        user.set("alice");
        Context copy = copy_context();
        user.set("bob");
        EXPECT_EQ(copy.run([] { return user.get(); }), "alice");
        copy.run([] { user.set("carol"); });
        EXPECT_EQ(copy.run([] { return user.get(); }), "carol");
        EXPECT_EQ(user.get(), "bob");
        co_return;
    });
}

TEST(Context, RunPutsTheOldOneBackWhenTheFunctionThrows) {
    virtually([]() -> Coro<> {
        user.set("alice");
        Context empty;
        EXPECT_THROW(empty.run([] { throw std::runtime_error("inside"); }), std::runtime_error);
        EXPECT_EQ(user.get(), "alice");
        EXPECT_EQ(empty.run([] { return user.get(); }), "nobody");
        co_return;
    });
}

TEST(Context, EachThreadHasItsOwnOutsideOfTasks) {
    std::string other;
    auto token = user.set("main thread");
    std::thread([&] { other = user.get(); }).join();
    EXPECT_EQ(other, "nobody");
    EXPECT_EQ(user.get(), "main thread");
    user.reset(token);
}

TEST(Context, TheMainTaskBeginsWithTheThreads) {
    auto token = user.set("main thread");
    run<VirtualTimeLoop>([]() -> Coro<> {
        EXPECT_EQ(user.get(), "main thread");
        user.set("task");
        co_return;
    });
    EXPECT_EQ(user.get(), "main thread");
    user.reset(token);
}

Coro<std::string> who_on_a_thread() {
    co_return co_await to_thread([] { return user.get(); });
}
TEST(Context, AFunctionOnAThreadRunsInACopyOfItsCallers) {
    run([]() -> Coro<> {
        user.set("alice");
        EXPECT_EQ(co_await who_on_a_thread(), "alice");
    });
}

}  // namespace
}  // namespace coroscope::test
