// Streams over real sockets on loopback.
#include <array>

#include "net_support.hpp"

namespace coroscope::test {
namespace {

TEST(NetStream, ReadsInEveryWay) {
    run_test([]() -> Coro<> {
        Pair pair = co_await connected_pair();
        pair.client.writer.write("first line\nabc--def--0123456789rest");
        EXPECT_EQ(co_await pair.server.reader.read_line(), "first line\n");
        EXPECT_EQ(co_await pair.server.reader.read_until("--"), "abc--");
        EXPECT_EQ(co_await pair.server.reader.read_until("--"), "def--");
        EXPECT_EQ(co_await pair.server.reader.read_exactly(10), "0123456789");
        EXPECT_EQ(co_await pair.server.reader.read(2), "re");
        EXPECT_EQ(co_await pair.server.reader.read(100), "st");
        pair.client.writer.write("tail");
        pair.client.writer.close();
        EXPECT_EQ(co_await pair.server.reader.read_all(), "tail");
        EXPECT_TRUE(pair.server.reader.at_eof());
        EXPECT_EQ(co_await pair.server.reader.read(100), "");
    });
}

TEST(NetStream, LinesEndWithTheStream) {
    run_test([]() -> Coro<> {
        Pair pair = co_await connected_pair();
        pair.client.writer.write("one\n\nthree\nlast");
        pair.client.writer.close();
        std::vector<std::string> all;
        AsyncGenerator<std::string> lines = pair.server.reader.lines();
        while (const std::optional<std::string> line = co_await lines.next()) all.push_back(*line);
        EXPECT_EQ(all, (std::vector<std::string>{"one\n", "\n", "three\n", "last"}));
    });
}

TEST(NetStream, WhatComesInPiecesIsPutTogether) {
    run_test([]() -> Coro<> {
        Pair pair = co_await connected_pair();
        Task<std::string> exactly = create_task(pair.server.reader.read_exactly(6));
        for (const char* piece : {"ab", "cd", "ef\r"}) {
            pair.client.writer.write(piece);
            co_await sleep(1ms);
        }
        EXPECT_EQ(co_await exactly, "abcdef");
        Task<std::string> until_end = create_task(pair.server.reader.read_until("\r\n"));
        co_await sleep(1ms);
        pair.client.writer.write("\n");
        EXPECT_EQ(co_await until_end, "\r\n");
    });
}

TEST(NetStream, AnEndInTheMiddleIsAnErrorWithWhatCame) {
    run_test([]() -> Coro<> {
        Pair pair = co_await connected_pair();
        pair.client.writer.write("abc");
        pair.client.writer.close();
        std::string partial;
        try {
            co_await pair.server.reader.read_exactly(10);
        } catch (const IncompleteReadError& error) {
            partial = error.partial();
            EXPECT_EQ(error.expected(), 10u);
        }
        EXPECT_EQ(partial, "abc");
    });
}

TEST(NetStream, ASeparatorThatDoesNotComeIsBounded) {
    run_test([]() -> Coro<> {
        StreamOptions options;
        options.read_limit = 1000;
        Pair pair = co_await connected_pair(options);
        const std::string long_line(5000, 'x');
        pair.client.writer.write(long_line);
        const std::string error = co_await error_of<LimitOverrunError>(pair.server.reader.read_until("\n"));
        EXPECT_NE(error.find("1000"), std::string::npos) << error;
        EXPECT_EQ(co_await pair.server.reader.read_exactly(5000), long_line);
    });
}

TEST(NetStream, AfterAHalfCloseTheOtherDirectionGoesOn) {
    run_test([]() -> Coro<> {
        Pair pair = co_await connected_pair();
        pair.client.writer.write("question");
        pair.client.writer.write_eof();
        EXPECT_EQ(co_await pair.server.reader.read_all(), "question");
        pair.server.writer.write("answer");
        pair.server.writer.close();
        EXPECT_EQ(co_await pair.client.reader.read_all(), "answer");
    });
}

TEST(NetStream, AResetIsAConnectionError) {
    run_test([]() -> Coro<> {
        Socket listener = Socket::listen(*Address::numeric("127.0.0.1", 0));
        std::vector<Address> addresses{listener.local()};
        Socket client = co_await Socket::connect(std::move(addresses));
        Connection server = make_connection(co_await listener.accept());
        Task<std::string> reading = create_task(error_of<ConnectionError>(server.reader.read(10)));
        co_await sleep(1ms);
        client.reset();
        EXPECT_NE((co_await reading).find("lost"), std::string::npos);
        EXPECT_EQ(co_await server.reader.read(10), "");
    });
}

Coro<> write_until_lost(StreamWriter& writer) {
    const std::string block(64 * 1024, 'x');
    for (;;) {
        writer.write(block);
        co_await writer.drain();
    }
}

TEST(NetStream, WritingToAPeerThatIsGoneThrowsAndRaisesNoSignal) {
    run_test([]() -> Coro<> {
        Pair pair = co_await connected_pair();
        pair.server.writer.close();
        EXPECT_NE(co_await error_of<ConnectionError>(write_until_lost(pair.client.writer)), "");
        EXPECT_TRUE(pair.client.writer.is_closing());
        EXPECT_NE(co_await error_of<ConnectionError>(write_until_lost(pair.client.writer)), "");
    });
}

TEST(NetStream, ACancelledReadLosesNothing) {
    run_test([]() -> Coro<> {
        Pair pair = co_await connected_pair();
        for (int i = 0; i < 20; ++i) {
            Task<std::string> reading = create_task(pair.server.reader.read_exactly(4));
            co_await yield();
            pair.client.writer.write("ab");
            for (int turns = 0; turns < i % 4; ++turns) co_await sleep(1ms);
            reading.cancel();
            bool cancelled = false;
            try {
                co_await reading;
            } catch (const Cancelled&) {
                cancelled = true;
            }
            EXPECT_TRUE(cancelled);
            pair.client.writer.write("cd");
            EXPECT_EQ(co_await pair.server.reader.read_exactly(4), "abcd");
        }
    });
}

Coro<std::size_t> write_much(StreamWriter& writer, std::size_t blocks) {
    std::size_t waits = 0;
    for (std::size_t i = 0; i < blocks; ++i) {
        writer.write(std::string(64 * 1024, static_cast<char>('a' + i % 26)));
        if (writer.unsent() > 64 * 1024) ++waits;
        co_await writer.drain();
    }
    co_return waits;
}

TEST(NetStream, DrainWaitsForAPeerThatDoesNotRead) {
    run_test([]() -> Coro<> {
        Pair pair = co_await connected_pair();
        constexpr std::size_t blocks = 512;
        Task<std::size_t> writing = create_task(write_much(pair.client.writer, blocks));
        co_await until([&] { return pair.client.writer.unsent() > 64 * 1024; });
        for (int i = 0; i < 50; ++i) co_await yield();
        EXPECT_FALSE(writing.done());
        EXPECT_LE(pair.client.writer.unsent(), 2u * 64 * 1024);
        for (std::size_t i = 0; i < blocks; ++i) {
            const std::string block = co_await pair.server.reader.read_exactly(64 * 1024);
            EXPECT_EQ(block, std::string(64 * 1024, static_cast<char>('a' + i % 26))) << i;
        }
        EXPECT_GT(co_await writing, 0u);
        EXPECT_EQ(pair.client.writer.unsent(), 0u);
    });
}

TEST(NetStream, ACancelledDrainGoesAway) {
    run_test([]() -> Coro<> {
        Pair pair = co_await connected_pair();
        Task<std::size_t> writing = create_task(write_much(pair.client.writer, 1000));
        co_await until([&] { return pair.client.writer.unsent() > 64 * 1024; });
        writing.cancel();
        bool cancelled = false;
        try {
            co_await writing;
        } catch (const Cancelled&) {
            cancelled = true;
        }
        EXPECT_TRUE(cancelled);
        pair.client.writer.abort();
    });
}

TEST(NetStream, WhatWasWrittenIsSentAfterClose) {
    run_test([]() -> Coro<> {
        const std::string much(20 * 1024 * 1024, 'y');
        Socket listener = Socket::listen(*Address::numeric("127.0.0.1", 0));
        Connection server =
            co_await [](std::uint16_t port) { return open_connection("127.0.0.1", port); }(listener.local().port());
        Socket accepted = co_await listener.accept();
        {
            Connection sender = make_connection(std::move(accepted));
            sender.writer.write(much);
            EXPECT_GT(sender.writer.unsent(), 0u);
        }  // destroyed with most of it unsent
        EXPECT_EQ((co_await server.reader.read_all()).size(), much.size());
    });
}

TEST(NetStream, APeerThatDoesNotReadIsResetSomeTimeAfterClose) {
    run_test([]() -> Coro<> {
        StreamOptions options;
        options.close_timeout = 10ms;
        Pair pair = co_await connected_pair(options);
        pair.client.writer.write(std::string(20 * 1024 * 1024, 'y'));
        pair.client.writer.close();
        const std::string lost = co_await error_of<ConnectionError>(pair.client.writer.wait_closed());
        EXPECT_NE(lost.find("before all was sent"), std::string::npos) << lost;
        EXPECT_NE(co_await error_of<ConnectionError>(pair.server.reader.read_all()), "")
            << "it must not take it for all";
    });
}

TEST(NetStream, ClosingWakesTheReader) {
    run_test([]() -> Coro<> {
        Pair pair = co_await connected_pair();
        Task<std::string> reading = create_task(pair.server.reader.read(10));
        co_await sleep(1ms);
        pair.server.writer.close();
        EXPECT_EQ(co_await reading, "");
        co_await pair.server.writer.wait_closed();
    });
}

TEST(NetStream, ASecondReaderIsRefused) {
    run_test([]() -> Coro<> {
        Pair pair = co_await connected_pair();
        Task<std::string> first = create_task(pair.server.reader.read(10));
        co_await sleep(1ms);
        EXPECT_NE((co_await error_of<std::logic_error>(pair.server.reader.read(10))).find("another task"),
                  std::string::npos);
        pair.client.writer.write("x");
        EXPECT_EQ(co_await first, "x");
    });
}

Coro<> flood(StreamWriter& writer) {
    const std::string block(256 * 1024, 'z');
    for (;;) {
        writer.write(block);
        co_await writer.drain();
    }
}

Coro<> swallow(StreamReader& reader, std::size_t& bytes) {
    std::array<std::byte, 512> buffer;
    for (;;) bytes += co_await reader.read(buffer);
}

TEST(NetStream, APeerThatSendsWithoutPauseLetsOthersRun) {
    run_test([]() -> Coro<> {
        Pair pair = co_await connected_pair();
        std::size_t bytes = 0;
        Task<> flooding = create_task(flood(pair.client.writer));
        Task<> swallowing = create_task(swallow(pair.server.reader, bytes));
        for (int i = 0; i < 200; ++i) co_await sleep(100us);
        EXPECT_GT(bytes, 0u);
        pair.client.writer.abort();
        swallowing.cancel();
        co_await error_of<ConnectionError>([](Task<> task) -> Coro<> { co_await task; }(flooding));
    });
}

TEST(NetStream, UnixSocketsWorkTheSame) {
    run_test([]() -> Coro<> {
        const std::string path = ::testing::TempDir() + "coroscope-stream-" + std::to_string(::getpid());
        Socket listener = Socket::listen(Address::unix_path(path));
        Connection client = co_await open_unix_connection(path);
        Connection server = make_connection(co_await listener.accept());
        client.writer.write("over unix");
        EXPECT_EQ(co_await server.reader.read_exactly(9), "over unix");
        EXPECT_EQ(server.writer.peer().text(), "unix:(unnamed)");
        ::unlink(path.c_str());
    });
}

}  // namespace
}  // namespace coroscope::test
