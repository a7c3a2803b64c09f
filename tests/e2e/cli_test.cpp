// The command line's manners: help, usage, errors that say what to do, exit codes.
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "support.hpp"

namespace coroscope::e2e {
namespace {

TEST(CommandLine, EveryCommandHasHelpWithExamples) {
    const TemporaryDirectory directory;
    const Result all = coroscope(directory, {"--help"});
    EXPECT_EQ(all.code, 0);
    for (const char* command :
         {"run", "ps", "tree", "top", "problems", "view", "export", "index", "cancel", "agent", "status"}) {
        EXPECT_NE(all.out.find(std::string("\n  ") + command), std::string::npos) << command;
        const Result help = coroscope(directory, {command, "--help"});
        EXPECT_EQ(help.code, 0) << command;
        EXPECT_NE(help.out.find("Example"), std::string::npos) << command;
        EXPECT_EQ(help.err, "");
    }
}

TEST(CommandLine, TellsItsVersion) {
    const TemporaryDirectory directory;
    const Result result = coroscope(directory, {"--version"});
    EXPECT_EQ(result.code, 0);
    EXPECT_EQ(result.out.substr(0, 10), "coroscope ");
}

TEST(CommandLine, WrongUsageIsTwoAndSaysWhereToLook) {
    const TemporaryDirectory directory;
    const std::vector<std::vector<std::string>> wrong = {{},
                                                         {"nonsense"},
                                                         {"ps", "--nonsense"},
                                                         {"ps", "a.cst", "b.cst"},
                                                         {"run"},
                                                         {"cancel", "app"},
                                                         {"index"},
                                                         {"ps", "a.cst", "--at", "noon"},
                                                         {"ps", "--at", "1"},
                                                         {"ps", "--agent", "nonsense"},
                                                         {"export", "a.cst"},
                                                         {"export", "a.cst", "--format", "nonsense", "-o", "x"}};
    for (const auto& arguments : wrong) {
        const Result result = coroscope(directory, arguments);
        EXPECT_EQ(result.code, 2) << (arguments.empty() ? "" : arguments.front()) << ": " << result.err;
        EXPECT_EQ(result.err.substr(0, 11), "coroscope: ");
        EXPECT_EQ(result.out, "");
    }
}

TEST(CommandLine, WithoutAnAgentItSaysWhatToDo) {
    const TemporaryDirectory directory;
    const std::string address = "unix:" + directory.path("nobody.sock").string();
    for (const char* command : {"ps", "tree", "top", "problems", "status"}) {
        const Result result = coroscope(directory, {command, "--agent", address});
        EXPECT_EQ(result.code, 1) << command;
        EXPECT_EQ(result.err, "coroscope: no agent answers at " + address +
                                  "; start one with `coroscope agent`, or give a trace file\n");
        EXPECT_EQ(result.out, "");
    }
}

TEST(CommandLine, FilesThatAreNoTraceAreRefused) {
    const TemporaryDirectory directory;
    std::ofstream(directory.path("text.cst")) << "this is no trace file";
    std::ofstream(directory.path("empty.cst")) << "";
    for (const char* name : {"missing.cst", "text.cst", "empty.cst", "."}) {
        for (const char* command : {"ps", "tree", "problems"}) {
            const Result result = coroscope(directory, {command, directory.path(name).string()});
            EXPECT_EQ(result.code, 1) << name;
            EXPECT_EQ(result.err.substr(0, 11), "coroscope: ") << name;
        }
    }
}

TEST(CommandLine, AnAgentWithoutAppsIsNoError) {
    const TemporaryDirectory directory;
    const AgentProcess agent(directory);
    EXPECT_NE(coroscope(directory, {"ps", agent.address()}).out.find("no app"), std::string::npos);
    EXPECT_EQ(coroscope_json(directory, {"ps", "--json", agent.address()}).at("apps"), Json::array());
    const Json problems = coroscope_json(directory, {"problems", "--json", agent.address()});
    EXPECT_EQ(problems.at("problems"), Json::array());
    EXPECT_EQ(problems.at("coverage").at("complete"), false) << "nothing was seen";
    EXPECT_EQ(coroscope(directory, {"problems", "--exit-code", agent.address()}).code, 2);
}

TEST(CommandLine, OutputThatCannotBeWrittenIsAnError) {
    const TemporaryDirectory directory;
    const AgentProcess agent(directory);
    const std::string line = binary("coroscope") + " ps " + agent.address() + " >/dev/full";
    Process shell(directory, {"/bin/sh", "-c", line});
    EXPECT_EQ(shell.wait(), 1);
    EXPECT_NE(shell.err().find("cannot write the output"), std::string::npos);
}

TEST(CommandLine, AClosedPipeEndsItQuietly) {
    const TemporaryDirectory directory;
    // The reader is gone before anything is written: `true` ends, then the help goes into the pipe.
    Process shell(directory, {"/bin/sh", "-c", "(sleep 0.2; exec " + binary("coroscope") + " --help) | true"});
    EXPECT_EQ(shell.wait(), 0);
    EXPECT_EQ(shell.err(), "");
}

TEST(CommandLine, TheDefaultAddressIsTheRuntimeDirectorys) {
    const TemporaryDirectory directory;
    const std::string runtime = "XDG_RUNTIME_DIR=" + directory.path().string();
    Process agent(directory, {binary("coroscope"), "agent"}, {runtime});
    ASSERT_TRUE(wait_until([&] { return agent.out().find("coroscope.sock") != std::string::npos; })) << agent.err();
    EXPECT_EQ(coroscope(directory, {"status"}, {runtime}).code, 0);
}

}  // namespace
}  // namespace coroscope::e2e
