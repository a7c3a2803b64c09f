// Reading from streams: what asyncio's stream tests pin down.
#include <array>

#include "coroscope/virtual_time_loop.hpp"
#include "stream_support.hpp"
#include "task_support.hpp"

namespace coroscope::test {
namespace {

// --- reading

TEST(Stream, ReadOfNothingReturnsAtOnce) {
    run_test([]() -> Coro<> {
        Pair pair = local_pair();
        EXPECT_EQ(co_await pair.server.reader.read(0), "");
        EXPECT_FALSE(pair.server.reader.at_eof());
    });
}

TEST(Stream, ReadReturnsWhatIsThereUpToN) {
    run_test([]() -> Coro<> {
        Pair pair = received("line1\nline2\n");
        EXPECT_EQ(co_await pair.server.reader.read(5), "line1");
        EXPECT_EQ(co_await pair.server.reader.read(1000), "\nline2\n");
        EXPECT_EQ(co_await pair.server.reader.read(1000), "");
    });
}

TEST(Stream, ReadWaitsForTheFirstByte) {
    run_test([]() -> Coro<> {
        Pair pair = local_pair();
        Task<std::string> reading = create_task(pair.server.reader.read(30));
        for (int i = 0; i < 5; ++i) co_await yield();
        EXPECT_FALSE(reading.done());
        pair.client.writer.write("x");
        EXPECT_EQ(co_await reading, "x");
    });
}

TEST(Stream, ReadAtTheEndIsEmptyAgainAndAgain) {
    run_test([]() -> Coro<> {
        Pair pair = received("");
        for (int i = 0; i < 3; ++i) EXPECT_EQ(co_await pair.server.reader.read(1024), "");
        EXPECT_TRUE(pair.server.reader.at_eof());
    });
}

TEST(Stream, AtEofOnlyWhenTheBufferIsEmptyToo) {
    run_test([]() -> Coro<> {
        Pair pair = received("some data\n");
        EXPECT_FALSE(pair.server.reader.at_eof());
        EXPECT_EQ(co_await pair.server.reader.read_line(), "some data\n");
        EXPECT_EQ(co_await pair.server.reader.read(1), "");
        EXPECT_TRUE(pair.server.reader.at_eof());
    });
}

TEST(Stream, ReadAllIsEverythingUpToTheEnd) {
    run_test([]() -> Coro<> {
        Pair pair = local_pair();
        Task<std::string> reading = create_task(pair.server.reader.read_all());
        pair.client.writer.write("chunk1\n");
        co_await yield();
        pair.client.writer.write("chunk2");
        pair.client.writer.write_eof();
        EXPECT_EQ(co_await reading, "chunk1\nchunk2");
    });
}

TEST(Stream, ReadAllIsNotBoundByTheLimitOfLines) {
    run_test([]() -> Coro<> {
        Pair pair = received("chunk chunk", with_limit(3));
        EXPECT_EQ(co_await pair.server.reader.read_all(), "chunk chunk");
        Pair bounded = received("chunk chunk");
        EXPECT_NE(co_await error_of<LimitOverrunError>(bounded.server.reader.read_all(5)), "");
    });
}

TEST(Stream, ReadIntoABufferOfOurs) {
    run_test([]() -> Coro<> {
        Pair pair = received("abcdef");
        EXPECT_EQ(co_await pair.server.reader.read_exactly(1), "a");
        std::array<std::byte, 3> buffer;
        EXPECT_EQ(co_await pair.server.reader.read(buffer), 3u);
        EXPECT_EQ(buffer[0], std::byte{'b'});
        EXPECT_EQ(co_await pair.server.reader.read(buffer), 2u);
        EXPECT_EQ(co_await pair.server.reader.read(buffer), 0u);
    });
}

// --- lines

TEST(Stream, LinesKeepTheirEnds) {
    run_test([]() -> Coro<> {
        Pair pair = received("line1\nline2\n\nrest");
        EXPECT_EQ(co_await pair.server.reader.read_line(), "line1\n");
        EXPECT_EQ(co_await pair.server.reader.read_line(), "line2\n");
        EXPECT_EQ(co_await pair.server.reader.read_line(), "\n");
        EXPECT_EQ(co_await pair.server.reader.read_line(), "rest") << "the last one has none";
        EXPECT_EQ(co_await pair.server.reader.read_line(), "");
    });
}

TEST(Stream, ALineMayComeInPieces) {
    run_test([]() -> Coro<> {
        Pair pair = local_pair();
        Task<std::string> reading = create_task(pair.server.reader.read_line());
        for (const char* piece : {"chunk1 ", "chunk2 ", "chunk3 ", "\n chunk4"}) {
            pair.client.writer.write(piece);
            co_await yield();
        }
        EXPECT_EQ(co_await reading, "chunk1 chunk2 chunk3 \n");
        EXPECT_EQ(co_await pair.server.reader.read(10), " chunk4");
    });
}

TEST(Stream, ALineAsLongAsTheLimitIsFine) {
    run_test([]() -> Coro<> {
        Pair pair = received("1234567\nnext\n", with_limit(7));
        EXPECT_EQ(co_await pair.server.reader.read_line(), "1234567\n") << "its end does not count";
        EXPECT_EQ(co_await pair.server.reader.read_line(), "next\n");
    });
}

TEST(Stream, ALineBeyondTheLimitIsDroppedAndTheNextOneRead) {
    run_test([]() -> Coro<> {
        Pair pair = received("line1 is long\nline2\n", with_limit(7));
        EXPECT_NE(co_await error_of<LimitOverrunError>(pair.server.reader.read_line()), "");
        EXPECT_EQ(co_await pair.server.reader.read_line(), "line2\n");
    });
}

TEST(Stream, ALineWithoutAnEndBeyondTheLimitIsDropped) {
    run_test([]() -> Coro<> {
        Pair pair = local_pair(with_limit(3));
        pair.client.writer.write("chunk1");
        EXPECT_NE(co_await error_of<LimitOverrunError>(pair.server.reader.read_line()), "");
        pair.client.writer.write("a\n");
        EXPECT_EQ(co_await pair.server.reader.read_line(), "a\n");
    });
}

// --- separators

TEST(Stream, ReadUntilNeedsASeparator) {
    run_test([]() -> Coro<> {
        Pair pair = local_pair();
        EXPECT_NE(co_await error_of<std::invalid_argument>(pair.server.reader.read_until("")), "");
        EXPECT_NE(co_await error_of<std::invalid_argument>(pair.server.reader.read_until(std::vector<std::string>())),
                  "");
        std::vector<std::string> one_is_empty = list("a", "");
        EXPECT_NE(co_await error_of<std::invalid_argument>(pair.server.reader.read_until(std::move(one_is_empty))), "");
    });
}

TEST(Stream, ASeparatorMayComeInPieces) {
    run_test([]() -> Coro<> {
        Pair pair = local_pair();
        Task<std::string> reading = create_task(pair.server.reader.read_until("$$$"));
        for (const char* piece : {"aa$", "$", "b$$", "$rest"}) {
            pair.client.writer.write(piece);
            for (int i = 0; i < 3; ++i) co_await yield();
        }
        EXPECT_EQ(co_await reading, "aa$$b$$$");
        EXPECT_EQ(pair.server.reader.buffered(), "rest");
    });
}

TEST(Stream, ASeparatorAcrossTheLimitIsStillFound) {
    run_test([]() -> Coro<> {
        Pair pair = local_pair(with_limit(4));
        Task<std::string> reading = create_task(pair.server.reader.read_until("12345"));
        pair.client.writer.write("abcd123");
        for (int i = 0; i < 3; ++i) co_await yield();
        pair.client.writer.write("45");
        EXPECT_EQ(co_await reading, "abcd12345");
    });
}

std::size_t consumed_of(const std::exception_ptr& error) {
    try {
        std::rethrow_exception(error);
    } catch (const LimitOverrunError& overrun) {
        return overrun.consumed();
    }
}

TEST(Stream, BeyondTheLimitWhatCameStaysInTheBuffer) {
    run_test([]() -> Coro<> {
        Pair pair = received("some dataAAA", with_limit(3));
        const std::exception_ptr found = co_await error_of(pair.server.reader.read_until("AAA"));
        EXPECT_EQ(consumed_of(found), 9u) << "what is before the separator";
        EXPECT_EQ(pair.server.reader.buffered(), "some dataAAA");
        const std::exception_ptr not_found = co_await error_of(pair.server.reader.read_until("AAAA"));
        EXPECT_EQ(consumed_of(not_found), 9u) << "the rest may be the begin of one";
        EXPECT_EQ(co_await pair.server.reader.read_exactly(12), "some dataAAA");
    });
}

TEST(Stream, AnEndBeforeTheSeparatorIsIncomplete) {
    run_test([]() -> Coro<> {
        Pair pair = received("some data");
        std::string partial;
        std::size_t expected = 1;
        try {
            co_await pair.server.reader.read_until("AAA");
        } catch (const IncompleteReadError& error) {
            partial = error.partial();
            expected = error.expected();
        }
        EXPECT_EQ(partial, "some data");
        EXPECT_EQ(expected, 0u) << "not known";
        EXPECT_EQ(co_await pair.server.reader.read(10), "");
    });
}

TEST(Stream, OfSeveralSeparatorsTheOneThatEndsFirstCounts) {
    run_test([]() -> Coro<> {
        Pair pair = received("a;b--c;d");
        EXPECT_EQ(co_await pair.server.reader.read_until(list("--", ";")), "a;");
        EXPECT_EQ(co_await pair.server.reader.read_until(list("--", ";")), "b--");
        EXPECT_EQ(co_await pair.server.reader.read_until(list("c;d!", "c;")), "c;") << "one is the begin of the other";
    });
}

TEST(Stream, SeveralSeparatorsMayComeInPieces) {
    run_test([]() -> Coro<> {
        Pair pair = local_pair();
        std::vector<std::string> separators = list("\r\n", "END");
        Task<std::string> reading = create_task(pair.server.reader.read_until(std::move(separators)));
        for (const char* piece : {"x\r", "E", "N", "D\r\n"}) {
            pair.client.writer.write(piece);
            for (int i = 0; i < 3; ++i) co_await yield();
        }
        EXPECT_EQ(co_await reading, "x\rEND");
    });
}

// --- exact reads

TEST(Stream, ReadExactlyNothingIsEmpty) {
    run_test([]() -> Coro<> {
        Pair pair = local_pair();
        EXPECT_EQ(co_await pair.server.reader.read_exactly(0), "");
    });
}

TEST(Stream, ReadExactlyMayBeMoreThanTheLimit) {
    run_test([]() -> Coro<> {
        Pair pair = received("chunkABC", with_limit(3));
        EXPECT_EQ(co_await pair.server.reader.read_exactly(7), "chunkAB");
        EXPECT_EQ(pair.server.reader.buffered(), "C");
    });
}

TEST(Stream, ReadExactlySaysWhatIsMissing) {
    run_test([]() -> Coro<> {
        Pair pair = received("line1");
        std::string partial;
        std::size_t expected = 0;
        std::string what;
        try {
            co_await pair.server.reader.read_exactly(12);
        } catch (const IncompleteReadError& error) {
            partial = error.partial();
            expected = error.expected();
            what = error.what();
        }
        EXPECT_EQ(partial, "line1");
        EXPECT_EQ(expected, 12u);
        EXPECT_NE(what.find("5 of 12"), std::string::npos) << what;
        EXPECT_EQ(co_await pair.server.reader.read(10), "");
    });
}

// --- errors and cancellation of readers

TEST(Stream, ALostConnectionIsThrownToTheReader) {
    run_test([]() -> Coro<> {
        Pair pair = co_await connected_pair();
        pair.client.writer.write("unread");
        pair.server.writer.write(std::string(10'000'000, 'x'));
        EXPECT_EQ(co_await pair.server.reader.read_exactly(6), "unread");
        Task<std::string> reading = create_task(error_of<ConnectionError>(pair.server.reader.read_line()));
        co_await yield();
        pair.client.writer.abort();
        EXPECT_NE((co_await reading).find("lost"), std::string::npos);
    });
}

TEST(Stream, AReadWithATimeoutCanBeRepeated) {
    run<VirtualTimeLoop>([]() -> Coro<> {
        Pair pair = local_pair();
        pair.client.writer.write("half a ");
        for (int i = 0; i < 3; ++i)
            EXPECT_NE(co_await error_of<TimeoutError>(wait_for(pair.server.reader.read_line(), 1s)), "");
        pair.client.writer.write("line\n");
        EXPECT_EQ(co_await pair.server.reader.read_line(), "half a line\n");
    }());
}

TEST(Stream, ACancelledReadLeavesTheReaderFreeAtOnce) {
    run_test([]() -> Coro<> {
        Pair pair = local_pair();
        Task<std::string> reading = create_task(pair.server.reader.read(1));
        co_await yield();
        reading.cancel();
        pair.client.writer.write("x");
        EXPECT_EQ(co_await pair.server.reader.read(1), "x");
    });
}

}  // namespace
}  // namespace coroscope::test
