// Servers: a task a connection, owned by the server.
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <optional>

#include "net_support.hpp"

namespace coroscope::test {
namespace {

Coro<> echo(StreamReader reader, StreamWriter writer) {
    std::array<std::byte, 4096> buffer;
    while (const std::size_t count = co_await reader.read(buffer)) {
        writer.write(std::span(buffer).first(count));
        co_await writer.drain();
    }
}

Coro<> say_hello_to(std::uint16_t port, int number) {
    Connection connection = co_await open_connection("127.0.0.1", port);
    for (int i = 0; i < 5; ++i) {
        const std::string text = std::to_string(number) + "/" + std::to_string(i) + "\n";
        connection.writer.write(text);
        co_await connection.writer.drain();
        EXPECT_EQ(co_await connection.reader.read_line(), text);
    }
    connection.writer.close();
    co_await connection.writer.wait_closed();
}

TEST(NetServer, ServesManyConnectionsAtOnce) {
    run_test([]() -> Coro<> {
        Server server = co_await start_server(echo, "127.0.0.1", 0);
        std::vector<Coro<>> clients;
        for (int i = 0; i < 300; ++i) clients.push_back(say_hello_to(server.port(), i));
        co_await gather(std::move(clients));
        co_await until([&] { return server.connections() == 0; });
        server.close();
        co_await server.wait_closed();
    });
}

TEST(NetServer, EachConnectionIsATaskNamedAfterItsPeer) {
    run_test([]() -> Coro<> {
        Server server = co_await start_server(echo, "127.0.0.1", 0);
        Connection one = co_await open_connection("127.0.0.1", server.port());
        Connection two = co_await open_connection("127.0.0.1", server.port());
        co_await until([&] { return server.connections() == 2; });
        int found = 0;
        for (const AnyTask& task : all_tasks()) found += task.name().starts_with("connection 127.0.0.1:") ? 1 : 0;
        EXPECT_EQ(found, 2);
    });
}

Coro<> note_cancellation(StreamReader reader, StreamWriter, int& cancelled) {
    try {
        co_await reader.read(1);
    } catch (const Cancelled&) {
        ++cancelled;
        throw;
    }
}

TEST(NetServer, CloseCancelsTheConnectionsAndWaitsForThem) {
    run_test([]() -> Coro<> {
        int cancelled = 0;
        ConnectionHandler handler = [&](StreamReader reader, StreamWriter writer) {
            return note_cancellation(std::move(reader), std::move(writer), cancelled);
        };
        Server server = co_await start_server(std::move(handler), "127.0.0.1", 0);
        const std::uint16_t port = server.port();
        Connection one = co_await open_connection("127.0.0.1", port);
        Connection two = co_await open_connection("127.0.0.1", port);
        co_await until([&] { return server.connections() == 2; });
        co_await yield();
        server.close();
        co_await server.wait_closed();
        EXPECT_EQ(cancelled, 2);
        EXPECT_EQ(server.connections(), 0u);
        EXPECT_EQ(co_await one.reader.read(1), "");
        EXPECT_EQ(co_await two.reader.read(1), "");
        EXPECT_NE(co_await error_of<ConnectionError>(open_connection("127.0.0.1", port)), "");
    });
}

TEST(NetServer, ServeForeverEndsInOrderWhenCancelled) {
    run_test([]() -> Coro<> {
        Server server = co_await start_server(echo, "127.0.0.1", 0);
        Connection client = co_await open_connection("127.0.0.1", server.port());
        co_await until([&] { return server.connections() == 1; });
        EXPECT_NE(co_await error_of<TimeoutError>(wait_for(server.serve_forever(), 5ms)), "");
        EXPECT_EQ(server.connections(), 0u);
        EXPECT_EQ(co_await client.reader.read(1), "");
    });
}

Coro<> serve_for_a_moment(std::uint16_t& port) {
    Server server = co_await start_server(echo, "127.0.0.1", 0);
    port = server.port();
}

TEST(NetServer, AServerThatIsDestroyedCloses) {
    run_test([]() -> Coro<> {
        std::uint16_t port = 0;
        co_await serve_for_a_moment(port);
        EXPECT_NE(co_await error_of<ConnectionError>(open_connection("127.0.0.1", port)), "");
    });
}

Coro<> fail_or_echo(StreamReader reader, StreamWriter writer) {
    const std::string line = co_await reader.read_line();
    if (line == "fail\n") throw std::runtime_error("as told");
    writer.write("fine\n");
    co_await writer.drain();
}

TEST(NetServer, AFailingHandlerEndsItsConnectionOnly) {
    run_test([]() -> Coro<> {
        Server server = co_await start_server(fail_or_echo, "127.0.0.1", 0);
        Connection bad = co_await open_connection("127.0.0.1", server.port());
        Connection good = co_await open_connection("127.0.0.1", server.port());
        testing::internal::CaptureStderr();
        bad.writer.write("fail\n");
        EXPECT_EQ(co_await bad.reader.read_all(), "");
        co_await until([&] { return server.connections() == 1; });
        const std::string report = testing::internal::GetCapturedStderr();
        EXPECT_NE(report.find("as told"), std::string::npos) << report;
        good.writer.write("echo\n");
        EXPECT_EQ(co_await good.reader.read_all(), "fine\n");
    });
}

TEST(NetServer, LocalhostIsBothFamiliesOnOnePort) {
    run_test([]() -> Coro<> {
        Server server = co_await start_server(echo, "localhost", 0);
        const std::vector<Address> addresses = server.addresses();
        EXPECT_EQ(addresses.at(0).text(), "127.0.0.1:" + std::to_string(server.port()));
        if (addresses.size() == 2) {  // this machine has IPv6
            EXPECT_EQ(addresses.at(1).text(), "[::1]:" + std::to_string(server.port()));
            Connection six = co_await open_connection("::1", server.port());
            six.writer.write("6");
            EXPECT_EQ(co_await six.reader.read(1), "6");
        }
        Connection any = co_await open_connection("localhost", server.port());
        any.writer.write("4");
        EXPECT_EQ(co_await any.reader.read(1), "4");
    });
}

TEST(NetServer, FurtherConnectionsWaitWhenItIsFull) {
    run_test([]() -> Coro<> {
        ServerOptions options;
        options.most_connections = 2;
        Server server = co_await start_server(echo, "127.0.0.1", 0, options);
        std::vector<Connection> clients;
        for (int i = 0; i < 3; ++i) {
            clients.push_back(co_await open_connection("127.0.0.1", server.port()));
            clients.back().writer.write("x");
        }
        EXPECT_EQ(co_await clients[0].reader.read(1), "x");
        EXPECT_EQ(co_await clients[1].reader.read(1), "x");
        EXPECT_NE(co_await error_of<TimeoutError>(wait_for(clients[2].reader.read(1), 20ms)), "");
        EXPECT_EQ(server.connections(), 2u);
        clients[0].writer.close();
        EXPECT_EQ(co_await clients[2].reader.read(1), "x");
    });
}

// While it lives, this process can open as many more files as given.
class FewDescriptors {
public:
    explicit FewDescriptors(int more) {
        ::getrlimit(RLIMIT_NOFILE, &before_);
        rlimit tight = before_;
        const int lowest_free = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
        ::close(lowest_free);
        tight.rlim_cur = static_cast<rlim_t>(lowest_free + more);
        ::setrlimit(RLIMIT_NOFILE, &tight);
    }
    ~FewDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }

private:
    rlimit before_{};
};

// No file descriptors for a while: said once, and those that wait are served when there are some.
TEST(NetServer, OutOfFileDescriptorsItGoesOnLater) {
#if defined(COROSCOPE_SANITIZED)
    GTEST_SKIP() << "the sanitizer's own checks need a file descriptor";
#endif
    run_test([]() -> Coro<> {
        Server server = co_await start_server(echo, "127.0.0.1", 0);
        testing::internal::CaptureStderr();
        std::optional<FewDescriptors> few(std::in_place, 1);  // for the client's end, none for the server's
        Connection client = co_await open_connection("127.0.0.1", server.port());
        client.writer.write("late");
        const std::string early = co_await error_of<TimeoutError>(wait_for(client.reader.read(4), 30ms));
        few.reset();
        EXPECT_NE(early, "") << "it was served without a file descriptor";
        EXPECT_EQ(co_await client.reader.read_exactly(4), "late");
        const std::string said = testing::internal::GetCapturedStderr();
        EXPECT_NE(said.find("raise the limit of open files"), std::string::npos) << said;
        EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 1) << said;
    });
}

TEST(NetServer, AUnixServerReplacesADeadOnesFileAndRemovesItsOwn) {
    run_test([]() -> Coro<> {
        const std::string path = ::testing::TempDir() + "coroscope-server-" + std::to_string(::getpid());
        ::close(Socket::listen(Address::unix_path(path)).release_fd());  // leaves its file behind
        Server server = co_await start_unix_server(echo, path);
        Connection client = co_await open_unix_connection(path);
        client.writer.write("hello");
        EXPECT_EQ(co_await client.reader.read_exactly(5), "hello");
        EXPECT_NE(co_await error_of<std::system_error>(start_unix_server(echo, path)), "") << "somebody listens there";
        server.close();
        co_await server.wait_closed();
        struct stat file{};
        EXPECT_NE(::stat(path.c_str(), &file), 0);
    });
}

}  // namespace
}  // namespace coroscope::test
