// Trace files, however they came about: read by every command, exported for other tools.
#include <signal.h>

#include <algorithm>
#include <fstream>

#include "support.hpp"
#include "web_server.hpp"

namespace coroscope::e2e {
namespace {

class Files : public testing::Test {
protected:
    // Runs an example that writes its own file, without an agent.
    std::string trace_of(const std::string& name) {
        const std::string file = directory_.path(name + ".cst").string();
        Process app(directory_, {example(name)}, {"COROSCOPE=file:" + file});
        EXPECT_EQ(app.wait(), 0) << app.err();
        return file;
    }
    Json problems(const std::string& file) {
        return coroscope_json(directory_, {"problems", file, "--json"}).at("problems");
    }
    Json only_app(const std::string& file) {
        const Json apps = coroscope_json(directory_, {"ps", file, "--json"}).at("apps");
        EXPECT_EQ(apps.size(), 1u);
        return apps.empty() ? Json() : apps.front();
    }

    TemporaryDirectory directory_;
};

// The lines of an example that hold a marker, from 1.
std::vector<int> lines_with(const std::string& name, const std::string& marker) {
    std::ifstream in(std::string(COROSCOPE_SOURCES) + "/runtime/examples/" + name + ".cpp");
    std::vector<int> found;
    std::string text;
    for (int number = 1; std::getline(in, text); ++number) {
        if (text.find(marker) != std::string::npos) found.push_back(number);
    }
    return found;
}

bool has_suffix(const std::string& text, const std::string& suffix) {
    return text.size() >= suffix.size() && text.compare(text.size() - suffix.size(), suffix.size(), suffix) == 0;
}

TEST_F(Files, ThePipelineIsReadBackWhole) {
    const Json app = only_app(trace_of("pipeline"));
    EXPECT_EQ(app.at("name"), "pipeline");
    EXPECT_EQ(app.at("dropped"), 0);
    EXPECT_EQ(app.at("connected"), false);
    EXPECT_EQ(app.at("disconnect_reason"), "ended");
    ASSERT_EQ(app.at("tasks").size(), 4u) << app.dump(1);
    std::size_t children = 0;
    for (const Json& task : app.at("tasks")) {
        EXPECT_EQ(task.at("state"), "done");
        EXPECT_EQ(task.at("outcome"), "ok");
        EXPECT_GT(task.at("busy_ns"), 0);
        if (task.at("parent") == 0) continue;
        ++children;
        ASSERT_FALSE(task.at("created_at").empty());
        EXPECT_TRUE(has_suffix(task.at("created_at").back().at("file"), "pipeline.cpp"));
    }
    EXPECT_EQ(children, 3u);
}

TEST_F(Files, AFileIsIndexedInPlaceAndReadsAsBefore) {
    const std::string file = trace_of("pipeline");
    const Json before = only_app(file);
    const Result indexed = coroscope(directory_, {"index", file});
    EXPECT_EQ(indexed.code, 0) << indexed.err;
    EXPECT_EQ(indexed.err, "");
    EXPECT_NE(indexed.out.find(file + ": "), std::string::npos) << indexed.out;
    EXPECT_EQ(only_app(file), before);
    EXPECT_FALSE(std::filesystem::exists(file + ".indexing"));

    const Result refused = coroscope(directory_, {"index", example("pipeline")});
    EXPECT_EQ(refused.code, 1);
    EXPECT_NE(refused.err.find("is not a coroscope trace file"), std::string::npos) << refused.err;
}

TEST_F(Files, AtAnEarlierMomentTheTasksAreStillAlive) {
    const std::string file = trace_of("pipeline");
    const Json end = coroscope_json(directory_, {"ps", file, "--json", "--at", "1e6"}).at("apps").at(0);
    EXPECT_EQ(end.at("tasks").size(), 4u);
    for (const Json& task : end.at("tasks")) EXPECT_EQ(task.at("state"), "done");
    // The recording begins with the loop; a microsecond later nothing has ended.
    const Json begin = coroscope_json(directory_, {"ps", file, "--json", "--at", "0.000001"}).at("apps").at(0);
    EXPECT_LT(begin.at("tasks").size(), 4u);
    for (const Json& task : begin.at("tasks")) EXPECT_NE(task.at("state"), "done");
    EXPECT_EQ(coroscope(directory_, {"tree", file, "--at", "0.001"}).code, 0);
    EXPECT_EQ(coroscope(directory_, {"problems", file, "--at", "0.001"}).code, 0);
}

TEST_F(Files, ProblemsOfThePipelineAreValidJson) { EXPECT_TRUE(problems(trace_of("pipeline")).is_array()); }

TEST_F(Files, DebugModesSlowStepAndForgottenCoroutineAreFoundWhereTheyAre) {
    const Json found = problems(trace_of("debug_mode"));
    Json slow, never;
    for (const Json& problem : found) {
        if (problem.at("kind") == "slow_step") slow = problem;
        if (problem.at("kind") == "never_awaited") never = problem;
        EXPECT_NE(problem.at("evidence"), "");
        EXPECT_NE(problem.at("advice"), "");
        EXPECT_EQ(problem.at("app"), "debug_mode");
    }
    ASSERT_FALSE(slow.is_null()) << found.dump(1);
    ASSERT_FALSE(never.is_null()) << found.dump(1);
    for (const Json& problem : {slow, never}) {
        EXPECT_TRUE(has_suffix(problem.at("site").at("file"), "debug_mode.cpp")) << problem.dump(1);
        EXPECT_TRUE(problem.at("stack").is_array());
    }
    EXPECT_FALSE(slow.at("stack").empty());
    // The blocking call is between these two awaits; the step is known by the one or the other.
    const int blocking = lines_with("debug_mode", "this_thread::sleep_for").at(0);
    EXPECT_NEAR(slow.at("site").at("line").get<int>(), blocking, 1) << slow.dump(1);
    // The forgotten coroutine is known by its own place, or by the call that made it.
    const std::vector<int> places = lines_with("debug_mode", "say_goodbye()");
    EXPECT_TRUE(std::count(places.begin(), places.end(), never.at("site").at("line").get<int>())) << never.dump(1);
}

// As a child that inherited its parent's environment.
TEST_F(Files, WhatAnAppSaysAboutItselfIsInEveryView) {
    const std::string file = trace_of("annotations");
    const Json app = only_app(file);
    const auto named = [](const Json& list, const std::string& name) {
        return std::count_if(list.begin(), list.end(), [&](const Json& each) { return each.at("name") == name; });
    };
    EXPECT_EQ(named(app.at("spans"), "reserve"), 6);
    EXPECT_EQ(named(app.at("spans"), "charge"), 6);
    EXPECT_EQ(named(app.at("marks"), "out of stock"), 2);
    ASSERT_EQ(app.at("counters").size(), 1u);
    EXPECT_EQ(app.at("counters")[0].at("value"), 0);
    EXPECT_EQ(app.at("counters")[0].at("samples"), 12);
    for (const Json& task : app.at("tasks")) {
        const std::string name = task.at("name");
        if (!name.starts_with("order ")) continue;
        EXPECT_EQ(task.at("attributes"), Json({{"customer", name.back() % 2 == 0 ? "ann" : "bob"}}));
    }
    const Result tree = coroscope(directory_, {"tree", file}), ps = coroscope(directory_, {"ps", file});
    for (const std::string& text : {tree.out, ps.out}) EXPECT_NE(text.find("customer=bob"), std::string::npos) << text;
    EXPECT_NE(ps.out.find("counters: orders in work 0"), std::string::npos) << ps.out;
    for (const char* format : {"chrome", "perfetto"}) {
        const std::string out = directory_.path(format).string();
        ASSERT_EQ(coroscope(directory_, {"export", file, "--format", format, "-o", out}).code, 0);
        for (const char* said : {"reserve", "out of stock", "orders in work", "customer", "amount"})
            EXPECT_NE(read_file(out).find(said), std::string::npos) << format << ": " << said;
    }
    // A span lasts over the awaits in it, and --at finds the tasks in theirs.
    const Json reserve = *std::find_if(app.at("spans").begin(), app.at("spans").end(),
                                       [](const Json& each) { return each.at("name") == "reserve"; });
    const auto lasted_ns = reserve.at("end_ns").get<std::uint64_t>() - reserve.at("begin_ns").get<std::uint64_t>();
    EXPECT_GE(lasted_ns, 10'000'000u);
    // How long after the recording's start that is depends on the machine.
    std::string shown;
    for (double at = 0.003; at < 1 && shown.find("in span '") == std::string::npos; at += 0.003)
        shown = coroscope(directory_, {"tree", file, "--at", std::to_string(at)}).out;
    EXPECT_NE(shown.find("in span '"), std::string::npos) << shown;
}

TEST_F(Files, DebugModesMessagesGoToTheLoggerThatTheAppGave) {
    const std::string file = directory_.path("own_logger.cst").string();
    Process app(directory_, {binary("e2e/own_logger")}, {"COROSCOPE=file:" + file});
    ASSERT_EQ(app.wait(), 0);
    EXPECT_EQ(app.err(), "");
    EXPECT_NE(app.out().find("[app's logger, level 2] the loop hangs: "), std::string::npos) << app.out();
    EXPECT_NE(app.out().find("was never awaited"), std::string::npos) << app.out();
}

TEST_F(Files, TwoProcessesOnOnePathHaveAFileEach) {
    const std::string file = directory_.path("t.cst").string();
    Process first(directory_, {binary("e2e/at_rest"), "thread"}, {"COROSCOPE=file:" + file});
    ASSERT_TRUE(wait_until([&] { return std::filesystem::exists(file) && std::filesystem::file_size(file) > 100; }));
    Process second(directory_, {example("pipeline")}, {"COROSCOPE=file:" + file});
    ASSERT_EQ(second.wait(), 0);
    const std::string own = directory_.path("t." + std::to_string(second.pid()) + ".cst").string();
    EXPECT_NE(second.err().find("another process (" + std::to_string(first.pid()) + ") is writing this file (" + file +
                                "); this process writes " + own),
              std::string::npos)
        << second.err();
    EXPECT_EQ(first.wait(), 0) << first.err();
    EXPECT_EQ(only_app(file).at("name"), "at_rest");
    EXPECT_EQ(only_app(own).at("name"), "pipeline");
}

TEST_F(Files, ThePathHoldsTheProcessId) {
    Process app(directory_, {example("pipeline")}, {"COROSCOPE=file:" + directory_.path("100%%.%p.cst").string()});
    ASSERT_EQ(app.wait(), 0);
    EXPECT_EQ(only_app(directory_.path("100%." + std::to_string(app.pid()) + ".cst").string()).at("name"), "pipeline");
}

TEST_F(Files, ARecordingOfTheAgentHoldsWhatHappened) {
    const std::string file = directory_.path("recorded.cst").string();
    AgentProcess agent(directory_, {"--record", file});
    Process pipeline(directory_, {example("pipeline")}, {agent.environment()});
    WebServer server(directory_, {agent.environment()});
    Visitor visitor(server.port());
    EXPECT_NE(visitor.get("Eve").find("Hello, Eve!"), std::string::npos);
    ASSERT_EQ(pipeline.wait(), 0);
    ASSERT_TRUE(wait_until(
        [&] { return coroscope_json(directory_, {"status", "--json", agent.address()}).at("apps_connected") == 1; }));
    agent.process().signal(SIGTERM);
    ASSERT_EQ(agent.process().wait(), 0);

    const Result result = coroscope(directory_, {"ps", "--json", file});
    EXPECT_EQ(result.err, "");
    const Json ps = Json::parse(result.out);
    ASSERT_EQ(ps.at("apps").size(), 2u);
    EXPECT_EQ(find_app(ps, pipeline.pid()).at("tasks").size(), 4u);
    EXPECT_EQ(find_app(ps, pipeline.pid()).at("disconnect_reason"), "ended");
    EXPECT_EQ(find_app(ps, server.pid()).at("disconnect_reason"), "the agent stopped");
    EXPECT_TRUE(server.process().running());
}

TEST_F(Files, ARecordingOfAKilledAgentOpensUpToItsLastBlock) {
    const std::string file = directory_.path("cut.cst").string();
    AgentProcess agent(directory_, {"--record", file});
    Process pipeline(directory_, {example("pipeline")}, {agent.environment()});
    ASSERT_EQ(pipeline.wait(), 0);
    // The recorder writes out what it has whenever the stream pauses.
    ASSERT_TRUE(wait_until([&] {
        const Json app =
            find_app(Json::parse(coroscope(directory_, {"ps", "--json", file}).out, nullptr, false), pipeline.pid());
        return !app.is_null() && app.at("connected") == false;
    }));
    agent.process().kill_hard();
    const Result result = coroscope(directory_, {"ps", file});
    EXPECT_EQ(result.code, 0);
    EXPECT_NE(result.err.find("warning: " + file), std::string::npos) << result.err;
    EXPECT_NE(result.out.find("pipeline"), std::string::npos);
}

TEST_F(Files, RunRecordsTheProgramOnly) {
    AgentProcess agent(directory_);
    WebServer other(directory_, {agent.environment()});
    const std::string file = directory_.path("run.cst").string();
    const Result run =
        coroscope(directory_, {"run", "--agent", agent.address(), "--record", file, "--", example("pipeline")});
    EXPECT_EQ(run.code, 0) << run.err;
    const Json app = only_app(file);
    EXPECT_EQ(app.at("name"), "pipeline");
    EXPECT_EQ(app.at("disconnect_reason"), "ended");
    EXPECT_EQ(app.at("tasks").size(), 4u);
}

TEST_F(Files, RunRecordsWithAnAgentOfItsOwn) {
    const std::string file = directory_.path("run.cst").string();
    const std::string address = "unix:" + directory_.path("own.sock").string();
    const Result run = coroscope(directory_, {"run", "--agent", address, "--record", file, example("debug_mode")});
    EXPECT_EQ(run.code, 0) << run.err;
    EXPECT_FALSE(problems(file).empty());
}

TEST_F(Files, RunSaysThatAProgramNeverConnected) {
    const std::string address = "unix:" + directory_.path("own.sock").string();
    const Result run =
        coroscope(directory_, {"run", "--agent", address, "--record", directory_.path("x.cst").string(), "/bin/true"});
    EXPECT_EQ(run.code, 0);
    EXPECT_NE(run.err.find("nothing to record"), std::string::npos) << run.err;
}

TEST_F(Files, ExportsForChrome) {
    const std::string out = directory_.path("t.json").string();
    ASSERT_EQ(coroscope(directory_, {"export", trace_of("pipeline"), "--format", "chrome", "-o", out}).code, 0);
    const Json trace = Json::parse(read_file(out), nullptr, false);
    ASSERT_FALSE(trace.is_discarded());
    const Json& events = trace.is_array() ? trace : trace.at("traceEvents");
    EXPECT_GT(events.size(), 50u);
    const Result to_stdout =
        coroscope(directory_, {"export", directory_.path("pipeline.cst").string(), "--format", "chrome", "-o", "-"});
    EXPECT_EQ(to_stdout.out, read_file(out));
}

TEST_F(Files, ExportsForPerfetto) {
    const std::string out = directory_.path("t.perfetto-trace").string();
    ASSERT_EQ(coroscope(directory_, {"export", trace_of("pipeline"), "--format", "perfetto", "-o", out}).code, 0);
    const std::string bytes = read_file(out);
    EXPECT_GT(bytes.size(), 1'000u);
    EXPECT_EQ(bytes.front(), '\x0a');  // Trace.packet
}

TEST_F(Files, ExportsForSpeedscopeAndFlameGraphs) {
    const std::string trace = trace_of("pipeline");
    const Result profile = coroscope(directory_, {"export", trace, "--format", "speedscope", "-o", "-"});
    ASSERT_EQ(profile.code, 0) << profile.err;
    const Json speedscope = Json::parse(profile.out, nullptr, false);
    ASSERT_FALSE(speedscope.is_discarded());
    EXPECT_FALSE(speedscope.at("profiles").empty());
    const Result folded = coroscope(directory_, {"export", trace, "--format", "folded", "-o", "-"});
    ASSERT_EQ(folded.code, 0) << folded.err;
    EXPECT_NE(folded.out.find(";producer (pipeline.cpp:"), std::string::npos) << folded.out;
}

TEST_F(Files, ExportDoesNotWriteOverTheTraceItReads) {
    const std::string trace = trace_of("greet");
    const std::string before = read_file(trace);
    const Result result = coroscope(directory_, {"export", trace, "--format", "chrome", "-o", trace});
    EXPECT_EQ(result.code, 1);
    EXPECT_NE(result.err.find("will not write over the trace"), std::string::npos) << result.err;
    EXPECT_EQ(read_file(trace), before);
}

TEST_F(Files, ExportSaysWhatItCannotDo) {
    const std::string trace = trace_of("greet");
    for (const char* output : {"/no/such/directory/x", "/dev/full"}) {
        const Result result = coroscope(directory_, {"export", trace, "--format", "chrome", "-o", output});
        EXPECT_EQ(result.code, 1) << output;
        EXPECT_NE(result.err.find(output), std::string::npos) << result.err;
    }
    EXPECT_EQ(coroscope(directory_, {"export", "missing.cst", "--format", "chrome", "-o", "x"}).code, 1);
}

TEST_F(Files, ExportsALiveAgentsState) {
    AgentProcess agent(directory_);
    WebServer server(directory_, {agent.environment()});
    const Result result = coroscope(directory_, {"export", agent.address(), "--format", "chrome", "-o", "-"});
    EXPECT_EQ(result.code, 0) << result.err;
    EXPECT_FALSE(Json::parse(result.out, nullptr, false).is_discarded());
}

}  // namespace
}  // namespace coroscope::e2e
