// Programs that hang, are stopped, or crash: what is said of them is true, and they do not notice.
#include <signal.h>

#include <algorithm>
#include <fstream>

#include "support.hpp"

namespace coroscope::e2e {
namespace {

class Trouble : public testing::Test {
protected:
    std::vector<std::string> program(const std::string& what) { return {binary("e2e/trouble"), what}; }
    Json problems(const std::string& source, const std::string& kind) {
        std::vector<std::string> arguments{"problems", "--json"};
        if (source.find(".cst") != std::string::npos) {
            arguments.push_back(source);
        } else {
            arguments.insert(arguments.end(), {"--agent", source});
        }
        Json found = Json::array();
        const Json all = coroscope_json(directory_, arguments).at("problems");
        for (const Json& problem : all)
            if (problem.at("kind") == kind) found.push_back(problem);
        return found;
    }
    // Runs it to its end with a trace file.
    int trace(const std::string& what, const std::vector<std::string>& environment = {}) {
        std::vector<std::string> all = environment;
        all.push_back("COROSCOPE=file:" + file_);
        Process app(directory_, program(what), all);
        const int code = app.wait();
        out_ = app.out();
        err_ = app.err();
        return code;
    }

    TemporaryDirectory directory_;
    const std::string file_ = directory_.path("t.cst").string();
    std::string out_, err_;
};

int line_with(const std::string& marker) {
    std::ifstream in(std::string(COROSCOPE_SOURCES) + "/tests/e2e/programs/trouble.cpp");
    std::string text;
    for (int number = 1; std::getline(in, text); ++number)
        if (text.find(marker) != std::string::npos) return number;
    return 0;
}

TEST_F(Trouble, BlockingCallsReturnAsWithoutDebugMode) {
    Process plain(directory_, program("calls"));
    ASSERT_EQ(plain.wait(), 0);
    ASSERT_EQ(trace("calls", {"COROSCOPE_SLOW_STEP=20"}), 0) << err_;
    EXPECT_EQ(out_, plain.out());
    EXPECT_NE(out_.find("recv returned -1"), std::string::npos) << out_;
    const Json found = problems(file_, "slow_step");
    for (const char* name : {"clock_nanosleep", "poll", "futex", "recv on fd"})
        EXPECT_TRUE(std::ranges::any_of(
            found,
            [&](const Json& problem) { return contains(problem.at("evidence"), std::string("blocked in ") + name); }))
            << name << '\n'
            << found.dump(1);
    for (const Json& problem : found)
        EXPECT_TRUE(contains(problem.at("site").at("file"), "trouble.cpp")) << problem.dump(1);
}

TEST_F(Trouble, AHangIsToldAlsoWhereTheAppsLogWaitsForTheLoop) {
    const AgentProcess agent(directory_);
    Process app(directory_, program("hang-with-the-log's-lock"), {agent.environment()});
    EXPECT_TRUE(wait_until([&] { return !problems(agent.address(), "stalled_loop").empty(); })) << app.err();
    EXPECT_EQ(app.out(), "") << "the log handler waits";
    app.signal(SIGUSR1);
    EXPECT_EQ(app.wait(), 0) << app.err();
    EXPECT_NE(app.out().find("the loop hangs: "), std::string::npos) << app.out() << app.err();
}

TEST_F(Trouble, AHangIsToldWhileItLastsWithThoseWhoWait) {
    const AgentProcess agent(directory_);
    Process app(directory_, program("hang"), {agent.environment()});
    Json found;
    EXPECT_TRUE(wait_until([&] {
        found = problems(agent.address(), "stalled_loop");
        return !found.empty() && contains(found[0].at("evidence"), "8 tasks are ready") &&
               contains(found[0].at("evidence"), "blocked in pause");
    })) << found.dump(1)
        << app.err();
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].at("site").at("line"), line_with("::pause()")) << found.dump(1);
    EXPECT_TRUE(app.running());
    app.signal(SIGUSR1);
    EXPECT_EQ(app.wait(), 0) << app.err();
}

TEST_F(Trouble, AStoppedProcessIsNotCalledSlow) {
    Process app(directory_, program("busy"), {"COROSCOPE=file:" + file_});
    ASSERT_TRUE(wait_until([&] { return app.out() == "busy\n"; })) << app.err();
    const auto stopped_at = std::chrono::steady_clock::now();
    app.signal(SIGSTOP);
    wait_until([&] { return std::chrono::steady_clock::now() - stopped_at > std::chrono::milliseconds(700); });
    app.signal(SIGCONT);
    app.signal(SIGUSR1);
    ASSERT_EQ(app.wait(), 0) << app.err();
    EXPECT_EQ(problems(file_, "slow_step").size(), 0u) << problems(file_, "slow_step").dump(1);
    const Json no_cpu = problems(file_, "no_cpu");
    for (const Json& problem : no_cpu) EXPECT_EQ(problem.at("site").at("line"), 0);
}

TEST_F(Trouble, ACrashIsToldToTheAppsLog) {
    Process app(directory_, program("segv-with-a-log"), {"COROSCOPE=file:" + file_});
    EXPECT_EQ(app.wait(), 128 + SIGSEGV);
    EXPECT_NE(app.out().find("the app crashes: "), std::string::npos) << app.out() << app.err();
    EXPECT_NE(app.out().find("parse-20"), std::string::npos) << app.out();
}

TEST_F(Trouble, ACrashIsToldWithItsTaskAndLine) {
    EXPECT_EQ(trace("segv"), 128 + SIGSEGV) << err_;
    const Json found = problems(file_, "crashed");
    ASSERT_EQ(found.size(), 1u) << err_;
    EXPECT_EQ(found[0].at("severity"), "error");
    EXPECT_EQ(found[0].at("task_name"), "parse-20");
    EXPECT_EQ(found[0].at("site").at("line"), line_with("// here")) << found.dump(1);
    EXPECT_TRUE(contains(found[0].at("summary"), "SIGSEGV")) << found.dump(1);
    EXPECT_FALSE(found[0].at("native_stack").empty());
    EXPECT_TRUE(problems(file_, "stalled_loop").empty());
    const Json app = coroscope_json(directory_, {"ps", file_, "--json"}).at("apps").at(0);
    EXPECT_EQ(app.at("connected"), false);
    EXPECT_EQ(app.at("disconnect_reason"), "crashed: SIGSEGV");
    // 21 tasks parsed, and the one of parse_all.
    EXPECT_EQ(app.at("tasks").size(), 22u);
}

TEST_F(Trouble, OtherEndsOfThatKindKeepTheirExitStatus) {
    EXPECT_EQ(trace("fpe"), 128 + SIGFPE) << err_;
    EXPECT_EQ(problems(file_, "crashed").size(), 1u);
    EXPECT_EQ(trace("overflow"), 128 + SIGSEGV) << err_;
    ASSERT_EQ(problems(file_, "crashed").size(), 1u) << err_;
    EXPECT_EQ(problems(file_, "crashed")[0].at("task_name"), "parse-20");
    EXPECT_EQ(trace("abort"), 128 + SIGABRT) << err_;
    EXPECT_EQ(problems(file_, "crashed").size(), 1u);
    EXPECT_EQ(trace("terminate"), 128 + SIGABRT) << err_;
    const Json terminated = problems(file_, "crashed");
    ASSERT_EQ(terminated.size(), 1u) << err_;
    EXPECT_TRUE(contains(terminated[0].at("summary"), "without an exception")) << terminated.dump(1);
    EXPECT_EQ(trace("uncaught"), 128 + SIGABRT) << err_;
    const Json uncaught = problems(file_, "uncaught_exception");
    ASSERT_EQ(uncaught.size(), 1u);
    EXPECT_TRUE(contains(uncaught[0].at("summary"), "std::runtime_error: no such line")) << uncaught.dump(1);
}

TEST_F(Trouble, AHandlerOfTheAppComesFirst) {
    EXPECT_EQ(trace("own-handler"), 3) << err_;
    EXPECT_EQ(out_, "own handler\n");
}

TEST_F(Trouble, AnAgentDoesNotCallACrashedAppConnected) {
    const AgentProcess agent(directory_);
    Process app(directory_, program("segv"), {agent.environment()});
    EXPECT_EQ(app.wait(), 128 + SIGSEGV) << app.err();
    EXPECT_TRUE(wait_until([&] {
        const Json seen = find_app(coroscope_json(directory_, {"ps", "--json", "--agent", agent.address()}), app.pid());
        return !seen.is_null() && seen.at("connected") == false;
    }));
    EXPECT_EQ(problems(agent.address(), "crashed").size(), 1u);
}

}  // namespace
}  // namespace coroscope::e2e
