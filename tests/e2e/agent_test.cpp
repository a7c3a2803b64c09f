// `coroscope agent` as a process: how it starts, refuses to start, ends, and what a killed one leaves.
#include <signal.h>
#include <sys/stat.h>

#include <random>

#include "support.hpp"
#include "wire_app.hpp"

namespace coroscope::e2e {
namespace {

TEST(Agent, SaysWhenItIsReadyAndEndsInOrder) {
    const TemporaryDirectory directory;
    AgentProcess agent(directory);
    EXPECT_EQ(agent.process().out(), "listening on " + agent.address() + "\n");
    struct stat file{};
    ASSERT_EQ(::stat(directory.path("agent.sock").c_str(), &file), 0);
    EXPECT_EQ(file.st_mode & 0777, 0600u);
    agent.process().signal(SIGTERM);
    EXPECT_EQ(agent.process().wait(), 0);
    EXPECT_FALSE(std::filesystem::exists(directory.path("agent.sock")));
    EXPECT_FALSE(std::filesystem::exists(directory.path("agent.sock.lock")));
}

TEST(Agent, ASecondOneOnTheSameSocketIsRefusedAndTheFirstGoesOn) {
    const TemporaryDirectory directory;
    AgentProcess agent(directory);
    const Result second = coroscope(directory, {"agent", "--listen", agent.address()});
    EXPECT_EQ(second.code, 1);
    EXPECT_NE(second.err.find("already listening on " + agent.address()), std::string::npos) << second.err;
    EXPECT_EQ(coroscope(directory, {"status", agent.address()}).code, 0);
}

TEST(Agent, AKilledOneIsReplaced) {
    const TemporaryDirectory directory;
    {
        AgentProcess killed(directory);
        killed.process().kill_hard();
    }
    ASSERT_TRUE(std::filesystem::exists(directory.path("agent.sock")));
    const AgentProcess next(directory);
    EXPECT_EQ(coroscope(directory, {"status", next.address()}).code, 0);
}

TEST(Agent, OtherMachinesAreNotServed) {
    const TemporaryDirectory directory;
    for (const char* address : {"0.0.0.0:0", "[::]:0", "192.0.2.1:7"}) {
        const Result result = coroscope(directory, {"agent", "--listen", address});
        EXPECT_EQ(result.code, 2) << address;
        EXPECT_NE(result.err.find("refusing to listen"), std::string::npos) << result.err;
    }
}

TEST(Agent, ListensOnSeveralAddressesAndSaysWhichPortItGot) {
    const TemporaryDirectory directory;
    AgentProcess agent(directory, {"--listen", "127.0.0.1:0"});
    const std::string out = agent.process().out();
    const std::size_t at = out.find("127.0.0.1:");
    ASSERT_NE(at, std::string::npos) << out;
    const std::string tcp = out.substr(at, out.find('\n', at) - at);
    EXPECT_EQ(coroscope(directory, {"ps", "--agent", tcp}).code, 0);
    // A port is one agent's alone.
    const Result second = coroscope(directory, {"agent", "--listen", tcp});
    EXPECT_EQ(second.code, 1);
    EXPECT_NE(second.err.find("cannot listen on " + tcp), std::string::npos) << second.err;
}

TEST(Agent, AFileThatCannotBeRecordedIsSaidAtOnce) {
    const TemporaryDirectory directory;
    const Result result = coroscope(directory, {"agent", "--listen", "unix:" + directory.path("a").string(), "--record",
                                                directory.path("no/such/t.cst").string()});
    EXPECT_EQ(result.code, 1);
    EXPECT_NE(result.err.find("cannot record"), std::string::npos) << result.err;
    EXPECT_FALSE(std::filesystem::exists(directory.path("a")));
}

// Events that do not compress, so that a file of them fills up.
v2::Batch noise(std::uint64_t sequence, std::mt19937_64& random) {
    v2::Batch batch = WireApp::tasks(sequence, sequence, 1'000);
    for (std::uint64_t& delta : *batch.mutable_lanes(0)->mutable_time_deltas()) delta = random() >> 30;
    return batch;
}

TEST(Agent, AFullDiskEndsTheRecordingNotTheAgent) {
    const TemporaryDirectory directory;
    const std::string address = "unix:" + directory.path("a.sock").string();
    const std::string file = directory.path("t.cst").string();
    // A limit on the size of files stands for a disk that is full.
    Process agent(directory, {"/bin/sh", "-c", "ulimit -f 256; exec \"$@\"", "sh", binary("coroscope"), "agent",
                              "--listen", address, "--record", file});
    ASSERT_TRUE(wait_until([&] { return agent.out().find("listening") != std::string::npos; })) << agent.err();
    WireApp app(address);
    ASSERT_TRUE(app.attach("app", "a"));
    std::mt19937_64 random;
    std::uint64_t sequence = 0;
    EXPECT_TRUE(wait_until([&] {
        EXPECT_TRUE(app.send(noise(++sequence, random)));
        return agent.err().find("recording stopped: ") != std::string::npos;
    })) << agent.err();
    EXPECT_EQ(coroscope_json(directory, {"status", "--json", address})["recording"], nullptr);
    EXPECT_TRUE(app.goodbye().ok());
    // What came before is in the file.
    const Result ps = coroscope(directory, {"ps", file});
    EXPECT_EQ(ps.code, 0) << ps.err;
    EXPECT_NE(ps.err.find("warning"), std::string::npos) << ps.err;
    agent.signal(SIGTERM);
    EXPECT_EQ(agent.wait(), 0);
}

TEST(Agent, AVersionItDoesNotSpeakIsRefusedAndLogged) {
    const TemporaryDirectory directory;
    AgentProcess agent(directory);
    WireApp app(agent.address());
    v2::Hello hello = WireApp::hello("from-the-future", "x");
    hello.mutable_version()->set_major(99);
    ASSERT_TRUE(app.say_hello(hello));
    v2::AgentMessage answer;
    ASSERT_TRUE(app.read(answer));
    EXPECT_FALSE(answer.welcome().accepted());
    EXPECT_NE(answer.welcome().refusal().find("protocol 99.0"), std::string::npos);
    EXPECT_NE(agent.process().err().find("refused: this app 'from-the-future'"), std::string::npos)
        << agent.process().err();
    EXPECT_EQ(coroscope_json(directory, {"ps", "--json", agent.address()})["apps"].size(), 0u);
}

}  // namespace
}  // namespace coroscope::e2e
