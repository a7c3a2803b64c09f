// Queue, LifoQueue, PriorityQueue: what asyncio's do (3.13's, with shutdown).
#include "support.hpp"

#include <memory>

namespace coroscope::test {
namespace {

template <class Q>
Coro<int> get_from(Q& queue) {
    co_return co_await queue.get();
}
template <class Q>
Coro<> put_into(Q& queue, int item) {
    co_await queue.put(item);
}
Coro<> join(Queue<int>& queue) { co_await queue.join(); }

TEST(Queue, KnowsItsSizeAndItsBound) {
    virtually([]() -> Coro<> {
        Queue<int> queue(2);
        EXPECT_EQ(queue.maxsize(), 2u);
        EXPECT_TRUE(queue.empty());
        EXPECT_FALSE(queue.full());
        co_await queue.put(1);
        EXPECT_EQ(queue.qsize(), 1u);
        EXPECT_FALSE(queue.full());
        co_await queue.put(2);
        EXPECT_TRUE(queue.full());
        EXPECT_EQ(queue.get_nowait(), 1);
        EXPECT_FALSE(queue.full());
    });
}

TEST(Queue, WithoutABoundItIsNeverFull) {
    virtually([]() -> Coro<> {
        Queue<int> queue;
        for (int i = 0; i < 1000; ++i) queue.put_nowait(i);
        EXPECT_FALSE(queue.full());
        for (int i = 0; i < 1000; ++i) EXPECT_EQ(co_await queue.get(), i);
    });
}

TEST(Queue, NowaitSaysWhenItCannot) {
    Queue<int> queue(1);
    EXPECT_THROW(queue.get_nowait(), QueueEmpty);
    queue.put_nowait(1);
    EXPECT_THROW(queue.put_nowait(2), QueueFull);
    EXPECT_EQ(queue.get_nowait(), 1);
}

TEST(Queue, AGetWaitsForAPut) {
    virtually([]() -> Coro<> {
        Queue<int> queue;
        Task<int> getting = create_task(get_from(queue));
        co_await turns();
        EXPECT_FALSE(getting.done());
        co_await queue.put(5);
        EXPECT_EQ(co_await getting, 5);
    });
}

TEST(Queue, APutWaitsForRoom) {
    virtually([]() -> Coro<> {
        Queue<int> queue(1);
        co_await queue.put(1);
        Task<> putting = create_task(put_into(queue, 2));
        co_await turns();
        EXPECT_FALSE(putting.done());
        EXPECT_EQ(queue.get_nowait(), 1);
        co_await putting;
        EXPECT_EQ(queue.get_nowait(), 2);
    });
}

TEST(Queue, WaitersAreServedInTheOrderOfTheirComing) {
    virtually([]() -> Coro<> {
        Queue<int> queue;
        std::vector<Task<int>> getting;
        for (int i = 0; i < 5; ++i) getting.push_back(create_task(get_from(queue)));
        co_await turns();
        for (int i = 0; i < 5; ++i) queue.put_nowait(i);
        for (int i = 0; i < 5; ++i) EXPECT_EQ(co_await getting[static_cast<std::size_t>(i)], i);
    });
}

TEST(Queue, PuttersAreServedInTheOrderOfTheirComing) {
    virtually([]() -> Coro<> {
        Queue<int> queue(1);
        queue.put_nowait(0);
        std::vector<Task<>> putting;
        for (int i = 1; i < 5; ++i) putting.push_back(create_task(put_into(queue, i)));
        co_await turns();
        for (int i = 0; i < 5; ++i) EXPECT_EQ(co_await queue.get(), i);
        for (Task<>& task : putting) co_await task;
    });
}

TEST(Queue, AnItemIsNotSnatchedFromWhoWaitedForIt) {
    virtually([]() -> Coro<> {
        Queue<int> queue;
        Task<int> getting = create_task(get_from(queue));
        co_await turns();
        queue.put_nowait(1);
        EXPECT_THROW(queue.get_nowait(), QueueEmpty);
        EXPECT_EQ(co_await getting, 1);
    });
}

TEST(Queue, ACancelledGetTakesNothing) {
    virtually([]() -> Coro<> {
        Queue<int> queue;
        Task<int> getting = create_task(get_from(queue));
        co_await turns();
        getting.cancel();
        co_await turns();
        queue.put_nowait(1);
        EXPECT_EQ(queue.get_nowait(), 1);
        EXPECT_TRUE(getting.cancelled());
    });
}

TEST(Queue, AGetCancelledAfterItWasHandedAnItemPassesItOn) {
    virtually([]() -> Coro<> {
        Queue<int> queue;
        Task<int> first = create_task(get_from(queue)), second = create_task(get_from(queue));
        co_await turns();
        queue.put_nowait(1);
        first.cancel();
        EXPECT_EQ(co_await second, 1);
        EXPECT_TRUE(first.cancelled());
    });
}

TEST(Queue, AGetCancelledAfterItWasHandedAnItemPutsItBackInFront) {
    virtually([]() -> Coro<> {
        Queue<int> queue;
        Task<int> first = create_task(get_from(queue));
        co_await turns();
        queue.put_nowait(1);
        queue.put_nowait(2);
        first.cancel();
        co_await turns();
        EXPECT_EQ(queue.get_nowait(), 1);
        EXPECT_EQ(queue.get_nowait(), 2);
    });
}

Coro<int> get_from(LifoQueue<int>& queue) { co_return co_await queue.get(); }
Coro<int> get_from(PriorityQueue<int>& queue) { co_return co_await queue.get(); }

// Items that were handed to tasks which have not run since: as if they had stayed in the queue.
template <class Q>
Coro<std::vector<int>> after_cancelled_getters(std::vector<int> items, std::vector<std::size_t> cancelled) {
    Q queue;
    std::vector<Task<int>> getting;
    for (std::size_t i = 0; i < 3; ++i) getting.push_back(create_task(get_from(queue)));
    co_await turns();
    for (const int item : items) queue.put_nowait(item);
    for (const std::size_t i : cancelled) getting[i].cancel();
    co_await turns();
    std::vector<int> order;
    for (std::size_t i = 0; i < 3; ++i)
        if (!getting[i].cancelled()) order.push_back(getting[i].result());
    while (!queue.empty()) order.push_back(queue.get_nowait());
    co_return order;
}
template <class Q>
std::vector<int> order_of(std::vector<int> items, std::vector<std::size_t> cancelled) {
    return run<VirtualTimeLoop>(after_cancelled_getters<Q>(std::move(items), std::move(cancelled)));
}
using Items = std::vector<int>;

TEST(Queue, ItemsKeepTheirOrderWhateverGetIsCancelled) {
    for (const Items& cancelled_ones :
         {Items{0}, Items{1}, Items{2}, Items{0, 1}, Items{1, 2}, Items{0, 2}, Items{0, 1, 2}, Items{2, 1, 0}}) {
        const std::vector<std::size_t> cancelled(cancelled_ones.begin(), cancelled_ones.end());
        EXPECT_EQ(order_of<Queue<int>>({1, 2, 3}, cancelled), (Items{1, 2, 3}));
        EXPECT_EQ(order_of<Queue<int>>({1, 2, 3, 4, 5}, cancelled), (Items{1, 2, 3, 4, 5}));
        EXPECT_EQ(order_of<PriorityQueue<int>>({1, 2, 3, 4, 5}, cancelled), (Items{1, 2, 3, 4, 5}));
    }
}

TEST(LifoQueue, AnItemGivenBackLiesUnderThoseThatCameLater) {
    EXPECT_EQ(order_of<LifoQueue<int>>({1, 2, 3, 4, 5}, {0, 1, 2}), (Items{5, 4, 3, 2, 1}));
    EXPECT_EQ(order_of<LifoQueue<int>>({1, 2, 3, 4}, {0}), (Items{2, 3, 4, 1}));
}

TEST(Queue, OneThatIsDestroyedBeforeWhatWasHandedOverIsTakenIsFine) {
    virtually([]() -> Coro<> {
        Task<int> taking, cancelled;
        {
            Queue<int> queue;
            taking = create_task(get_from(queue));
            cancelled = create_task(get_from(queue));
            co_await turns();
            queue.put_nowait(1);
            queue.put_nowait(2);
            cancelled.cancel();
        }
        EXPECT_EQ(co_await taking, 1);
        co_await cancelled.wait();
        EXPECT_TRUE(cancelled.cancelled());
    });
}

TEST(Queue, ACancelledPutPutsNothing) {
    virtually([]() -> Coro<> {
        Queue<int> queue(1);
        queue.put_nowait(1);
        Task<> putting = create_task(put_into(queue, 2));
        co_await turns();
        putting.cancel();
        co_await turns();
        EXPECT_EQ(queue.get_nowait(), 1);
        EXPECT_TRUE(queue.empty());
        EXPECT_TRUE(putting.cancelled());
    });
}

TEST(Queue, ACancelledPutGivesItsTurnToTheNext) {
    virtually([]() -> Coro<> {
        Queue<int> queue(1);
        queue.put_nowait(1);
        Task<> first = create_task(put_into(queue, 2)), second = create_task(put_into(queue, 3));
        co_await turns();
        first.cancel();
        EXPECT_EQ(co_await queue.get(), 1);
        EXPECT_EQ(co_await queue.get(), 3);
        co_await second;
    });
}

TEST(Queue, HoldsWhatCannotBeCopied) {
    virtually([]() -> Coro<> {
        Queue<std::unique_ptr<int>> queue;
        co_await queue.put(std::make_unique<int>(3));
        const std::unique_ptr<int> item = co_await queue.get();
        EXPECT_EQ(*item, 3);
    });
}

TEST(Queue, JoinWaitsForTaskDoneOfEveryItem) {
    virtually([]() -> Coro<> {
        Queue<int> queue;
        for (int i = 0; i < 3; ++i) queue.put_nowait(i);
        Task<> joining = create_task(join(queue));
        for (int i = 0; i < 3; ++i) {
            co_await queue.get();
            co_await turns();
            EXPECT_FALSE(joining.done());
            queue.task_done();
        }
        co_await joining;
    });
}

TEST(Queue, JoinOfAnUnusedQueueReturnsAtOnce) {
    virtually([]() -> Coro<> {
        Queue<int> queue;
        co_await queue.join();
    });
}

TEST(Queue, TaskDoneTooOftenIsAnError) {
    Queue<int> queue;
    EXPECT_THROW(queue.task_done(), std::logic_error);
    queue.put_nowait(1);
    queue.task_done();
    EXPECT_THROW(queue.task_done(), std::logic_error);
}

TEST(Queue, AnItemHandedOverCountsAsUnfinished) {
    virtually([]() -> Coro<> {
        Queue<int> queue;
        Task<int> getting = create_task(get_from(queue));
        co_await turns();
        queue.put_nowait(1);
        co_await getting;
        Task<> joining = create_task(join(queue));
        co_await turns();
        EXPECT_FALSE(joining.done());
        queue.task_done();
        co_await joining;
    });
}

TEST(Queue, OneThatIsDestroyedWhileATaskWaitsElsewhereIsFine) {
    virtually([]() -> Coro<> {
        auto queue = std::make_unique<Queue<int>>();
        Task<int> getting = create_task(get_from(*queue));
        co_await turns();
        getting.cancel();
        co_await turns();
        queue.reset();
    });
}

TEST(Queue, AProducerAndAConsumerOfABoundedQueueTakeTurns) {
    virtually([]() -> Coro<> {
        Queue<int> queue(2);
        auto produce = [](Queue<int>& to) -> Coro<> {
            for (int i = 0; i < 100; ++i) {
                co_await to.put(i);
                EXPECT_LE(to.qsize(), 2u);
            }
        };
        Task<> producer = create_task(produce(queue));
        for (int i = 0; i < 100; ++i) EXPECT_EQ(co_await queue.get(), i);
        co_await producer;
    });
}

// --- the other orders

TEST(LifoQueue, GivesTheLastFirst) {
    virtually([]() -> Coro<> {
        LifoQueue<int> queue;
        for (const int i : {1, 3, 2}) co_await queue.put(i);
        EXPECT_EQ(co_await queue.get(), 2);
        EXPECT_EQ(co_await queue.get(), 3);
        EXPECT_EQ(co_await queue.get(), 1);
    });
}

TEST(LifoQueue, ABoundHoldsPutsBack) {
    virtually([]() -> Coro<> {
        LifoQueue<int> queue(1);
        co_await queue.put(1);
        Task<> putting = create_task(put_into(queue, 2));
        co_await turns();
        EXPECT_FALSE(putting.done());
        EXPECT_EQ(co_await queue.get(), 1);
        EXPECT_EQ(co_await queue.get(), 2);
        co_await putting;
    });
}

TEST(PriorityQueue, GivesTheLeastFirst) {
    virtually([]() -> Coro<> {
        PriorityQueue<int> queue;
        for (const int i : {5, 1, 4, 1, 3}) co_await queue.put(i);
        for (const int i : {1, 1, 3, 4, 5}) EXPECT_EQ(co_await queue.get(), i);
    });
}

TEST(PriorityQueue, TakesAnOrderOfItsOwn) {
    virtually([]() -> Coro<> {
        PriorityQueue<int, std::greater<int>> queue;
        for (const int i : {5, 1, 4}) co_await queue.put(i);
        for (const int i : {5, 4, 1}) EXPECT_EQ(co_await queue.get(), i);
    });
}

TEST(PriorityQueue, AnItemGivenBackStandsInItsPlaceAgain) {
    virtually([]() -> Coro<> {
        PriorityQueue<int> queue;
        Task<int> getting = create_task(get_from(queue));
        co_await turns();
        queue.put_nowait(2);  // handed over
        queue.put_nowait(1);
        queue.put_nowait(3);
        getting.cancel();
        co_await turns();
        for (const int i : {1, 2, 3}) EXPECT_EQ(queue.get_nowait(), i);
    });
}

// --- shutdown

TEST(QueueShutdown, RefusesPutsAndGivesWhatIsThere) {
    virtually([]() -> Coro<> {
        Queue<int> queue;
        queue.put_nowait(1);
        queue.shutdown();
        EXPECT_TRUE(queue.is_shut_down());
        EXPECT_THROW(queue.put_nowait(2), QueueShutDown);
        EXPECT_TRUE((co_await thrown<QueueShutDown>(put_into(queue, 2))).has_value());
        EXPECT_EQ(co_await queue.get(), 1);
        EXPECT_THROW(queue.get_nowait(), QueueShutDown);
        EXPECT_TRUE((co_await thrown<QueueShutDown>(get_from(queue))).has_value());
    });
}

TEST(QueueShutdown, ImmediateThrowsTheItemsAway) {
    virtually([]() -> Coro<> {
        Queue<int> queue;
        queue.put_nowait(1);
        queue.put_nowait(2);
        queue.shutdown(true);
        EXPECT_TRUE(queue.empty());
        EXPECT_THROW(queue.get_nowait(), QueueShutDown);
        EXPECT_TRUE((co_await thrown<QueueShutDown>(get_from(queue))).has_value());
        co_await queue.join();
    });
}

TEST(QueueShutdown, EndsTheWaitOfGetters) {
    virtually([]() -> Coro<> {
        Queue<int> queue;
        Task<int> one = create_task(get_from(queue)), two = create_task(get_from(queue));
        co_await turns();
        queue.shutdown();
        EXPECT_TRUE((co_await thrown<QueueShutDown>(awaiting(one))).has_value());
        EXPECT_TRUE((co_await thrown<QueueShutDown>(awaiting(two))).has_value());
    });
}

TEST(QueueShutdown, EndsTheWaitOfPuttersAndKeepsTheItems) {
    virtually([]() -> Coro<> {
        Queue<int> queue(1);
        queue.put_nowait(1);
        Task<> putting = create_task(put_into(queue, 2));
        co_await turns();
        queue.shutdown();
        EXPECT_TRUE((co_await thrown<QueueShutDown>(awaiting(putting))).has_value());
        EXPECT_EQ(co_await queue.get(), 1);
        EXPECT_TRUE(queue.empty());
    });
}

TEST(QueueShutdown, AnItemHandedOverBeforeStillArrives) {
    virtually([]() -> Coro<> {
        Queue<int> queue;
        Task<int> getting = create_task(get_from(queue));
        co_await turns();
        queue.put_nowait(7);
        queue.shutdown(true);
        EXPECT_EQ(co_await getting, 7);
    });
}

TEST(QueueShutdown, JoinStillWaitsForItemsThatWereTaken) {
    virtually([]() -> Coro<> {
        Queue<int> queue;
        queue.put_nowait(1);
        queue.put_nowait(2);
        co_await queue.get();
        Task<> joining = create_task(join(queue));
        co_await turns();
        queue.shutdown(true);  // the second is dropped, the first is still being worked on
        co_await turns();
        EXPECT_FALSE(joining.done());
        queue.task_done();
        co_await joining;
    });
}

TEST(QueueShutdown, TwiceIsTheSameAndImmediateMayComeLater) {
    virtually([]() -> Coro<> {
        Queue<int> queue;
        queue.put_nowait(1);
        queue.shutdown();
        queue.shutdown();
        EXPECT_EQ(queue.qsize(), 1u);
        queue.shutdown(true);
        EXPECT_TRUE(queue.empty());
        co_await queue.join();
    });
}

TEST(QueueShutdown, EndsALoopOfAConsumer) {
    virtually([]() -> Coro<> {
        Queue<int> queue;
        auto consume = [](Queue<int>& from, int& sum) -> Coro<> {
            try {
                for (;;) sum += co_await from.get();
            } catch (const QueueShutDown&) {
            }
        };
        int sum = 0;
        Task<> consumer = create_task(consume(queue, sum));
        for (int i = 1; i <= 4; ++i) co_await queue.put(i);
        queue.shutdown();
        co_await consumer;
        EXPECT_EQ(sum, 10);
    });
}

}  // namespace
}  // namespace coroscope::test
