// What the debugger learns of errors: what ended a task, where that came from, and who looked at it.
#include <gtest/gtest.h>

#include <functional>
#include <source_location>
#include <stdexcept>
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
using vocabulary::EventKind;

std::uint32_t line_of_fetch = 0, line_of_await = 0, line_of_look = 0;

std::uint64_t text(const char* of_error) { return cs_value_text(of_error); }

Coro<> fetch() {
    line_of_fetch = std::source_location::current().line() + 1;
    co_await sleep(1ms);
    throw std::runtime_error("no route");
}
Coro<> load() {
    line_of_await = std::source_location::current().line() + 1;
    co_await fetch();
}
Coro<> throws_at_once() {
    throw std::runtime_error("at once");
    co_return;
}
Coro<> wait_for_end(AnyTask task) { co_await task.wait(); }

// The only error event of the task.
probe::Record error_of(Observed& seen, const AnyTask& task) {
    const auto events = seen.events_of(task.id(), EventKind::task_error);
    EXPECT_EQ(events.size(), 1u);
    return events.empty() ? probe::Record{} : events.front();
}
std::size_t retrievals(Observed& seen, const AnyTask& task) {
    return seen.events_of(task.id(), EventKind::error_retrieved).size();
}

TEST(TaskError, IsToldBeforeTheEndWithItsTextAndTheInnermostCoroutine) {
    observed([](Observed& seen) -> Coro<> {
        auto task = create_task(load());
        co_await task.wait();
        const probe::Record error = error_of(seen, task);
        EXPECT_EQ(error.argument, text("std::runtime_error: no route"));
        EXPECT_EQ(seen.line_of(error.stack), line_of_fetch);
        const auto events = seen.events_of(task.id());
        for (std::size_t i = 0; i + 1 < events.size(); ++i)
            if (events[i].kind == EventKind::task_error) {
                EXPECT_EQ(events[i + 1].kind, EventKind::task_done);
            }
        EXPECT_EQ(retrievals(seen, task), 0u) << "wait() asks for no result";
        EXPECT_TRUE(task.exception());
    });
}

TEST(TaskError, OfACoroutineThatHasNotAwaitedComesFromTheCoroutine) {
    observed([](Observed& seen) -> Coro<> {
        auto task = create_task(throws_at_once());
        co_await task.wait();
        const probe::Record error = error_of(seen, task);
        EXPECT_EQ(error.argument, text("std::runtime_error: at once"));
        EXPECT_EQ(error.stack, task.control()->root->node);
        EXPECT_TRUE(task.exception());
    });
}

std::uint32_t line_of_own = 0;
Coro<> throws_its_own() {
    bool failed = false;
    try {
        co_await fetch();
    } catch (const std::exception&) {
        failed = true;
    }
    line_of_own = std::source_location::current().line() + 1;
    co_await yield();
    // The exception that was caught is gone, and this one may have its address.
    if (failed) throw std::runtime_error("no route");
}
Coro<> throws_its_own_at_once() {
    bool failed = false;
    try {
        line_of_own = std::source_location::current().line() + 1;
        co_await fetch();
    } catch (const std::exception&) {
        failed = true;
    }
    if (failed) throw std::runtime_error("no route");
}
Coro<> throws_on() {
    try {
        co_await fetch();
    } catch (const std::exception&) {
        throw;
    }
}

TEST(TaskError, OfACoroutineThatCaughtAnotherErrorIsItsOwn) {
    observed([](Observed& seen) -> Coro<> {
        auto later = create_task(throws_its_own());
        co_await later.wait();
        EXPECT_EQ(seen.line_of(error_of(seen, later).stack), line_of_own);
        auto at_once = create_task(throws_its_own_at_once());
        co_await at_once.wait();
        EXPECT_EQ(seen.line_of(error_of(seen, at_once).stack), line_of_own);
        auto on = create_task(throws_on());
        co_await on.wait();
        EXPECT_EQ(seen.line_of(error_of(seen, on).stack), line_of_fetch) << "the same error, thrown on";
        EXPECT_TRUE(later.exception() && at_once.exception() && on.exception());
    });
}

Coro<> await_it(Task<> task) {
    line_of_look = std::source_location::current().line() + 1;
    co_await task;
}

TEST(TaskError, WhoAwaitsATaskRetrievesItsError) {
    observed([](Observed& seen) -> Coro<> {
        auto task = create_task(load());
        auto looker = create_task(await_it(task));
        co_await looker.wait();
        const auto events = seen.events_of(task.id(), EventKind::error_retrieved);
        EXPECT_EQ(events.size(), 1u);
        if (events.empty()) co_return;
        EXPECT_EQ(events[0].argument, looker.id());
        EXPECT_EQ(seen.line_of(events[0].stack), line_of_look);
        EXPECT_EQ(seen.line_of(error_of(seen, looker).stack), line_of_look) << "it came through that await";
        EXPECT_TRUE(looker.exception());
    });
}

TEST(TaskError, WhoAsksForResultOrExceptionRetrievesIt) {
    observed([](Observed& seen) -> Coro<> {
        auto one = create_task(load()), other = create_task(load());
        co_await one.wait();
        co_await other.wait();
        line_of_look = std::source_location::current().line() + 1;
        EXPECT_TRUE(one.exception());
        EXPECT_THROW(other.result(), std::runtime_error);
        const auto looked = seen.events_of(one.id(), EventKind::error_retrieved);
        EXPECT_EQ(looked.size(), 1u);
        if (!looked.empty()) {
            EXPECT_EQ(seen.line_of(looked[0].stack), line_of_look);
        }
        EXPECT_EQ(retrievals(seen, other), 1u);
    });
}

TEST(TaskError, NobodyLooksAtATaskThatReturnedOrWasCancelled) {
    observed([](Observed& seen) -> Coro<> {
        auto good = create_task(wait_for_end(current_task()));
        co_await yield();
        good.cancel();
        co_await good.wait();
        EXPECT_TRUE(seen.events_of(good.id(), EventKind::task_error).empty());
        EXPECT_THROW(good.result(), Cancelled);
        EXPECT_EQ(retrievals(seen, good), 0u);
    });
}

Coro<> fail_after(std::chrono::milliseconds delay, std::string what) {
    co_await sleep(delay);
    throw std::runtime_error(what);
}

TEST(TaskError, AGatherRetrievesTheFirstErrorOnly) {
    observed([](Observed& seen) -> Coro<> {
        auto first = create_task(fail_after(1ms, "first")), second = create_task(fail_after(2ms, "second"));
        EXPECT_THROW((co_await gather(first, second)), std::runtime_error);
        co_await sleep(5ms);
        EXPECT_EQ(retrievals(seen, first), 1u);
        EXPECT_EQ(retrievals(seen, second), 0u);
        EXPECT_EQ(error_of(seen, second).argument, text("std::runtime_error: second"));
    });
}

TEST(TaskError, AGatherOfOutcomesRetrievesAll) {
    observed([](Observed& seen) -> Coro<> {
        auto first = create_task(fail_after(1ms, "first")), second = create_task(fail_after(2ms, "second"));
        co_await gather(return_exceptions, first, second);
        EXPECT_EQ(retrievals(seen, first), 1u);
        EXPECT_EQ(retrievals(seen, second), 1u);
    });
}

TEST(TaskError, AJoinOfAGroupRetrievesAll) {
    observed([](Observed& seen) -> Coro<> {
        TaskGroup group;
        auto first = group.create_task(fail_after(1ms, "first")), second = group.create_task(fail_after(1ms, "second"));
        EXPECT_THROW(co_await group.join(), ExceptionGroup);
        EXPECT_EQ(retrievals(seen, first), 1u);
        EXPECT_EQ(retrievals(seen, second), 1u);
    });
}

Coro<> leave_group(Task<>& child) {
    TaskGroup group;
    child = group.create_task(fail_after(1ms, "child"));
    co_await sleep(1s);
    co_await group.join();
}

TEST(TaskError, AGroupThatItsOwnCancelledLeavesHandsItsErrorsOn) {
    observed([](Observed& seen) -> Coro<> {
        Task<> child;
        EXPECT_THROW(co_await leave_group(child), ExceptionGroup);
        EXPECT_EQ(retrievals(seen, child), 1u);
    });
}

// The reports about the task since the last call.
std::vector<std::uint32_t> reports_about(const AnyTask& task) {
    probe::Registry& registry = probe::process_registry();
    const std::scoped_lock lock(registry.reports_mutex);
    std::vector<std::uint32_t> kinds;
    for (const probe::Report& report : registry.reports)
        if (report.task == task.id()) kinds.push_back(report.kind);
    registry.reports.clear();
    return kinds;
}
const std::vector<std::uint32_t> never_retrieved{
    static_cast<std::uint32_t>(vocabulary::ReportKind::exception_never_retrieved)};

Coro<> swallow_within(Task<>& child) {
    try {
        TaskGroup group;
        child = group.create_task(fail_after(1ms, "child"));
        co_await sleep(1s);
    } catch (const Cancelled&) {
    }
}
Coro<> return_without_join(Task<>& child) {
    TaskGroup group;
    child = group.create_task(fail_after(1ms, "child"));
    try {
        co_await sleep(1s);
    } catch (const Cancelled&) {
    }
}

TEST(TaskError, AGroupThatIsLeftInAnotherWayReportsItsErrors) {
    observed([](Observed& seen) -> Coro<> {
        Task<> child;
        auto owner = create_task(swallow_within(child));
        co_await owner;
        EXPECT_EQ(reports_about(child), never_retrieved);
        EXPECT_EQ(retrievals(seen, child), 0u);
        co_await return_without_join(child);
        EXPECT_EQ(reports_about(child), never_retrieved);
    });
}

// The line of each report of a kind.
std::vector<std::uint32_t> lines_of_reports(const Observed& seen, vocabulary::ReportKind kind) {
    probe::Registry& registry = probe::process_registry();
    const std::scoped_lock lock(registry.reports_mutex);
    std::vector<std::uint32_t> lines;
    for (const probe::Report& report : registry.reports)
        if (report.kind == static_cast<std::uint32_t>(kind)) lines.push_back(seen.line_of(report.stack));
    registry.reports.clear();
    return lines;
}

TEST(CallbackError, IsToldWithThePlaceWhereTheCallbackWasScheduled) {
    observed([](Observed& seen) -> Coro<> {
        lines_of_reports(seen, vocabulary::ReportKind::callback_exception);
        EventLoop& loop = EventLoop::running();
        const auto fail = [] { throw std::runtime_error("no sensor"); };
        const std::uint32_t line = std::source_location::current().line();
        loop.call_soon(fail);
        loop.call_later(1ms, fail);
        loop.call_later(2ms, [&loop, fail] { loop.call_soon(fail); });
        co_await sleep(5ms);
        EXPECT_EQ(lines_of_reports(seen, vocabulary::ReportKind::callback_exception),
                  std::vector<std::uint32_t>({line + 1, line + 2, line + 3}));
    });
}

TEST(FutureError, IsToldWithThePlaceWhereItWasSet) {
    observed([](Observed& seen) -> Coro<> {
        lines_of_reports(seen, vocabulary::ReportKind::future_exception_never_retrieved);
        const std::uint32_t line = std::source_location::current().line();
        co_await sleep(1ms);
        Future<int>().set_exception(std::runtime_error("out of paper"));
        EventLoop::running().call_soon([] { Future<>().set_exception(std::runtime_error("out of ink")); });
        co_await yield();
        EXPECT_EQ(lines_of_reports(seen, vocabulary::ReportKind::future_exception_never_retrieved),
                  std::vector<std::uint32_t>({line + 1, line + 3}));
    });
}

}  // namespace
}  // namespace coroscope
