// What an app says about itself reaches the debugger: names, attributes, spans, marks, counters.
#include "coroscope/annotate.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <limits>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "coroscope/coroscope.hpp"
#include "coroscope/virtual_time_loop.hpp"
#include "probe_support.hpp"

namespace coroscope {
namespace {

using namespace std::chrono_literals;
using probe::Record;
using test::DebugOn;
using test::Observed;
using test::observed;
using vocabulary::EventKind;

probe::Definitions& definitions() { return probe::process_registry().definitions; }

std::string name_of(std::uint64_t id) { return definitions().name(static_cast<std::uint32_t>(id)); }
probe::ValueDefinition value_of(const Record& attribute) {
    probe::Definitions::Cursor cursor;
    probe::Definitions::News news;
    definitions().read_since(cursor, news);
    return news.values.at(vocabulary::value_of(attribute.argument) - 1);
}
std::string key_of(const Record& attribute) { return name_of(vocabulary::key_of(attribute.argument)); }

TEST(Annotate, ATaskNamesItself) {
    observed([](Observed& seen) -> Coro<> {
        name_task("order 7");
        EXPECT_EQ(current_task().name(), "order 7");
        EXPECT_EQ(seen.events_of(current_task().id(), EventKind::task_named).size(), 1u);
        co_return;
    });
    name_task("nobody");  // no task runs
}

TEST(Annotate, AttributesOfTasksHaveTheirTypes) {
    observed([](Observed& seen) -> Coro<> {
        set_attribute("user", "ann");
        set_attribute("text", std::string("b"));
        set_attribute("small", 42);
        set_attribute("negative", std::int64_t{-1});
        set_attribute("large", std::numeric_limits<std::uint64_t>::max());
        set_attribute("share", 0.5f);
        set_attribute("paid", true);
        const Task<void> other = create_task(sleep(1s));
        set_attribute(other, "of another", 1);
        std::vector<std::pair<std::string, probe::ValueDefinition>> all;
        for (const Record& each : seen.events_of(current_task().id(), EventKind::task_attribute))
            all.emplace_back(key_of(each), value_of(each));
        const std::vector<std::pair<std::string, probe::ValueDefinition>> expected{{"user", "ann"},
                                                                                   {"text", "b"},
                                                                                   {"small", std::int64_t{42}},
                                                                                   {"negative", std::int64_t{-1}},
                                                                                   {"large", 0x1p64},
                                                                                   {"share", 0.5},
                                                                                   {"paid", true}};
        EXPECT_EQ(all, expected);
        EXPECT_EQ(seen.events_of(other.id(), EventKind::task_attribute).size(), 1u);
        co_await other;
    });
}

TEST(Annotate, ASpanLastsFromItsCallToTheEndOfItsScopeOverAwaits) {
    observed([](Observed& seen) -> Coro<> {
        std::uint64_t id = 0;
        const std::uint32_t line = __LINE__ + 2;
        {
            Span price = span("price", {{"items", 3}});
            const auto begun = seen.events_about(std::nullopt, EventKind::span_begin);
            if (begun.size() != 1) throw std::logic_error("a span begins once");
            id = begun[0].subject;
            EXPECT_EQ(name_of(begun[0].argument), "price");
            EXPECT_EQ(seen.line_of(begun[0].stack), line);
            co_await sleep(1s);
            price.set_attribute("total", 12.5);
            EXPECT_TRUE(seen.events_about(id, EventKind::span_end).empty());
        }
        EXPECT_EQ(seen.events_about(id, EventKind::span_end).size(), 1u);
        EXPECT_EQ(seen.events_about(id, EventKind::span_attribute).size(), 2u);
    });
}

TEST(Annotate, ASpanMovesAndEndsOnce) {
    observed([](Observed& seen) -> Coro<> {
        Span first = span("first");
        Span second = std::move(first);
        first.end();
        EXPECT_TRUE(seen.events_about(std::nullopt, EventKind::span_end).empty());
        second = span("second");  // ends the first
        EXPECT_EQ(seen.events_about(std::nullopt, EventKind::span_end).size(), 1u);
        second.end();
        second.end();
        EXPECT_EQ(seen.events_about(std::nullopt, EventKind::span_end).size(), 2u);
        co_return;
    });
}

TEST(Annotate, AMarkHasTextPlaceAndAttributes) {
    observed([](Observed& seen) -> Coro<> {
        const std::uint32_t line = __LINE__ + 1;
        mark("cold cache", {{"shard", "a"}});
        const auto marks = seen.events_about(std::nullopt, EventKind::mark);
        if (marks.size() != 1) throw std::logic_error("a mark is one event");
        EXPECT_EQ(name_of(marks[0].argument), "cold cache");
        EXPECT_EQ(seen.line_of(marks[0].stack), line);
        EXPECT_EQ(seen.events_about(marks[0].subject, EventKind::span_attribute).size(), 1u);
        co_return;
    });
}

TEST(Annotate, ACounterHasTheValuesItWasGiven) {
    observed([](Observed& seen) -> Coro<> {
        counter("orders", 1);
        counter("orders", 2.5);
        std::vector<double> values;
        for (const Record& each : seen.events_about(std::nullopt, EventKind::counter)) {
            EXPECT_EQ(name_of(each.subject), "orders");
            values.push_back(std::bit_cast<double>(each.argument));
        }
        EXPECT_EQ(values, (std::vector<double>{1, 2.5}));
        co_return;
    });
}

TEST(Annotate, LongAndStrangeTextsAreCutOffNotRefused) {
    observed([](Observed& seen) -> Coro<> {
        const std::string text(3000, 'x'), cut_in_a_character = std::string(255, 'y') + "\xc3\xa4";
        set_attribute(text, text);
        mark(cut_in_a_character);
        mark("");  // says nothing, and is not shown
        const auto attributes = seen.events_of(current_task().id(), EventKind::task_attribute);
        if (attributes.size() != 1) throw std::logic_error("an attribute is one event");
        EXPECT_EQ(key_of(attributes[0]), text.substr(0, 256));
        EXPECT_EQ(std::get<std::string>(value_of(attributes[0])), text.substr(0, 1024));
        const auto marks = seen.events_about(std::nullopt, EventKind::mark);
        if (marks.empty()) throw std::logic_error("the mark is there");
        EXPECT_EQ(name_of(marks[0].argument), std::string(255, 'y'));
        co_return;
    });
}

TEST(Annotate, OutsideOfTasksMarksAndCountersAreShownAndAttributesBelongToNobody) {
    const DebugOn debug_on;
    run<VirtualTimeLoop>(sleep(1s));  // debug mode begins with the first loop
    Observed seen;
    mark("from main");
    counter("of the process", 1);
    set_attribute("user", 1);
    EXPECT_EQ(seen.events_about(std::nullopt, EventKind::mark).size(), 1u);
    EXPECT_EQ(seen.events_about(std::nullopt, EventKind::counter).size(), 1u);
    EXPECT_TRUE(seen.events_about(std::nullopt, EventKind::task_attribute).empty());
}

TEST(Annotate, WithDebugModeOffNothingIsSaid) {
    const auto all = [] {
        set_attribute("a", 1);
        mark("b");
        counter("c", 1);
        Span none = span("d");
        none.set_attribute("e", 1);
    };
    all();
    const DebugOn debug_on;
    Observed seen;
    Span later;
    later.set_attribute("f", 1);
    later.end();
    EXPECT_TRUE(seen.events_about(std::nullopt, EventKind::span_end).empty());
}

}  // namespace
}  // namespace coroscope
