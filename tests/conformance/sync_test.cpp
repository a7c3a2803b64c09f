// Event, Lock, Semaphore, BoundedSemaphore, Condition, Barrier: what asyncio's do.
#include "support.hpp"

#include <algorithm>
#include <deque>
#include <memory>
#include <optional>
#include <set>

namespace coroscope::test {
namespace {

using Log = std::vector<std::string>;

// --- Event

Coro<> wait_for_event(Event& event, Log& log, std::string name) {
    co_await event.wait();
    log.push_back(name);
}

TEST(Event, WakesAllWhoWaitInTheOrderOfTheirComing) {
    virtually([]() -> Coro<> {
        Event event;
        Log log;
        std::vector<Task<>> tasks;
        for (const char* name : {"a", "b", "c"}) tasks.push_back(create_task(wait_for_event(event, log, name)));
        co_await turns();
        EXPECT_TRUE(log.empty());
        event.set();
        co_await gather(std::move(tasks));
        EXPECT_EQ(log, (Log{"a", "b", "c"}));
    });
}

TEST(Event, OnceSetNobodyWaits) {
    virtually([]() -> Coro<> {
        Event event;
        EXPECT_FALSE(event.is_set());
        event.set();
        EXPECT_TRUE(event.is_set());
        co_await event.wait();
    });
}

TEST(Event, ClearedItMakesWaitAgain) {
    virtually([]() -> Coro<> {
        Event event;
        Log log;
        event.set();
        event.clear();
        EXPECT_FALSE(event.is_set());
        Task<> task = create_task(wait_for_event(event, log, "a"));
        co_await turns();
        EXPECT_TRUE(log.empty());
        event.set();
        co_await task;
    });
}

TEST(Event, SetAndClearedAtOnceStillWakesWhoWaited) {
    virtually([]() -> Coro<> {
        Event event;
        Log log;
        Task<> task = create_task(wait_for_event(event, log, "a"));
        co_await turns();
        event.set();
        event.clear();
        co_await task;
        EXPECT_EQ(log, Log{"a"});
    });
}

TEST(Event, ACancelledWaiterLeaves) {
    virtually([]() -> Coro<> {
        Event event;
        Log log;
        Task<> first = create_task(wait_for_event(event, log, "a")),
               second = create_task(wait_for_event(event, log, "b"));
        co_await turns();
        first.cancel();
        event.set();
        co_await second;
        EXPECT_EQ(log, Log{"b"});
        EXPECT_TRUE(first.cancelled());
    });
}

// --- Lock and Semaphore

template <class L>
Coro<> hold(L& lock, Log& log, std::string name, std::chrono::nanoseconds time) {
    auto held = co_await lock.acquire();
    log.push_back(name);
    co_await sleep(time);
}

TEST(Lock, OneAtATimeInTheOrderOfTheirComing) {
    virtually([]() -> Coro<> {
        Lock lock;
        Log log;
        std::vector<Task<>> tasks;
        for (const char* name : {"a", "b", "c"}) tasks.push_back(create_task(hold(lock, log, name, 1s)));
        co_await sleep(1500ms);
        EXPECT_EQ(log, (Log{"a", "b"}));
        EXPECT_TRUE(lock.locked());
        co_await gather(std::move(tasks));
        EXPECT_EQ(log, (Log{"a", "b", "c"}));
        EXPECT_FALSE(lock.locked());
    });
}

TEST(Lock, IsReleasedWhenAnExceptionFlies) {
    virtually([]() -> Coro<> {
        Lock lock;
        auto fails = [](Lock& of) -> Coro<> {
            auto held = co_await of.acquire();
            throw std::runtime_error("inside");
        };
        EXPECT_TRUE((co_await thrown<std::runtime_error>(fails(lock))).has_value());
        EXPECT_FALSE(lock.locked());
    });
}

TEST(Lock, CanBeGivenBackBeforeTheEndOfItsScope) {
    virtually([]() -> Coro<> {
        Lock lock;
        auto held = co_await lock.acquire();
        held.release();
        EXPECT_FALSE(lock.locked());
        held.release();  // harmless
        EXPECT_TRUE(lock.try_acquire());
        EXPECT_FALSE(lock.try_acquire());
        lock.release();
    });
}

TEST(Lock, ACancelledWaiterDoesNotGetIt) {
    virtually([]() -> Coro<> {
        Lock lock;
        Log log;
        Task<> first = create_task(hold(lock, log, "a", 1s)), second = create_task(hold(lock, log, "b", 1s)),
               third = create_task(hold(lock, log, "c", 1s));
        co_await turns();
        second.cancel();
        co_await first;
        co_await third;
        EXPECT_EQ(log, (Log{"a", "c"}));
        EXPECT_FALSE(lock.locked());
    });
}

TEST(Lock, OneCancelledAfterItWasGrantedPassesItOn) {
    virtually([]() -> Coro<> {
        Lock lock;
        Log log;
        auto held = std::make_optional(co_await lock.acquire());
        Task<> second = create_task(hold(lock, log, "b", 1s)), third = create_task(hold(lock, log, "c", 1s));
        co_await turns();
        held.reset();     // granted to the second
        second.cancel();  // before it ran
        co_await third;
        EXPECT_EQ(log, Log{"c"});
        EXPECT_TRUE(second.cancelled());
        EXPECT_FALSE(lock.locked());
    });
}

TEST(Lock, IsNotSnatchedFromWhoWaited) {
    virtually([]() -> Coro<> {
        Lock lock;
        Log log;
        auto held = std::make_optional(co_await lock.acquire());
        Task<> waiting = create_task(hold(lock, log, "waiter", 0s));
        co_await turns();
        held.reset();
        EXPECT_FALSE(lock.try_acquire());
        co_await waiting;
        EXPECT_EQ(log, Log{"waiter"});
    });
}

TEST(Semaphore, LetsAsManyInAsItHasPermits) {
    virtually([]() -> Coro<> {
        Semaphore semaphore(2);
        Log log;
        std::vector<Task<>> tasks;
        for (const char* name : {"a", "b", "c", "d"}) tasks.push_back(create_task(hold(semaphore, log, name, 1s)));
        co_await sleep(500ms);
        EXPECT_EQ(log, (Log{"a", "b"}));
        EXPECT_TRUE(semaphore.locked());
        co_await sleep(1s);
        EXPECT_EQ(log, (Log{"a", "b", "c", "d"}));
        co_await gather(std::move(tasks));
        EXPECT_EQ(semaphore.value(), 2u);
    });
}

TEST(Semaphore, CanBeReleasedAboveItsInitialValue) {
    Semaphore semaphore(1);
    semaphore.release();
    EXPECT_EQ(semaphore.value(), 2u);
}

TEST(Semaphore, OfZeroWaitsForARelease) {
    virtually([]() -> Coro<> {
        Semaphore semaphore(0);
        Log log;
        Task<> task = create_task(hold(semaphore, log, "a", 0s));
        co_await turns();
        EXPECT_TRUE(log.empty());
        semaphore.release();
        co_await task;
        EXPECT_EQ(log, Log{"a"});
    });
}

TEST(Semaphore, ANewcomerDoesNotOvertake) {
    virtually([]() -> Coro<> {
        Semaphore semaphore(1);
        Log log;
        auto comes_again = [](Semaphore& of, Log& to) -> Coro<> {
            for (int i = 0; i < 2; ++i) {
                auto held = co_await of.acquire();
                to.push_back("again");
                co_await yield();
            }
        };
        Task<> again = create_task(comes_again(semaphore, log));
        Task<> other = create_task(hold(semaphore, log, "other", 0s));
        co_await gather(again, other);
        EXPECT_EQ(log, (Log{"again", "other", "again"}));
    });
}

TEST(Semaphore, SeveralReleasedAtOnceWakeAsManyAlsoIfOneIsCancelled) {
    virtually([]() -> Coro<> {
        Semaphore semaphore(0);
        Log log;
        std::vector<Task<>> tasks;
        for (const char* name : {"a", "b", "c"}) tasks.push_back(create_task(hold(semaphore, log, name, 0s)));
        co_await turns();
        semaphore.release();
        semaphore.release();
        tasks[0].cancel();
        co_await turns();
        EXPECT_EQ(log, (Log{"b", "c"}));
    });
}

Coro<> release(Lock& lock, bool& refused) {
    try {
        lock.release();
    } catch (const std::logic_error&) {
        refused = true;
    }
    co_return;
}

TEST(Lock, ReleasedByATaskThatDoesNotHoldItIsAnError) {
    virtually([]() -> Coro<> {
        Lock lock;
        EXPECT_THROW(lock.release(), std::logic_error);
        EXPECT_TRUE(lock.try_acquire());
        bool refused = false;
        co_await create_task(release, std::ref(lock), std::ref(refused));
        EXPECT_TRUE(refused) << "it is another task's";
        EXPECT_TRUE(lock.locked());
        lock.release();
        EXPECT_THROW(lock.release(), std::logic_error) << "twice";
        EXPECT_TRUE(lock.try_acquire()) << "and it is as it was";
        EXPECT_FALSE(lock.try_acquire());
        lock.release();
    });
}

TEST(Lock, ReleasedByHandAndByItsScopeIsReleasedOnce) {
    virtually([]() -> Coro<> {
        Lock lock;
        {
            auto held = co_await lock.acquire();
            lock.release();
        }
        EXPECT_FALSE(lock.locked());
        EXPECT_TRUE(lock.try_acquire());
        EXPECT_FALSE(lock.try_acquire()) << "it admits one";
        lock.release();
    });
}

Coro<> hold_until(Lock& lock, Event& event) {
    auto held = co_await lock.acquire();
    EXPECT_EQ(lock.owner(), current_task().id());
    EXPECT_TRUE(lock.held_by_running_task());
    co_await event.wait();
}

TEST(Lock, KnowsTheTaskThatHoldsIt) {
    virtually([]() -> Coro<> {
        Lock lock;
        Event first_done, second_done;
        EXPECT_EQ(lock.owner(), 0u);
        Task<> first = create_task(hold_until, std::ref(lock), std::ref(first_done));
        Task<> second = create_task(hold_until, std::ref(lock), std::ref(second_done));
        co_await turns();
        EXPECT_EQ(lock.owner(), first.id());
        EXPECT_FALSE(lock.held_by_running_task());
        first_done.set();
        co_await first;
        EXPECT_EQ(lock.owner(), second.id()) << "from the hand-over on";
        second_done.set();
        co_await second;
        EXPECT_EQ(lock.owner(), 0u);
    });
}

TEST(BoundedSemaphore, IsOneAlsoWhereItIsPassedAsASemaphore) {
    virtually([]() -> Coro<> {
        BoundedSemaphore bounded(1);
        Semaphore& semaphore = bounded;
        EXPECT_THROW(semaphore.release(), std::logic_error);
        {
            auto held = co_await semaphore.acquire();
            semaphore.release();
        }
        EXPECT_EQ(semaphore.value(), 1u) << "released by hand and by its scope";
    });
}

TEST(BoundedSemaphore, ReleasedTooOftenIsAnError) {
    virtually([]() -> Coro<> {
        BoundedSemaphore semaphore(1);
        EXPECT_THROW(semaphore.release(), std::logic_error);
        EXPECT_TRUE(semaphore.try_acquire());
        semaphore.release();
        EXPECT_THROW(semaphore.release(), std::logic_error);
        {
            auto held = co_await semaphore.acquire();
            EXPECT_TRUE(semaphore.locked());
        }
        EXPECT_EQ(semaphore.value(), 1u);
    });
}

// --- Condition

struct Box {
    Condition condition;
    std::deque<int> items;
    Log log;
};

Coro<> take_one(Box& box, std::string name) {
    auto held = co_await box.condition.acquire();
    co_await box.condition.wait(held);
    box.log.push_back(name);
}
Coro<> notify(Box& box, std::size_t count) {
    auto held = co_await box.condition.acquire();
    box.condition.notify(count);
}

TEST(Condition, WakesAsManyAsNotifiedInTheOrderOfTheirComing) {
    virtually([]() -> Coro<> {
        Box box;
        std::vector<Task<>> tasks;
        for (const char* name : {"a", "b", "c"}) tasks.push_back(create_task(take_one(box, name)));
        co_await turns();
        co_await notify(box, 1);
        co_await turns();
        EXPECT_EQ(box.log, Log{"a"});
        co_await notify(box, 5);
        co_await gather(std::move(tasks));
        EXPECT_EQ(box.log, (Log{"a", "b", "c"}));
    });
}

TEST(Condition, HoldsTheLockWhenItsWaitEnds) {
    virtually([]() -> Coro<> {
        Box box;
        Task<> waiting = create_task(take_one(box, "a"));
        co_await turns();
        auto held = std::make_optional(co_await box.condition.acquire());
        box.condition.notify();
        co_await turns();
        EXPECT_TRUE(box.log.empty()) << "it must wait for the lock";
        held.reset();
        co_await waiting;
        EXPECT_FALSE(box.condition.lock().locked());
    });
}

Coro<> wait_for_two(Box& box) {
    auto held = co_await box.condition.acquire();
    auto enough = [&box] { return box.items.size() >= 2; };
    co_await box.condition.wait_for(held, enough);
    box.log.push_back("two");
}
TEST(Condition, WaitForLooksAgainAtEachNotification) {
    virtually([]() -> Coro<> {
        Box box;
        Task<> waiting = create_task(wait_for_two(box));
        co_await turns();
        box.items.push_back(1);
        co_await notify(box, 1);
        co_await turns();
        EXPECT_FALSE(waiting.done());
        box.items.push_back(2);
        co_await notify(box, 1);
        co_await waiting;
        EXPECT_EQ(box.log, Log{"two"});
    });
}

Coro<> wait_and_check_lock(Box& box, bool& held_at_the_end) {
    auto held = co_await box.condition.acquire();
    try {
        co_await box.condition.wait(held);
    } catch (const Cancelled&) {
        held_at_the_end = held.holds(box.condition.lock());
        throw;
    }
}
TEST(Condition, ACancelledWaitHoldsTheLockBeforeItThrows) {
    virtually([]() -> Coro<> {
        Box box;
        bool held_at_the_end = false;
        Task<> waiting = create_task(wait_and_check_lock(box, held_at_the_end));
        co_await turns();
        waiting.cancel();
        EXPECT_TRUE((co_await thrown<Cancelled>(awaiting(waiting))).has_value());
        EXPECT_TRUE(held_at_the_end);
        EXPECT_FALSE(box.condition.lock().locked());
    });
}

TEST(Condition, ANotificationOfACancelledTaskGoesToTheNext) {
    virtually([]() -> Coro<> {
        Box box;
        Task<> first = create_task(take_one(box, "a")), second = create_task(take_one(box, "b"));
        co_await turns();
        co_await notify(box, 1);
        first.cancel();  // before it ran
        co_await wait_for(awaiting(second), 10s);
        EXPECT_EQ(box.log, Log{"b"});
        EXPECT_TRUE(first.cancelled());
    });
}

TEST(Condition, NeedsItsLock) {
    virtually([]() -> Coro<> {
        Box box;
        Lock another;
        EXPECT_THROW(box.condition.notify(), std::logic_error);
        auto wrong = co_await another.acquire();
        EXPECT_TRUE((co_await thrown<std::logic_error>(box.condition.wait(wrong))).has_value());
        EXPECT_TRUE(wrong.holds(another));
    });
}

TEST(Condition, IsNotifiedOnlyByTheTaskThatHoldsItsLock) {
    virtually([]() -> Coro<> {
        Condition condition;
        auto held = co_await condition.acquire();
        condition.notify();
        bool refused = false;
        const auto notify_without = [&condition, &refused]() -> Coro<> {
            try {
                condition.notify_all();
            } catch (const std::logic_error&) {
                refused = true;
            }
            co_return;
        };
        co_await create_task(notify_without);
        EXPECT_TRUE(refused);
    });
}

TEST(Condition, TwoMayShareALock) {
    virtually([]() -> Coro<> {
        Lock lock;
        Condition one(lock), two(lock);
        Log log;
        auto waits = [](Condition& condition, Log& to, std::string name) -> Coro<> {
            auto held = co_await condition.acquire();
            co_await condition.wait(held);
            to.push_back(name);
        };
        Task<> first = create_task(waits(one, log, "one")), second = create_task(waits(two, log, "two"));
        co_await turns();
        {
            auto held = co_await lock.acquire();
            two.notify_all();
        }
        co_await second;
        EXPECT_EQ(log, Log{"two"});
        EXPECT_FALSE(first.done());
        auto held = co_await lock.acquire();
        one.notify_all();
        held.release();
        co_await first;
    });
}

// --- Barrier

Coro<std::size_t> arrive(Barrier& barrier) { co_return co_await barrier.wait(); }

TEST(Barrier, OpensWhenAllHaveComeAndNumbersThem) {
    virtually([]() -> Coro<> {
        Barrier barrier(3);
        EXPECT_EQ(barrier.parties(), 3u);
        std::vector<Task<std::size_t>> tasks;
        for (int i = 0; i < 2; ++i) tasks.push_back(create_task(arrive(barrier)));
        co_await turns();
        EXPECT_EQ(barrier.n_waiting(), 2u);
        for (const Task<std::size_t>& task : tasks) EXPECT_FALSE(task.done());
        std::set<std::size_t> indices;
        indices.insert(co_await barrier.wait());
        for (Task<std::size_t>& task : tasks) indices.insert(co_await task);
        EXPECT_EQ(indices, (std::set<std::size_t>{0, 1, 2}));
        EXPECT_EQ(barrier.n_waiting(), 0u);
    });
}

TEST(Barrier, OfOneNeverWaits) {
    virtually([]() -> Coro<> {
        Barrier barrier(1);
        for (int i = 0; i < 3; ++i) EXPECT_EQ(co_await barrier.wait(), 0u);
    });
}

TEST(Barrier, OfNoneIsAnError) { EXPECT_THROW(Barrier(0), std::invalid_argument); }

Coro<> go_round(Barrier& barrier, Log& log, std::string name) {
    for (int round = 0; round < 3; ++round) {
        log.push_back(name + std::to_string(round));
        co_await barrier.wait();
    }
}
TEST(Barrier, KeepsItsTasksInStepForManyRounds) {
    virtually([]() -> Coro<> {
        Barrier barrier(2);
        Log log;
        co_await gather(go_round(barrier, log, "a"), go_round(barrier, log, "b"));
        EXPECT_EQ(log.size(), 6u);
        for (std::size_t i = 0; i < log.size(); ++i) EXPECT_EQ(log[i].back(), static_cast<char>('0' + i / 2)) << i;
    });
}

TEST(Barrier, MoreTasksThanPartiesOpenItSeveralTimes) {
    virtually([]() -> Coro<> {
        Barrier barrier(3);
        std::vector<Task<std::size_t>> tasks;
        for (int i = 0; i < 9; ++i) tasks.push_back(create_task(arrive(barrier)));
        const std::vector<std::size_t> indices = co_await gather(std::move(tasks));
        for (std::size_t index = 0; index < 3; ++index) EXPECT_EQ(std::count(indices.begin(), indices.end(), index), 3);
    });
}

TEST(Barrier, ACancelledTaskLeavesAndTheOthersWaitForOneMore) {
    virtually([]() -> Coro<> {
        Barrier barrier(2);
        Task<std::size_t> leaves = create_task(arrive(barrier));
        co_await turns();
        leaves.cancel();
        co_await turns();
        EXPECT_EQ(barrier.n_waiting(), 0u);
        EXPECT_FALSE(barrier.broken());
        Task<std::size_t> stays = create_task(arrive(barrier));
        co_await turns();
        EXPECT_FALSE(stays.done());
        co_await barrier.wait();
        co_await stays;
    });
}

TEST(Barrier, AbortedItThrowsWhereTasksWaitAndFromThenOn) {
    virtually([]() -> Coro<> {
        Barrier barrier(2);
        Task<std::size_t> waiting = create_task(arrive(barrier));
        co_await turns();
        barrier.abort();
        EXPECT_TRUE(barrier.broken());
        EXPECT_TRUE((co_await thrown<BrokenBarrierError>(awaiting(waiting))).has_value());
        EXPECT_TRUE((co_await thrown<BrokenBarrierError>(arrive(barrier))).has_value());
    });
}

TEST(Barrier, ResetItThrowsWhereTasksWaitAndIsAsNew) {
    virtually([]() -> Coro<> {
        Barrier barrier(2);
        Task<std::size_t> waiting = create_task(arrive(barrier));
        co_await turns();
        barrier.reset();
        EXPECT_FALSE(barrier.broken());
        EXPECT_TRUE((co_await thrown<BrokenBarrierError>(awaiting(waiting))).has_value());
        co_await gather(arrive(barrier), arrive(barrier));
        barrier.abort();
        barrier.reset();
        co_await gather(arrive(barrier), arrive(barrier));
    });
}

TEST(Barrier, ATimeoutIsALeaving) {
    virtually([]() -> Coro<> {
        Barrier barrier(2);
        EXPECT_TRUE((co_await thrown<TimeoutError>(wait_for(arrive(barrier), 1s))).has_value());
        EXPECT_EQ(barrier.n_waiting(), 0u);
    });
}

}  // namespace
}  // namespace coroscope::test
