// What the debugger learns of locks, queues and the rest: what they are, who made them, who uses them, who holds them.
#include "coroscope/detail/resource.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "coroscope/coroscope.hpp"
#include "coroscope/executor.hpp"
#include "coroscope/virtual_time_loop.hpp"
#include "probe_support.hpp"
#include "waits.hpp"

namespace coroscope {
namespace {

using namespace std::chrono_literals;
using detail::ResourceType;
using detail::Role;
using detail::Verb;
using test::DebugOn;
using test::get;
using test::join_queue;
using test::Observed;
using test::observed;
using test::put;
using test::wait_barrier;
using test::wait_future;
using vocabulary::EventKind;

Coro<> turns(int count = 3) {
    for (int i = 0; i < count; ++i) co_await yield();
}

// --- What it is

Coro<> wait_on(Event& event) { co_await event.wait(); }
template <class L>
Coro<> hold(L& lock, Event& until) {
    auto held = co_await lock.acquire();
    co_await until.wait();
}

TEST(Resource, HasATypeAPlaceAndAMaker) {
    observed([](Observed& seen) -> Coro<> {
        const auto here = std::source_location::current();
        Lock lock;
        Semaphore semaphore(3);
        BoundedSemaphore bounded(2);
        Condition condition;
        Event event;
        Barrier barrier(4);
        Queue<int> queue(5);
        LifoQueue<int> lifo(6);
        PriorityQueue<int> priority;
        TaskGroup group;
        const auto all = seen.resources();
        struct Expected {
            ResourceType type;
            std::int64_t capacity;
            std::uint32_t lines_below;
        };
        const std::vector<Expected> expected{
            {ResourceType::lock, 0, 1},    {ResourceType::semaphore, 3, 2},  {ResourceType::bounded_semaphore, 2, 3},
            {ResourceType::lock, 0, 4},    {ResourceType::condition, 0, 4},  {ResourceType::event, 0, 5},
            {ResourceType::barrier, 4, 6}, {ResourceType::queue, 5, 7},      {ResourceType::queue, 6, 8},
            {ResourceType::queue, 0, 9},   {ResourceType::task_group, 0, 10}};
        EXPECT_EQ(all.size(), expected.size());
        for (std::size_t i = 0; i < std::min(all.size(), expected.size()); ++i) {
            EXPECT_EQ(all[i].type, static_cast<std::uint32_t>(expected[i].type)) << i;
            EXPECT_EQ(all[i].capacity, expected[i].capacity) << i;
            EXPECT_EQ(all[i].created_by, current_task().id()) << i;
            EXPECT_EQ(seen.line_of(all[i].created_at), here.line() + expected[i].lines_below) << i;
            EXPECT_TRUE(i == 0 || all[i].id > all[i - 1].id) << "ids grow";
        }
        co_await group.join();
    });
}

TEST(Resource, EndsWithItsOwner) {
    observed([](Observed& seen) -> Coro<> {
        std::uint64_t id = 0;
        {
            Lock lock;
            id = seen.resources().back().id;
        }
        EXPECT_EQ(seen.closed(), std::vector<std::uint64_t>{id});
        co_return;
    });
}

TEST(Resource, IsNotThereWhileDebugModeIsOff) {
    Observed seen;
    run<VirtualTimeLoop>([](Observed& its) -> Coro<> {
        Lock lock;
        Queue<int> queue;
        queue.put_nowait(1);
        Event event;
        auto task = create_task(hold<Lock>, std::ref(lock), std::ref(event));
        auto other = create_task(hold<Lock>, std::ref(lock), std::ref(event));
        co_await turns();
        EXPECT_TRUE(its.resources().empty());
        event.set();
        co_await gather(task, other);
    }(seen));
    EXPECT_TRUE(seen.resources().empty());
    EXPECT_TRUE(seen.closed().empty());
}

TEST(Resource, MadeBeforeDebugModeIsKnownFromItsFirstWaitOn) {
    Queue<int> queue(7);
    queue.put_nowait(1);
    queue.get_nowait();
    observed([&queue](Observed& seen) -> Coro<> {
        return [](Queue<int>& of, Observed& its) -> Coro<> {
            EXPECT_TRUE(its.resources().empty());
            auto task = create_task([&of]() -> Coro<> { co_await of.get(); });
            co_await turns();
            const auto all = its.resources();
            EXPECT_EQ(all.size(), 1u);
            EXPECT_EQ(all.at(0).type, static_cast<std::uint32_t>(ResourceType::queue));
            EXPECT_EQ(all.at(0).capacity, 7);
            EXPECT_EQ(all.at(0).created_by, 0u) << "nobody saw it";
            EXPECT_EQ(its.wait_of(task), vocabulary::pack_wait(Verb::get, all.at(0).id));
            of.put_nowait(1);
            co_await task;
        }(queue, seen);
    });
}

TEST(Resource, CanHaveAName) {
    Queue<int> before;
    before.set_name("before");  // debug mode is off
    observed([&before](Observed& seen) -> Coro<> {
        return [](Queue<int>& of, Observed& its) -> Coro<> {
            auto task = create_task([&of]() -> Coro<> { co_await of.get(); });
            co_await turns();
            EXPECT_EQ(its.resources().back().name, "before");
            of.put_nowait(1);
            co_await task;
            Lock lock;
            EXPECT_EQ(its.resources().back().name, "");
            lock.set_name("orders");
            EXPECT_EQ(its.resources().back().name, "orders");
            EXPECT_EQ(its.resources().back().type, static_cast<std::uint32_t>(ResourceType::lock));
        }(before, seen);
    });
}

// --- Waits

template <class Wait>
Coro<> check_wait(Observed& seen, Wait make_task, ResourceType type, Verb verb) {
    auto task = make_task();
    co_await turns();
    const std::uint64_t wait = seen.wait_of(task);
    EXPECT_EQ(vocabulary::to_string(static_cast<Verb>(vocabulary::verb_of(wait))), vocabulary::to_string(verb));
    const auto* const resource = seen.resource(vocabulary::operand_of(wait));
    EXPECT_NE(resource, nullptr) << vocabulary::to_string(verb);
    if (resource != nullptr) {
        EXPECT_EQ(vocabulary::to_string(static_cast<ResourceType>(resource->type)), vocabulary::to_string(type));
    }
    task.cancel();
    co_await task.wait();
}

Coro<> sleep_long() { co_await sleep(1h); }
Coro<> wait_condition(Condition& condition) {
    auto held = co_await condition.acquire();
    co_await condition.wait(held);
}
Coro<> gather_two() { co_await gather(sleep_long(), sleep_long()); }
Coro<> wait_for_two() {
    std::vector<Task<>> two{create_task(sleep_long()), create_task(sleep_long())};
    co_await wait(two);
}
Coro<> next_of_two() {
    auto completed = as_completed(std::vector<Task<>>{create_task(sleep_long()), create_task(sleep_long())});
    co_await completed.next();
}
Coro<> join_group() {
    TaskGroup group;
    group.create_task(sleep_long());
    group.create_task(sleep_long());
    co_await group.join();
}

TEST(Resource, EveryWaitNamesItsResourceAndItsVerb) {
    observed([](Observed& seen) -> Coro<> {
        Event event;
        co_await check_wait(seen, [&] { return create_task(wait_on(event)); }, ResourceType::event, Verb::until_set);
        Semaphore semaphore(0);
        co_await check_wait(
            seen, [&] { return create_task(hold(semaphore, event)); }, ResourceType::semaphore, Verb::acquire);
        BoundedSemaphore bounded(1);
        EXPECT_TRUE(bounded.try_acquire());
        co_await check_wait(
            seen, [&] { return create_task(hold<Semaphore>(bounded, event)); }, ResourceType::bounded_semaphore,
            Verb::acquire);
        Lock lock;
        EXPECT_TRUE(lock.try_acquire());
        co_await check_wait(seen, [&] { return create_task(hold(lock, event)); }, ResourceType::lock, Verb::acquire);
        Condition condition;
        co_await check_wait(
            seen, [&] { return create_task(wait_condition(condition)); }, ResourceType::condition, Verb::notification);
        Barrier barrier(2);
        co_await check_wait(
            seen, [&] { return create_task(wait_barrier(barrier)); }, ResourceType::barrier, Verb::others);
        Queue<int> queue(1);
        co_await check_wait(seen, [&] { return create_task(get(queue)); }, ResourceType::queue, Verb::get);
        queue.put_nowait(1);
        co_await check_wait(seen, [&] { return create_task(put(queue)); }, ResourceType::queue, Verb::put);
        co_await check_wait(seen, [&] { return create_task(join_queue(queue)); }, ResourceType::queue, Verb::all_done);
        co_await check_wait(
            seen, [&] { return create_task(wait_future(Future<int>())); }, ResourceType::future, Verb::result);
        co_await check_wait(seen, [&] { return create_task(gather_two()); }, ResourceType::gather, Verb::members);
        co_await check_wait(seen, [&] { return create_task(wait_for_two()); }, ResourceType::wait, Verb::members);
        co_await check_wait(
            seen, [&] { return create_task(next_of_two()); }, ResourceType::as_completed, Verb::members);
        co_await check_wait(seen, [&] { return create_task(join_group()); }, ResourceType::task_group, Verb::members);
        for (const AnyTask& task : all_tasks())
            if (task != current_task()) task.cancel();
        co_await turns();
    });
}

TEST(Resource, AJobBelongsToItsPoolAndSaysWhoWaitsForIt) {
    const DebugOn debug_on;
    Observed seen;
    const auto on_both_pools = [](Observed& its) -> Coro<> {
        ThreadPoolExecutor executor(2);
        const std::uint64_t pool = its.resources().back().id;
        EXPECT_EQ(its.resources().back().type, static_cast<std::uint32_t>(ResourceType::thread_pool));
        EXPECT_EQ(its.resources().back().capacity, 2);
        auto task = create_task([&executor]() -> Coro<> { co_await run_in_executor(executor, [] {}); });
        co_await task;
        const auto wait = its.wait_of(task, Verb::job);
        const auto* const job = its.resource(vocabulary::operand_of(wait));
        EXPECT_NE(job, nullptr);
        if (job == nullptr) co_return;
        EXPECT_EQ(job->type, static_cast<std::uint32_t>(ResourceType::job));
        EXPECT_EQ(job->parent, pool);
        EXPECT_EQ(job->created_by, task.id());
    };
    run(on_both_pools(seen));
}

Coro<> wait_through(CustomResource& resource, Event& event) {
    const CustomResource::Waiting waiting(resource);
    co_await event.wait();
}

TEST(Resource, OfTheAppsOwnIsShownInThePlaceOfWhatIsAwaited) {
    observed([](Observed& seen) -> Coro<> {
        CustomResource connections("database connections", 20);
        const auto made = seen.resources().back();
        EXPECT_EQ(made.type, static_cast<std::uint32_t>(ResourceType::custom));
        EXPECT_EQ(made.name, "database connections");
        EXPECT_EQ(made.capacity, 20);
        Event event, other;
        auto task = create_task([&]() -> Coro<> {
            co_await wait_through(connections, event);
            co_await other.wait();
        });
        co_await turns();
        EXPECT_EQ(seen.wait_of(task), vocabulary::pack_wait(Verb::unknown, made.id));
        event.set();
        co_await turns();
        EXPECT_EQ(vocabulary::verb_of(seen.wait_of(task)), static_cast<std::uint8_t>(Verb::until_set));
        other.set();
        co_await task;
    });
}

// --- Holders, users, levels, members

TEST(Resource, AWaitForALockNamesItsHolder) {
    observed([](Observed& seen) -> Coro<> {
        Lock lock;
        Event done;
        auto first = create_task(hold(lock, done));
        auto second = create_task(hold(lock, done));
        auto third = create_task(hold(lock, done));
        co_await turns();
        EXPECT_EQ(seen.holder_named_by(second), first.id());
        EXPECT_EQ(seen.holder_named_by(third), first.id());
        EXPECT_EQ(seen.holder_named_by(first), 0u);
        done.set();
        co_await gather(first, second, third);
    });
}

TEST(Resource, EachTaskIsReportedOnceForEachRole) {
    observed([](Observed& seen) -> Coro<> {
        Queue<int> queue;
        const std::uint64_t id = seen.resources().back().id;
        auto producer = create_task([&queue]() -> Coro<> {
            for (int i = 0; i < 10; ++i) co_await queue.put(i);
        });
        auto consumer = create_task([&queue]() -> Coro<> {
            for (int i = 0; i < 10; ++i) {
                co_await queue.get();
                queue.task_done();
            }
        });
        co_await gather(producer, consumer);
        EXPECT_EQ(seen.uses_of(id),
                  (std::vector<std::pair<std::uint64_t, Role>>{
                      {producer.id(), Role::put}, {consumer.id(), Role::get}, {consumer.id(), Role::item_done}}));
    });
}

TEST(Resource, UsersOfTheOthersAreReportedToo) {
    observed([](Observed& seen) -> Coro<> {
        using Uses = std::vector<std::pair<std::uint64_t, Role>>;
        const std::uint64_t self = current_task().id();
        Event event;
        const std::uint64_t event_id = seen.resources().back().id;
        event.set();
        event.set();
        event.clear();
        EXPECT_EQ(seen.uses_of(event_id), (Uses{{self, Role::set}, {self, Role::clear}}));
        Semaphore semaphore(1);
        const std::uint64_t semaphore_id = seen.resources().back().id;
        {
            auto held = co_await semaphore.acquire();
        }
        EXPECT_EQ(seen.uses_of(semaphore_id), (Uses{{self, Role::acquire}, {self, Role::release}}));
        Condition condition;
        const std::uint64_t condition_id = seen.resources().back().id;
        {
            auto held = co_await condition.acquire();
            condition.notify();
        }
        EXPECT_EQ(seen.uses_of(condition_id), (Uses{{self, Role::notify}}));
        Future<int> future;
        auto task = create_task(wait_future(future));
        co_await turns();
        future.set_result(1);
        EXPECT_EQ(seen.uses_of(vocabulary::operand_of(seen.wait_of(task))), (Uses{{self, Role::resolve}}));
        co_await task;
    });
}

TEST(Resource, AnItemThatIsHandedOverWasTakenByItsReceiver) {
    observed([](Observed& seen) -> Coro<> {
        Queue<int> queue;
        const std::uint64_t id = seen.resources().back().id;
        auto consumer = create_task(get(queue));
        co_await turns();
        queue.put_nowait(1);
        EXPECT_EQ(seen.uses_of(id), (std::vector<std::pair<std::uint64_t, Role>>{{consumer.id(), Role::get},
                                                                                 {current_task().id(), Role::put}}));
        co_await consumer;
    });
}

TEST(Resource, ItsLevelIsReportedOnceATurn) {
    observed([](Observed& seen) -> Coro<> {
        Queue<int> queue;
        const std::uint64_t queue_id = seen.resources().back().id;
        Semaphore semaphore(5);
        const std::uint64_t semaphore_id = seen.resources().back().id;
        co_await sleep(1ms);
        for (int i = 0; i < 10; ++i) queue.put_nowait(i);
        EXPECT_TRUE(semaphore.try_acquire());
        EXPECT_TRUE(semaphore.try_acquire());
        co_await sleep(1ms);
        queue.get_nowait();
        semaphore.release();
        co_await sleep(1ms);
        co_await sleep(1ms);
        EXPECT_EQ(seen.levels_of(queue_id), (std::vector<std::uint64_t>{10, 9}));
        EXPECT_EQ(seen.levels_of(semaphore_id), (std::vector<std::uint64_t>{5, 3, 4}));
        semaphore.release();
    });
}

TEST(Resource, AGroupAndAGatherNameTheirTasks) {
    observed([](Observed& seen) -> Coro<> {
        TaskGroup group;
        const std::uint64_t group_id = seen.resources().back().id;
        auto one = group.create_task(sleep_long());
        auto two = group.create_task(sleep_long());
        EXPECT_EQ(seen.members_of(group_id), (std::vector<std::uint64_t>{one.id(), two.id()}));
        auto both = create_task([](Task<> a, Task<> b) -> Coro<> { co_await gather(a, b); }, one, two);
        co_await turns();
        EXPECT_EQ(seen.members_of(vocabulary::operand_of(seen.wait_of(both))),
                  (std::vector<std::uint64_t>{one.id(), two.id()}));
        both.cancel();
        co_await group.join();
    });
}

TEST(Resource, ASnapshotListsHoldersMembersUsersAndLevelsAgain) {
    observed([](Observed& seen) -> Coro<> {
        Lock lock;
        Event done;
        Queue<int> queue;
        const std::uint64_t queue_id = seen.resources().back().id;
        queue.put_nowait(1);
        auto first = create_task(hold(lock, done));
        auto second = create_task(hold(lock, done));
        auto both = create_task(gather_two());
        co_await sleep(1ms);
        const std::uint64_t gather_id = vocabulary::operand_of(seen.wait_of(both));
        const auto members = seen.members_of(gather_id);
        EXPECT_EQ(members.size(), 2u);
        seen.forget_events();
        seen.ask_for_snapshot();
        co_await sleep(1ms);
        EXPECT_EQ(seen.holder_named_by(second), first.id());
        EXPECT_EQ(seen.members_of(gather_id), members);
        EXPECT_EQ(seen.levels_of(queue_id), std::vector<std::uint64_t>{1});
        EXPECT_EQ(seen.uses_of(queue_id),
                  (std::vector<std::pair<std::uint64_t, Role>>{{current_task().id(), Role::put}}));
        done.set();
        both.cancel();
        co_await gather(first, second);
    });
}

}  // namespace
}  // namespace coroscope
