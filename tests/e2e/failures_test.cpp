// Programs whose tasks fail, or do not want to end: what the commands say of them, live and from a file.
#include <signal.h>

#include <fstream>

#include "support.hpp"

namespace coroscope::e2e {
namespace {

// The line of programs/failures.cpp that ends in the comment.
int line_of(const std::string& comment) {
    std::ifstream in(std::string(COROSCOPE_SOURCES) + "/tests/e2e/programs/failures.cpp");
    std::string text;
    for (int number = 1; std::getline(in, text); ++number)
        if (text.ends_with("// " + comment)) return number;
    ADD_FAILURE() << "no line ends in // " << comment;
    return 0;
}

class Failures : public testing::Test {
protected:
    std::string program() { return binary("e2e/failures"); }
    // Runs a mode to its end; the file that it wrote.
    std::string trace_of(const std::string& mode, int code) {
        const std::string file = directory_.path(mode + ".cst").string();
        Process app(directory_, {program(), mode}, {"COROSCOPE=file:" + file});
        EXPECT_EQ(app.wait(), code) << app.err();
        out_ = app.out();
        err_ = app.err();
        return file;
    }
    Json problems(const std::string& source) {
        return coroscope_json(directory_, {"problems", source, "--json"}).at("problems");
    }
    // The only problem; null if there is none yet.
    Json only_problem(const std::string& source) {
        const Json found = problems(source);
        EXPECT_LE(found.size(), 1u) << found.dump(1);
        return found.empty() ? Json() : found.front();
    }
    // What an app that goes on says under an agent, as soon as it does.
    Json live_problem(const std::string& mode, const std::function<void(AgentProcess&)>& meanwhile = nullptr) {
        AgentProcess agent(directory_);
        Process app(directory_, {program(), mode}, {agent.environment()});
        if (meanwhile) meanwhile(agent);
        Json found;
        EXPECT_TRUE(wait_until([&] {
            found = only_problem(agent.address());
            return !found.is_null();
        })) << mode;
        return found;
    }

    TemporaryDirectory directory_;
    std::string out_, err_;
};

std::string at(int line) { return "failures.cpp:" + std::to_string(line); }

TEST_F(Failures, ATaskThatFailsSilentlyIsToldWhileItsHandleIsKept) {
    const Json problem = live_problem("silent");
    ASSERT_FALSE(problem.is_null());
    EXPECT_EQ(problem.at("kind"), "failed_unobserved");
    EXPECT_TRUE(contains(problem.at("summary"), "std::runtime_error: bad credentials"));
    EXPECT_EQ(problem.at("site").at("line"), line_of("thrown after"));
    EXPECT_TRUE(contains(problem.at("evidence"), "created at " + at(line_of("created")))) << problem.dump(1);
}

TEST_F(Failures, TheSecondErrorOfAGatherIsToldAndShown) {
    const std::string file = trace_of("second_error", 0);
    EXPECT_NE(out_.find("caught: ping timed out"), std::string::npos);
    const Json problem = only_problem(file);
    ASSERT_FALSE(problem.is_null());
    EXPECT_EQ(problem.at("kind"), "failed_unobserved");
    EXPECT_TRUE(contains(problem.at("summary"), "disk is full"));
    EXPECT_EQ(problem.at("site").at("line"), line_of("second"));
    EXPECT_TRUE(contains(problem.at("advice"), "return_exceptions"));
    const Result tree = coroscope(directory_, {"tree", file});
    EXPECT_NE(tree.out.find("std::runtime_error: disk is full at " + at(line_of("second"))), std::string::npos)
        << tree.out;
    EXPECT_NE(tree.out.find("ping timed out"), std::string::npos) << tree.out;
}

TEST_F(Failures, AnUncaughtErrorReachesTheFile) {
    const std::string file = trace_of("uncaught", 128 + SIGABRT);
    const Json problem = only_problem(file);
    ASSERT_FALSE(problem.is_null());
    EXPECT_EQ(problem.at("kind"), "uncaught_exception");
    EXPECT_TRUE(contains(problem.at("summary"), "no dataset 'B'"));
    EXPECT_EQ(problem.at("site").at("line"), line_of("thrown after")) << problem.dump(1);
    EXPECT_TRUE(contains(problem.at("evidence"), "of task 'B' (fail)")) << problem.dump(1);
    EXPECT_NE(err_.find("no dataset 'B'"), std::string::npos) << err_;
    const Json apps = coroscope_json(directory_, {"ps", file, "--json"}).at("apps");
    int failed = 0;
    for (const Json& task : apps.at(0).at("tasks")) {
        if (task.at("outcome") != "error") continue;
        ++failed;
        EXPECT_TRUE(contains(task.at("error").at("text"), "no dataset 'B'")) << task.dump(1);
        EXPECT_EQ(task.at("error").at("retrieved"), true) << task.dump(1);
    }
    EXPECT_EQ(failed, 3);
}

TEST_F(Failures, AGroupWhoseBodyIsInterruptedGivesItsErrors) {
    const std::string file = trace_of("interrupted", 0);
    EXPECT_NE(out_.find("group: unhandled errors in a TaskGroup"), std::string::npos) << out_ << err_;
    EXPECT_TRUE(problems(file).empty()) << problems(file).dump(1);
}

TEST_F(Failures, ATaskThatTheEndOfRunCannotEndIsToldWhileItHangs) {
    const Json problem = live_problem("end_of_run");
    ASSERT_FALSE(problem.is_null());
    EXPECT_EQ(problem.at("kind"), "cancellation_ignored");
    EXPECT_EQ(problem.at("site").at("line"), line_of("swallowed"));
    EXPECT_TRUE(contains(problem.at("evidence"), "by the end of run()")) << problem.dump(1);
}

TEST_F(Failures, ATaskThatALimitCannotEndIsToldByTheLineOfTheLimit) {
    const Json problem = live_problem("limit");
    ASSERT_FALSE(problem.is_null());
    EXPECT_EQ(problem.at("kind"), "cancellation_ignored");
    EXPECT_EQ(problem.at("site").at("line"), line_of("swallowed"));
    EXPECT_TRUE(contains(problem.at("evidence"), "by the timeout at " + at(line_of("limit")))) << problem.dump(1);
}

TEST_F(Failures, ATaskThatItsUserCannotEndIsToldByTheLineOfTheCall) {
    const Json problem = live_problem("by_user");
    ASSERT_FALSE(problem.is_null());
    EXPECT_EQ(problem.at("kind"), "cancellation_ignored");
    EXPECT_TRUE(contains(problem.at("evidence"), at(line_of("asked")))) << problem.dump(1);
}

TEST_F(Failures, ATaskThatItsGroupCannotEndIsToldByTheErrorOfTheGroup) {
    const Json problem = live_problem("by_group");
    ASSERT_FALSE(problem.is_null());
    EXPECT_EQ(problem.at("kind"), "cancellation_ignored");
    EXPECT_TRUE(contains(problem.at("evidence"), "failed: std::runtime_error: broken")) << problem.dump(1);
}

TEST_F(Failures, ATaskThatTheToolCannotEndIsToldSo) {
    const Json problem = live_problem("by_tool", [&](AgentProcess& agent) {
        ASSERT_TRUE(wait_until([&] {
            return coroscope(directory_, {"cancel", "failures", "stubborn", "--agent", agent.address()}).code == 0;
        }));
    });
    ASSERT_FALSE(problem.is_null());
    EXPECT_EQ(problem.at("kind"), "cancellation_ignored");
    EXPECT_TRUE(contains(problem.at("evidence"), "by `coroscope cancel`")) << problem.dump(1);
}

TEST_F(Failures, ACleanUpAndATimeoutThatWasTakenBackAreNoProblem) {
    const std::string file = trace_of("patient", 0);
    for (const char* moment : {"2", "1e6"}) {
        const Json found = coroscope_json(directory_, {"problems", file, "--json", "--at", moment}).at("problems");
        EXPECT_TRUE(found.empty()) << found.dump(1);
    }
}

TEST_F(Failures, WhoCancelledATaskIsSaidEverywhere) {
    const std::string file = trace_of("who", 0);
    const std::string story = "by task 'janitor' (janitor) at " + at(line_of("who"));
    for (const char* command : {"tree", "ps"}) {
        const Result result = coroscope(directory_, {command, file});
        EXPECT_NE(result.out.find(story), std::string::npos) << result.out;
        EXPECT_NE(result.out.find("session expired"), std::string::npos) << result.out;
    }
    for (const Json& task : coroscope_json(directory_, {"ps", file, "--json"}).at("apps").at(0).at("tasks")) {
        if (task.at("name") != "upload") continue;
        const Json& cancellation = task.at("cancellation");
        EXPECT_EQ(cancellation.at("origin"), "user");
        EXPECT_EQ(cancellation.at("by").at("name"), "janitor");
        EXPECT_EQ(cancellation.at("where").at("line"), line_of("who"));
        EXPECT_EQ(cancellation.at("message"), "session expired");
        EXPECT_GT(cancellation.at("thrown_ns").get<std::uint64_t>(), cancellation.at("asked_ns").get<std::uint64_t>());
        EXPECT_TRUE(cancellation.at("swallowed_ns").is_null());
    }
}

}  // namespace
}  // namespace coroscope::e2e
