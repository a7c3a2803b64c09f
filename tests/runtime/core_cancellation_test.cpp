// What the debugger learns of cancellations: who asked, from where, why, when it arrived, and whether it was swallowed.
#include <gtest/gtest.h>

#include <exception>
#include <source_location>
#include <string>
#include <utility>
#include <vector>

#include "coroscope/coroscope.hpp"
#include "coroscope/virtual_time_loop.hpp"
#include "probe_support.hpp"

namespace coroscope {
namespace {

using namespace std::chrono_literals;
using test::DebugOn;
using test::Observed;
using test::observed;
using vocabulary::CancelOrigin;
using vocabulary::EventKind;

struct Request {
    std::uint64_t by = 0;
    std::uint32_t line = 0;
    CancelOrigin origin = CancelOrigin::unknown;
    std::uint32_t message = 0;
};

// The last request; each comes with its origin.
Request request_of(Observed& seen, std::uint64_t task) {
    const auto requests = seen.events_of(task, EventKind::cancel_requested);
    const auto origins = seen.events_of(task, EventKind::cancel_origin);
    EXPECT_EQ(requests.size(), origins.size());
    if (requests.empty() || origins.empty()) return {};
    return {requests.back().argument, seen.line_of(requests.back().stack),
            static_cast<CancelOrigin>(vocabulary::origin_of(origins.back().argument)),
            vocabulary::message_of(origins.back().argument)};
}
std::size_t count(Observed& seen, std::uint64_t task, EventKind kind) { return seen.events_of(task, kind).size(); }
std::size_t swallowed(Observed& seen, const AnyTask& task) {
    return count(seen, task.id(), EventKind::cancel_swallowed);
}

std::uint32_t line_of_sleep = 0;
Coro<> sleep_long() {
    line_of_sleep = std::source_location::current().line() + 1;
    co_await sleep(1h);
}
Coro<> swallow_for_ever() {
    for (;;) {
        try {
            co_await sleep_long();
        } catch (...) {
        }
    }
}
// Lets a task that swallows everything end: its frames are destroyed with the group.
template <class F>
Coro<> with_swallower(F use) {
    TaskGroup group;
    auto task = group.create_task(swallow_for_ever());
    co_await yield();
    co_await use(task);
}

TEST(Cancellation, OfTheUsersCodeSaysWhoWhereAndWhy) {
    observed([](Observed& seen) -> Coro<> {
        auto task = create_task(sleep_long());
        co_await yield();
        const auto here = std::source_location::current();
        task.cancel("session expired");
        co_await task.wait();
        const Request request = request_of(seen, task.id());
        EXPECT_EQ(request.by, current_task().id());
        EXPECT_EQ(request.line, here.line() + 1);
        EXPECT_EQ(request.origin, CancelOrigin::user);
        EXPECT_EQ(request.message, cs_value_text("session expired"));
    });
}

TEST(Cancellation, ArrivesAtTheAwaitWhereItIsThrownAndIsNotSwallowedByItsEnd) {
    observed([](Observed& seen) -> Coro<> {
        auto task = create_task(sleep_long());
        co_await yield();
        task.cancel();
        co_await task.wait();
        const auto thrown = seen.events_of(task.id(), EventKind::cancel_thrown);
        EXPECT_EQ(thrown.size(), 1u);
        if (!thrown.empty()) {
            EXPECT_EQ(seen.line_of(thrown[0].stack), line_of_sleep);
        }
        const auto id = task.id();
        task = {};
        EXPECT_EQ(count(seen, id, EventKind::cancel_swallowed), 0u);
    });
}

TEST(Cancellation, IsSwallowedByACatchThatGoesOn) {
    observed([](Observed& seen) -> Coro<> {
        co_await with_swallower([&seen](Task<> task) -> Coro<> {
            task.cancel();
            co_await yield();
            co_await yield();
            EXPECT_EQ(count(seen, task.id(), EventKind::cancel_thrown), 1u);
            EXPECT_EQ(swallowed(seen, task), 1u);
            task.cancel();
            co_await yield();
            co_await yield();
            EXPECT_EQ(swallowed(seen, task), 2u);
        });
    });
}

Coro<> keep_and_clean_up(std::chrono::milliseconds duration) {
    std::exception_ptr cancelled;
    try {
        co_await sleep_long();
    } catch (const Cancelled&) {
        cancelled = std::current_exception();
    }
    co_await sleep(duration);
    if (cancelled) std::rethrow_exception(cancelled);
}
Coro<> fail_instead() {
    try {
        co_await sleep_long();
    } catch (const Cancelled&) {
        throw std::runtime_error("instead");
    }
}

TEST(Cancellation, IsNotSwallowedByACleanUpThatKeepsIt) {
    observed([](Observed& seen) -> Coro<> {
        auto task = create_task(keep_and_clean_up(10ms));
        co_await yield();
        task.cancel();
        co_await sleep(5ms);
        EXPECT_EQ(swallowed(seen, task), 0u);
        co_await task.wait();
        EXPECT_EQ(swallowed(seen, task), 0u);
        EXPECT_TRUE(task.cancelled());
    });
}

TEST(Cancellation, OfATaskThatFailsInsteadIsFollowedByItsEnd) {
    observed([](Observed& seen) -> Coro<> {
        auto task = create_task(fail_instead());
        co_await yield();
        task.cancel();
        co_await task.wait();
        EXPECT_EQ(count(seen, task.id(), EventKind::cancel_thrown), 1u);
        EXPECT_EQ(count(seen, task.id(), EventKind::task_error), 1u);
        EXPECT_TRUE(task.exception());
    });
}

std::uint32_t line_of_limit = 0;
Coro<> limited(Task<> task) {
    line_of_limit = std::source_location::current().line() + 1;
    co_await wait_for(task, 10ms);
}

TEST(Cancellation, OfATimeoutSaysTheLineOfItsLimitAndIsPassedOn) {
    observed([](Observed& seen) -> Coro<> {
        auto task = create_task(sleep_long());
        auto limiting = create_task(limited(task));
        co_await limiting.wait();
        const Request limit = request_of(seen, limiting.id());
        EXPECT_EQ(limit.origin, CancelOrigin::timeout);
        EXPECT_EQ(limit.by, limiting.id());
        const Request passed_on = request_of(seen, task.id());
        EXPECT_EQ(passed_on.origin, CancelOrigin::awaiter);
        EXPECT_EQ(passed_on.by, limiting.id());
        EXPECT_EQ(count(seen, limiting.id(), EventKind::cancel_thrown), 1u) << "when it comes back";
        const auto taken_back = seen.events_of(limiting.id(), EventKind::uncancelled);
        EXPECT_EQ(taken_back.size(), 1u);
        if (!taken_back.empty()) {
            EXPECT_EQ(taken_back[0].argument, 0u);
        }
        EXPECT_EQ(swallowed(seen, limiting), 0u) << "a TimeoutError came of it";
        EXPECT_THROW(limiting.result(), TimeoutError);
    });
}

Coro<> own_limit() {
    line_of_limit = std::source_location::current().line() + 1;
    Timeout limit = timeout(10ms);
    try {
        co_await sleep_long();
    } catch (const Cancelled&) {
        limit.rethrow();
    }
}

TEST(Cancellation, OfATimeoutObjectSaysWhereThatWasMade) {
    observed([](Observed& seen) -> Coro<> {
        auto task = create_task(own_limit());
        co_await task.wait();
        const Request request = request_of(seen, task.id());
        EXPECT_EQ(request.origin, CancelOrigin::timeout);
        EXPECT_EQ(request.line, line_of_limit);
        EXPECT_EQ(swallowed(seen, task), 0u);
        EXPECT_THROW(task.result(), TimeoutError);
    });
}

TEST(Cancellation, ThatCameBackFromAnAwaitedTaskCanBeSwallowedByWhoPassedItOn) {
    observed([](Observed& seen) -> Coro<> {
        TaskGroup group;
        auto inner = create_task(sleep_long());
        auto outer = group.create_task(
            [](Task<> awaited) -> Coro<> {
                try {
                    co_await awaited;
                } catch (...) {
                }
                co_await sleep_long();
            },
            inner);
        co_await yield();
        co_await yield();
        outer.cancel();
        for (int i = 0; i < 4; ++i) co_await yield();
        EXPECT_EQ(count(seen, outer.id(), EventKind::cancel_thrown), 1u);
        EXPECT_EQ(swallowed(seen, outer), 1u);
        EXPECT_EQ(swallowed(seen, inner), 0u);
    });
}

TEST(Cancellation, OfAGatherIsPassedOn) {
    observed([](Observed& seen) -> Coro<> {
        auto one = create_task(sleep_long()), other = create_task(sleep_long());
        auto gathering = create_task([](Task<> a, Task<> b) -> Coro<> { co_await gather(a, b); }, one, other);
        co_await yield();
        co_await yield();
        gathering.cancel();
        co_await gathering.wait();
        EXPECT_EQ(request_of(seen, one.id()).origin, CancelOrigin::awaiter);
        EXPECT_EQ(request_of(seen, other.id()).by, gathering.id());
        EXPECT_EQ(count(seen, gathering.id(), EventKind::cancel_thrown), 1u);
    });
}

Coro<> fail_soon() {
    co_await sleep(1ms);
    throw std::runtime_error("broken");
}

TEST(Cancellation, OfAGroupNamesTheTaskThatFailed) {
    observed([](Observed& seen) -> Coro<> {
        TaskGroup group;
        auto failing = group.create_task(fail_soon());
        auto other = group.create_task(sleep_long());
        EXPECT_THROW(co_await group.join(), ExceptionGroup);
        const Request request = request_of(seen, other.id());
        EXPECT_EQ(request.origin, CancelOrigin::task_group);
        EXPECT_EQ(request.by, failing.id());
    });
}

TEST(Cancellation, OfAWholeGroupByTheUserSaysTheLine) {
    observed([](Observed& seen) -> Coro<> {
        TaskGroup group;
        auto task = group.create_task(sleep_long());
        co_await yield();
        const auto here = std::source_location::current();
        group.cancel();
        co_await group.join();
        const Request request = request_of(seen, task.id());
        EXPECT_EQ(request.origin, CancelOrigin::user);
        EXPECT_EQ(request.line, here.line() + 1);
    });
}

TEST(Cancellation, AtTheEndOfRunIsThat) {
    const DebugOn debug_on;
    Observed seen;
    Task<> left;
    run<VirtualTimeLoop>([](Task<>& task) -> Coro<> {
        task = create_task(sleep_long());
        co_await yield();
    }(left));
    const Request request = request_of(seen, left.id());
    EXPECT_EQ(request.origin, CancelOrigin::run_end);
    EXPECT_EQ(request.by, 0u);
    EXPECT_EQ(request.message, 0u);
}

}  // namespace
}  // namespace coroscope
