// Sockets without buffers, addresses, name lookup, signals.
#include "coroscope/net/socket.hpp"

#include <arpa/inet.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <thread>

#include "coroscope/signals.hpp"
#include "net_support.hpp"

namespace coroscope::test {
namespace {

TEST(NetAddress, SaysWhatItIs) {
    EXPECT_EQ(Address::numeric("127.0.0.1", 80)->text(), "127.0.0.1:80");
    EXPECT_EQ(Address::numeric("::1", 8080)->text(), "[::1]:8080");
    EXPECT_EQ(Address::unix_path("/run/x").text(), "unix:/run/x");
    EXPECT_EQ(Address().text(), "?");
    EXPECT_FALSE(Address::numeric("localhost", 1));
    EXPECT_FALSE(Address::numeric("1.2.3", 1));
    EXPECT_THROW(Address::unix_path(std::string(200, 'x')), std::invalid_argument);
    EXPECT_THROW(Address::unix_path(""), std::invalid_argument);
}

TEST(NetAddress, NumbersAndLocalhostNeedNoResolver) {
    run_test([]() -> Coro<> {
        EXPECT_EQ((co_await resolve("10.1.2.3", 5)).front().text(), "10.1.2.3:5");
        const std::vector<Address> local = co_await resolve("localhost", 7);
        EXPECT_EQ(local.at(0).text(), "127.0.0.1:7");
        EXPECT_EQ(local.at(1).text(), "[::1]:7");
        EXPECT_EQ((co_await resolve("", 7, true)).front().text(), "0.0.0.0:7");
    });
}

TEST(NetAddress, AnUnknownHostIsALookupError) {
    run(with_deadline([]() -> Coro<> {  // the resolver may keep a descriptor
        const std::string error = co_await error_of<LookupError>(resolve("no-such-host.invalid", 1));
        EXPECT_NE(error.find("no-such-host.invalid"), std::string::npos) << error;
    }));
}

TEST(NetSocket, SendsAndReceivesMuchInBothDirectionsAtOnce) {
    run_test([]() -> Coro<> {
        Socket listener = Socket::listen(*Address::numeric("127.0.0.1", 0));
        std::vector<Address> addresses{listener.local()};
        Socket one = co_await Socket::connect(std::move(addresses));
        Socket two = co_await listener.accept();
        EXPECT_EQ(one.peer().port(), listener.local().port());
        const std::string data(3'000'000, 'q');
        Task<> from_one = create_task(one.send_all(as_bytes(data)));
        Task<> from_two = create_task(two.send_all(as_bytes(data)));
        std::array<std::byte, 10'000> buffer;
        for (Socket* socket : {&one, &two}) {
            for (std::size_t total = 0; total < data.size();) {
                const std::size_t count = co_await socket->recv(buffer);
                EXPECT_GT(count, 0u);
                for (std::size_t i = 0; i < count; ++i) EXPECT_EQ(buffer[i], std::byte{'q'});
                total += count;
            }
        }
        co_await from_one;
        co_await from_two;
        one.shutdown_write();
        EXPECT_EQ(co_await two.recv(buffer), 0u);
    });
}

TEST(NetSocket, ARefusedConnectionSaysWhereTo) {
    run_test([]() -> Coro<> {
        Socket listener = Socket::listen(*Address::numeric("127.0.0.1", 0));
        const Address nobody = listener.local();
        listener.close();
        std::vector<Address> addresses{nobody};
        const std::string error = co_await error_of<ConnectionError>(Socket::connect(std::move(addresses)));
        EXPECT_NE(error.find(nobody.text()), std::string::npos) << error;
    });
}

TEST(NetSocket, ConnectTriesTheNextAddress) {
    run_test([]() -> Coro<> {
        Socket nobody = Socket::listen(*Address::numeric("127.0.0.1", 0));
        const Address refused = nobody.local();
        nobody.close();
        Socket listener = Socket::listen(*Address::numeric("127.0.0.1", 0));
        std::vector<Address> addresses{refused, listener.local()};
        Socket socket = co_await Socket::connect(std::move(addresses));
        EXPECT_EQ(socket.peer().port(), listener.local().port());
    });
}

// A listener whose backlog is full: connecting to it neither succeeds nor fails.
TEST(NetSocket, AConnectUnderWayCanBeCancelled) {
    run_test([]() -> Coro<> {
        Socket listener = Socket::listen(*Address::numeric("127.0.0.1", 0), 0);
        std::vector<Task<Socket>> connecting;
        for (int i = 0; i < 8; ++i) {
            std::vector<Address> addresses{listener.local()};
            connecting.push_back(create_task(Socket::connect(std::move(addresses))));
        }
        co_await sleep(20ms);
        int cancelled = 0;
        for (Task<Socket>& task : connecting) {
            if (!task.done()) task.cancel();
            try {
                Socket socket = co_await task;
            } catch (const Cancelled&) {
                ++cancelled;
            }
        }
        EXPECT_GT(cancelled, 0);
        connecting.clear();
    });
}

TEST(NetSocket, AcceptAndRecvCanBeCancelledAndRepeated) {
    run_test([]() -> Coro<> {
        Socket listener = Socket::listen(*Address::numeric("127.0.0.1", 0));
        for (int i = 0; i < 3; ++i) {
            const std::string timed_out = co_await error_of<TimeoutError>(wait_for(listener.accept(), 1ms));
            EXPECT_NE(timed_out, "");
        }
        std::vector<Address> addresses{listener.local()};
        Socket client = co_await Socket::connect(std::move(addresses));
        Socket server = co_await listener.accept();
        std::array<std::byte, 16> buffer;
        for (int i = 0; i < 3; ++i) {
            const std::string timed_out = co_await error_of<TimeoutError>(wait_for(server.recv(buffer), 1ms));
            EXPECT_NE(timed_out, "");
        }
        co_await client.send_all(as_bytes("still here"));
        EXPECT_EQ(co_await server.recv(buffer), 10u);
    });
}

TEST(NetSocket, ClosingWakesWhoWaits) {
    run_test([]() -> Coro<> {
        Socket listener = Socket::listen(*Address::numeric("127.0.0.1", 0));
        Task<std::string> accepting = create_task(error_of<std::system_error>(listener.accept()));
        co_await sleep(1ms);
        listener.close();
        EXPECT_NE((co_await accepting).find("closed"), std::string::npos);
        EXPECT_NE((co_await error_of<std::system_error>(listener.accept())).find("closed"), std::string::npos);
    });
}

TEST(NetSocket, APortInUseSaysWhatToDo) {
    run_test([]() -> Coro<> {
        Socket listener = Socket::listen(*Address::numeric("127.0.0.1", 0));
        std::string text;
        try {
            Socket::listen(listener.local());
        } catch (const std::system_error& error) {
            text = error.what();
            EXPECT_EQ(error.code().value(), EADDRINUSE);
        }
        EXPECT_NE(text.find("choose another port"), std::string::npos) << text;
        co_return;
    });
}

TEST(Signals, AreAwaitedAndDoAfterwardsWhatTheyDidBefore) {
    static volatile sig_atomic_t before_came = 0;
    before_came = 0;
    ::signal(SIGUSR1, [](int) { before_came = 1; });
    run([]() -> Coro<> {
        Task<int> one = create_task(wait_for_signal(SIGUSR1, SIGUSR2));
        Task<int> other = create_task(wait_for_signal(SIGUSR1));
        co_await sleep(1ms);
        std::thread sender([] { ::kill(::getpid(), SIGUSR1); });  // any thread may get it
        EXPECT_EQ(co_await one, SIGUSR1);
        EXPECT_EQ(co_await other, SIGUSR1);
        sender.join();
        EXPECT_EQ(before_came, 0);
        ::raise(SIGUSR1);
        EXPECT_EQ(before_came, 1);
        const std::string timed_out = co_await error_of<TimeoutError>(wait_for(wait_for_signal(SIGUSR2), 1ms));
        EXPECT_NE(timed_out, "");
        EXPECT_NE(co_await error_of<std::system_error>(wait_for_signal(SIGKILL)), "");
    });
    ::signal(SIGUSR1, SIG_DFL);
}

}  // namespace
}  // namespace coroscope::test
