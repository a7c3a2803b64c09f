// The web server against clients that are wrong, slow, or many.
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "coroscope/virtual_time_loop.hpp"
#include "http_support.hpp"
#include "tests/support/sanitizers.hpp"

namespace coroscope::test {
namespace {

class Exchange {
public:
    Exchange(std::string the_request, int the_status) : request(std::move(the_request)), status(the_status) {}
    std::string request;
    int status;
};

std::string get_with(const std::string& fields) { return "GET / HTTP/1.1\r\nHost: x\r\n" + fields + "\r\n"; }
std::string post_with(const std::string& fields, const std::string& body) {
    return "POST /body HTTP/1.1\r\nHost: x\r\n" + fields + "\r\n" + body;
}
std::string chunked(const std::string& body) { return post_with("Transfer-Encoding: chunked\r\n", body); }

// Each request is answered with its status, and what is wrong ends the connection.
Coro<> expect_answers(std::vector<Exchange> cases) {
    Site site;
    co_await site.start();
    for (const Exchange& each : cases) {
        Connection client = co_await site.connect();
        client.writer.write(each.request);
        const Answer answer = co_await read_answer(client.reader);
        EXPECT_EQ(answer.status, each.status) << each.request.substr(0, 200);
        if (each.status == 200) continue;
        EXPECT_NE(answer.head.find("Connection: close"), std::string::npos) << each.request.substr(0, 200);
        EXPECT_EQ(co_await client.reader.read(1), "") << each.request.substr(0, 200);
    }
}

void expect(std::vector<Exchange> cases) {
    run_test([&]() -> Coro<> { return expect_answers(std::move(cases)); });
}

TEST(HttpRobust, BadRequestLinesAreRefused) {
    expect({
        {"\x16\x03\x01\x02\x01\x01\x01\xfc\x03\x03\r\n\r\n", 400},  // TLS
        {"G@T / HTTP/1.1\r\nHost: x\r\n\r\n", 400},
        {"GET  / HTTP/1.1\r\nHost: x\r\n\r\n", 400},
        {"GET /\r\n\r\n", 400},
        {"GET /\x01 HTTP/1.1\r\nHost: x\r\n\r\n", 400},
        {std::string("GET /a\0b HTTP/1.1\r\nHost: x\r\n\r\n", 31), 400},
        {"GET / HTTP/1.2\r\nHost: x\r\n\r\n", 505},
        {"GET / HTTP/1.1x\r\nHost: x\r\n\r\n", 505},
        {"GET / http/1.1\r\nHost: x\r\n\r\n", 505},
        {"GET /" + std::string(20'000, 'a') + " HTTP/1.1\r\nHost: x\r\n\r\n", 431},
    });
}

TEST(HttpRobust, BadHeadersAreRefused) {
    expect({
        {get_with("X : a\r\n"), 400},
        {get_with(": a\r\n"), 400},
        {get_with("no colon\r\n"), 400},
        {get_with("X: a\nY: b\r\n"), 400},
        {get_with("X: a\rb\r\n"), 400},
        {get_with(std::string("X: a\0b\r\n", 8)), 400},
        {"GET / HTTP/1.1\r\n X: folded into nothing\r\nHost: x\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400},
        {"GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},
        {get_with("Host: y\r\n"), 400},
        {"GET / HTTP/1.1\r\n\r\n", 400},
        {get_with("X: " + std::string(20'000, 'a') + "\r\n"), 431},
    });
}

std::string many_fields() {
    std::string fields;
    for (int i = 0; i < 5000; ++i) fields += "X: a\r\n";
    return fields;
}

TEST(HttpRobust, ManySmallHeadersAreBoundedToo) { expect({{get_with(many_fields()), 431}}); }

TEST(HttpRobust, AFoldedHeaderIsOneLine) {
    expect({{get_with("X: a\r\n\tb\r\n"), 200}, {post_with("Content-Length:\r\n 3\r\n", "abc"), 200}});
}

TEST(HttpRobust, AmbiguousLengthsAreRefused) {
    expect({
        {post_with("Content-Length: 3\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), 400},
        {post_with("Transfer-Encoding: chunked\r\nContent-Length: 3\r\n", "0\r\n\r\n"), 400},
        {post_with("Content-Length: 3\r\nContent-Length: 4\r\n", "abc"), 400},
        {post_with("Content-Length: -3\r\n", "abc"), 400},
        {post_with("Content-Length: +3\r\n", "abc"), 400},
        {post_with("Content-Length: 0x3\r\n", "abc"), 400},
        {post_with("Content-Length: 3 4\r\n", "abc"), 400},
        {post_with("Content-Length:\r\n", "abc"), 400},
        {post_with("Content-Length: 99999999999999999999999\r\n", "abc"), 400},
        {post_with("Content-Length: 2000000\r\n", ""), 413},
    });
}

TEST(HttpRobust, OnlyChunkedIsATransferEncoding) {
    expect({
        {post_with("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"), 501},
        {post_with("Transfer-Encoding: chunked, gzip\r\n", "0\r\n\r\n"), 501},
        {post_with("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"), 501},
        {post_with("Transfer-Encoding: identity\r\n", ""), 501},
        {post_with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n"), 400},
        {post_with("Transfer-Encoding: CHUNKED\r\n", "3\r\nabc\r\n0\r\n\r\n"), 200},
    });
}

TEST(HttpRobust, BadChunksAreRefused) {
    expect({
        {chunked("-1\r\nabc\r\n0\r\n\r\n"), 400},
        {chunked("0x3\r\nabc\r\n0\r\n\r\n"), 400},
        {chunked("zz\r\nabc\r\n0\r\n\r\n"), 400},
        {chunked("3\r\nabcXX0\r\n\r\n"), 400},
        {chunked("fffffffffffffffff\r\nabc\r\n0\r\n\r\n"), 400},
        {chunked("ffffffffff\r\nabc\r\n0\r\n\r\n"), 413},
    });
}

TEST(HttpRobust, ChunkExtensionsAndTrailersAreBounded) {
    expect({
        {chunked("3;a=b\r\nabc\r\n0\r\nX: trailer\r\n\r\n"), 200},
        {chunked("3;" + std::string(300'000, 'a')), 431},
        {chunked("3\r\nabc\r\n0\r\n" + many_fields() + many_fields()), 431},
    });
}

Coro<http::Response> header_of_trailer(http::Request& request) {
    co_return http::Response::text(std::to_string(request.headers().count("X-Admin")) + request.body());
}

TEST(HttpRobust, ATrailerIsNoHeader) {
    run_test([]() -> Coro<> {
        http::Application app;
        app.add_post("/", header_of_trailer);
        http::AppRunner runner(std::move(app));
        http::TCPSite site(runner, "127.0.0.1", 0);
        co_await site.start();
        Connection client = co_await open_connection("127.0.0.1", site.port());
        client.writer.write(
            "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX-Admin: 1\r\n\r\n");
        const Answer answer = co_await read_answer(client.reader);
        EXPECT_EQ(answer.body, "0hi");
    });
}

TEST(HttpRobust, EmptyLinesBeforeARequestAreSkipped) {
    run_test([]() -> Coro<> {
        Site site;
        co_await site.start();
        Connection client = co_await site.connect();
        for (const char* lines : {"\r\n", "\r\n\r\n", ""}) {
            client.writer.write(std::string(lines) + "GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
            const Answer answer = co_await read_answer(client.reader);
            EXPECT_EQ(answer.body, "Hello, a!");
        }
        for (const char* piece : {"\r", "\n", "\r\nGET /b HTTP/1.1\r\n", "Host: x\r\n\r", "\n"}) {
            client.writer.write(piece);
            co_await sleep(1ms);
        }
        const Answer answer = co_await read_answer(client.reader);
        EXPECT_EQ(answer.body, "Hello, b!");
    });
}

// A site with one handler, "/wait", that waits until it is cancelled or told to go on.
class WaitingSite {
public:
    explicit WaitingSite(http::ServerLimits limits = {})
        : runner(application(), limits), site(runner, "127.0.0.1", 0) {}
    http::Application application() {
        http::Application app;
        app.add_routes({http::get("/wait", [this](http::Request&) { return wait(); })});
        return app;
    }
    Coro<http::Response> wait() {
        entered.set();
        try {
            co_await go_on.wait();
        } catch (const Cancelled& cancelled) {
            why = cancelled.message();
            left.set();
            throw;
        }
        co_return http::Response::text("went on");
    }
    Coro<Connection> connect() { return open_connection("127.0.0.1", site.port()); }
    Event entered, go_on, left;
    std::string why;
    http::AppRunner runner;
    http::TCPSite site;
};
const std::string ask_to_wait = "GET /wait HTTP/1.1\r\nHost: x\r\n\r\n";

TEST(HttpRobust, TheHandlerOfAClientThatGoesIsCancelled) {
    for (const bool by_reset : {false, true}) {
        run_test([by_reset]() -> Coro<> {
            WaitingSite site;
            co_await site.site.start();
            {
                Connection client = co_await site.connect();
                client.writer.write(ask_to_wait);
                co_await site.entered.wait();
                const linger reset_at_close{1, 0};
                if (by_reset) {
                    ::setsockopt(client.writer.fd(), SOL_SOCKET, SO_LINGER, &reset_at_close, sizeof reset_at_close);
                }
            }
            co_await site.left.wait();
            EXPECT_EQ(site.why, "the client has gone");
            while (site.runner.connections() != 0) co_await sleep(1ms);
        });
    }
}

TEST(HttpRobust, AClientThatHasGoneBeforeItsHandlerBeganIsNoticed) {
    run_test([]() -> Coro<> {
        WaitingSite site;
        co_await site.site.start();
        {
            Connection client = co_await site.connect();
            client.writer.write(ask_to_wait);
        }
        co_await site.left.wait();
        EXPECT_EQ(site.why, "the client has gone");
    });
}

TEST(HttpRobust, AClientWithFurtherRequestsHasNotGone) {
    run_test([]() -> Coro<> {
        WaitingSite site;
        co_await site.site.start();
        Connection client = co_await site.connect();
        client.writer.write(ask_to_wait);
        co_await site.entered.wait();
        client.writer.write(ask_to_wait);
        client.writer.write_eof();
        {  // what the loop learns of another connection after that comes later
            Connection other = co_await site.connect();
            other.writer.write("GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n");
            const Answer answer = co_await read_answer(other.reader);
            EXPECT_EQ(answer.status, 404);
        }
        EXPECT_FALSE(site.left.is_set());
        site.go_on.set();
        const Answer one = co_await read_answer(client.reader);
        const Answer two = co_await read_answer(client.reader);
        EXPECT_EQ(one.body + two.body, "went onwent on");
    });
}

TEST(HttpRobust, AClientThatHasShutDownGetsItsAnswerIfThatIsAllowed) {
    run_test([]() -> Coro<> {
        http::ServerLimits limits;
        limits.half_closed_clients = true;
        Site site(limits);
        co_await site.start();
        Connection client = co_await site.connect();
        client.writer.write("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
        client.writer.write_eof();
        const Answer answer = co_await read_answer(client.reader);
        EXPECT_EQ(answer.body, "slow");
        EXPECT_EQ(co_await client.reader.read(1), "");
    });
}

TEST(HttpRobust, AConnectionMayBeLimitedToSomeRequests) {
    run_test([]() -> Coro<> {
        http::ServerLimits limits;
        limits.most_requests = 2;
        Site site(limits);
        co_await site.start();
        Connection client = co_await site.connect();
        client.writer.write(get_with("") + get_with("") + get_with(""));
        const Answer one = co_await read_answer(client.reader);
        EXPECT_EQ(one.head.find("Connection: close"), std::string::npos);
        const Answer two = co_await read_answer(client.reader);
        EXPECT_NE(two.head.find("Connection: close"), std::string::npos);
        bool ended = false;
        try {
            ended = (co_await client.reader.read(1)).empty();
        } catch (const ConnectionError&) {  // the third request was there already, unread
            ended = true;
        }
        EXPECT_TRUE(ended);
    });
}

TEST(HttpRobust, ContinueIsSentOnlyToWhoWaitsForIt) {
    run_test([]() -> Coro<> {
        Site site;
        co_await site.start();
        Connection waits = co_await site.connect();
        waits.writer.write(post_with("Expect: 100-continue\r\nContent-Length: 3\r\n", ""));
        EXPECT_EQ(co_await waits.reader.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
        waits.writer.write("abc");
        const Answer answer = co_await read_answer(waits.reader);
        EXPECT_EQ(answer.body, "abc");
        const Answer at_once = co_await site.ask(post_with("Expect: 100-continue\r\nContent-Length: 3\r\n", "abc"));
        EXPECT_EQ(at_once.status, 200);
        const Answer too_large =
            co_await site.ask(post_with("Expect: 100-continue\r\nContent-Length: 9999999\r\n", ""));
        EXPECT_EQ(too_large.status, 413) << "before the body is sent";
    });
}

TEST(HttpRobust, AHeaderThatDripsIsEndedAfterItsTime) {
    run<VirtualTimeLoop>([]() -> Coro<> {
        Site site;
        co_await site.start();
        Connection client = co_await site.connect();
        const std::uint64_t begin = EventLoop::running().time_ns();
        client.writer.write("GET / HTTP/1.1\r\nHost: x\r\n");
        int drops = 0;
        for (; drops < 100 && site.runner.connections() <= 1; ++drops) {
            client.writer.write("X: a\r\n");
            co_await sleep(1s);
            if (!client.reader.buffered().empty()) break;
            Task<bool> reading = create_task(client.reader.read_more());
            for (int i = 0; i < 10; ++i) co_await yield();
            if (reading.done()) break;
            reading.cancel();
        }
        const Answer answer = co_await read_answer(client.reader);
        EXPECT_EQ(answer.status, 408);
        const std::uint64_t took = EventLoop::running().time_ns() - begin;
        EXPECT_GE(took, 10'000'000'000u);
        EXPECT_LE(took, 12'000'000'000u);
    }());
}

TEST(HttpRobust, PipelinedRequestsOfAClientThatDoesNotReadAreNotAllAnswered) {
    run_test([]() -> Coro<> {
        http::ServerLimits limits;
        limits.write_timeout = 50ms;
        limits.most_body_bytes = 300'000;
        Site site(limits);
        co_await site.start();
        Connection client = co_await site.connect();
        const std::string request = post_with("Content-Length: 262144\r\n", std::string(262'144, 'x'));
        for (int i = 0; i < 200; ++i) client.writer.write(request);
        co_await until([&] { return site.runner.connections() == 1; });
        co_await until([&] { return site.runner.connections() == 0; });
        client.writer.abort();
    });
}

// --- many idle connections

Coro<> serve_until_told(int port_to, int stop_from) {
    Site site;
    co_await site.start();
    const std::uint16_t port = site.site.port();
    if (::write(port_to, &port, sizeof port) != sizeof port) co_return;
    StreamReader stop = connect_read_pipe(stop_from);
    co_await stop.read(1);
}

std::size_t anonymous_bytes(pid_t pid) {
    std::ifstream status("/proc/" + std::to_string(pid) + "/status");
    for (std::string word; status >> word;) {
        if (word != "RssAnon:") continue;
        std::size_t kilobytes = 0;
        status >> kilobytes;
        return kilobytes * 1024;
    }
    return 0;
}

Coro<> ask_once(std::uint16_t port, std::vector<Connection>& kept) {
    Connection client = co_await open_connection("127.0.0.1", port);
    client.writer.write(get_with("User-Agent: a browser with a rather long name\r\nAccept: */*\r\n"));
    const Answer answer = co_await read_answer(client.reader);
    EXPECT_EQ(answer.status, 200);
    kept.push_back(std::move(client));
}

// The server in a process of its own: what it grows by is what its connections cost. Twice: the first ones warm it up.
TEST(HttpRobust, TenThousandIdleConnectionsCostLessThanThreeKilobytesEach) {
    constexpr std::size_t most = 10'000;
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_max < most + 200) GTEST_SKIP() << "the limit of open files is " << limit.rlim_max;
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    int port_pipe[2], stop_pipe[2];
    ASSERT_EQ(::pipe(port_pipe), 0);
    ASSERT_EQ(::pipe(stop_pipe), 0);
    const pid_t server = ::fork();
    if (server == 0) {
        ::close(stop_pipe[1]);
        run(serve_until_told(port_pipe[1], stop_pipe[0]));
        std::_Exit(0);
    }
    std::uint16_t port = 0;
    ASSERT_EQ(::read(port_pipe[0], &port, sizeof port), static_cast<ssize_t>(sizeof port));
    const auto open_all = [](std::uint16_t to, pid_t pid) -> Coro<std::size_t> {
        std::vector<Connection> kept;
        co_await ask_once(to, kept);
        const std::size_t before = anonymous_bytes(pid);
        for (std::size_t i = 0; i < most; ++i) co_await ask_once(to, kept);
        co_return anonymous_bytes(pid) - before;
    };
    const std::size_t grown = run(open_all(port, server));
    RecordProperty("bytes_each", std::to_string(grown / most));
    if (!is_sanitized) {  // the sanitizers have memory of their own
        EXPECT_LT(grown / most, 3u * 1024);
    }
    for (const int fd : {port_pipe[0], port_pipe[1], stop_pipe[0], stop_pipe[1]}) ::close(fd);
    int status = 0;
    ::waitpid(server, &status, 0);
    EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace coroscope::test
