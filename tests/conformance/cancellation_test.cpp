// Task.cancel(), uncancel(), cancelling(), and what a cancelled task tells: as asyncio's (3.13).
#include "support.hpp"

namespace coroscope::test {
namespace {

Coro<std::string> message_of(Coro<> coro) {
    const auto cancelled = co_await thrown<Cancelled>(std::move(coro));
    co_return cancelled ? "cancelled: " + cancelled->message() : "not cancelled";
}

TEST(Cancellation, IsThrownWhereTheTaskWaits) {
    virtually([]() -> Coro<> {
        bool noted = false;
        Task<> task = create_task(note_cancellation(noted));
        co_await turns();
        EXPECT_TRUE(task.cancel());
        EXPECT_FALSE(noted) << "not before the task runs again";
        co_await turns();
        EXPECT_TRUE(noted);
        EXPECT_TRUE(task.done());
        EXPECT_TRUE(task.cancelled());
    });
}

TEST(Cancellation, OfADoneTaskIsRefused) {
    virtually([]() -> Coro<> {
        Task<int> task = create_task(value_later(0s, 1));
        co_await sleep(1s);
        EXPECT_FALSE(task.cancel());
        EXPECT_FALSE(task.cancelled());
        EXPECT_EQ(task.cancelling(), 0u);
    });
}

TEST(Cancellation, BeforeTheFirstStepNothingOfTheBodyRuns) {
    virtually([]() -> Coro<> {
        bool ran = false;
        auto body = [](bool& flag) -> Coro<> {
            flag = true;
            co_return;
        };
        Task<> task = create_task(body(ran));
        task.cancel();
        EXPECT_TRUE((co_await thrown<Cancelled>(awaiting(task))).has_value());
        EXPECT_FALSE(ran);
    });
}

TEST(Cancellation, ReachesTheInnermostOfNestedCoroutines) {
    virtually([]() -> Coro<> {
        bool noted = false;
        auto outer = [](bool& flag) -> Coro<> { co_await note_cancellation(flag); };
        Task<> task = create_task(outer(noted));
        co_await turns();
        task.cancel();
        co_await turns();
        EXPECT_TRUE(noted);
        EXPECT_TRUE(task.cancelled());
    });
}

TEST(Cancellation, GoesOnToTheTaskThatIsAwaited) {
    virtually([]() -> Coro<> {
        Task<> inner = create_task(for_ever());
        Task<> outer = create_task(awaiting(inner));
        co_await turns();
        outer.cancel();
        co_await turns();
        EXPECT_TRUE(inner.cancelled());
        EXPECT_TRUE(outer.cancelled());
    });
}

Coro<int> swallow_and_answer() {
    try {
        co_await for_ever();
    } catch (const Cancelled&) {
    }
    co_return 7;
}
TEST(Cancellation, ASwallowedOneEndsNormallyAndIsStillCounted) {
    virtually([]() -> Coro<> {
        Task<int> task = create_task(swallow_and_answer());
        co_await turns();
        task.cancel();
        EXPECT_EQ(co_await task, 7);
        EXPECT_FALSE(task.cancelled());
        EXPECT_EQ(task.cancelling(), 1u);
    });
}

Coro<> swallow_times(int times, int& swallowed) {
    for (int i = 0; i < times; ++i) {
        try {
            co_await for_ever();
        } catch (const Cancelled&) {
            ++swallowed;
        }
    }
}
TEST(Cancellation, EachRequestIsThrownOnce) {
    virtually([]() -> Coro<> {
        int swallowed = 0;
        Task<> task = create_task(swallow_times(3, swallowed));
        for (int i = 1; i <= 3; ++i) {
            co_await turns();
            EXPECT_TRUE(task.cancel());
            co_await turns();
            EXPECT_EQ(swallowed, i);
        }
        EXPECT_TRUE(task.done());
        EXPECT_EQ(task.cancelling(), 3u);
    });
}

TEST(Cancellation, TwoRequestsBeforeTheTaskRunsAreThrownOnce) {
    virtually([]() -> Coro<> {
        int swallowed = 0;
        Task<> task = create_task(swallow_times(2, swallowed));
        co_await turns();
        task.cancel();
        task.cancel();
        EXPECT_EQ(task.cancelling(), 2u);
        co_await turns();
        EXPECT_EQ(swallowed, 1);
        EXPECT_FALSE(task.done());
        task.cancel();
        co_await task;
    });
}

TEST(Cancellation, UncancelTakesARequestBack) {
    virtually([]() -> Coro<> {
        int swallowed = 0;
        Task<> task = create_task(swallow_times(1, swallowed));
        EXPECT_EQ(task.uncancel(), 0u);
        co_await turns();
        task.cancel();
        task.cancel();
        EXPECT_EQ(task.uncancel(), 1u);
        EXPECT_EQ(task.uncancel(), 0u);
        EXPECT_EQ(task.uncancel(), 0u);
        EXPECT_EQ(task.cancelling(), 0u);
        co_await task;
        EXPECT_EQ(swallowed, 1) << "what was on its way already is thrown";
    });
}

Coro<> cancels_itself_and_takes_it_back(bool& reached) {
    current_task().cancel();
    EXPECT_EQ(current_task().uncancel(), 0u);
    co_await sleep(1s);
    reached = true;
}
TEST(Cancellation, TakenBackBeforeTheNextAwaitItIsNotThrown) {
    virtually([]() -> Coro<> {
        bool reached = false;
        co_await create_task(cancels_itself_and_takes_it_back(reached));
        EXPECT_TRUE(reached);
    });
}

Coro<> cancels_itself(std::string& where) {
    current_task().cancel("myself");
    where = "after cancel";
    co_await yield();
    where = "after await";
}
TEST(Cancellation, OfTheRunningTaskComesAtItsNextAwait) {
    virtually([]() -> Coro<> {
        std::string where;
        EXPECT_EQ(co_await message_of(awaiting(create_task(cancels_itself(where)))), "cancelled: myself");
        EXPECT_EQ(where, "after cancel");
    });
}

TEST(Cancellation, TheMessageArrivesInTheTaskAndAtWhoeverAwaitsIt) {
    virtually([]() -> Coro<> {
        std::string inside;
        auto notes = [](std::string& to) -> Coro<> {
            try {
                co_await for_ever();
            } catch (const Cancelled& cancelled) {
                to = cancelled.message();
                throw;
            }
        };
        Task<> task = create_task(notes(inside));
        co_await turns();
        task.cancel("because");
        EXPECT_EQ(co_await message_of(awaiting(task)), "cancelled: because");
        EXPECT_EQ(inside, "because");
    });
}

TEST(Cancellation, TheMessageGoesOnToTheTaskThatIsAwaited) {
    virtually([]() -> Coro<> {
        Task<> inner = create_task(for_ever());
        Task<> outer = create_task(awaiting(inner));
        co_await turns();
        outer.cancel("from above");
        co_await turns();
        EXPECT_EQ(co_await message_of(awaiting(inner)), "cancelled: from above");
        EXPECT_EQ(co_await message_of(awaiting(outer)), "cancelled: from above");
    });
}

TEST(Cancellation, TheMessageOfOneThatNeverRanArrivesToo) {
    virtually([]() -> Coro<> {
        Task<> task = create_task(for_ever());
        task.cancel("too early");
        EXPECT_EQ(co_await message_of(awaiting(task)), "cancelled: too early");
    });
}

TEST(Cancellation, ALaterRequestWithoutAMessageHasNone) {
    virtually([]() -> Coro<> {
        int swallowed = 0;
        Task<> task = create_task(swallow_times(1, swallowed));
        co_await turns();
        task.cancel("first");
        co_await turns();
        EXPECT_TRUE(task.done());
        auto twice = []() -> Coro<> {
            try {
                co_await for_ever();
            } catch (const Cancelled&) {
            }
            co_await for_ever();
        };
        Task<> other = create_task(twice());
        co_await turns();
        other.cancel("first");
        co_await turns();
        other.cancel();
        EXPECT_EQ(co_await message_of(awaiting(other)), "cancelled: ");
    });
}

TEST(Cancellation, ResultAndExceptionOfACancelledTaskThrow) {
    virtually([]() -> Coro<> {
        Task<int> task = create_task(value_later(1s, 1));
        co_await turns();
        task.cancel("gone");
        co_await turns();
        std::string messages;
        try {
            static_cast<void>(task.result());
        } catch (const Cancelled& cancelled) {
            messages += cancelled.message();
        }
        try {
            static_cast<void>(task.exception());
        } catch (const Cancelled& cancelled) {
            messages += " " + cancelled.message();
        }
        EXPECT_EQ(messages, "gone gone");
    });
}

Coro<> fails_when_cancelled() {
    try {
        co_await for_ever();
    } catch (const Cancelled&) {
    }
    throw std::runtime_error("instead");
}
TEST(Cancellation, AnErrorInsteadIsAnError) {
    virtually([]() -> Coro<> {
        Task<> task = create_task(fails_when_cancelled());
        co_await turns();
        task.cancel();
        EXPECT_TRUE((co_await thrown<std::runtime_error>(awaiting(task))).has_value());
        EXPECT_FALSE(task.cancelled());
    });
}

TEST(Cancellation, IsNoStandardException) {
    virtually([]() -> Coro<> {
        auto catches_errors = []() -> Coro<> {
            try {
                co_await for_ever();
            } catch (const std::exception&) {
            }
        };
        Task<> task = create_task(catches_errors());
        co_await turns();
        task.cancel();
        co_await turns();
        EXPECT_TRUE(task.cancelled());
    });
}

struct Closes {
    explicit Closes(int& the_count) : count(the_count) {}
    Closes(const Closes&) = delete;
    Closes& operator=(const Closes&) = delete;
    ~Closes() { ++count; }
    int& count;
};
Coro<> holds(int& closed) {
    const Closes resource(closed);
    co_await for_ever();
}
TEST(Cancellation, RunsDestructorsOnce) {
    virtually([]() -> Coro<> {
        int closed = 0;
        Task<> task = create_task(holds(closed));
        co_await turns();
        EXPECT_EQ(closed, 0);
        task.cancel();
        co_await turns();
        EXPECT_EQ(closed, 1);
        task = Task<>();
        EXPECT_EQ(closed, 1);
    });
}

TEST(Cancellation, ATaskThatAwaitsItselfCanStillBeCancelled) {
    virtually([]() -> Coro<> {
        Task<> self;
        auto awaits_itself = [](Task<>& task) -> Coro<> { co_await task; };
        self = create_task(awaits_itself(self));
        co_await turns();
        EXPECT_FALSE(self.done());
        self.cancel();
        co_await turns();
        EXPECT_TRUE(self.cancelled());
    });
}

TEST(Cancellation, InACleanUpTheTaskMayAwait) {
    virtually([]() -> Coro<> {
        std::string log;
        auto cleans_up = [](std::string& to) -> Coro<> {
            bool cancelled = false;
            try {
                co_await for_ever();
            } catch (const Cancelled&) {
                cancelled = true;
            }
            co_await sleep(1s);
            to += "cleaned";
            if (cancelled) throw Cancelled();
        };
        Task<> task = create_task(cleans_up(log));
        co_await turns();
        task.cancel();
        EXPECT_TRUE((co_await thrown<Cancelled>(awaiting(task))).has_value());
        EXPECT_EQ(log, "cleaned");
        EXPECT_TRUE(task.cancelled());
    });
}

}  // namespace
}  // namespace coroscope::test
