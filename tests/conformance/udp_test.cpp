// Datagrams: what asyncio's create_datagram_endpoint() and sock_sendto()/sock_recvfrom() do, awaited.
#include "coroscope/net/udp.hpp"

#include <net/if.h>
#include <unistd.h>

#include <array>

#include "tests/runtime/net_support.hpp"

namespace coroscope::test {
namespace {

DatagramSocket bound() { return open_datagram(*Address::numeric("127.0.0.1", 0)); }

TEST(Datagram, ADatagramArrivesWholeWithItsSender) {
    run_test([]() -> Coro<> {
        DatagramSocket one = bound();
        DatagramSocket two = bound();
        co_await one.send_to(as_bytes("hello"), two.local());
        const Datagram came = co_await two.receive_from();
        EXPECT_EQ(came.data, "hello");
        EXPECT_EQ(came.from.text(), one.local().text());
        EXPECT_FALSE(came.truncated);
    });
}

TEST(Datagram, EachIsOneMessageInOrder) {
    run_test([]() -> Coro<> {
        DatagramSocket one = bound();
        DatagramSocket two = bound();
        for (const char* text : {"a", "bb", "ccc"}) co_await one.send_to(as_bytes(text), two.local());
        EXPECT_EQ((co_await two.receive_from()).data, "a");
        EXPECT_EQ((co_await two.receive_from()).data, "bb");
        EXPECT_EQ((co_await two.receive_from()).data, "ccc");
    });
}

TEST(Datagram, AnEmptyOneIsADatagramToo) {
    run_test([]() -> Coro<> {
        DatagramSocket one = bound();
        DatagramSocket two = bound();
        co_await one.send_to(as_bytes(""), two.local());
        co_await one.send_to(as_bytes("next"), two.local());
        EXPECT_EQ((co_await two.receive_from()).data, "");
        EXPECT_EQ((co_await two.receive_from()).data, "next");
    });
}

TEST(Datagram, TheLargestOneFits) {
    run_test([]() -> Coro<> {
        DatagramSocket one = bound();
        DatagramSocket two = bound();
        const std::string large(65'507, 'x');
        co_await one.send_to(as_bytes(large), two.local());
        const Datagram came = co_await two.receive_from();
        EXPECT_EQ(came.data.size(), large.size());
        EXPECT_FALSE(came.truncated);
    });
}

TEST(Datagram, ATooLongOneIsAnErrorOfTheCaller) {
    run_test([]() -> Coro<> {
        DatagramSocket one = bound();
        const std::string large(70'000, 'x');
        const std::string error = co_await error_of<std::system_error>(one.send_to(as_bytes(large), one.local()));
        EXPECT_NE(error.find("too long"), std::string::npos) << error;
        co_await one.send_to(as_bytes("still usable"), one.local());
        EXPECT_EQ((co_await one.receive_from()).data, "still usable");
    });
}

TEST(Datagram, WhatDoesNotFitIsSaidToBeTruncated) {
    run_test([]() -> Coro<> {
        DatagramSocket one = bound();
        DatagramSocket two = bound();
        for (int i = 0; i < 2; ++i) co_await one.send_to(as_bytes("0123456789"), two.local());
        const Datagram short_one = co_await two.receive_from(4);
        EXPECT_EQ(short_one.data, "0123");
        EXPECT_TRUE(short_one.truncated);
        std::array<std::byte, 10> exact;
        const DatagramInfo info = co_await two.receive_from(exact);
        EXPECT_EQ(info.size, 10u);
        EXPECT_FALSE(info.truncated);
        EXPECT_EQ(info.from.port(), one.local().port());
    });
}

TEST(Datagram, AReceiverWaitsForTheDatagram) {
    run_test([]() -> Coro<> {
        DatagramSocket one = bound();
        DatagramSocket two = bound();
        Task<Datagram> receiving = create_task(two.receive_from());
        co_await yield();
        EXPECT_FALSE(receiving.done());
        co_await one.send_to(as_bytes("x"), two.local());
        EXPECT_EQ((co_await receiving).data, "x");
    });
}

TEST(Datagram, ACancelledReceiveLosesNoDatagram) {
    run_test([]() -> Coro<> {
        DatagramSocket one = bound();
        DatagramSocket two = bound();
        for (int i = 0; i < 20; ++i) {
            Task<Datagram> receiving = create_task(two.receive_from());
            co_await yield();
            receiving.cancel();
            co_await one.send_to(as_bytes(std::to_string(i)), two.local());
            bool cancelled = false;
            try {
                co_await receiving;
            } catch (const Cancelled&) {
                cancelled = true;
            }
            EXPECT_TRUE(cancelled);
            EXPECT_EQ((co_await two.receive_from()).data, std::to_string(i));
        }
    });
}

TEST(Datagram, ASecondReceiverIsRefused) {
    run_test([]() -> Coro<> {
        DatagramSocket one = bound();
        Task<Datagram> receiving = create_task(one.receive_from());
        co_await yield();
        const std::string error = co_await error_of<std::logic_error>(one.receive_from());
        EXPECT_NE(error.find("another task"), std::string::npos);
        co_await one.send_to(as_bytes("x"), one.local());
        EXPECT_EQ((co_await receiving).data, "x");
    });
}

TEST(Datagram, ClosingWakesTheReceiver) {
    run_test([]() -> Coro<> {
        DatagramSocket one = bound();
        Task<std::string> receiving = create_task(error_of<std::system_error>(one.receive_from()));
        co_await yield();
        one.close();
        EXPECT_NE((co_await receiving).find("closed"), std::string::npos);
        EXPECT_NE(co_await error_of<std::system_error>(one.receive_from()), "");
        EXPECT_FALSE(one);
    });
}

TEST(Datagram, AConnectedSocketHearsItsPeerOnly) {
    run_test([]() -> Coro<> {
        DatagramSocket peer = bound();
        DatagramSocket stranger = bound();
        DatagramSocket connected = co_await open_datagram_to("127.0.0.1", peer.local().port());
        EXPECT_EQ(connected.peer().text(), peer.local().text());
        co_await stranger.send_to(as_bytes("no"), connected.local());
        co_await peer.send_to(as_bytes("yes"), connected.local());
        EXPECT_EQ((co_await connected.receive_from()).data, "yes");
        co_await connected.send(as_bytes("back"));
        EXPECT_EQ((co_await peer.receive_from()).data, "back");
    });
}

TEST(Datagram, SendingWithoutAnAddressNeedsAConnectedSocket) {
    run_test([]() -> Coro<> {
        DatagramSocket one = bound();
        EXPECT_NE(co_await error_of<std::system_error>(one.send(as_bytes("x"))), "");
        EXPECT_NE(co_await error_of<std::invalid_argument>(one.send_to(as_bytes("x"), Address())), "");
    });
}

TEST(Datagram, ARefusedPortIsAConnectionErrorAndTheSocketStaysUsable) {
    run_test([]() -> Coro<> {
        DatagramSocket peer = bound();
        const Address address = peer.local();
        DatagramSocket connected = co_await open_datagram_to("127.0.0.1", address.port());
        peer.close();
        Task<std::string> receiving = create_task(error_of<ConnectionError>(connected.receive_from()));
        co_await yield();
        co_await connected.send(as_bytes("is anybody there"));
        EXPECT_NE((co_await receiving).find("refused"), std::string::npos);
        DatagramSocket again = open_datagram(address);
        co_await connected.send(as_bytes("and now"));
        EXPECT_EQ((co_await again.receive_from()).data, "and now");
    });
}

TEST(Datagram, DisconnectedItHearsEverybodyAgain) {
    run_test([]() -> Coro<> {
        DatagramSocket one = bound();
        DatagramSocket two = bound();
        const Address address = one.local();
        one.connect(two.local());
        one.disconnect();
        EXPECT_EQ(one.peer().family(), AF_UNSPEC);
        DatagramSocket three = bound();
        one.close();
        one = open_datagram(address);
        co_await three.send_to(as_bytes("x"), one.local());
        EXPECT_EQ((co_await one.receive_from()).data, "x");
    });
}

TEST(Datagram, AnAddressInUseSaysWhatToDo) {
    run_test([]() -> Coro<> {
        DatagramSocket one = bound();
        std::string error;
        try {
            DatagramSocket two = open_datagram(one.local());
        } catch (const std::system_error& failed) {
            error = failed.what();
        }
        EXPECT_NE(error.find("port 0"), std::string::npos) << error;
        co_return;
    });
}

TEST(Datagram, ReusePortLetsTwoShareAnAddress) {
    run_test([]() -> Coro<> {
        DatagramOptions options;
        options.reuse_port = true;
        DatagramSocket one = open_datagram(*Address::numeric("127.0.0.1", 0), options);
        DatagramSocket two = open_datagram(one.local(), options);
        EXPECT_EQ(one.local().port(), two.local().port());
        co_return;
    });
}

TEST(Datagram, BroadcastHasToBeAllowed) {
    run_test([]() -> Coro<> {
        DatagramSocket receiver = open_datagram(*Address::numeric("0.0.0.0", 0));
        DatagramSocket sender = open_datagram(AF_INET);
        const Address everybody = *Address::numeric("127.255.255.255", receiver.local().port());
        const std::string error = co_await error_of<std::system_error>(sender.send_to(as_bytes("x"), everybody));
        EXPECT_NE(error.find("broadcast"), std::string::npos) << error;
        sender.set_broadcast(true);
        co_await sender.send_to(as_bytes("all"), everybody);
        EXPECT_EQ((co_await receiver.receive_from()).data, "all");
    });
}

TEST(Datagram, MembersOfAGroupGetItsDatagramsUntilTheyLeave) {
    run_test([]() -> Coro<> {
        const Address group = *Address::numeric("239.1.2.3", 0);
        const unsigned loopback = ::if_nametoindex("lo");
        DatagramSocket member = open_datagram(*Address::numeric("0.0.0.0", 0));
        member.join_group(group, loopback);
        DatagramSocket sender = open_datagram(*Address::numeric("127.0.0.1", 0));
        sender.set_multicast_interface(loopback);
        sender.set_multicast_hops(1);
        sender.set_multicast_loop(true);
        Address to = group;
        to.set_port(member.local().port());
        co_await sender.send_to(as_bytes("members"), to);
        EXPECT_EQ((co_await member.receive_from()).data, "members");
        member.leave_group(group, loopback);
        co_await sender.send_to(as_bytes("nobody"), to);
        co_await sender.send_to(as_bytes("direct"), *Address::numeric("127.0.0.1", member.local().port()));
        EXPECT_EQ((co_await member.receive_from()).data, "direct");
    });
}

TEST(Datagram, AGroupIsAnIpAddress) {
    run_test([]() -> Coro<> {
        DatagramSocket one = bound();
        EXPECT_THROW(one.join_group(Address()), std::invalid_argument);
        EXPECT_THROW(one.join_group(*Address::numeric("127.0.0.1", 0)), std::system_error);
        co_return;
    });
}

TEST(Datagram, UnixSocketsCarryDatagramsToo) {
    run_test([]() -> Coro<> {
        const std::string path = ::testing::TempDir() + "coroscope-datagram-" + std::to_string(::getpid());
        DatagramSocket server = open_datagram(Address::unix_path(path));
        DatagramSocket unnamed = open_datagram(AF_UNIX);
        co_await unnamed.send_to(as_bytes("hello"), server.local());
        const Datagram came = co_await server.receive_from();
        EXPECT_EQ(came.data, "hello");
        EXPECT_EQ(came.from.family(), AF_UNSPEC);
        ::unlink(path.c_str());
    });
}

TEST(Datagram, AnAbstractUnixNameNeedsNoFile) {
    run_test([]() -> Coro<> {
        const std::string name = std::string(1, '\0') + "coroscope-" + std::to_string(::getpid());
        DatagramSocket server = open_datagram(Address::unix_path(name));
        EXPECT_EQ(server.local().text(), "unix:@" + name.substr(1));
        DatagramSocket client = open_datagram(Address::unix_path(name + "-client"));
        co_await client.send_to(as_bytes("x"), server.local());
        EXPECT_EQ((co_await server.receive_from()).from.text(), client.local().text());
    });
}

Coro<> send_many(DatagramSocket& socket, Address to, int count) {
    for (int i = 0; i < count; ++i) {
        const std::string text = std::to_string(i);
        co_await socket.send_to(as_bytes(text), to);
    }
}

TEST(Datagram, SendingWaitsWhileTheReceiversQueueIsFull) {
    run_test([]() -> Coro<> {
        const std::string name = std::string(1, '\0') + "coroscope-full-" + std::to_string(::getpid());
        DatagramSocket server = open_datagram(Address::unix_path(name));
        DatagramSocket client = open_datagram(AF_UNIX);
        Task<> sending = create_task(send_many(client, server.local(), 1000));
        for (int i = 0; i < 10; ++i) co_await yield();
        EXPECT_FALSE(sending.done());
        for (int i = 0; i < 1000; ++i) EXPECT_EQ((co_await server.receive_from()).data, std::to_string(i));
        co_await sending;
    });
}

Coro<> send_many_to_the_peer(DatagramSocket& socket, int count) {
    const std::string block(1000, 'x');
    for (int i = 0; i < count; ++i) co_await socket.send(as_bytes(block));
}

TEST(Datagram, AConnectedOneThatWaitsForRoomIsWoken) {
    run_test([]() -> Coro<> {
        const std::string name = std::string(1, '\0') + "coroscope-room-" + std::to_string(::getpid());
        DatagramSocket server = open_datagram(Address::unix_path(name));
        DatagramSocket client = open_datagram(AF_UNIX);
        client.connect(server.local());
        Task<> sending = create_task(send_many_to_the_peer(client, 1000));
        for (int i = 0; i < 10; ++i) co_await yield();
        EXPECT_FALSE(sending.done());
        for (int i = 0; i < 1000; ++i) EXPECT_EQ((co_await server.receive_from()).data.size(), 1000u);
        co_await sending;
    });
}

TEST(Datagram, AnotherTypeOfSocketIsRefused) {
    run_test([]() -> Coro<> {
        const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        EXPECT_THROW(DatagramSocket{fd}, std::invalid_argument);
        ::close(fd);
        co_return;
    });
}

}  // namespace
}  // namespace coroscope::test
