// Apps seen through an agent, live.
#include <grpcpp/grpcpp.h>
#include <signal.h>

#include <atomic>
#include <fstream>
#include <sstream>

#include "coroscope/v2/ingest.grpc.pb.h"
#include "support.hpp"
#include "web_server.hpp"

namespace coroscope::e2e {
namespace {

// The text of a line of a source file.
std::string source_line(const Json& frame) {
    std::string file = frame.at("file");
    if (file.empty() || file.front() != '/') file = std::string(COROSCOPE_SOURCES) + "/" + file;
    std::ifstream in(file);
    std::string line;
    for (int i = frame.at("line"); i > 0; --i) std::getline(in, line);
    return line;
}

// Tasks whose await stack ends in a read of a connection.
std::vector<Json> readers(const Json& app) {
    std::vector<Json> found;
    if (app.is_null()) return found;
    for (const Json& task : app.at("tasks")) {
        const Json& stack = task.at("await_stack");
        if (task.at("waits_on").at("verb") != "read" || stack.empty()) continue;
        if (source_line(stack.back()).find("read") != std::string::npos) found.push_back(task);
    }
    return found;
}

class Apps : public testing::Test {
protected:
    Json ps(const std::string& address) { return coroscope_json(directory_, {"ps", "--json", address}); }
    Json app(const std::string& address, pid_t pid) { return find_app(ps(address), pid); }
    bool connected(const std::string& address, pid_t pid) {
        const Json found = app(address, pid);
        return !found.is_null() && found.at("connected") == true;
    }

    TemporaryDirectory directory_;
};

// The resource of a type; null if there is none.
Json resource_of(const Json& app, const std::string& type) {
    if (app.is_null()) return nullptr;
    for (const Json& resource : app.at("resources"))
        if (resource.at("type") == type) return resource;
    return nullptr;
}

TEST_F(Apps, ALockHasAnOwnerAndThoseWhoWait) {
    AgentProcess agent(directory_);
    Process program(directory_, {binary("e2e/shared_lock")}, {agent.environment()});
    Json lock;
    ASSERT_TRUE(wait_until([&] {
        lock = resource_of(app(agent.address(), program.pid()), "lock");
        return !lock.is_null() && lock.at("waiters").size() == 1;
    })) << ps(agent.address()).dump(1);
    ASSERT_TRUE(lock.at("owner").is_object()) << lock.dump(1);
    EXPECT_EQ(lock.at("owner").at("name"), "keeper");
    ASSERT_FALSE(lock.at("owner").at("await_stack").empty()) << lock.dump(1);
    EXPECT_NE(source_line(lock.at("owner").at("await_stack").back()).find("sleep"), std::string::npos) << lock.dump(1);
    EXPECT_EQ(lock.at("waiters").at(0).at("name"), "visitor");
    ASSERT_FALSE(lock.at("created_at").empty()) << lock.dump(1);
    EXPECT_NE(source_line(lock.at("created_at").back()).find("Lock lock"), std::string::npos) << lock.dump(1);
    const Result tree = coroscope(directory_, {"tree", agent.address()});
    EXPECT_NE(tree.out.find("held by keeper"), std::string::npos) << tree.out;
}

TEST_F(Apps, AnOpenConnectionIsATaskWhoseStackEndsInItsRead) {
    AgentProcess agent(directory_);
    WebServer server(directory_, {agent.environment()});
    Visitor first(server.port()), second(server.port()), third(server.port());
    EXPECT_NE(first.get("Alice").find("Hello, Alice!"), std::string::npos);
    Json seen;
    ASSERT_TRUE(wait_until([&] {
        seen = app(agent.address(), server.pid());
        return readers(seen).size() == 3;
    })) << seen.dump(1);
    EXPECT_EQ(seen.at("name"), "web_server");
    EXPECT_EQ(seen.at("connected"), true);
    EXPECT_EQ(seen.at("dropped"), 0);
    for (const Json& task : readers(seen)) {
        EXPECT_EQ(task.at("state"), "suspended");
        EXPECT_EQ(task.at("outcome"), nullptr);
        EXPECT_GT(task.at("steps"), 0);
        EXPECT_NE(task.at("coroutine"), "");
        EXPECT_FALSE(task.at("created_at").empty());
        for (const Json& frame : task.at("await_stack")) EXPECT_GT(frame.at("line"), 0) << frame;
    }

    const Result tree = coroscope(directory_, {"tree", agent.address()});
    EXPECT_EQ(tree.code, 0);
    EXPECT_NE(tree.out.find("web_server (pid " + std::to_string(server.pid())), std::string::npos) << tree.out;
    EXPECT_NE(tree.out.find("└─ "), std::string::npos) << tree.out;
    // The connections wait in the library; their line is the user's, which started the server.
    std::istringstream lines(tree.out);
    int connections = 0;
    for (std::string line; std::getline(lines, line);) {
        if (line.find("waits for input on stream ") == std::string::npos) continue;
        ++connections;
        EXPECT_NE(line.find("created at web_server.cpp:"), std::string::npos) << line;
    }
    EXPECT_GE(connections, 3) << tree.out;
    for (const char* file : {" runner.cpp", " stream.cpp", " server.cpp"})
        EXPECT_EQ(tree.out.find(file), std::string::npos) << tree.out;
    const Result with_library = coroscope(directory_, {"tree", "--library", agent.address()});
    EXPECT_NE(with_library.out.find("stream.cpp:"), std::string::npos) << with_library.out;
    EXPECT_EQ(tree.out.find('\033'), std::string::npos) << "colours, and no terminal";
    EXPECT_EQ(coroscope(directory_, {"problems", agent.address()}).code, 0);
    const Result top = coroscope(directory_, {"top", "-n", "1", "-d", "0.1", agent.address()});
    EXPECT_EQ(top.code, 0) << top.err;
    EXPECT_NE(top.out.find("web_server"), std::string::npos) << top.out;
}

TEST_F(Apps, TwoAtOnce) {
    AgentProcess agent(directory_);
    WebServer one(directory_, {agent.environment()}), two(directory_, {agent.environment()});
    EXPECT_TRUE(
        wait_until([&] { return connected(agent.address(), one.pid()) && connected(agent.address(), two.pid()); }));
}

TEST_F(Apps, AKilledAppIsShownAsSuchAndTheOthersGoOn) {
    AgentProcess agent(directory_);
    WebServer victim(directory_, {agent.environment()}), other(directory_, {agent.environment()});
    ASSERT_TRUE(wait_until(
        [&] { return connected(agent.address(), victim.pid()) && connected(agent.address(), other.pid()); }));
    victim.process().kill_hard();
    ASSERT_TRUE(wait_until([&] { return !connected(agent.address(), victim.pid()); }));
    const Json gone = app(agent.address(), victim.pid());
    EXPECT_NE(gone.at("disconnect_reason").get<std::string>().find("connection lost"), std::string::npos) << gone;
    EXPECT_TRUE(connected(agent.address(), other.pid()));
    EXPECT_NE(coroscope(directory_, {"ps", agent.address()}).out.find("connection lost"), std::string::npos);
}

TEST_F(Apps, AnAppThatEndsInOrderIsShownAsEnded) {
    AgentProcess agent(directory_);
    Process app(directory_, {example("pipeline")}, {agent.environment()});
    ASSERT_EQ(app.wait(), 0) << app.err();
    Json seen;
    ASSERT_TRUE(wait_until([&] {
        seen = this->app(agent.address(), app.pid());
        return !seen.is_null() && seen.at("connected") == false;
    }));
    EXPECT_EQ(seen.at("disconnect_reason"), "ended");
    const Json all = find_app(coroscope_json(directory_, {"ps", "--json", "--all", agent.address()}), app.pid());
    ASSERT_GE(all.at("tasks").size(), 4u) << all.dump(1);
    for (const Json& task : all.at("tasks")) {
        EXPECT_EQ(task.at("state"), "done");
        EXPECT_EQ(task.at("outcome"), "ok");
    }
}

TEST_F(Apps, AKilledAgentLeavesTheAppRunningAndTheNextOneSeesItWhole) {
    auto agent = std::make_unique<AgentProcess>(directory_);
    const std::string address = agent->address();
    WebServer server(directory_, {agent->environment()});
    Visitor visitor(server.port());
    ASSERT_TRUE(wait_until([&] { return readers(app(address, server.pid())).size() == 1; }));
    agent->process().kill_hard();
    EXPECT_NE(visitor.get("Bob").find("Hello, Bob!"), std::string::npos);
    Visitor later(server.port());  // came while nobody watched
    EXPECT_NE(later.get("Carol").find("Hello, Carol!"), std::string::npos);

    agent = std::make_unique<AgentProcess>(directory_);
    Json seen;
    EXPECT_TRUE(wait_until([&] {
        seen = app(address, server.pid());
        return readers(seen).size() == 2;
    })) << seen.dump(1);
    EXPECT_TRUE(server.process().running());
    // The tree is whole: every parent that is shown is among the tasks, and all stacks have their places.
    for (const Json& task : readers(seen)) {
        EXPECT_FALSE(task.at("created_at").empty()) << task.dump(1);
        EXPECT_NE(task.at("coroutine"), "?");
    }
}

TEST_F(Apps, WithoutAnAgentAnAppRunsOnWithOneLine) {
    Process alone(directory_, {example("pipeline")}, {"COROSCOPE=unix:" + directory_.path("nobody.sock").string()});
    ASSERT_EQ(alone.wait(), 0);
    Process off(directory_, {example("pipeline")});
    ASSERT_EQ(off.wait(), 0);
    EXPECT_EQ(alone.out(), off.out());
    EXPECT_EQ(off.err(), "");
    std::size_t lines = 0;
    for (const char c : alone.err()) lines += c == '\n';
    EXPECT_EQ(lines, 1u) << alone.err();
    EXPECT_NE(alone.err().find("nobody.sock"), std::string::npos) << alone.err();
}

// An agent that speaks another version: it says no, and why.
class Refusing final : public v2::Ingest::Service {
    using Stream = grpc::ServerReaderWriter<v2::AgentMessage, v2::AppMessage>;

public:
    grpc::Status Attach(grpc::ServerContext*, Stream* stream) override {
        v2::AppMessage hello;
        if (!stream->Read(&hello)) return grpc::Status::OK;
        ++hellos;
        v2::AgentMessage answer;
        answer.mutable_welcome()->set_refusal("this agent speaks protocol 7; update the app");
        stream->Write(answer);
        return grpc::Status::OK;
    }
    std::atomic<int> hellos{0};
};

TEST_F(Apps, AnAgentOfAnotherVersionRefusesAndTheAppSaysSoAndRunsOn) {
    const std::string address = "unix:" + directory_.path("other.sock").string();
    Refusing service;
    grpc::ServerBuilder builder;
    builder.AddListeningPort(address, grpc::InsecureServerCredentials());
    builder.RegisterService(&service);
    const auto server = builder.BuildAndStart();
    ASSERT_NE(server, nullptr);
    Process app(directory_, {example("greet")}, {"COROSCOPE=" + address});
    EXPECT_EQ(app.wait(), 0);
    EXPECT_NE(app.out().find("Goodbye, Bob!"), std::string::npos);
    EXPECT_NE(app.err().find("refused this app: this agent speaks protocol 7; update the app"), std::string::npos)
        << app.err();
    EXPECT_EQ(service.hellos, 1);  // it does not ask again
    server->Shutdown();
}

TEST_F(Apps, ATaskIsCancelledFromOutside) {
    AgentProcess agent(directory_);
    WebServer server(directory_, {agent.environment()});
    Visitor visitor(server.port()), other(server.port());
    Json seen;
    ASSERT_TRUE(wait_until([&] {
        seen = app(agent.address(), server.pid());
        return readers(seen).size() == 2;
    }));
    const std::uint64_t task = readers(seen).front().at("id");
    const Result result = coroscope(
        directory_, {"cancel", std::to_string(server.pid()), std::to_string(task), "--agent", agent.address()});
    EXPECT_EQ(result.code, 0) << result.err;
    EXPECT_TRUE(wait_until([&] { return visitor.closed() || other.closed(); }));
    EXPECT_TRUE(wait_until([&] { return readers(app(agent.address(), server.pid())).size() == 1; }));
    EXPECT_TRUE(server.process().running());

    const Result unknown = coroscope(directory_, {"cancel", "web_server", "999999", "--agent", agent.address()});
    EXPECT_EQ(unknown.code, 1);
    EXPECT_NE(unknown.err.find("no live task '999999'"), std::string::npos) << unknown.err;
    EXPECT_EQ(coroscope(directory_, {"cancel", "no-app", "1", "--agent", agent.address()}).code, 1);
}

TEST_F(Apps, AKilledViewerTroublesNobody) {
    if (!std::filesystem::exists("/usr/bin/Xvfb")) GTEST_SKIP() << "no Xvfb here";
    if (!std::filesystem::exists(binary("coroscope-viewer"))) GTEST_SKIP() << "the viewer is not built";
    AgentProcess agent(directory_);
    WebServer server(directory_, {agent.environment()});
    Process display(directory_, {"/usr/bin/Xvfb", "-displayfd", "1", "-screen", "0", "800x600x24", "-nolisten", "tcp"});
    ASSERT_TRUE(wait_until([&] { return display.out().find('\n') != std::string::npos; })) << display.err();
    const std::string number = display.out().substr(0, display.out().find('\n'));
    Process viewer(directory_, {binary("coroscope"), "view", agent.address()}, {"DISPLAY=:" + number});
    const auto subscribers = [&] {
        return coroscope_json(directory_, {"status", "--json", agent.address()}).at("subscribers").get<int>();
    };
    ASSERT_TRUE(wait_until([&] { return subscribers() == 1; })) << viewer.err();
    viewer.kill_hard();
    EXPECT_TRUE(wait_until([&] { return subscribers() == 0; }));
    EXPECT_TRUE(connected(agent.address(), server.pid()));
    Visitor visitor(server.port());
    EXPECT_NE(visitor.get("Dave").find("Hello, Dave!"), std::string::npos);
}

// Apps and readers die at every moment of their lives: before they connect, while they say hello, under way.
TEST_F(Apps, TheAgentOutlivesWhateverIsKilledWhenever) {
    AgentProcess agent(directory_);
    WebServer witness(directory_, {agent.environment()});
    for (int round = 0; round < 24; ++round) {
        Process app(directory_, {example(round % 2 == 0 ? "pipeline" : "debug_mode")}, {agent.environment()});
        Process reader(directory_, {binary("coroscope"), "top", "-d", "0.1", agent.address()});
        const auto moment = std::chrono::steady_clock::now() + std::chrono::milliseconds(round * 4);
        wait_until([&] { return std::chrono::steady_clock::now() >= moment; });
        app.kill_hard();
        reader.kill_hard();
    }
    EXPECT_TRUE(wait_until([&] {
        const Json status = coroscope_json(directory_, {"status", "--json", agent.address()});
        return status.at("apps_connected") == 1 && status.at("subscribers") == 0;
    }));
    EXPECT_TRUE(agent.process().running());
    EXPECT_TRUE(connected(agent.address(), witness.pid()));
}

}  // namespace
}  // namespace coroscope::e2e
