// The Chrome export, parsed back: what it shows of a known app, and the format's rules for any app.
#include "agent/trace/chrome_export.hpp"

#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "app_builder.hpp"

namespace coroscope::trace::test {
namespace {

using nlohmann::json;

json exported(const model::Session& session, std::span<const Marker> markers = {}) {
    std::string text;
    Output out(text);
    export_chrome(session, markers, out);
    return json::parse(text);
}

std::vector<json> select(const json& trace, const std::string& phase, const std::string& name = {}) {
    std::vector<json> found;
    for (const auto& event : trace["traceEvents"])
        if (event["ph"] == phase && (name.empty() || event["name"] == name)) found.push_back(event);
    return found;
}

// Whole nanoseconds of a time in microseconds.
std::int64_t ns(const json& microseconds) { return std::llround(microseconds.get<double>() * 1000); }

TEST(Chrome, StepsAreSlicesOfTheLoopsThread) {
    model::Session session;
    fold(session, small_app());
    const json trace = exported(session);
    const auto slices = select(trace, "X");
    ASSERT_EQ(slices.size(), 5u);
    EXPECT_EQ(slices[0]["name"], "Task-1 app_main");
    EXPECT_EQ(slices[0]["pid"], 4242);
    EXPECT_EQ(slices[0]["tid"], 4243);
    EXPECT_EQ(ns(slices[0]["ts"]), 1300);
    EXPECT_EQ(ns(slices[0]["dur"]), 200);
    EXPECT_EQ(slices[0]["args"]["task"], 1);
    EXPECT_EQ(slices[0]["args"]["ended at"], "src/main.cpp:12");
    EXPECT_EQ(slices[1]["name"], "Task-2 ns::worker");
    EXPECT_EQ(slices[2]["args"]["began at"], "src/worker.cpp:22");
    EXPECT_EQ(slices[2]["args"]["ended at"], "finished");
    EXPECT_EQ(slices[2]["args"]["ready for ns"], 100);
    EXPECT_EQ(slices[4]["name"], "callback app_main");
    const auto open = select(trace, "B");
    ASSERT_EQ(open.size(), 1u);
    EXPECT_EQ(open[0]["name"], "Task-3 ns::worker");
    EXPECT_EQ(ns(open[0]["ts"]), 7001);
}

TEST(Chrome, NamesOfProcessAndThreads) {
    model::Session session;
    fold(session, small_app());
    const json trace = exported(session);
    EXPECT_EQ(select(trace, "M", "process_name").at(0)["args"]["name"], "small");
    EXPECT_EQ(select(trace, "M", "thread_name").at(0)["args"]["name"], "main (loop 1)");
    EXPECT_EQ(select(trace, "M", "thread_name").at(0)["tid"], 4243);
}

TEST(Chrome, TasksAreAsyncRowsWithTheirWaitsNested) {
    model::Session session;
    fold(session, small_app());
    std::vector<std::string> told;
    const json trace = exported(session);
    for (const auto& event : trace["traceEvents"])
        if (event.contains("id2") && event["id2"]["local"] == "0x2")
            told.push_back(event["ph"].get<std::string>() + " " + event["name"].get<std::string>() + " " +
                           std::to_string(ns(event["ts"])));
    const std::vector<std::string> expected{
        "b Task-2 ns::worker 1400",   "b ready 1400", "e ready 1600", "b await worker.cpp:22 1700",
        "e await worker.cpp:22 5100", "b ready 5100", "e ready 5200", "e Task-2 ns::worker 5300"};
    EXPECT_EQ(told, expected);
}

TEST(Chrome, WhatStillLastsHasNoEnd) {
    model::Session session;
    fold(session, small_app());
    std::map<std::string, int> depth;
    json waits;
    const json trace = exported(session);
    for (const auto& event : trace["traceEvents"]) {
        if (!event.contains("id2")) continue;
        depth[event["id2"]["local"]] += event["ph"] == "b" ? 1 : -1;
        const bool of_first = event["id2"]["local"] == "0x1";
        if (of_first && event["ph"] == "b" && event.contains("args") && event["args"].contains("waits for"))
            waits = event;
    }
    EXPECT_EQ(depth["0x1"], 2);  // lives, and waits
    EXPECT_EQ(depth["0x2"], 0);
    EXPECT_EQ(depth["0x3"], 1);  // lives, and runs
    EXPECT_EQ(waits["args"]["waits for"], "Task-3");
    EXPECT_TRUE(waits["args"]["stack"].back().get<std::string>().ends_with("(src/main.cpp:12)")) << waits;
}

TEST(Chrome, ArrowsLeadFromSpawnerAndWaker) {
    model::Session session;
    fold(session, small_app());
    const json trace = exported(session);
    std::vector<std::string> told;
    for (const auto& from : select(trace, "s"))
        for (const auto& to : select(trace, "f"))
            if (from["id"] == to["id"])
                told.push_back(from["name"].get<std::string>() + " " + std::to_string(ns(from["ts"])) + " " +
                               std::to_string(ns(to["ts"])));
    std::sort(told.begin(), told.end());
    EXPECT_EQ(told, (std::vector<std::string>{"spawn 1400 1600", "spawn 5600 7001", "wake 5350 5500"}));
}

TEST(Chrome, CountersOfTasksAndLag) {
    model::Session session;
    fold(session, small_app());
    const json trace = exported(session);
    std::vector<std::pair<std::int64_t, int>> live;
    for (const auto& event : select(trace, "C", "live tasks"))
        live.emplace_back(ns(event["ts"]), event["args"]["tasks"]);
    EXPECT_EQ(live, (std::vector<std::pair<std::int64_t, int>>{{1100, 1}, {1400, 2}, {5300, 1}, {5600, 2}}));
    std::vector<std::pair<std::int64_t, int>> lag;
    for (const auto& event : select(trace, "C", "loop 1 lag")) lag.emplace_back(ns(event["ts"]), event["args"]["ns"]);
    // From the loop's start to its first poll, and from there to the next.
    EXPECT_EQ(lag, (std::vector<std::pair<std::int64_t, int>>{{1000, 150}, {1150, 0}, {1200, 600}, {1800, 0}}));
}

TEST(Chrome, WhatTheAppSaysIsShown) {
    model::Session session;
    fold(session, telling_app());
    const json trace = exported(session);
    const auto life = select(trace, "b", "Task-3 ns::worker");
    ASSERT_EQ(life.size(), 1u);
    EXPECT_EQ(life[0]["args"]["attributes"], json({{"user", "ann"}}));
    const auto price = select(trace, "b", "price"), price_end = select(trace, "e", "price");
    ASSERT_EQ(price.size(), 1u);
    ASSERT_EQ(price_end.size(), 1u);
    EXPECT_EQ(ns(price[0]["ts"]), 7200);
    EXPECT_EQ(ns(price_end[0]["ts"]), 7500);
    EXPECT_EQ(price[0]["cat"], "span");
    EXPECT_EQ(price[0]["id2"], price_end[0]["id2"]);
    EXPECT_EQ(price[0]["args"]["task"], 3);
    EXPECT_EQ(price[0]["args"]["at"], "src/worker.cpp:22");
    ASSERT_EQ(select(trace, "b", "charge").size(), 1u);
    EXPECT_EQ(select(trace, "b", "charge")[0]["args"]["attributes"]["amount"], 9.5);
    EXPECT_TRUE(select(trace, "e", "charge").empty()) << "it lasts";
    const auto mark = select(trace, "i", "cold cache");
    ASSERT_EQ(mark.size(), 1u);
    EXPECT_EQ(ns(mark[0]["ts"]), 7600);
    EXPECT_EQ(mark[0]["args"]["task"], 3);
    std::vector<double> values;
    for (const auto& event : select(trace, "C", "orders")) values.push_back(event["args"]["value"]);
    EXPECT_EQ(values, (std::vector<double>{2.5, -1})) << "JSON has no infinity";
}

TEST(Chrome, MarkersAreInstantsOnTheTasksThread) {
    model::Session session;
    fold(session, small_app());
    Marker marker{1,
                  2,
                  5200,
                  200,
                  "slow_step",
                  "warning",
                  "step of \"Task-2\"",
                  {{"advice", "move it to a thread"}},
                  {{"worker", "src/worker.cpp", 22}}};
    Marker other_app = marker;
    other_app.app = 77;
    const std::vector<Marker> markers{marker, other_app};
    const auto instants = select(exported(session, markers), "i");
    ASSERT_EQ(instants.size(), 1u);
    EXPECT_EQ(instants[0]["name"], "step of \"Task-2\"");
    EXPECT_EQ(instants[0]["tid"], 4243);
    EXPECT_EQ(instants[0]["s"], "t");
    EXPECT_EQ(instants[0]["args"]["kind"], "slow_step");
    EXPECT_EQ(instants[0]["args"]["severity"], "warning");
    EXPECT_EQ(instants[0]["args"]["advice"], "move it to a thread");
    EXPECT_EQ(instants[0]["args"]["stack"], json::array({"worker (src/worker.cpp:22)"}));
}

TEST(Chrome, LossIsShown) {
    model::Session session;
    fold(session, random_app(1, 5, true));
    const json trace = exported(session);
    EXPECT_FALSE(select(trace, "i", "events lost").empty());
    bool total = false;
    for (const auto& event : select(trace, "i"))
        total |= event["name"].get<std::string>().find("lost: what is shown has holes") != std::string::npos;
    EXPECT_TRUE(total);
}

TEST(Chrome, AppsOfOneProcessIdStayApart) {
    model::Session session;
    fold(session, small_app(1, 4242));
    fold(session, small_app(2, 4242));
    std::set<json> pids;
    for (const auto& event : select(exported(session), "M", "process_name")) pids.insert(event["pid"]);
    EXPECT_EQ(pids.size(), 2u);
}

TEST(Chrome, AppsOfAnotherHostAreShiftedByTheirWallClock) {
    model::Session session;
    auto first = small_app(1, 10), second = small_app(2, 11);
    first[0] = hello(1, "first", 10, 1'700'000'000'000'000'000);
    second[0] = hello(2, "second", 11, 1'700'000'000'000'000'000 + 5'000'000'000);
    fold(session, first);
    fold(session, second);
    std::map<int, std::int64_t> begins;
    for (const auto& event : select(exported(session), "X")) begins.try_emplace(event["pid"], ns(event["ts"]));
    EXPECT_EQ(begins[11] - begins[10], 5'000'000'000);
}

// Slices of a thread are disjoint, async events match by name, arrows pair up and are bound to slices.
void check_rules(const json& trace) {
    std::map<std::pair<std::uint64_t, std::uint64_t>, std::vector<std::pair<std::int64_t, std::int64_t>>> slices;
    std::map<std::pair<std::uint64_t, std::string>, std::vector<std::string>> open;
    std::map<std::pair<std::uint64_t, std::string>, std::int64_t> last;
    for (const auto& event : trace["traceEvents"]) {
        const std::string phase = event["ph"];
        ASSERT_TRUE(event.contains("pid") && event.contains("name"));
        if (phase == "X")
            slices[{event["pid"], event["tid"]}].emplace_back(ns(event["ts"]), ns(event["ts"]) + ns(event["dur"]));
        if (phase == "B")
            slices[{event["pid"], event["tid"]}].emplace_back(ns(event["ts"]),
                                                              std::numeric_limits<std::int64_t>::max());
        if (phase != "b" && phase != "e") continue;
        const std::string category = event["cat"];  // a tool keeps rows apart by it and the id
        ASSERT_TRUE(category == "task" || category == "span");
        const std::pair<std::uint64_t, std::string> key{event["pid"],
                                                        category + event["id2"]["local"].get<std::string>()};
        ASSERT_GE(ns(event["ts"]), last[key]);
        last[key] = ns(event["ts"]);
        if (phase == "b") {
            open[key].push_back(event["name"]);
        } else {
            ASSERT_FALSE(open[key].empty());
            ASSERT_EQ(open[key].back(), event["name"].get<std::string>());
            open[key].pop_back();
        }
        ASSERT_LE(open[key].size(), 2u);
    }
    for (const auto& [thread, list] : slices)
        for (std::size_t i = 1; i < list.size(); ++i) ASSERT_LE(list[i - 1].second, list[i].first);
    std::map<std::string, int> arrows;
    for (const auto& event : trace["traceEvents"]) {
        if (event["ph"] != "s" && event["ph"] != "f") continue;
        ASSERT_EQ(++arrows[event["ph"].get<std::string>() + event["id"].get<std::string>()], 1);
        arrows[event["id"].get<std::string>()] += event["ph"] == "s" ? 1 : -1;
        bool bound = false;
        for (const auto& [begin, end] : slices[{event["pid"], event["tid"]}])
            bound |= begin <= ns(event["ts"]) && ns(event["ts"]) <= end;
        ASSERT_TRUE(bound);
    }
    for (const auto& [id, balance] : arrows)
        if (id[0] != 's' && id[0] != 'f') {
            ASSERT_EQ(balance, 0) << id;
        }
}

TEST(Chrome, RulesHoldForAnyApp) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        SCOPED_TRACE(seed);
        model::Session session;
        fold(session, random_app(1, seed, seed % 2 == 0));
        fold(session, random_app(2, seed + 100, seed % 3 == 0));
        ASSERT_FALSE(session.apps().empty());
        const json trace = exported(session);
        EXPECT_FALSE(select(trace, "X").empty());
        EXPECT_FALSE(select(trace, "s").empty());
        check_rules(trace);
        if (HasFatalFailure()) return;
    }
}

TEST(Chrome, RulesHoldWhenTheModelKeepsLittle) {
    model::Limits limits;
    limits.slices = 40;
    limits.done_tasks = 5;
    limits.iterations = 5;
    model::Session session(limits);
    fold(session, random_app(1, 9));
    const json trace = exported(session);
    check_rules(trace);
    EXPECT_LE(select(trace, "X").size() + select(trace, "B").size(), 41u);
    bool said = false;
    for (const auto& event : select(trace, "i"))
        said |= event["name"].get<std::string>().find("not kept") != std::string::npos;
    EXPECT_TRUE(said);
}

TEST(Chrome, EmptySessionIsAnEmptyTrace) { EXPECT_TRUE(exported(model::Session{})["traceEvents"].empty()); }

}  // namespace
}  // namespace coroscope::trace::test
