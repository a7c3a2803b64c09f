// Name lookup and connecting to hosts with several addresses.
#include "coroscope/net/lookup.hpp"

#include <netdb.h>

#include <optional>

#include "coroscope/virtual_time_loop.hpp"
#include "tests/runtime/net_support.hpp"

namespace coroscope::test {
namespace {

std::string texts(const std::vector<Address>& addresses) {
    std::string all;
    for (const Address& address : addresses) all += (all.empty() ? "" : " ") + address.text();
    return all;
}

// Whether the look-up was answered without waiting, so without a thread.
Coro<bool> is_answered_at_once(std::string host, std::string service) {
    Task<std::vector<Address>> asking = create_task(lookup(std::move(host), std::move(service)));
    co_await yield();
    co_return asking.done();
}

TEST(Lookup, NumbersAreAnsweredAtOnce) {
    run_test([]() -> Coro<> {
        EXPECT_TRUE(co_await is_answered_at_once("192.0.2.1", "80"));
        EXPECT_TRUE(co_await is_answered_at_once("2001:db8::1", "80"));
        EXPECT_TRUE(co_await is_answered_at_once("127.0.0.1", ""));
        EXPECT_EQ(texts(co_await lookup("192.0.2.1", "80")), "192.0.2.1:80");
        EXPECT_EQ(texts(co_await lookup("2001:db8::1", "80")), "[2001:db8::1]:80");
    });
}

TEST(Lookup, ThisMachineIsAnsweredAtOnce) {
    run_test([]() -> Coro<> {
        EXPECT_TRUE(co_await is_answered_at_once("localhost", "80"));
        EXPECT_EQ(texts(co_await lookup("localhost", "80")), "127.0.0.1:80 [::1]:80");
        EXPECT_EQ(texts(co_await lookup("", "80")), "127.0.0.1:80 [::1]:80");
        LookupOptions options;
        options.passive = true;
        EXPECT_EQ(texts(co_await lookup("", "80", options)), "0.0.0.0:80 [::]:80");
    });
}

TEST(Lookup, AScopeIsPartOfTheNumber) {
    run_test([]() -> Coro<> {
        EXPECT_TRUE(co_await is_answered_at_once("fe80::1%lo", "80"));
        co_return;
    });
}

// A bare system has no /etc/services.
bool knows_services() { return ::getservbyname("http", "tcp") != nullptr; }

TEST(Lookup, ServicesHaveNames) {
    if (!knows_services()) GTEST_SKIP() << "no /etc/services here";
    run(with_deadline([]() -> Coro<> {
        EXPECT_EQ(texts(co_await lookup("127.0.0.1", "http")), "127.0.0.1:80");
        EXPECT_FALSE(co_await is_answered_at_once("127.0.0.1", "http"));
    }));
}

TEST(Lookup, AFamilyCanBeAskedFor) {
    run_test([]() -> Coro<> {
        LookupOptions options;
        options.family = AF_INET6;
        EXPECT_EQ(texts(co_await lookup("localhost", "1", options)), "[::1]:1");
        EXPECT_NE(co_await error_of<LookupError>(lookup("127.0.0.1", "1", options)), "") << "it is of another family";
    });
}

TEST(Lookup, AnUnknownHostIsNamed) {
    run(with_deadline([]() -> Coro<> {
        const std::string error = co_await error_of<LookupError>(lookup("no-such-host.invalid", "80"));
        EXPECT_NE(error.find("no-such-host.invalid"), std::string::npos) << error;
    }));
}

TEST(Lookup, AnUnknownServiceIsNamed) {
    run(with_deadline([]() -> Coro<> {
        const std::string error = co_await error_of<LookupError>(lookup("127.0.0.1", "no-such-service"));
        EXPECT_NE(error.find("no-such-service"), std::string::npos) << error;
    }));
}

TEST(Lookup, APortThatIsNoneIsAnError) {
    run_test([]() -> Coro<> {
        EXPECT_NE(co_await error_of<LookupError>(lookup("127.0.0.1", "65536")), "");
        EXPECT_NE(co_await error_of<LookupError>(lookup("localhost", "999999999999999")), "");
        EXPECT_NE(co_await error_of<LookupError>(lookup(std::string("a\0b", 3), "1")), "");
    });
}

TEST(Lookup, CancellingEndsTheWait) {
    run(with_deadline([]() -> Coro<> {
        Task<std::vector<Address>> asking = create_task(lookup("no-such-host.invalid", "80"));
        co_await yield();
        asking.cancel();
        bool cancelled = false;
        try {
            co_await asking;
        } catch (const Cancelled&) {
            cancelled = true;
        } catch (const LookupError&) {
        }
        EXPECT_TRUE(cancelled);
    }));
}

TEST(Lookup, AnAddressHasNames) {
    run(with_deadline([]() -> Coro<> {
        const Address address = *Address::numeric("127.0.0.1", 80);
        const HostAndService numbers = co_await reverse_lookup(address, true);
        EXPECT_EQ(numbers.host, "127.0.0.1");
        EXPECT_EQ(numbers.service, "80");
        const HostAndService names = co_await reverse_lookup(address);
        EXPECT_EQ(names.service, knows_services() ? "http" : "80");
        EXPECT_NE(co_await error_of<LookupError>(reverse_lookup(Address::unix_path("/x"))), "");
    }));
}

// --- connecting

Address a_refused_address(const char* host = "127.0.0.1") {
    Socket nobody = Socket::listen(*Address::numeric(host, 0));
    return nobody.local();
}

// A listener whose queue is full: connecting to it neither succeeds nor fails.
class SilentHost {
public:
    SilentHost() : listener(Socket::listen(*Address::numeric("127.0.0.1", 0), 0)) {}
    Coro<> fill() {
        for (;;) {
            std::vector<Address> addresses{listener.local()};
            Task<Socket> connecting = create_task(Socket::connect(std::move(addresses)));
            for (int i = 0; i < 20 && !connecting.done(); ++i) co_await yield();
            if (!connecting.done()) {
                connecting.cancel();
                co_return;
            }
            taken.push_back(std::move(connecting.result()));
        }
    }
    Socket listener;
    std::vector<Socket> taken;
};

std::chrono::nanoseconds now() { return std::chrono::nanoseconds(EventLoop::running().time_ns()); }

TEST(Connect, TheNextAddressIsTriedAfterTheDelay) {
    run<VirtualTimeLoop>([]() -> Coro<> {
        SilentHost silent;
        co_await silent.fill();
        Socket listener = Socket::listen(*Address::numeric("127.0.0.1", 0));
        std::vector<Address> addresses{silent.listener.local(), listener.local()};
        const std::chrono::nanoseconds begin = now();
        Socket socket = co_await Socket::connect(std::move(addresses));
        EXPECT_EQ(socket.peer().port(), listener.local().port());
        EXPECT_EQ(now() - begin, 250ms);
        EXPECT_EQ(all_tasks().size(), 1u) << "the attempt that lost goes on";
    }());
}

TEST(Connect, AFailureStartsTheNextAttemptAtOnce) {
    run<VirtualTimeLoop>([]() -> Coro<> {
        Socket listener = Socket::listen(*Address::numeric("127.0.0.1", 0));
        std::vector<Address> addresses{a_refused_address(), a_refused_address(), listener.local()};
        const std::chrono::nanoseconds begin = now();
        Socket socket = co_await Socket::connect(std::move(addresses));
        EXPECT_EQ(socket.peer().port(), listener.local().port());
        EXPECT_EQ(now() - begin, 0ms);
    }());
}

TEST(Connect, TheDelayCanBeChosen) {
    run<VirtualTimeLoop>([]() -> Coro<> {
        SilentHost silent;
        co_await silent.fill();
        Socket listener = Socket::listen(*Address::numeric("127.0.0.1", 0));
        std::vector<Address> addresses{silent.listener.local(), silent.listener.local(), listener.local()};
        ConnectOptions options;
        options.happy_eyeballs_delay = 1s;
        const std::chrono::nanoseconds begin = now();
        Socket socket = co_await Socket::connect(std::move(addresses), options);
        EXPECT_EQ(now() - begin, 2s);
    }());
}

TEST(Connect, WithoutADelayOneAfterTheOther) {
    run<VirtualTimeLoop>([]() -> Coro<> {
        SilentHost silent;
        co_await silent.fill();
        Socket listener = Socket::listen(*Address::numeric("127.0.0.1", 0));
        std::vector<Address> addresses{silent.listener.local(), listener.local()};
        ConnectOptions options;
        options.happy_eyeballs_delay = 0s;
        const std::string error =
            co_await error_of<TimeoutError>(wait_for(Socket::connect(std::move(addresses), options), 3s));
        EXPECT_NE(error, "") << "the silent one is waited for";
    }());
}

TEST(Connect, TheFamiliesTakeTurns) {
    run<VirtualTimeLoop>([]() -> Coro<> {
        SilentHost silent;
        co_await silent.fill();
        Socket six = Socket::listen(*Address::numeric("::1", 0));
        std::vector<Address> addresses{silent.listener.local(), silent.listener.local(), six.local()};
        const std::chrono::nanoseconds begin = now();
        Socket socket = co_await Socket::connect(std::move(addresses));
        EXPECT_EQ(socket.peer().family(), AF_INET6);
        EXPECT_EQ(now() - begin, 250ms) << "the second one of IPv4 comes third";
    }());
}

TEST(Connect, WhenAllFailAllAreNamed) {
    run_test([]() -> Coro<> {
        const Address one = a_refused_address();
        const Address two = a_refused_address();
        std::vector<Address> addresses{one, two};
        const std::string error = co_await error_of<ConnectionError>(Socket::connect(std::move(addresses)));
        EXPECT_NE(error.find(one.text()), std::string::npos) << error;
        EXPECT_NE(error.find(two.text()), std::string::npos) << error;
        EXPECT_NE(co_await error_of<ConnectionError>(Socket::connect(std::vector<Address>())), "");
    });
}

TEST(Connect, CancellingEndsAllAttempts) {
    run_test([]() -> Coro<> {
        SilentHost silent;
        co_await silent.fill();
        std::vector<Address> addresses{silent.listener.local(), silent.listener.local()};
        ConnectOptions options;
        options.happy_eyeballs_delay = 1ns;
        Task<Socket> connecting = create_task(Socket::connect(std::move(addresses), options));
        co_await until([] { return all_tasks().size() == 4; });
        connecting.cancel();
        co_await until([] { return all_tasks().size() == 1; });
        bool cancelled = false;
        try {
            co_await connecting;
        } catch (const Cancelled&) {
            cancelled = true;
        }
        EXPECT_TRUE(cancelled);
    });
}

TEST(Connect, TheLocalAddressCanBeChosen) {
    run_test([]() -> Coro<> {
        Socket listener = Socket::listen(*Address::numeric("127.0.0.1", 0));
        ConnectOptions options;
        options.local = Address::numeric("127.0.0.2", 0);
        Connection client = co_await open_connection("127.0.0.1", listener.local().port(), options);
        Socket accepted = co_await listener.accept();
        EXPECT_EQ(accepted.peer().text().substr(0, 10), "127.0.0.2:");
    });
}

TEST(Connect, ALocalAddressLeavesOutTheOtherFamily) {
    run_test([]() -> Coro<> {
        Socket six = Socket::listen(*Address::numeric("::1", 0));
        Socket four = Socket::listen(*Address::numeric("127.0.0.1", 0));
        ConnectOptions options;
        options.local = Address::numeric("127.0.0.1", 0);
        std::vector<Address> addresses{six.local(), four.local()};
        Socket socket = co_await Socket::connect(std::move(addresses), options);
        EXPECT_EQ(socket.peer().port(), four.local().port());
    });
}

TEST(Connect, LocalhostReachesAServerOfEitherFamily) {
    run_test([]() -> Coro<> {
        Socket six = Socket::listen(*Address::numeric("::1", 0));
        Connection client = co_await open_connection("localhost", six.local().port());
        EXPECT_EQ(client.writer.peer().family(), AF_INET6);
    });
}

}  // namespace
}  // namespace coroscope::test
