// `coroscope run`: the program's environment, signals and exit code; the agent it starts and ends.
#include <signal.h>

#include "support.hpp"

namespace coroscope::e2e {
namespace {

std::vector<std::string> shell(const std::string& script) { return {"--", "/bin/sh", "-c", script}; }

std::vector<std::string> run_at(const std::string& address, std::vector<std::string> rest) {
    std::vector<std::string> all{"run", "--agent", address};
    all.insert(all.end(), rest.begin(), rest.end());
    return all;
}

class Run : public testing::Test {
protected:
    bool agent_answers() { return coroscope(directory_, {"status", address_}).code == 0; }

    TemporaryDirectory directory_;
    const std::string address_ = "unix:" + directory_.path("run.sock").string();
};

TEST_F(Run, PassesTheExitCodeOn) {
    EXPECT_EQ(coroscope(directory_, run_at(address_, shell("exit 0"))).code, 0);
    EXPECT_EQ(coroscope(directory_, run_at(address_, shell("exit 7"))).code, 7);
    EXPECT_EQ(coroscope(directory_, run_at(address_, shell("kill -KILL $$"))).code, 128 + SIGKILL);
}

TEST_F(Run, SaysThatThereIsNoSuchProgram) {
    const Result result = coroscope(directory_, run_at(address_, {"--", "/no/such/program"}));
    EXPECT_EQ(result.code, 127);
    EXPECT_NE(result.err.find("cannot run /no/such/program: No such file"), std::string::npos) << result.err;
}

TEST_F(Run, TheProgramKeepsItsOwnOptionsAndGetsTheAddress) {
    const Result result =
        coroscope(directory_, run_at(address_, {"/bin/sh", "-c", "echo $COROSCOPE $1", "sh", "--help"}));
    EXPECT_EQ(result.code, 0);
    EXPECT_EQ(result.out, address_ + " --help\n");
}

TEST_F(Run, AnAgentIsThereWhileTheProgramRunsAndGoesWithIt) {
    const Result result =
        coroscope(directory_, run_at(address_, shell(binary("coroscope") + " status $COROSCOPE --json")));
    EXPECT_EQ(result.code, 0) << result.err;
    EXPECT_EQ(Json::parse(result.out)["address"], address_);
    EXPECT_FALSE(agent_answers());
    EXPECT_FALSE(std::filesystem::exists(directory_.path("run.sock")));
}

TEST_F(Run, AKeptAgentStays) {
    EXPECT_EQ(coroscope(directory_, run_at(address_, {"--keep-agent", "--", "/bin/true"})).code, 0);
    const Json status = coroscope_json(directory_, {"status", "--json", address_});
    ASSERT_TRUE(status.contains("pid"));
    ::kill(status["pid"].get<pid_t>(), SIGTERM);
    EXPECT_TRUE(wait_until([&] { return !std::filesystem::exists(directory_.path("run.sock")); }));
}

TEST_F(Run, AnAgentThatAnswersIsUsedAndStays) {
    const AgentProcess agent(directory_);
    const Result result = coroscope(directory_, run_at(agent.address(), shell("echo $COROSCOPE")));
    EXPECT_EQ(result.out, agent.address() + "\n");
    EXPECT_EQ(coroscope(directory_, {"status", agent.address()}).code, 0);
}

TEST_F(Run, PassesSignalsOn) {
    std::vector<std::string> arguments{binary("coroscope")};
    for (const auto& argument :
         run_at(address_, shell("trap 'echo got it; exit 9' TERM; echo up; while :; do sleep 0.05; done"))) {
        arguments.push_back(argument);
    }
    Process run(directory_, arguments);
    ASSERT_TRUE(wait_until([&] { return run.out() == "up\n"; })) << run.err();
    run.signal(SIGTERM);
    EXPECT_EQ(run.wait(), 9);
    EXPECT_EQ(run.out(), "up\ngot it\n");
}

TEST_F(Run, ItsAgentEndsEvenWhenItIsKilled) {
    std::vector<std::string> arguments{binary("coroscope")};
    for (const auto& argument : run_at(address_, shell("echo up; exec sleep 5"))) arguments.push_back(argument);
    Process run(directory_, arguments);
    ASSERT_TRUE(wait_until([&] { return run.out() == "up\n"; })) << run.err();
    run.kill_hard();
    EXPECT_TRUE(wait_until([&] { return !agent_answers(); }));
}

}  // namespace
}  // namespace coroscope::e2e
