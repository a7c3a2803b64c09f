// The HTTP client session: with our own server, over http and https, and with other people's programs.
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "authority.hpp"
#include "coroscope/http.hpp"
#include "tests/runtime/net_support.hpp"
#include "tests/support/temporary_directory.hpp"

namespace coroscope::test {
namespace {

using http::ClientError;
using http::ClientOptions;
using http::ClientRequest;
using http::ClientResponse;
using http::ClientSession;

Coro<http::Response> hello(http::Request& request) {
    co_return http::Response::text("Hello, " + request.match_info().get("name", "Anonymous") + "!");
}
Coro<http::Response> echo_body(http::Request& request) { co_return http::Response::text(request.body()); }
Coro<http::Response> show_headers(http::Request& request) {
    std::string text;
    for (const auto& [name, value] : request.headers()) text += name + ": " + value + "\n";
    co_return http::Response::text(request.method() + "\n" + text);
}
Coro<http::Response> redirect(http::Request& request) {
    http::Response response(std::stoi(request.match_info().get("status")));
    response.headers.set("Location", "../landed");
    co_return response;
}
Coro<http::Response> redirect_for_ever(http::Request&) {
    http::Response response(302);
    response.headers.set("Location", "/for-ever");
    co_return response;
}
Coro<http::Response> landed(http::Request& request) {
    co_return http::Response::text("landed by " + request.method() + " " + request.body());
}
Coro<http::Response> large(http::Request&) { co_return http::Response::text(std::string(1'000'000, 'x')); }
Coro<http::Response> slow(http::Request&) {
    co_await sleep(30s);
    co_return http::Response::text("late");
}

http::Application application() {
    http::Application app;
    app.add_routes({http::get("/hello/{name}", hello), http::post("/echo", echo_body), http::put("/echo", echo_body),
                    http::get("/headers", show_headers), http::get("/redirect/{status}", redirect),
                    http::post("/redirect/{status}", redirect), http::get("/for-ever", redirect_for_ever),
                    http::get("/landed", landed), http::post("/landed", landed), http::get("/large", large),
                    http::get("/slow", slow)});
    return app;
}

// The application on a port of its own, and where it is.
class Site {
public:
    explicit Site(http::ServerLimits limits = {}) : runner(application(), limits) {}
    Coro<> start() {
        http::TCPSite site(runner, "localhost", 0);
        co_await site.start();
        base = site.name();
    }
    Coro<> start_tls(TlsContext context) {
        http::TCPSite site(runner, "localhost", 0, std::move(context));
        co_await site.start();
        base = site.name();
    }
    http::AppRunner runner;
    std::string base;
};

TEST(HttpClient, GetsAPage) {
    run_test([]() -> Coro<> {
        Site site;
        co_await site.start();
        ClientSession session;
        const ClientResponse page = co_await session.get(site.base + "/hello/World");
        EXPECT_EQ(page.status, 200);
        EXPECT_EQ(page.body, "Hello, World!");
        EXPECT_EQ(page.headers.get("content-type"), "text/plain; charset=utf-8");
        EXPECT_EQ(page.url, site.base + "/hello/World");
        co_await session.close();
        co_await site.runner.cleanup();
    });
}

TEST(HttpClient, AnErrorStatusIsAnAnswer) {
    run_test([]() -> Coro<> {
        Site site;
        co_await site.start();
        ClientSession session;
        const ClientResponse page = co_await session.get(site.base + "/no/such/page");
        EXPECT_EQ(page.status, 404);
        co_await session.close();
        co_await site.runner.cleanup();
    });
}

TEST(HttpClient, SendsBodiesAndHeaders) {
    run_test([]() -> Coro<> {
        Site site;
        co_await site.start();
        ClientOptions options;
        options.headers.add("X-Session", "of all requests");
        ClientSession session(options);
        const ClientResponse posted = co_await session.post(site.base + "/echo", "a body");
        EXPECT_EQ(posted.body, "a body");
        const std::string much(500'000, 'y');
        const ClientResponse put = co_await session.put(site.base + "/echo", much);
        EXPECT_EQ(put.body, much);
        http::Headers headers;
        headers.add("X-Mine", "yes");
        const ClientResponse shown = co_await session.get(site.base + "/headers", headers);
        EXPECT_NE(shown.body.find("X-Mine: yes"), std::string::npos) << shown.body;
        EXPECT_NE(shown.body.find("X-Session: of all requests"), std::string::npos) << shown.body;
        EXPECT_NE(shown.body.find("Host: localhost:"), std::string::npos) << shown.body;
        co_await session.close();
        co_await site.runner.cleanup();
    });
}

AsyncGenerator<std::string> three_parts() {
    for (const char* part : {"one ", "two ", "three"}) {
        co_await yield();
        co_yield std::string(part);
    }
}
TEST(HttpClient, StreamsABody) {
    run_test([]() -> Coro<> {
        Site site;
        co_await site.start();
        ClientSession session;
        ClientRequest request("POST", site.base + "/echo");
        request.stream(three_parts());
        const ClientResponse response = co_await session.request(std::move(request));
        EXPECT_EQ(response.body, "one two three");
        co_await session.close();
        co_await site.runner.cleanup();
    });
}

TEST(HttpClient, ReadsAnAnswerBitByBit) {
    run_test([]() -> Coro<> {
        Site site;
        co_await site.start();
        ClientSession session;
        http::StreamedResponse response = co_await session.open(ClientRequest("GET", site.base + "/large"));
        EXPECT_EQ(response.status(), 200);
        std::size_t size = 0, parts = 0;
        for (;;) {
            const std::string part = co_await response.read();
            if (part.empty()) break;
            size += part.size();
            ++parts;
        }
        EXPECT_EQ(size, 1'000'000u);
        EXPECT_GT(parts, 1u);
        EXPECT_EQ(session.idle_connections(), 1u);
        co_await session.close();
        co_await site.runner.cleanup();
    });
}

TEST(HttpClient, UsesItsConnectionAgain) {
    run_test([]() -> Coro<> {
        Site site;
        co_await site.start();
        ClientSession session;
        for (int i = 0; i < 1000; ++i) {
            const ClientResponse page = co_await session.get(site.base + "/hello/x");
            EXPECT_EQ(page.status, 200);
            EXPECT_EQ(site.runner.connections(), 1u);
        }
        EXPECT_EQ(session.idle_connections(), 1u);
        co_await session.close();
        EXPECT_EQ(session.idle_connections(), 0u);
        co_await site.runner.cleanup();
    });
}

Coro<std::string> body_of(ClientSession& session, std::string url) {
    ClientResponse page = co_await session.get(std::move(url));
    co_return std::move(page.body);
}
TEST(HttpClient, ManyAtOnceWithinItsBound) {
    run_test([]() -> Coro<> {
        Site site;
        co_await site.start();
        ClientOptions options;
        options.most_connections = 10;
        ClientSession session(options);
        std::vector<Task<std::string>> tasks;
        for (int i = 0; i < 100; ++i)
            tasks.push_back(create_task(body_of(session, site.base + "/hello/" + std::to_string(i))));
        const std::vector<std::string> bodies = co_await gather(std::move(tasks));
        for (std::size_t i = 0; i < bodies.size(); ++i) EXPECT_EQ(bodies[i], "Hello, " + std::to_string(i) + "!");
        EXPECT_LE(site.runner.connections(), 10u);
        co_await session.close();
        co_await site.runner.cleanup();
    });
}

TEST(HttpClient, AnIdleConnectionIsClosedInTime) {
    run_test([]() -> Coro<> {
        Site site;
        co_await site.start();
        ClientOptions options;
        options.idle_timeout = 20ms;
        ClientSession session(options);
        co_await session.get(site.base + "/hello/x");
        EXPECT_EQ(session.idle_connections(), 1u);
        co_await until([&] { return session.idle_connections() == 0; });
        co_await session.close();
        co_await site.runner.cleanup();
    });
}

TEST(HttpClient, APooledConnectionThatTheServerClosedIsReplaced) {
    run_test([]() -> Coro<> {
        http::ServerLimits limits;
        limits.idle_timeout = 5ms;
        Site site(limits);
        co_await site.start();
        ClientSession session;
        co_await session.get(site.base + "/hello/x");
        co_await until([&] { return site.runner.connections() == 0; });
        const ClientResponse page = co_await session.post(site.base + "/echo", "again");
        EXPECT_EQ(page.body, "again");
        co_await session.close();
        co_await site.runner.cleanup();
    });
}

TEST(HttpClient, FollowsRedirectsAsBrowsersDo) {
    run_test([]() -> Coro<> {
        Site site;
        co_await site.start();
        ClientSession session;
        const ClientResponse got = co_await session.get(site.base + "/redirect/302");
        EXPECT_EQ(got.body, "landed by GET ");
        EXPECT_EQ(got.url, site.base + "/landed");
        const ClientResponse seen_other = co_await session.post(site.base + "/redirect/303", "form");
        EXPECT_EQ(seen_other.body, "landed by GET ");
        const ClientResponse kept = co_await session.post(site.base + "/redirect/307", "form");
        EXPECT_EQ(kept.body, "landed by POST form");
        co_await session.close();
        co_await site.runner.cleanup();
    });
}

Coro<> get(ClientSession& session, std::string url) { co_await session.get(std::move(url)); }

TEST(HttpClient, RedirectsWithoutEndAreAnError) {
    run_test([]() -> Coro<> {
        Site site;
        co_await site.start();
        ClientSession session;
        EXPECT_NE(co_await error_of<ClientError>(get(session, site.base + "/for-ever")), "");
        ClientOptions none;
        none.most_redirects = 0;
        ClientSession stays(none);
        const ClientResponse page = co_await stays.get(site.base + "/for-ever");
        EXPECT_EQ(page.status, 302);
        co_await session.close();
        co_await stays.close();
        co_await site.runner.cleanup();
    });
}

TEST(HttpClient, HeadHasNoBody) {
    run_test([]() -> Coro<> {
        Site site;
        co_await site.start();
        ClientSession session;
        const ClientResponse page = co_await session.head(site.base + "/large");
        EXPECT_EQ(page.status, 200);
        EXPECT_EQ(page.headers.get("Content-Length"), "1000000");
        EXPECT_EQ(page.body, "");
        const ClientResponse next = co_await session.get(site.base + "/hello/x");
        EXPECT_EQ(next.body, "Hello, x!");
        EXPECT_EQ(site.runner.connections(), 1u);
        co_await session.close();
        co_await site.runner.cleanup();
    });
}

TEST(HttpClient, ATimeoutAndACancellationCloseTheConnection) {
    run_test([]() -> Coro<> {
        http::ServerLimits limits;
        limits.shutdown_timeout = 20ms;
        Site site(limits);
        co_await site.start();
        ClientOptions options;
        options.total_timeout = 20ms;
        ClientSession hasty(options);
        EXPECT_NE(co_await error_of<TimeoutError>(get(hasty, site.base + "/slow")), "");
        EXPECT_EQ(hasty.idle_connections(), 0u);
        ClientSession session;
        Task<> task = create_task(get(session, site.base + "/slow"));
        co_await until([&] { return site.runner.connections() == 1; });
        task.cancel();
        bool cancelled = false;
        try {
            co_await task;
        } catch (const Cancelled&) {
            cancelled = true;
        }
        EXPECT_TRUE(cancelled);
        EXPECT_EQ(session.idle_connections(), 0u);
        co_await session.close();
        co_await hasty.close();
        co_await site.runner.cleanup();
    });
}

TEST(HttpClient, AnAnswerThatIsDroppedClosesItsConnection) {
    run_test([]() -> Coro<> {
        Site site;
        co_await site.start();
        ClientSession session;
        {
            http::StreamedResponse response = co_await session.open(ClientRequest("GET", site.base + "/large"));
            EXPECT_EQ(response.status(), 200);
        }
        EXPECT_EQ(session.idle_connections(), 0u);
        const ClientResponse page = co_await session.get(site.base + "/hello/x");
        EXPECT_EQ(page.body, "Hello, x!");
        co_await session.close();
        co_await site.runner.cleanup();
    });
}

TEST(HttpClient, ABodyThatIsTooLargeIsAnError) {
    run_test([]() -> Coro<> {
        Site site;
        co_await site.start();
        ClientOptions options;
        options.most_body_bytes = 1000;
        ClientSession session(options);
        EXPECT_NE(co_await error_of<ClientError>(get(session, site.base + "/large")), "");
        EXPECT_EQ(session.idle_connections(), 0u);
        co_await session.close();
        co_await site.runner.cleanup();
    });
}

TEST(HttpClient, AUrlThatIsNoneSaysWhy) {
    run_test([]() -> Coro<> {
        ClientSession session;
        for (const char* url : {"example.com", "ftp://example.com", "http://", "http://host:99999/", "http://a b/",
                                "http://[::1", "http://user@host/"}) {
            EXPECT_NE(co_await error_of<std::invalid_argument>(get(session, url)), "") << url;
        }
        co_await session.close();
    });
}

Coro<> answer_with(std::string bytes, StreamReader reader, StreamWriter writer) {
    co_await reader.read_until("\r\n\r\n");
    writer.write(bytes);
    co_await writer.drain();
}
Coro<std::string> error_for_answer(std::string bytes) {
    ConnectionHandler handler = [bytes](StreamReader reader, StreamWriter writer) {
        return answer_with(bytes, std::move(reader), std::move(writer));
    };
    Server server = co_await start_server(handler, "localhost", 0);
    ClientSession session;
    co_return co_await error_of<ClientError>(get(session, "http://localhost:" + std::to_string(server.port()) + "/"));
}
TEST(HttpClient, WhatIsNoHttpIsSaid) {
    run_test([]() -> Coro<> {
        EXPECT_NE(co_await error_for_answer("SSH-2.0-OpenSSH_9.2\r\n"), "");
        EXPECT_NE(co_await error_for_answer("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"), "");
        EXPECT_NE(co_await error_for_answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), "");
        EXPECT_NE(co_await error_for_answer("HTTP/1.1 200 OK\r\nX: " + std::string(100'000, 'x') + "\r\n\r\n"), "");
        EXPECT_EQ(co_await error_for_answer("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n"), "");
        EXPECT_EQ(co_await error_for_answer("HTTP/1.0 200 OK\r\n\r\nuntil the end"), "");
    });
}

TEST(HttpClient, SpeaksHttpsAndVerifies) {
    run_test([]() -> Coro<> {
        Site site;
        co_await site.start_tls(server_context());
        EXPECT_TRUE(site.base.starts_with("https://localhost:"));
        ClientOptions options;
        options.tls = TlsContext::client().trust(authority().file());
        ClientSession session(options);
        for (int i = 0; i < 3; ++i) EXPECT_EQ(co_await body_of(session, site.base + "/hello/tls"), "Hello, tls!");
        EXPECT_EQ(site.runner.connections(), 1u);
        ClientSession suspicious;
        EXPECT_NE(co_await error_of<TlsError>(get(suspicious, site.base + "/hello/tls")), "");
        co_await suspicious.close();
        co_await session.close();
        co_await site.runner.cleanup();
    });
}

// --- other people's programs

std::string output_of(const std::string& command) {
    std::string output;
    FILE* pipe = ::popen(command.c_str(), "r");
    std::array<char, 4096> buffer;
    while (const std::size_t size = std::fread(buffer.data(), 1, buffer.size(), pipe))
        output.append(buffer.data(), size);
    ::pclose(pipe);
    return output;
}
bool has(const std::string& command) { return output_of("command -v " + command) != ""; }
// The system's python3, which has the system's packages.
const std::string python = "/usr/bin/python3";

TEST(HttpInterop, CurlTalksToOurServer) {
    if (!has("curl")) GTEST_SKIP() << "no curl here";
    run_test([]() -> Coro<> {
        Site site, secure;
        co_await site.start();
        co_await secure.start_tls(server_context());
        const std::string plain = "curl -sS " + site.base + "/hello/curl";
        EXPECT_EQ(co_await to_thread(output_of, plain), "Hello, curl!");
        const std::string post = "curl -sS --data-binary 'from curl' " + site.base + "/echo";
        EXPECT_EQ(co_await to_thread(output_of, post), "from curl");
        const std::string tls = "curl -sS --cacert " + authority().file() + " " + secure.base + "/hello/tls";
        EXPECT_EQ(co_await to_thread(output_of, tls), "Hello, tls!");
        const std::string chunked =
            "curl -sS -H 'Transfer-Encoding: chunked' --data-binary 'in chunks' " + site.base + "/echo";
        EXPECT_EQ(co_await to_thread(output_of, chunked), "in chunks");
        co_await site.runner.cleanup();
        co_await secure.runner.cleanup();
    });
}

// A program that serves, started and ended with this.
class ServerProgram {
public:
    // It prints its port in a line of its own, or in "port N".
    ServerProgram(const std::filesystem::path& directory, const std::string& script) {
        const std::string file = (directory / "server.py").string();
        std::ofstream(file) << script;
        int ends[2];
        if (::pipe(ends) != 0) return;
        pid_ = ::fork();
        if (pid_ == 0) {
            ::dup2(ends[1], STDOUT_FILENO);
            ::dup2(::open("/dev/null", O_WRONLY), STDERR_FILENO);  // its log
            ::close(ends[0]);
            ::execl(python.c_str(), "python3", "-u", file.c_str(), nullptr);
            ::_exit(127);
        }
        ::close(ends[1]);
        FILE* out = ::fdopen(ends[0], "r");
        if (std::fscanf(out, "%d", &port) != 1) port = 0;
        std::fclose(out);
    }
    ~ServerProgram() {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
    int port = 0;

private:
    pid_t pid_ = -1;
};

TEST(HttpInterop, OurClientTalksToPythonsHttpServer) {
    if (::access(python.c_str(), X_OK) != 0) GTEST_SKIP() << "no " << python << " here";
    const TemporaryDirectory directory;
    const CertificateFiles files = authority().issue("localhost", {"DNS:localhost"});
    for (const bool tls : {false, true}) {
        const std::string wrap = tls ? "c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)\nc.load_cert_chain('" +
                                           files.certificate + "', '" + files.key +
                                           "')\ns.socket = c.wrap_socket(s.socket, server_side=True)\n"
                                     : "";
        const ServerProgram server(directory.path(), "import http.server, os, ssl\nos.chdir('" +
                                                         directory.path().string() +
                                                         "')\ns = http.server.ThreadingHTTPServer(('127.0.0.1', 0), "
                                                         "http.server.SimpleHTTPRequestHandler)\n" +
                                                         wrap + "print(s.server_address[1])\ns.serve_forever()\n");
        ASSERT_NE(server.port, 0);
        std::ofstream(directory.path("page.txt")) << "served by Python";
        const std::string base = (tls ? "https" : "http") + std::string("://localhost:") + std::to_string(server.port);
        run([&]() -> Coro<> {
            ClientOptions options;
            options.tls = TlsContext::client().trust(authority().file());
            ClientSession session(options);
            EXPECT_EQ(co_await body_of(session, base + "/page.txt"), "served by Python");
            const ClientResponse missing = co_await session.get(base + "/missing");
            EXPECT_EQ(missing.status, 404);
            co_await session.close();
        });
    }
}

TEST(HttpInterop, OurClientTalksToAiohttp) {
    if (output_of(python + " -c 'import aiohttp; print(1)' 2>/dev/null").empty())
        GTEST_SKIP() << "no python3-aiohttp here";
    const TemporaryDirectory directory;
    const CertificateFiles files = authority().issue("localhost", {"DNS:localhost"});
    for (const bool tls : {false, true}) {
        const std::string context = tls ? "c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)\nc.load_cert_chain('" +
                                              files.certificate + "', '" + files.key + "')\n"
                                        : "c = None\n";
        const ServerProgram server(
            directory.path(), "import asyncio, ssl\nfrom aiohttp import web\n" + context +
                                  "async def echo(r):\n"
                                  "    resp = web.StreamResponse()\n"
                                  "    await resp.prepare(r)\n"
                                  "    await resp.write(b'aiohttp got ' + await r.read())\n"
                                  "    await resp.write_eof()\n"
                                  "    return resp\n"
                                  "async def main():\n"
                                  "    app = web.Application(); app.add_routes([web.post('/echo', echo)])\n"
                                  "    runner = web.AppRunner(app); await runner.setup()\n"
                                  "    site = web.TCPSite(runner, '127.0.0.1', 0, ssl_context=c); await site.start()\n"
                                  "    print(site._server.sockets[0].getsockname()[1])\n"
                                  "    await asyncio.Event().wait()\n"
                                  "asyncio.run(main())\n");
        ASSERT_NE(server.port, 0);
        const std::string base = (tls ? "https" : "http") + std::string("://localhost:") + std::to_string(server.port);
        run([&]() -> Coro<> {
            ClientOptions options;
            options.tls = TlsContext::client().trust(authority().file());
            ClientSession session(options);
            ClientRequest request("POST", base + "/echo");
            request.stream(three_parts());
            const ClientResponse response = co_await session.request(std::move(request));
            EXPECT_EQ(response.body, "aiohttp got one two three");
            EXPECT_EQ(session.idle_connections(), 1u);
            co_await session.close();
        });
    }
}

// For clients that need /etc/hosts to know localhost: a bare system has none.
std::string by_number(std::string base) { return base.replace(base.find("localhost"), 9, "127.0.0.1"); }

TEST(HttpInterop, AiohttpsClientTalksToOurServer) {
    if (output_of(python + " -c 'import aiohttp; print(1)' 2>/dev/null").empty())
        GTEST_SKIP() << "no python3-aiohttp here";
    const TemporaryDirectory directory;
    const std::string script = directory.file("client.py");
    std::ofstream(script) << "import aiohttp, asyncio, ssl, sys\n"
                             "async def main():\n"
                             "    c = ssl.create_default_context(cafile=sys.argv[2]) if len(sys.argv) > 2 else None\n"
                             "    async with aiohttp.ClientSession() as s:\n"
                             "        async with s.get(sys.argv[1] + '/hello/aiohttp', ssl=c) as r:\n"
                             "            print(r.status, await r.text())\n"
                             "        async def parts():\n"
                             "            for p in (b'a', b'b', b'c'): yield p\n"
                             "        async with s.post(sys.argv[1] + '/echo', data=parts(), ssl=c) as r:\n"
                             "            print(r.status, await r.text())\n"
                             "asyncio.run(main())\n";
    run_test([&]() -> Coro<> {
        Site site, secure;
        co_await site.start();
        co_await secure.start_tls(server_context());
        const std::string plain = python + " " + script + " " + by_number(site.base);
        EXPECT_EQ(co_await to_thread(output_of, plain), "200 Hello, aiohttp!\n200 abc\n");
        const std::string tls = python + " " + script + " " + by_number(secure.base) + " " + authority().file();
        EXPECT_EQ(co_await to_thread(output_of, tls), "200 Hello, aiohttp!\n200 abc\n");
        co_await site.runner.cleanup();
        co_await secure.runner.cleanup();
    });
}

}  // namespace
}  // namespace coroscope::test
