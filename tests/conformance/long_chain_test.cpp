// Tasks that await each other in long chains, and coroutines: how long they are does not depend on the size of the
// native stack, whatever ends them.
#include <algorithm>

#include "support.hpp"
#include "task_support.hpp"

namespace coroscope::test {
namespace {

constexpr int links = 60'000;

class Alive {
public:
    explicit Alive(int& alive) : alive_(&alive) { ++alive; }
    Alive(const Alive&) = delete;
    Alive& operator=(const Alive&) = delete;
    ~Alive() { --*alive_; }

private:
    int* alive_;
};

// One more link that waits for a task, in each of the ways to do that.
Coro<> by_join(Task<> next, int& alive) {
    const Alive counted(alive);
    co_await next;
}
Coro<> by_gather(Task<> next, int& alive) {
    const Alive counted(alive);
    co_await gather(std::move(next), forever());
}
Coro<> by_wait_for(Task<> next, int& alive) {
    const Alive counted(alive);
    co_await wait_for(std::move(next), 1h);
}
Coro<> by_group(int more, int& alive) {
    const Alive counted(alive);
    TaskGroup group;
    if (more > 0) {
        group.create_task(by_group(more - 1, alive));
    } else {
        group.create_task(forever());
    }
    co_await group.join();
}
Coro<> by_shield(Task<> next, int& alive) {
    const Alive counted(alive);
    co_await shield(next);
}

using Link = Coro<> (*)(Task<>, int&);

Task<> chain_of(Link link, Coro<> end, int& alive, TaskOptions options = TaskOptions()) {
    Task<> last = create_task(options, std::move(end));
    for (int i = 0; i < links; ++i) last = create_task(options, link(std::move(last), alive));
    return last;
}

Coro<> until_all_live(int& alive, int count) {
    while (alive < count) co_await yield();
    co_await turns(3);
}

Coro<> cancel_chain(Link link, TaskOptions options) {
    int alive = 0;
    Task<> last = chain_of(link, forever(), alive, options);
    co_await until_all_live(alive, links);
    last.cancel("down");
    co_await last.wait();
    EXPECT_TRUE(last.cancelled());
    EXPECT_EQ(alive, 0);
}

CORO_TEST(LongChain, OfJoinsIsCancelled) { co_await cancel_chain(by_join, TaskOptions()); }
CORO_TEST(LongChain, OfJoinsIsUnwound) { co_await cancel_chain(by_join, TaskOptions().unwind_cancellation()); }
CORO_TEST(LongChain, OfGathersIsCancelled) { co_await cancel_chain(by_gather, TaskOptions()); }
CORO_TEST(LongChain, OfTimeLimitsIsCancelled) { co_await cancel_chain(by_wait_for, TaskOptions()); }

CORO_TEST(LongChain, OfTaskGroupsIsCancelled) {
    int alive = 0;
    Task<> last = create_task(by_group(links - 1, alive));
    co_await until_all_live(alive, links);
    last.cancel();
    co_await last.wait();
    EXPECT_TRUE(last.cancelled());
    EXPECT_EQ(alive, 0);
}

// What waits through a shield is cancelled alone; the end of the chain ends all others.
CORO_TEST(LongChain, OfShieldsEndsFromItsEnd) {
    int alive = 0;
    Task<> end = create_task(forever());
    Task<> last = end;
    for (int i = 0; i < links; ++i) last = create_task(by_shield(std::move(last), alive));
    co_await until_all_live(alive, links);
    last.cancel();
    co_await last.wait();
    EXPECT_EQ(alive, links - 1);
    end.cancel();
    while (alive != 0) co_await yield();
}

CORO_TEST(LongChain, FailsFromItsEnd) {
    int alive = 0;
    Task<> last = chain_of(by_join, fail_after(1s, "at the end"), alive);
    const auto error = co_await thrown<FirstError>(awaiting(last));
    EXPECT_STREQ(error ? error->what() : "nothing", "at the end");
    EXPECT_EQ(alive, 0);
}

// Each task is done, and holds the last handle to the next one: in its parameters.
CORO_TEST(LongChain, OfDoneTasksIsDropped) {
    int alive = 0;
    Task<> last = chain_of(by_join, for_a_while(1s), alive);
    co_await last;
    EXPECT_EQ(alive, 0);
    last = Task<>();
}

TEST(LongChain, OfTasksThatNeverBeganIsDroppedWithItsLoop) {
    int alive = 0;
    {
        VirtualTimeLoop loop;
        Task<> last;
        const auto make = [&]() -> Coro<> {
            last = chain_of(by_join, forever(), alive);
            co_return;
        };
        loop.run_until_complete(make());
    }
    EXPECT_EQ(alive, 0);
}

// All tasks are cancelled, and each passes that on to the one that it awaits: once, not once for each that awaits it.
TEST(LongChain, EndsWithItsRun) {
    int alive = 0;
    run<VirtualTimeLoop>([](int& counter) -> Coro<> {
        static_cast<void>(chain_of(by_join, forever(), counter));
        co_await until_all_live(counter, links);
    }(alive));
    EXPECT_EQ(alive, 0);
}

// A request that comes round, where the circle is longer than the native stack allows.
CORO_TEST(LongChain, InACircleIsCancelled) {
    int alive = 0;
    std::vector<Task<>> all;
    const auto first = [](std::vector<Task<>>& tasks, int& counter) -> Coro<> {
        const Alive counted(counter);
        co_await tasks.back();
    };
    all.reserve(links + 1);
    all.push_back(create_task(first(all, alive)));
    for (int i = 0; i < links; ++i) all.push_back(create_task(by_join(all.back(), alive)));
    co_await until_all_live(alive, links + 1);
    all[links / 2].cancel();
    while (alive != 0) co_await yield();
    for (const Task<>& task : all) EXPECT_TRUE(task.done());
}

CORO_TEST(LongChain, ThatEndsInACircleIsCancelled) {
    int alive = 0;
    Task<> first;
    const auto wait_for_first = [](Task<>& whom, int& counter) -> Coro<> {
        const Alive counted(counter);
        co_await whom;
    };
    first = create_task(wait_for_first(first, alive));  // of the circle: set below, before it runs
    Task<> last = first;
    for (int i = 0; i < links; ++i) {
        last = create_task(by_join(std::move(last), alive));
        if (i == links / 2) first = last;
    }
    co_await until_all_live(alive, links + 1);
    last.cancel();
    co_await last.wait();
    while (alive != 0) co_await yield();
    first = Task<>();
}

// --- a loop that ends before they do

Coro<> leave_behind(Coro<> (*make)(int&), int& alive, int count) {
    static_cast<void>(create_task(make(alive)));
    while (alive < count) co_await yield();
}
Coro<> chain_of_joins(int& alive) {
    Task<> last = chain_of(by_join, forever(), alive);
    co_await last;
}
Coro<> calls(int more, int& alive) {
    const Alive counted(alive);
    if (more > 0) {
        co_await calls(more - 1, alive);
    } else {
        co_await forever();
    }
}
Coro<> chain_of_calls(int& alive) { co_await calls(links - 1, alive); }

TEST(LongChain, OfTasksIsDroppedWithItsLoop) {
    int alive = 0;
    {
        VirtualTimeLoop loop;
        loop.run_until_complete(leave_behind(chain_of_joins, alive, links));
        EXPECT_EQ(alive, links);
        testing::internal::CaptureStderr();
    }
    const std::string told = testing::internal::GetCapturedStderr();
    EXPECT_EQ(std::ranges::count(told, '\n'), 11) << told;
    EXPECT_NE(told.find("59992 more tasks were destroyed but pending"), std::string::npos) << told;
    EXPECT_EQ(alive, 0);
}

TEST(LongChain, OfCoroutinesIsDroppedWithItsLoop) {
    int alive = 0;
    {
        VirtualTimeLoop loop;
        loop.run_until_complete(leave_behind(chain_of_calls, alive, links));
        EXPECT_EQ(alive, links);
    }
    EXPECT_EQ(alive, 0);
}

// --- coroutines in each other

class Order {
public:
    Order(std::vector<int>& to, int number) : to_(&to), number_(number) {}
    Order(const Order&) = delete;
    Order& operator=(const Order&) = delete;
    ~Order() { to_->push_back(number_); }

private:
    std::vector<int>* to_;
    int number_;
};
AsyncGenerator<int> numbers(std::vector<int>& order, int number) {
    const Order mine(order, number);
    co_await forever();
    co_yield number;
}
Coro<> nested(std::vector<int>& order, int number) {
    const Order mine(order, number);
    if (number == 4) {
        AsyncGenerator<int> generator = numbers(order, number + 1);
        co_await generator.next();
    } else {
        co_await nested(order, number + 1);
    }
}
// As of calls: what is inside may use what is outside.
CORO_TEST(LongChain, OfCoroutinesIsDestroyedInnermostFirst) {
    std::vector<int> order;
    auto task = create_task(TaskOptions().unwind_cancellation(), nested(order, 0));
    co_await turns(2);
    task.cancel();
    co_await task.wait();
    const std::vector<int> expected{5, 4, 3, 2, 1, 0};
    EXPECT_EQ(order, expected);
}

CORO_TEST(LongChain, OfCoroutinesIsCancelledByAThrow) {
    int alive = 0;
    auto task = create_task(chain_of_calls(alive));
    co_await until_all_live(alive, links);
    task.cancel();
    co_await task.wait();
    EXPECT_EQ(alive, 0);
}

}  // namespace
}  // namespace coroscope::test
