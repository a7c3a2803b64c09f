// The programs of runtime/examples/services/: each demonstration does what it says, also in debug mode, which finds
// nothing wrong with it; and each serves, or works for, somebody else.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <stdexcept>

#include "coroscope/coroscope.hpp"
#include "coroscope/net.hpp"
#include "coroscope/net/tls.hpp"
#include "support.hpp"
#include "web_server.hpp"

namespace coroscope::e2e {
namespace {

std::string service(const std::string& name) { return example("services/" + name); }

struct Demonstration {
    const char* program;
    const char* says;
};

void PrintTo(const Demonstration& demonstration, std::ostream* out) { *out << demonstration.program; }

const Demonstration demonstrations[] = {
    {"chat_server",
     "8 clients in 2 rooms said 800 lines: each heard the 400 of its room, in one order\n"
     "one client did not read: * you read too slowly: 32 lines wait for you\n"
     "SIGTERM: everybody got what was queued, and the farewell\n"},
    {"crawler",
     "149 pages by 169 requests, never more than 6 at once; 298 links led to pages that were known\n"
     "failed: /page/77: 500 Internal Server Error\n"
     "failed: /page/999: 404 Not Found\n"},
    {"job_runner",
     "60 jobs: 53 done, of which 4 at a further attempt; 3 failed, 4 killed\n"
     "  echo half of it; echo no space left >&2; exit 3: exit code 3, 2 attempts, said last: no space left\n"
     "  kill -9 $$: signal 9, 2 attempts\n"
     "  no-such-program 2>/dev/null: exit code 127, 2 attempts\n"
     "  echo begun; sleep 60: killed after 1000 ms, 1 attempts, said last: begun\n"
     "  trap '' TERM; echo will not go; sleep 60: killed after 1000 ms, 1 attempts, said last: will not go\n"
     "  sleep 60 & echo left a child behind; wait: killed after 1000 ms, 1 attempts, said last: left a child behind\n"
     "  exec >/dev/null 2>&1; sleep 60: killed after 1000 ms, 1 attempts\n"},
    {"rpc",
     "300 calls were answered over 3 connections\n"
     "10 calls were too late, 10 callers gave up: the server has stopped working for them\n"
     "10 quick calls overtook 10 slow ones\n"
     "a wrong call: there is no method 'divide'\n"},
    {"aggregator",
     "24 sources, 3 loops\n"
     "cpu: 300 values from 0 to 49, mean 24.5\n"
     "disk: 300 values from 0 to 49, mean 24.5\n"
     "memory: 300 values from 0 to 49, mean 24.5\n"
     "network: 300 values from 0 to 49, mean 24.5\n"
     "24 lines were not understood\n"},
};

class Services : public testing::TestWithParam<Demonstration> {
protected:
    TemporaryDirectory directory_;
};

TEST_P(Services, DemonstrateThemselves) {
    Process program(directory_, {service(GetParam().program)});
    EXPECT_EQ(program.wait(), 0) << program.err();
    EXPECT_EQ(program.out(), GetParam().says);
}

TEST_P(Services, HaveNoProblemInDebugMode) {
    const std::string file = directory_.path("t.cst").string();
    // How long a step takes is up to the machine, which may be busy.
    Process program(directory_, {service(GetParam().program)}, {"COROSCOPE=file:" + file, "COROSCOPE_SLOW_STEP=10000"});
    EXPECT_EQ(program.wait(), 0) << program.err();
    EXPECT_EQ(program.out(), GetParam().says);
    const Result problems = coroscope(directory_, {"problems", file, "--exit-code"});
    EXPECT_EQ(problems.code, 0) << problems.out;
    EXPECT_EQ(coroscope_json(directory_, {"problems", file, "--json"}).at("problems"), Json::array()) << problems.out;
}

TEST_P(Services, RefuseWhatTheyDoNotUnderstand) {
    Process program(directory_, {service(GetParam().program), "--nonsense", "1"});
    EXPECT_EQ(program.wait(), 2);
    EXPECT_NE(program.err().find("there is no option --nonsense\n" + std::string(GetParam().program)),
              std::string::npos)
        << program.err();
}

INSTANTIATE_TEST_SUITE_P(Examples, Services, testing::ValuesIn(demonstrations),
                         [](const auto& each) { return std::string(each.param.program); });

// A service that listens on a port of the system's choice, which it prints.
class Listening {
public:
    Listening(const TemporaryDirectory& directory, std::vector<std::string> arguments)
        : process_(directory, std::move(arguments)) {
        const bool up =
            wait_until([&] { return process_.out().find('\n') != std::string::npos || !process_.running(); });
        if (!up || !process_.running()) throw std::runtime_error("the service did not start: " + process_.err());
        const std::string out = process_.out();
        port_ = static_cast<std::uint16_t>(std::atoi(out.c_str() + out.find_last_of(' ', out.find('\n'))));
    }
    Process& process() { return process_; }
    std::uint16_t port() const { return port_; }
    std::string port_text() const { return std::to_string(port_); }
    // Asks it to end. Its exit code.
    int stop() {
        process_.signal(SIGTERM);
        return process_.wait();
    }

private:
    Process process_;
    std::uint16_t port_ = 0;
};

// A client as any other program: a socket and lines.
class LineClient {
public:
    explicit LineClient(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
            throw std::runtime_error("cannot connect to port " + std::to_string(port));
    }
    ~LineClient() { ::close(fd_); }
    LineClient(const LineClient&) = delete;
    LineClient& operator=(const LineClient&) = delete;

    void send(const std::string& text) const { ::send(fd_, text.data(), text.size(), MSG_NOSIGNAL); }
    void end_of_writing() const { ::shutdown(fd_, SHUT_WR); }
    // The next line, without its end; "": the connection has ended, or nothing comes.
    std::string line() {
        for (;;) {
            if (const std::size_t end = got_.find('\n'); end != std::string::npos) {
                std::string first = got_.substr(0, end);
                got_.erase(0, end + 1);
                return first;
            }
            char buffer[4096];
            pollfd readable{fd_, POLLIN, 0};
            if (::poll(&readable, 1, 30'000) != 1) return {};
            const ssize_t count = ::recv(fd_, buffer, sizeof buffer, 0);
            if (count <= 0) return {};
            got_.append(buffer, static_cast<std::size_t>(count));
        }
    }
    // Reads up to this line. False: it does not come.
    bool reads(const std::string& awaited) {
        for (std::string next = line(); !next.empty(); next = line())
            if (next == awaited) return true;
        return false;
    }

private:
    int fd_;
    std::string got_;
};

TEST(ChatServer, ServesClientsAndStopsInOrder) {
    const TemporaryDirectory directory;
    Listening server(directory, {service("chat_server"), "--port", "0"});
    LineClient alice(server.port());
    alice.send("/name alice\n/join kitchen\n");
    EXPECT_EQ(alice.line(), "* guest-1 has joined lobby");
    EXPECT_TRUE(alice.reads("* alice has joined kitchen"));
    LineClient bob(server.port());  // in the lobby, where nobody else is by now
    bob.send("/name alice\r\n/name bob\r\n/join kitchen\r\nhello\r\n");
    EXPECT_EQ(alice.line(), "* bob has joined kitchen");
    EXPECT_EQ(alice.line(), "<bob> hello");
    EXPECT_EQ(bob.line(), "* guest-2 has joined lobby");
    EXPECT_EQ(bob.line(), "* somebody is alice already");
    alice.send("/quit\n");
    EXPECT_EQ(alice.line(), "* goodbye");
    EXPECT_EQ(alice.line(), "");
    EXPECT_TRUE(bob.reads("* alice has left kitchen"));
    LineClient carol(server.port());
    carol.send(std::string(5'000, 'x'));
    EXPECT_EQ(carol.line(), "* guest-3 has joined lobby");
    EXPECT_EQ(carol.line(), "* a line has at most 2048 bytes");
    EXPECT_EQ(server.stop(), 0) << server.process().err();
    EXPECT_EQ(bob.line(), "* the server stops");
    EXPECT_EQ(bob.line(), "");
}

TEST(Crawler, CrawlsAnotherServer) {
    const TemporaryDirectory directory;
    WebServer site(directory, {});
    Process crawler(directory, {service("crawler"), "--url", "http://localhost:" + std::to_string(site.port())});
    EXPECT_EQ(crawler.wait(), 0) << crawler.err();
    EXPECT_EQ(crawler.out(), "1 pages, 17 bytes, 1 requests; 0 links lead elsewhere, 0 were left out\n");
    Process nowhere(directory, {service("crawler"), "--url", "http://localhost:1/"});
    EXPECT_EQ(nowhere.wait(), 1);
    EXPECT_NE(nowhere.out().find("failed: /: "), std::string::npos) << nowhere.out();
}

TEST(JobRunner, RunsCommands) {
    const TemporaryDirectory directory;
    Process runner(directory, {service("job_runner"), "--at-once", "1", "--attempts", "2", "echo one; echo two >&2",
                               "echo $ATTEMPT; exit 4"});
    EXPECT_EQ(runner.wait(), 1) << runner.err();
    EXPECT_EQ(runner.out(),
              "[echo one; echo two >&2] one\n"
              "[echo one; echo two >&2] two\n"
              "[echo $ATTEMPT; exit 4] 1\n"
              "[echo $ATTEMPT; exit 4] 2\n"
              "2 jobs: 1 done, of which 0 at a further attempt; 1 failed, 0 killed\n"
              "  echo $ATTEMPT; exit 4: exit code 4, 2 attempts, said last: 2\n");
}

TEST(Aggregator, SumsUpWhatOthersSend) {
    const TemporaryDirectory directory;
    Listening server(directory, {service("aggregator"), "--port", "0", "--loops", "2"});
    for (const char* value : {"1", "3", "3.5"}) {
        LineClient source(server.port());
        source.send(std::string("load ") + value + "\nload\n");
        source.end_of_writing();
        EXPECT_EQ(source.line(), "");  // everything was read
    }
    EXPECT_EQ(server.stop(), 0) << server.process().err();
    const std::string out = server.process().out();
    EXPECT_TRUE(out.ends_with("load: 3 values from 1 to 3.5, mean 2.5\n3 lines were not understood\n")) << out;
}

// --- rpc

std::string frame(const std::string& text) {
    const auto size = static_cast<std::uint32_t>(text.size());
    std::string bytes;
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(size >> shift & 0xff);
    return bytes + text;
}

class Rpc : public testing::Test {
protected:
    TemporaryDirectory directory_;
    Listening server_{directory_, {service("rpc"), "--port", "0", "--certificates", directory_.path().string()}};

    TlsContext trusting() { return TlsContext::client().trust(directory_.file("certificate.pem")); }
};

TEST_F(Rpc, ServesAClientInAnotherProcess) {
    const std::vector<std::string> call = {service("rpc"), "--connect", server_.port_text(), "--certificates",
                                           directory_.path().string()};
    const auto with = [&](std::vector<std::string> more) {
        more.insert(more.begin(), call.begin(), call.end());
        return more;
    };
    Process sum(directory_, with({"add", "2 40"}));
    EXPECT_EQ(sum.wait(), 0) << sum.err();
    EXPECT_EQ(sum.out(), "42\n");
    Process wrong(directory_, with({"subtract", "1 2"}));
    EXPECT_EQ(wrong.wait(), 1);
    EXPECT_EQ(wrong.err(), "rpc: there is no method 'subtract'\n");
    EXPECT_EQ(server_.stop(), 0) << server_.process().err();
}

TEST_F(Rpc, AnswersInTheOrderInWhichCallsAreDone) {
    run([&]() -> Coro<> {
        Connection client = co_await open_tls_connection("localhost", server_.port(), trusting());
        client.writer.write(frame("call 1 60000 hold\nheld") + frame("call 2 60000 add\n1 1") +
                            frame("call 3 10 hold\n"));
        const std::string first = co_await client.reader.read_exactly(frame("answer 2 0 -\n2").size());
        EXPECT_EQ(first, frame("answer 2 0 -\n2"));
        const std::string late = co_await client.reader.read_exactly(frame("late 3 0 -\n").size());
        EXPECT_EQ(late, frame("late 3 0 -\n"));
        client.writer.write(frame("call 4 60000 release\n"));
        const std::string last = frame("answer 4 0 -\n") + frame("answer 1 0 -\nheld");
        const std::string got = co_await client.reader.read_exactly(last.size());
        EXPECT_EQ(got, last);
    });
}

TEST_F(Rpc, EndsTheConnectionOfAClientThatDoesNotSpeakIt) {
    run([&]() -> Coro<> {
        Connection client = co_await open_tls_connection("localhost", server_.port(), trusting());
        client.writer.write("GET / HTTP/1.1\r\n\r\n");
        const std::string answer = co_await client.reader.read_all();
        EXPECT_EQ(answer, "");
    });
    EXPECT_EQ(server_.stop(), 0);
    EXPECT_NE(server_.process().err().find("is too long"), std::string::npos) << server_.process().err();
}

}  // namespace
}  // namespace coroscope::e2e
