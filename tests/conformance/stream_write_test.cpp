// Writing to streams and closing them: what asyncio's stream tests pin down.
#include "stream_support.hpp"

namespace coroscope::test {
namespace {

Coro<> drain(StreamWriter& writer) { co_await writer.drain(); }

TEST(Stream, WriteLinesWritesOneAfterTheOther) {
    run_test([]() -> Coro<> {
        Pair pair = local_pair();
        const std::vector<std::string> lines = list("one\n", "two\n");
        pair.client.writer.write_lines(lines);
        EXPECT_EQ(co_await pair.server.reader.read_exactly(8), "one\ntwo\n");
    });
}

TEST(Stream, DrainReturnsAtOnceWhenLittleIsKept) {
    run_test([]() -> Coro<> {
        Pair pair = local_pair();
        pair.client.writer.write("little");
        Task<> draining = create_task(drain(pair.client.writer));
        co_await yield();
        EXPECT_TRUE(draining.done());
        co_await draining;
    });
}

TEST(Stream, SeveralTasksMayDrain) {
    run_test([]() -> Coro<> {
        Pair pair = local_pair();
        pair.client.writer.write(std::string(2'000'000, 'x'));
        Task<> one = create_task(drain(pair.client.writer));
        Task<> two = create_task(drain(pair.client.writer));
        co_await yield();
        EXPECT_FALSE(one.done());
        EXPECT_FALSE(two.done());
        EXPECT_EQ((co_await pair.server.reader.read_exactly(2'000'000)).size(), 2'000'000u);
        co_await one;
        co_await two;
    });
}

TEST(Stream, OneOfSeveralDrainsCanBeCancelled) {
    run_test([]() -> Coro<> {
        Pair pair = local_pair();
        pair.client.writer.write(std::string(2'000'000, 'x'));
        Task<> one = create_task(drain(pair.client.writer));
        Task<> two = create_task(drain(pair.client.writer));
        co_await yield();
        one.cancel();
        bool cancelled = false;
        try {
            co_await one;
        } catch (const Cancelled&) {
            cancelled = true;
        }
        EXPECT_TRUE(cancelled);
        EXPECT_EQ((co_await pair.server.reader.read_exactly(2'000'000)).size(), 2'000'000u);
        co_await two;
    });
}

TEST(Stream, DrainAfterAResetThrows) {
    run_test([]() -> Coro<> {
        Pair pair = co_await connected_pair();
        pair.client.writer.write(std::string(10'000'000, 'x'));
        Task<std::string> draining = create_task(error_of<ConnectionError>(drain(pair.client.writer)));
        co_await yield();
        pair.server.writer.write(std::string(10'000'000, 'x'));
        pair.server.writer.abort();
        EXPECT_NE((co_await draining).find("lost"), std::string::npos);
        pair.client.writer.write("goes nowhere");
        EXPECT_NE(co_await error_of<ConnectionError>(drain(pair.client.writer)), "") << "again";
    });
}

TEST(Stream, WritingAfterCloseIsToldByDrain) {
    run_test([]() -> Coro<> {
        Pair pair = local_pair();
        pair.client.writer.close();
        EXPECT_TRUE(pair.client.writer.is_closing());
        pair.client.writer.write("too late");
        EXPECT_NE((co_await error_of<ConnectionError>(drain(pair.client.writer))).find("closed"), std::string::npos);
        EXPECT_EQ(co_await pair.server.reader.read(10), "");
    });
}

TEST(Stream, WritingAfterWriteEofIsAMistake) {
    run_test([]() -> Coro<> {
        Pair pair = local_pair();
        EXPECT_TRUE(pair.client.writer.can_write_eof());
        pair.client.writer.write("all");
        pair.client.writer.write_eof();
        pair.client.writer.write_eof();
        EXPECT_THROW(pair.client.writer.write("more"), std::logic_error);
        EXPECT_EQ(co_await pair.server.reader.read_all(), "all");
    });
}

TEST(Stream, WriteEofComesAfterWhatIsKept) {
    run_test([]() -> Coro<> {
        Pair pair = local_pair();
        pair.client.writer.write(std::string(3'000'000, 'x'));
        EXPECT_GT(pair.client.writer.unsent(), 0u);
        pair.client.writer.write_eof();
        EXPECT_EQ((co_await pair.server.reader.read_all()).size(), 3'000'000u);
        pair.server.writer.write("and back");
        EXPECT_EQ(co_await pair.client.reader.read(10), "and back");
    });
}

TEST(Stream, WaitClosedWaitsUntilAllIsSent) {
    run_test([]() -> Coro<> {
        Pair pair = local_pair();
        pair.client.writer.write(std::string(3'000'000, 'x'));
        pair.client.writer.close();
        Task<> closing = create_task(pair.client.writer.wait_closed());
        for (int i = 0; i < 5; ++i) co_await yield();
        EXPECT_FALSE(closing.done());
        EXPECT_EQ((co_await pair.server.reader.read_all()).size(), 3'000'000u);
        co_await closing;
        co_await pair.client.writer.wait_closed();
    });
}

TEST(Stream, WaitClosedTellsOfALoss) {
    run_test([]() -> Coro<> {
        Pair pair = co_await connected_pair();
        pair.client.writer.write(std::string(10'000'000, 'x'));
        pair.client.writer.close();
        pair.server.writer.write(std::string(10'000'000, 'x'));
        pair.server.writer.abort();
        EXPECT_NE(co_await error_of<ConnectionError>(pair.client.writer.wait_closed()), "");
    });
}

TEST(Stream, AbortDropsWhatIsKept) {
    run_test([]() -> Coro<> {
        Pair pair = co_await connected_pair();
        pair.client.writer.write(std::string(20'000'000, 'x'));
        pair.client.writer.abort();
        EXPECT_EQ(pair.client.writer.unsent(), 0u);
        co_await pair.client.writer.wait_closed();
        EXPECT_NE(co_await error_of<ConnectionError>(pair.server.reader.read_all()), "");
    });
}

TEST(Stream, ClosingWithUnreadDataDoesNotFail) {
    run_test([]() -> Coro<> {
        Pair pair = local_pair();
        pair.server.writer.write("unread");
        pair.client.writer.close();
        co_await pair.client.writer.wait_closed();
        EXPECT_EQ(co_await pair.client.reader.read(10), "") << "the reader of a closed connection has ended";
    });
}

TEST(Stream, NothingIsReadUntilSomebodyReads) {
    run_test([]() -> Coro<> {
        Pair pair = local_pair();
        pair.client.writer.write(std::string(3'000'000, 'x'));
        Task<> draining = create_task(drain(pair.client.writer));
        for (int i = 0; i < 50; ++i) co_await yield();
        EXPECT_FALSE(draining.done()) << "the peer is slowed down instead of memory filled";
        EXPECT_EQ(pair.server.reader.buffered().size(), 0u);
        draining.cancel();
        pair.client.writer.abort();
    });
}

}  // namespace
}  // namespace coroscope::test
