// AsyncGenerator: what Python's asynchronous generators do (PEP 525), as far as C++ allows.
#include "coroscope/generator.hpp"

#include <memory>

#include "support.hpp"

namespace coroscope::test {
namespace {

AsyncGenerator<int> count_to(int last) {
    for (int i = 1; i <= last; ++i) co_yield i;
}

AsyncGenerator<int> count_slowly(int last) {
    for (int i = 1; i <= last; ++i) {
        co_await sleep(1s);
        co_yield i;
    }
}

TEST(AsyncGenerator, GivesItsValuesInOrderAndThenNothing) {
    virtually([]() -> Coro<> {
        AsyncGenerator<int> numbers = count_to(3);
        std::vector<int> seen;
        while (const std::optional<int> number = co_await numbers.next()) seen.push_back(*number);
        EXPECT_EQ(seen, (std::vector<int>{1, 2, 3}));
        EXPECT_FALSE((co_await numbers.next()).has_value());
    });
}

TEST(AsyncGenerator, MayAwaitBetweenItsValues) {
    virtually([]() -> Coro<> {
        const std::uint64_t began = EventLoop::running().time_ns();
        AsyncGenerator<int> numbers = count_slowly(3);
        int sum = 0;
        while (const std::optional<int> number = co_await numbers.next()) sum += *number;
        EXPECT_EQ(sum, 6);
        EXPECT_EQ(EventLoop::running().time_ns() - began, 3'000'000'000u);
    });
}

AsyncGenerator<int> note(std::string& log) {
    log += "a";
    co_yield 1;
    log += "b";
    co_yield 2;
    log += "c";
}
TEST(AsyncGenerator, RunsOnlyWhenItIsAwaited) {
    virtually([]() -> Coro<> {
        std::string log;
        AsyncGenerator<int> generator = note(log);
        EXPECT_EQ(log, "");
        co_await generator.next();
        EXPECT_EQ(log, "a");
        co_await generator.next();
        EXPECT_EQ(log, "ab");
        co_await generator.next();
        EXPECT_EQ(log, "abc");
    });
}

TEST(AsyncGenerator, ThatIsNeverAwaitedIsNoMistake) {
    virtually([]() -> Coro<> {
        testing::internal::CaptureStderr();
        {
            AsyncGenerator<int> unused = count_to(3);
        }
        EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
        co_return;
    });
}

AsyncGenerator<int> fails_after_one() {
    co_yield 1;
    throw std::runtime_error("second");
}
Coro<> next_of(AsyncGenerator<int>& generator) { co_await generator.next(); }
TEST(AsyncGenerator, AnErrorOfItsBodyIsThrownByNextAndEndsIt) {
    virtually([]() -> Coro<> {
        AsyncGenerator<int> generator = fails_after_one();
        EXPECT_EQ(co_await generator.next(), 1);
        EXPECT_TRUE((co_await thrown<std::runtime_error>(next_of(generator))).has_value());
        EXPECT_FALSE((co_await generator.next()).has_value());
    });
}

AsyncGenerator<std::unique_ptr<int>> pointers() {
    for (int i = 0; i < 3; ++i) co_yield std::make_unique<int>(i);
}
TEST(AsyncGenerator, GivesWhatCannotBeCopied) {
    virtually([]() -> Coro<> {
        AsyncGenerator<std::unique_ptr<int>> generator = pointers();
        int sum = 0;
        while (const std::optional<std::unique_ptr<int>> each = co_await generator.next()) sum += **each;
        EXPECT_EQ(sum, 3);
    });
}

AsyncGenerator<int> notes_its_end(std::string& log, bool swallow) {
    try {
        for (int i = 0;; ++i) co_yield i;
    } catch (const GeneratorExit&) {
        log += "exit ";
        if (!swallow) throw;
    }
    log += "after ";
}
TEST(AsyncGenerator, CloseThrowsGeneratorExitWhereItStands) {
    virtually([]() -> Coro<> {
        std::string log;
        AsyncGenerator<int> generator = notes_its_end(log, false);
        co_await generator.next();
        co_await generator.aclose();
        EXPECT_EQ(log, "exit ");
        EXPECT_FALSE((co_await generator.next()).has_value());
        co_await generator.aclose();
        EXPECT_EQ(log, "exit ");
    });
}
TEST(AsyncGenerator, ABodyThatSwallowsGeneratorExitAndEndsIsClosedToo) {
    virtually([]() -> Coro<> {
        std::string log;
        AsyncGenerator<int> generator = notes_its_end(log, true);
        co_await generator.next();
        co_await generator.aclose();
        EXPECT_EQ(log, "exit after ");
    });
}

TEST(AsyncGenerator, ClosedBeforeItBeganItsBodyNeverRuns) {
    virtually([]() -> Coro<> {
        std::string log;
        AsyncGenerator<int> generator = note(log);
        co_await generator.aclose();
        EXPECT_EQ(log, "");
        EXPECT_FALSE((co_await generator.next()).has_value());
    });
}

AsyncGenerator<int> cleans_up_slowly(std::string& log) {
    bool closing = false;
    try {
        co_yield 1;
    } catch (const GeneratorExit&) {
        closing = true;
    }
    co_await sleep(1s);
    log += closing ? "closed" : "ended";
}
TEST(AsyncGenerator, MayAwaitWhileItCleansUp) {
    virtually([]() -> Coro<> {
        std::string log;
        AsyncGenerator<int> generator = cleans_up_slowly(log);
        co_await generator.next();
        co_await generator.aclose();
        EXPECT_EQ(log, "closed");
    });
}

AsyncGenerator<int> ignores_the_exit() {
    try {
        co_yield 1;
    } catch (const GeneratorExit&) {
    }
    co_yield 2;
}
Coro<> close(AsyncGenerator<int>& generator) { co_await generator.aclose(); }
TEST(AsyncGenerator, OneThatYieldsInsteadOfEndingIsAnError) {
    virtually([]() -> Coro<> {
        AsyncGenerator<int> generator = ignores_the_exit();
        co_await generator.next();
        EXPECT_TRUE((co_await thrown<std::logic_error>(close(generator))).has_value());
    });
}

AsyncGenerator<int> fails_to_clean_up() {
    try {
        co_yield 1;
    } catch (const GeneratorExit&) {
    }
    throw std::runtime_error("cleaning up");
}
TEST(AsyncGenerator, AnErrorWhileCleaningUpIsThrownByClose) {
    virtually([]() -> Coro<> {
        AsyncGenerator<int> generator = fails_to_clean_up();
        co_await generator.next();
        EXPECT_TRUE((co_await thrown<std::runtime_error>(close(generator))).has_value());
    });
}

AsyncGenerator<std::string> answers_errors() {
    std::string answer = "first";
    for (;;) {
        try {
            co_yield answer;
            answer = "no error";
        } catch (const std::runtime_error& error) {
            answer = error.what();
        }
    }
}
TEST(AsyncGenerator, AThrownInErrorCanBeAnswered) {
    virtually([]() -> Coro<> {
        AsyncGenerator<std::string> generator = answers_errors();
        EXPECT_EQ(co_await generator.next(), "first");
        EXPECT_EQ(co_await generator.athrow(std::make_exception_ptr(std::runtime_error("what now"))), "what now");
        EXPECT_EQ(co_await generator.next(), "no error");
    });
}

Coro<> throw_in(AsyncGenerator<int>& generator) {
    co_await generator.athrow(std::make_exception_ptr(std::domain_error("in")));
}
TEST(AsyncGenerator, AThrownInErrorThatIsNotCaughtComesBack) {
    virtually([]() -> Coro<> {
        AsyncGenerator<int> generator = count_to(3);
        co_await generator.next();
        EXPECT_TRUE((co_await thrown<std::domain_error>(throw_in(generator))).has_value());
        EXPECT_FALSE((co_await generator.next()).has_value());
        AsyncGenerator<int> fresh = count_to(3);
        EXPECT_TRUE((co_await thrown<std::domain_error>(throw_in(fresh))).has_value()) << "before its begin";
    });
}

TEST(AsyncGenerator, TwoTasksCannotAwaitItAtOnce) {
    virtually([]() -> Coro<> {
        AsyncGenerator<int> generator = count_slowly(3);
        Task<> first = create_task(next_of(generator));
        co_await turns();
        EXPECT_TRUE((co_await thrown<std::logic_error>(next_of(generator))).has_value());
        co_await first;
        EXPECT_EQ(co_await generator.next(), 2) << "one after the other they may";
    });
}

TEST(AsyncGenerator, ACancellationWithinFliesToWhoAwaits) {
    virtually([]() -> Coro<> {
        AsyncGenerator<int> generator = count_slowly(3);
        Task<> task = create_task(next_of(generator));
        co_await turns();
        task.cancel();
        EXPECT_TRUE((co_await thrown<Cancelled>(awaiting(task))).has_value());
        EXPECT_FALSE((co_await generator.next()).has_value()) << "it has ended";
    });
}

struct Counted {
    explicit Counted(int& the_count) : count(the_count) { ++count; }
    Counted(const Counted&) = delete;
    Counted& operator=(const Counted&) = delete;
    ~Counted() { --count; }
    int& count;
};
AsyncGenerator<int> holds(int& alive) {
    const Counted resource(alive);
    for (int i = 0;; ++i) {
        co_await sleep(1s);
        co_yield i;
    }
}
TEST(AsyncGenerator, DestroyedUnfinishedItRunsItsDestructors) {
    virtually([]() -> Coro<> {
        int alive = 0;
        {
            AsyncGenerator<int> generator = holds(alive);
            co_await generator.next();
            EXPECT_EQ(alive, 1);
        }
        EXPECT_EQ(alive, 0);
    });
}

TEST(AsyncGenerator, IsDestroyedWithATaskThatIsDestroyedWhileAwaitingIt) {
    int alive = 0;
    testing::internal::CaptureStderr();
    {
        VirtualTimeLoop loop;
        auto uses = [](int& count) -> Coro<> {
            AsyncGenerator<int> generator = holds(count);
            co_await generator.next();
        };
        loop.create_task(uses(alive));
        loop.run_once();
        EXPECT_EQ(alive, 1);
    }
    EXPECT_NE(testing::internal::GetCapturedStderr().find("destroyed but it is pending"), std::string::npos);
    EXPECT_EQ(alive, 0);
}

TEST(AsyncGenerator, OutlivingTheFrameThatAwaitsItItEnds) {
    int alive = 0;
    AsyncGenerator<int> generator = holds(alive);
    testing::internal::CaptureStderr();
    {
        VirtualTimeLoop loop;
        loop.create_task(next_of(generator));
        loop.run_once();
        EXPECT_EQ(alive, 1);
    }
    testing::internal::GetCapturedStderr();
    EXPECT_EQ(alive, 0) << "nobody can go on with what it waited for";
}

AsyncGenerator<int> twice(AsyncGenerator<int> source) {
    while (const std::optional<int> each = co_await source.next()) {
        co_yield *each;
        co_yield *each * 10;
    }
}
TEST(AsyncGenerator, MayStandOnAnother) {
    virtually([]() -> Coro<> {
        AsyncGenerator<int> generator = twice(count_slowly(2));
        std::vector<int> seen;
        while (const std::optional<int> each = co_await generator.next()) seen.push_back(*each);
        EXPECT_EQ(seen, (std::vector<int>{1, 10, 2, 20}));
    });
}

TEST(AsyncGenerator, MayBeMovedBetweenTwoValues) {
    virtually([]() -> Coro<> {
        AsyncGenerator<int> first = count_to(2);
        EXPECT_EQ(co_await first.next(), 1);
        AsyncGenerator<int> second = std::move(first);
        EXPECT_EQ(co_await second.next(), 2);
        EXPECT_FALSE((co_await first.next()).has_value());
    });
}

TEST(AsyncGenerator, AMillionValuesDoNotGrowTheStack) {
    virtually([]() -> Coro<> {
        AsyncGenerator<int> generator = count_to(1'000'000);
        long sum = 0;
        while (const std::optional<int> each = co_await generator.next()) sum += *each;
        EXPECT_EQ(sum, 500'000'500'000);
    });
}

Coro<> add_to(int& sum, int value) {
    co_await yield();
    sum += value;
    if (value == 3) throw std::runtime_error("three");
}
TEST(ForEach, AwaitsTheBodyForEveryValue) {
    virtually([]() -> Coro<> {
        int sum = 0;
        auto body = [&sum](int value) { return add_to(sum, value); };
        co_await for_each(count_slowly(2), body);
        EXPECT_EQ(sum, 3);
    });
}
Coro<> each_of(AsyncGenerator<int> generator, int& sum) {
    auto body = [&sum](int value) { return add_to(sum, value); };
    co_await for_each(std::move(generator), body);
}
TEST(ForEach, ClosesTheGeneratorWhenTheBodyThrows) {
    virtually([]() -> Coro<> {
        std::string log;
        int sum = 0;
        EXPECT_TRUE((co_await thrown<std::runtime_error>(each_of(notes_its_end(log, false), sum))).has_value());
        EXPECT_EQ(log, "exit ");
        EXPECT_EQ(sum, 6);
    });
}

Coro<int> second_of(AsyncGenerator<int>& generator) {
    co_await generator.next();
    co_return (co_await generator.next()).value_or(-1);
}
TEST(AsyncGenerator, IsAResourceForAsyncWith) {
    virtually([]() -> Coro<> {
        std::string log;
        EXPECT_EQ(co_await async_with(notes_its_end(log, false), second_of), 1);
        EXPECT_EQ(log, "exit ");
    });
}

}  // namespace
}  // namespace coroscope::test
