// The HTTP server over real connections.
#include "http_support.hpp"

namespace coroscope::test {
namespace {

TEST(HttpServer, AnswersAndKeepsTheConnection) {
    run_test([]() -> Coro<> {
        Site site;
        co_await site.start();
        Connection client = co_await site.connect();
        for (const std::string name : {"Alice", "Bob", "Carol"}) {
            client.writer.write("GET /" + name + " HTTP/1.1\r\nHost: x\r\n\r\n");
            Answer answer = co_await read_answer(client.reader);
            EXPECT_EQ(answer.status, 200);
            EXPECT_EQ(answer.body, "Hello, " + name + "!");
            EXPECT_EQ(answer.head.find("Connection:"), std::string::npos) << answer.head;
        }
        client.writer.write("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        Answer last = co_await read_answer(client.reader);
        EXPECT_NE(last.head.find("Connection: close"), std::string::npos) << last.head;
        EXPECT_EQ(co_await client.reader.read(1), "");
        co_await site.runner.cleanup();
    });
}

TEST(HttpServer, PipelinedRequestsAreAnsweredInOrder) {
    run_test([]() -> Coro<> {
        Site site;
        co_await site.start();
        Connection client = co_await site.connect();
        std::string requests;
        for (int i = 0; i < 100; ++i) requests += "GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: x\r\n\r\n";
        client.writer.write(requests);
        for (int i = 0; i < 100; ++i) {
            Answer answer = co_await read_answer(client.reader);
            EXPECT_EQ(answer.body, "Hello, " + std::to_string(i) + "!");
        }
    });
}

TEST(HttpServer, BodiesInEveryFraming) {
    run_test([]() -> Coro<> {
        Site site;
        co_await site.start();
        const std::string body(900'000, 'b');
        Answer plain = co_await site.ask("POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n\r\n" + body);
        EXPECT_EQ(plain.body, body);
        Answer chunked = co_await site.ask(
            "POST /body HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n");
        EXPECT_EQ(chunked.body, "abcdef");
        Connection patient = co_await site.connect();
        patient.writer.write("POST /body HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
        EXPECT_EQ(co_await patient.reader.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
        patient.writer.write("ok");
        Answer continued = co_await read_answer(patient.reader);
        EXPECT_EQ(continued.body, "ok");
    });
}

TEST(HttpServer, HeadAnd204HaveNoBody) {
    run_test([]() -> Coro<> {
        Site site;
        co_await site.start();
        Connection client = co_await site.connect();
        client.writer.write(
            "HEAD / HTTP/1.1\r\nHost: x\r\n\r\nGET /nothing HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: "
            "x\r\n\r\n");
        Answer head = co_await read_answer(client.reader, true);
        EXPECT_NE(head.head.find("Content-Length: 17"), std::string::npos) << head.head;
        Answer nothing_there = co_await read_answer(client.reader);
        EXPECT_EQ(nothing_there.status, 204);
        EXPECT_EQ(nothing_there.head.find("Content-Length"), std::string::npos);
        Answer whole = co_await read_answer(client.reader);
        EXPECT_EQ(whole.body, "Hello, Anonymous!");
    });
}

TEST(HttpServer, WhatIsWrongIsAnsweredAndEndsTheConnection) {
    run_test([]() -> Coro<> {
        Site site;
        co_await site.start();
        struct Case {
            std::string request;
            int status;
        };
        const std::vector<Case> cases = {
            {"nonsense\r\n\r\n", 400},
            {"GET / HTTP/1.1\r\n\r\n", 400},
            {"GET / HTTP/1.1\r\nHost: x\r\nA: " + std::string(20'000, 'a') + "\r\n\r\n", 431},
            {"POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\n\r\n" + std::string(2'000'000, 'b'), 413},
            {"GET / HTTP/3.0\r\n\r\n", 505},
        };
        for (const Case& each : cases) {
            Connection client = co_await site.connect();
            client.writer.write(each.request);
            Answer answer = co_await read_answer(client.reader);
            EXPECT_EQ(answer.status, each.status) << each.request.substr(0, 40);
            EXPECT_NE(answer.head.find("Connection: close"), std::string::npos) << answer.head;
            EXPECT_EQ(co_await client.reader.read(1), "");
        }
        Answer not_found = co_await site.get("/a/b/c");
        EXPECT_EQ(not_found.status, 404);
        Answer not_allowed = co_await site.ask("DELETE / HTTP/1.1\r\nHost: x\r\n\r\n");
        EXPECT_EQ(not_allowed.status, 405);
        EXPECT_NE(not_allowed.head.find("Allow: GET, HEAD"), std::string::npos) << not_allowed.head;
    });
}

TEST(HttpServer, AHandlersExceptionIs500AndReportedAndTheConnectionGoesOn) {
    run_test([]() -> Coro<> {
        Site site;
        co_await site.start();
        Connection client = co_await site.connect();
        testing::internal::CaptureStderr();
        client.writer.write("GET /fail HTTP/1.1\r\nHost: x\r\n\r\nGET /x/a%0d%0ab/split HTTP/1.1\r\nHost: x\r\n\r\n");
        Answer failed = co_await read_answer(client.reader);
        Answer split = co_await read_answer(client.reader);
        const std::string report = testing::internal::GetCapturedStderr();
        EXPECT_EQ(failed.status, 500);
        EXPECT_EQ(failed.body.find("no luck"), std::string::npos) << "not the client's business";
        EXPECT_NE(report.find("GET /fail"), std::string::npos) << report;
        EXPECT_NE(report.find("no luck"), std::string::npos) << report;
        EXPECT_EQ(split.status, 500) << "a header with a line break";
        client.writer.write("GET /teapot HTTP/1.1\r\nHost: x\r\n\r\n");
        Answer pot = co_await read_answer(client.reader);
        EXPECT_EQ(pot.status, 418);
        EXPECT_EQ(pot.body, "short and stout");
    });
}

TEST(HttpServer, SlowClientsAreEnded) {
    run_test([]() -> Coro<> {
        http::ServerLimits limits;
        limits.header_timeout = 20ms;
        limits.body_timeout = 20ms;
        limits.idle_timeout = 20ms;
        Site site(limits);
        co_await site.start();
        Answer header = co_await site.ask("GET / HTTP/1.1\r\nHos");
        EXPECT_EQ(header.status, 408);
        Answer body = co_await site.ask("POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc");
        EXPECT_EQ(body.status, 408);
        Connection silent = co_await site.connect();
        EXPECT_EQ(co_await silent.reader.read(1), "");
    });
}

TEST(HttpServer, AClientThatLeavesInTheMiddleLeavesNothingBehind) {
    run_test([]() -> Coro<> {
        Site site;
        co_await site.start();
        for (const char* part : {"", "GET / HT", "POST /body HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc",
                                 "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n"}) {
            Connection client = co_await site.connect();
            client.writer.write(part);
            co_await until([&] { return site.runner.connections() == 1; });
            client.writer.abort();
            co_await until([&] { return site.runner.connections() == 0; });
        }
    });
}

TEST(HttpServer, CleanupAnswersWhatIsUnderWayAndEndsWhatIsIdle) {
    run_test([]() -> Coro<> {
        Site site;
        co_await site.start();
        Connection busy = co_await site.connect();
        Connection idle = co_await site.connect();
        busy.writer.write("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
        co_await until([&] { return site.runner.connections() == 2; });
        co_await sleep(5ms);
        co_await site.runner.cleanup();
        Answer answer = co_await read_answer(busy.reader);
        EXPECT_EQ(answer.body, "slow");
        EXPECT_NE(answer.head.find("Connection: close"), std::string::npos) << answer.head;
        EXPECT_EQ(co_await idle.reader.read(1), "");
        EXPECT_EQ(site.runner.connections(), 0u);
    });
}

// Wherever the server stands with it: not accepted, accepted, its task not begun, waiting.
TEST(HttpServer, CleanupEndsAConnectionThatHasJustCome) {
    run_test([]() -> Coro<> {
        for (int turns = 0; turns < 8; ++turns) {
            http::ServerLimits limits;
            limits.shutdown_timeout = 1h;
            Site site(limits);
            co_await site.start();
            Connection old = co_await site.connect();
            co_await until([&] { return site.runner.connections() == 1; });
            Connection silent = co_await site.connect();
            for (int i = 0; i < turns; ++i) co_await yield();
            co_await site.runner.cleanup();
            EXPECT_EQ(site.runner.connections(), 0u) << "after " << turns << " turns";
        }
    });
}

TEST(HttpServer, CleanupDoesNotWaitForEver) {
    run_test([]() -> Coro<> {
        http::ServerLimits limits;
        limits.shutdown_timeout = 5ms;
        Site site(limits);
        co_await site.start();
        Connection busy = co_await site.connect();
        busy.writer.write("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
        co_await until([&] { return site.runner.connections() == 1; });
        co_await site.runner.cleanup();
        EXPECT_EQ(site.runner.connections(), 0u);
    });
}

TEST(HttpServer, ServeRunsUntilCancelled) {
    run_test([]() -> Coro<> {
        EXPECT_NE(co_await error_of<TimeoutError>(wait_for(http::serve(test_application(), "127.0.0.1", 0), 5ms)), "");
    });
}

}  // namespace
}  // namespace coroscope::test
