// Servers: what asyncio's server tests pin down.
#include "coroscope/net/server.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/runtime/net_support.hpp"

namespace coroscope::test {
namespace {

Coro<> echo_lines(StreamReader reader, StreamWriter writer) {
    for (;;) {
        const std::string line = co_await reader.read_line();
        if (line.empty()) co_return;
        writer.write(line);
        co_await writer.drain();
    }
}

Coro<> wait_for_the_end(StreamReader reader, StreamWriter writer) {
    co_await reader.read(1);
    writer.close();
}

Coro<std::string> ask(std::string host, std::uint16_t port) {
    Connection client = co_await open_connection(std::move(host), port);
    client.writer.write("question\n");
    co_return co_await client.reader.read_line();
}

ServerOptions not_serving() {
    ServerOptions options;
    options.start_serving = false;
    return options;
}

TEST(Server, ServesAtOnce) {
    run_test([]() -> Coro<> {
        Server server = co_await start_server(echo_lines, "127.0.0.1", 0);
        EXPECT_TRUE(server.is_serving());
        EXPECT_EQ(co_await ask("127.0.0.1", server.port()), "question\n");
    });
}

TEST(Server, ServesLaterIfToldSo) {
    run_test([]() -> Coro<> {
        Server server = co_await start_server(echo_lines, "127.0.0.1", 0, not_serving());
        EXPECT_FALSE(server.is_serving());
        EXPECT_NE(server.port(), 0);
        EXPECT_NE(co_await error_of<ConnectionError>(ask("127.0.0.1", server.port())), "") << "bound, not listening";
        server.start_serving();
        server.start_serving();
        EXPECT_TRUE(server.is_serving());
        EXPECT_EQ(co_await ask("127.0.0.1", server.port()), "question\n");
    });
}

TEST(Server, ServeForeverStartsServing) {
    run_test([]() -> Coro<> {
        Server server = co_await start_server(echo_lines, "127.0.0.1", 0, not_serving());
        Task<> serving = create_task(server.serve_forever());
        co_await yield();
        EXPECT_TRUE(server.is_serving());
        EXPECT_EQ(co_await ask("127.0.0.1", server.port()), "question\n");
        serving.cancel();
        bool cancelled = false;
        try {
            co_await serving;
        } catch (const Cancelled&) {
            cancelled = true;
        }
        EXPECT_TRUE(cancelled);
        EXPECT_FALSE(server.is_serving());
    });
}

TEST(Server, AClosedOneCannotServe) {
    run_test([]() -> Coro<> {
        Server server = co_await start_server(echo_lines, "127.0.0.1", 0);
        server.close();
        server.close();
        EXPECT_FALSE(server.is_serving());
        EXPECT_THROW(server.start_serving(), std::logic_error);
        EXPECT_THROW(Server().start_serving(), std::logic_error);
        co_await server.wait_closed();
    });
}

TEST(Server, NobodyIsAcceptedAfterClose) {
    run_test([]() -> Coro<> {
        Server server = co_await start_server(echo_lines, "127.0.0.1", 0);
        const std::uint16_t port = server.port();
        server.close();
        EXPECT_NE(co_await error_of<ConnectionError>(ask("127.0.0.1", port)), "");
    });
}

TEST(Server, WaitClosedWaitsForTheClose) {
    run_test([]() -> Coro<> {
        Server server = co_await start_server(echo_lines, "127.0.0.1", 0);
        Task<> waiting = create_task(server.wait_closed());
        for (int i = 0; i < 5; ++i) co_await yield();
        EXPECT_FALSE(waiting.done());
        server.close();
        co_await waiting;
        co_await server.wait_closed();
    });
}

Coro<> take_a_moment(StreamReader reader, StreamWriter, bool& began, bool& ended) {
    began = true;
    try {
        co_await reader.read(1);
    } catch (const Cancelled&) {
        ended = true;
        throw;
    }
}

TEST(Server, WaitClosedWaitsForTheHandlers) {
    run_test([]() -> Coro<> {
        bool began = false, ended = false;
        ConnectionHandler handler = [&](StreamReader reader, StreamWriter writer) {
            return take_a_moment(std::move(reader), std::move(writer), began, ended);
        };
        Server server = co_await start_server(std::move(handler), "127.0.0.1", 0);
        Connection client = co_await open_connection("127.0.0.1", server.port());
        co_await until([&] { return began; });
        server.close();
        EXPECT_FALSE(ended);
        co_await server.wait_closed();
        EXPECT_TRUE(ended);
        EXPECT_EQ(server.connections(), 0u);
    });
}

TEST(Server, StopAcceptingLeavesTheConnections) {
    run_test([]() -> Coro<> {
        Server server = co_await start_server(echo_lines, "127.0.0.1", 0);
        Connection client = co_await open_connection("127.0.0.1", server.port());
        co_await until([&] { return server.connections() == 1; });
        server.stop_accepting();
        EXPECT_FALSE(server.is_serving());
        client.writer.write("still here\n");
        EXPECT_EQ(co_await client.reader.read_line(), "still here\n");
    });
}

TEST(Server, CloseClientsSendsWhatWasWrittenAndEndsTheConnections) {
    run_test([]() -> Coro<> {
        ConnectionHandler handler = [](StreamReader reader, StreamWriter writer) -> Coro<> {
            writer.write(std::string(5'000'000, 'x'));
            co_await reader.read(1);
        };
        Server server = co_await start_server(std::move(handler), "127.0.0.1", 0);
        Connection client = co_await open_connection("127.0.0.1", server.port());
        EXPECT_EQ(co_await client.reader.read_exactly(1), "x");
        server.stop_accepting();
        server.close_clients();
        EXPECT_EQ((co_await client.reader.read_all()).size(), 4'999'999u);
        co_await until([&] { return server.connections() == 0; });
    });
}

TEST(Server, AbortClientsResetsThem) {
    run_test([]() -> Coro<> {
        ConnectionHandler handler = [](StreamReader reader, StreamWriter writer) -> Coro<> {
            writer.write(std::string(20'000'000, 'x'));
            co_await reader.read(1);
        };
        Server server = co_await start_server(std::move(handler), "127.0.0.1", 0);
        Connection client = co_await open_connection("127.0.0.1", server.port());
        EXPECT_EQ(co_await client.reader.read_exactly(1), "x");
        server.abort_clients();
        EXPECT_NE(co_await error_of<ConnectionError>(client.reader.read_all()), "");
        co_await until([&] { return server.connections() == 0; });
        EXPECT_TRUE(server.is_serving()) << "others may come";
    });
}

TEST(Server, SeveralHostsShareAPort) {
    run_test([]() -> Coro<> {
        std::vector<std::string> hosts;
        for (const char* host : {"127.0.0.1", "127.0.0.2", "::1", "127.0.0.1"}) hosts.emplace_back(host);
        Server server = co_await start_server(echo_lines, std::move(hosts), 0);
        EXPECT_EQ(server.addresses().size(), 3u) << "each once";
        for (const char* host : {"127.0.0.1", "127.0.0.2", "::1"})
            EXPECT_EQ(co_await ask(host, server.port()), "question\n") << host;
    });
}

TEST(Server, ItNeedsAHost) {
    run_test([]() -> Coro<> {
        std::vector<std::string> none;
        EXPECT_NE(co_await error_of<std::invalid_argument>(start_server(echo_lines, std::move(none), 0)), "");
    });
}

TEST(Server, ASocketOfTheCallersIsTaken) {
    run_test([]() -> Coro<> {
        Socket socket = Socket::listen(*Address::numeric("127.0.0.1", 0));
        const std::uint16_t port = socket.local().port();
        Server server = co_await start_server(echo_lines, std::move(socket));
        EXPECT_EQ(server.port(), port);
        EXPECT_EQ(co_await ask("127.0.0.1", port), "question\n");
        EXPECT_NE(co_await error_of<std::invalid_argument>(start_server(echo_lines, Socket())), "");
    });
}

TEST(Server, ReusePortLetsTwoServe) {
    run_test([]() -> Coro<> {
        ServerOptions options;
        options.reuse_port = true;
        Server one = co_await start_server(echo_lines, "127.0.0.1", 0, options);
        Server two = co_await start_server(echo_lines, "127.0.0.1", one.port(), options);
        EXPECT_EQ(one.port(), two.port());
        one.close();
        EXPECT_EQ(co_await ask("127.0.0.1", two.port()), "question\n");
    });
}

TEST(Server, APortInUseIsSaid) {
    run_test([]() -> Coro<> {
        Server one = co_await start_server(echo_lines, "127.0.0.1", 0);
        const std::string error =
            co_await error_of<std::system_error>(start_server(echo_lines, "127.0.0.1", one.port()));
        EXPECT_NE(error.find("choose another port"), std::string::npos) << error;
    });
}

TEST(Server, AnUnknownHostIsSaid) {
    run(with_deadline([]() -> Coro<> {
        EXPECT_NE(co_await error_of<LookupError>(start_server(echo_lines, "no-such-host.invalid", 0)), "");
    }));
}

TEST(Server, ThePortIsFreeAgainAfterClose) {
    run_test([]() -> Coro<> {
        std::uint16_t port = 0;
        for (int i = 0; i < 3; ++i) {
            Server server = co_await start_server(wait_for_the_end, "127.0.0.1", port);
            port = server.port();
            Connection client = co_await open_connection("127.0.0.1", port);
            co_await until([&] { return server.connections() == 1; });
            server.close();
            co_await server.wait_closed();
        }
    });
}

std::string path_for(const char* name) {
    return ::testing::TempDir() + "coroscope-" + name + "-" + std::to_string(::getpid());
}

TEST(UnixServer, RemovesItsFileAtClose) {
    run_test([]() -> Coro<> {
        const std::string path = path_for("server");
        Server server = co_await start_unix_server(echo_lines, path);
        EXPECT_EQ(::access(path.c_str(), F_OK), 0);
        Connection client = co_await open_unix_connection(path);
        client.writer.write("x\n");
        EXPECT_EQ(co_await client.reader.read_line(), "x\n");
        server.close();
        EXPECT_NE(::access(path.c_str(), F_OK), 0);
        co_await server.wait_closed();
    });
}

TEST(UnixServer, DoesNotRemoveTheFileOfAnother) {
    run_test([]() -> Coro<> {
        const std::string path = path_for("successor");
        Server old = co_await start_unix_server(echo_lines, path);
        ::unlink(path.c_str());
        Server successor = co_await start_unix_server(echo_lines, path);
        old.close();
        EXPECT_EQ(::access(path.c_str(), F_OK), 0);
    });
}

TEST(UnixServer, DoesNotTakeAPathFromOneThatServes) {
    run_test([]() -> Coro<> {
        const std::string path = path_for("taken");
        Server one = co_await start_unix_server(echo_lines, path);
        EXPECT_NE(co_await error_of<std::system_error>(start_unix_server(echo_lines, path)), "");
        Connection client = co_await open_unix_connection(path);
        client.writer.write("x\n");
        EXPECT_EQ(co_await client.reader.read_line(), "x\n");
    });
}

TEST(UnixServer, DoesNotReplaceAnythingThatIsNoSocket) {
    run_test([]() -> Coro<> {
        const std::string path = path_for("directory");
        EXPECT_EQ(::mkdir(path.c_str(), 0700), 0);
        EXPECT_NE(co_await error_of<std::system_error>(start_unix_server(echo_lines, path)), "");
        EXPECT_EQ(::rmdir(path.c_str()), 0);
    });
}

TEST(UnixServer, AbstractNamesNeedNoFile) {
    run_test([]() -> Coro<> {
        const std::string name = std::string(1, '\0') + "coroscope-server-" + std::to_string(::getpid());
        Server server = co_await start_unix_server(echo_lines, name);
        Connection client = co_await open_unix_connection(name);
        client.writer.write("x\n");
        EXPECT_EQ(co_await client.reader.read_line(), "x\n");
    });
}

}  // namespace
}  // namespace coroscope::test
