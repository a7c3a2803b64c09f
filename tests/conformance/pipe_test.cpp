// Pipes, FIFOs, terminals and socket pairs as streams: what asyncio's connect_read_pipe() and connect_write_pipe() do.
#include "coroscope/net/pipe.hpp"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <csignal>

#include "tests/runtime/net_support.hpp"

namespace coroscope::test {
namespace {

class PipeEnds {
public:
    PipeEnds() { EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0); }
    int read() const { return ends[0]; }
    int write() const { return ends[1]; }

private:
    int ends[2];
};

Coro<std::string> drained(StreamWriter& writer) {
    return error_of<ConnectionError>([](StreamWriter& w) -> Coro<> { co_await w.drain(); }(writer));
}

TEST(Pipe, WhatIsWrittenAtOneEndIsReadAtTheOther) {
    run_test([]() -> Coro<> {
        const PipeEnds ends;
        StreamReader reader = connect_read_pipe(ends.read());
        StreamWriter writer = connect_write_pipe(ends.write());
        writer.write("one\ntwo\n");
        co_await writer.drain();
        EXPECT_EQ(co_await reader.read_line(), "one\n");
        EXPECT_EQ(co_await reader.read_exactly(4), "two\n");
        writer.close();
        EXPECT_EQ(co_await reader.read(10), "");
        EXPECT_TRUE(reader.at_eof());
    });
}

TEST(Pipe, AReaderWaitsForData) {
    run_test([]() -> Coro<> {
        const PipeEnds ends;
        StreamReader reader = connect_read_pipe(ends.read());
        StreamWriter writer = connect_write_pipe(ends.write());
        Task<std::string> reading = create_task(reader.read(10));
        for (int i = 0; i < 5; ++i) co_await yield();
        EXPECT_FALSE(reading.done());
        writer.write("late");
        EXPECT_EQ(co_await reading, "late");
    });
}

TEST(Pipe, ACancelledReadLosesNothing) {
    run_test([]() -> Coro<> {
        const PipeEnds ends;
        StreamReader reader = connect_read_pipe(ends.read());
        StreamWriter writer = connect_write_pipe(ends.write());
        Task<std::string> reading = create_task(reader.read_exactly(4));
        co_await yield();
        writer.write("ab");
        co_await sleep(1ms);
        reading.cancel();
        bool cancelled = false;
        try {
            co_await reading;
        } catch (const Cancelled&) {
            cancelled = true;
        }
        EXPECT_TRUE(cancelled);
        writer.write("cd");
        EXPECT_EQ(co_await reader.read_exactly(4), "abcd");
    });
}

Coro<> write_much(StreamWriter& writer, std::size_t bytes) {
    writer.write(std::string(bytes, 'x'));
    co_await writer.drain();
    writer.close();
}

TEST(Pipe, AWriterWaitsForTheReader) {
    run_test([]() -> Coro<> {
        const PipeEnds ends;
        StreamReader reader = connect_read_pipe(ends.read());
        StreamWriter writer = connect_write_pipe(ends.write());
        constexpr std::size_t bytes = 1'000'000;
        Task<> writing = create_task(write_much(writer, bytes));
        for (int i = 0; i < 5; ++i) co_await yield();
        EXPECT_FALSE(writing.done());
        EXPECT_EQ((co_await reader.read_all()).size(), bytes);
        co_await writing;
    });
}

TEST(Pipe, WriteEofClosesIt) {
    run_test([]() -> Coro<> {
        const PipeEnds ends;
        StreamReader reader = connect_read_pipe(ends.read());
        StreamWriter writer = connect_write_pipe(ends.write());
        writer.write("all");
        writer.write_eof();
        EXPECT_TRUE(writer.is_closing());
        EXPECT_EQ(co_await reader.read_all(), "all");
        co_await writer.wait_closed();
    });
}

TEST(Pipe, WritingWithoutAReaderIsAnErrorAndNoSignal) {
    run_test([]() -> Coro<> {
        struct sigaction action{};
        ::sigaction(SIGPIPE, nullptr, &action);
        EXPECT_EQ(action.sa_handler, SIG_DFL) << "the test needs a deadly SIGPIPE";
        const PipeEnds ends;
        ::close(ends.read());
        StreamWriter writer = connect_write_pipe(ends.write());
        writer.write("nobody");
        const std::string error = co_await drained(writer);
        EXPECT_NE(error.find("Broken pipe"), std::string::npos) << error;
        EXPECT_TRUE(writer.is_closing());
        sigset_t pending;
        ::sigpending(&pending);
        EXPECT_EQ(::sigismember(&pending, SIGPIPE), 0) << "it must not come later either";
        ::sigaction(SIGPIPE, nullptr, &action);
        EXPECT_EQ(action.sa_handler, SIG_DFL) << "what the program does with the signal is its own";
    });
}

TEST(Pipe, AWaitingWriterLearnsThatTheReaderHasGone) {
    run_test([]() -> Coro<> {
        const PipeEnds ends;
        StreamWriter writer = connect_write_pipe(ends.write());
        writer.write(std::string(1'000'000, 'x'));
        Task<std::string> draining = create_task(drained(writer));
        co_await yield();
        EXPECT_FALSE(draining.done());
        ::close(ends.read());
        EXPECT_NE((co_await draining).find("Broken pipe"), std::string::npos);
    });
}

TEST(Pipe, AFifoHasNotEndedBeforeItsFirstWriterCame) {
    run_test([]() -> Coro<> {
        const std::string path = ::testing::TempDir() + "coroscope-fifo-" + std::to_string(::getpid());
        ::unlink(path.c_str());
        EXPECT_EQ(::mkfifo(path.c_str(), 0600), 0);
        StreamReader reader = connect_read_pipe(::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
        Task<std::string> reading = create_task(reader.read_all());
        for (int i = 0; i < 5; ++i) co_await yield();
        EXPECT_FALSE(reading.done());
        StreamWriter writer = connect_write_pipe(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
        writer.write("here");
        writer.close();
        EXPECT_EQ(co_await reading, "here");
        ::unlink(path.c_str());
    });
}

TEST(Pipe, SocketPairsAreStreamsInBothDirections) {
    run_test([]() -> Coro<> {
        int ends[2];
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
        StreamReader reader = connect_read_pipe(ends[0]);
        StreamWriter writer = connect_write_pipe(ends[1]);
        writer.write("pair");
        writer.write_eof();
        EXPECT_FALSE(writer.is_closing()) << "a socket has another direction still";
        EXPECT_EQ(co_await reader.read_all(), "pair");
    });
}

class Terminal {
public:
    Terminal() : master(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)) {
        EXPECT_EQ(::grantpt(master), 0);
        EXPECT_EQ(::unlockpt(master), 0);
        char name[64];
        EXPECT_EQ(::ptsname_r(master, name, sizeof name), 0);
        slave = ::open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
        termios settings{};
        ::tcgetattr(slave, &settings);
        ::cfmakeraw(&settings);
        ::tcsetattr(slave, TCSANOW, &settings);
    }
    const int master;
    int slave = -1;
};

TEST(Pipe, TheEndOfATerminalIsTheEndOfTheStream) {
    run_test([]() -> Coro<> {
        const Terminal terminal;
        StreamReader reader = connect_read_pipe(terminal.master);
        StreamWriter writer = connect_write_pipe(terminal.slave);
        writer.write("typed");
        EXPECT_EQ(co_await reader.read_exactly(5), "typed");
        writer.close();
        EXPECT_EQ(co_await reader.read(10), "");
    });
}

TEST(Pipe, ATerminalStaysBlockingForTheOthers) {
    run_test([]() -> Coro<> {
        const Terminal terminal;
        const int shells = ::dup(terminal.slave);
        {
            StreamReader reader = connect_read_pipe(terminal.slave);
            EXPECT_EQ(::fcntl(shells, F_GETFL) & O_NONBLOCK, 0);
            EXPECT_EQ(::write(terminal.master, "key", 3), 3);
            EXPECT_EQ(co_await reader.read_exactly(3), "key");
        }
        ::close(shells);
        ::close(terminal.master);
    });
}

TEST(Pipe, ARegularFileIsRefusedAndStaysTheCallers) {
    run_test([]() -> Coro<> {
        const int file = ::open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
        EXPECT_THROW(connect_read_pipe(file), std::invalid_argument);
        EXPECT_EQ(::close(file), 0);
        co_return;
    });
}

TEST(Pipe, TheWrongEndAndNoDescriptorAreErrors) {
    run_test([]() -> Coro<> {
        const PipeEnds ends;
        EXPECT_THROW(connect_read_pipe(ends.write()), std::system_error);
        EXPECT_THROW(connect_write_pipe(ends.read()), std::system_error);
        EXPECT_THROW(connect_read_pipe(-1), std::system_error);
        ::close(ends.read());
        ::close(ends.write());
        co_return;
    });
}

TEST(Pipe, ADroppedWriterStillSendsWhatItKept) {
    run_test([]() -> Coro<> {
        const PipeEnds ends;
        StreamReader reader = connect_read_pipe(ends.read());
        {
            StreamWriter writer = connect_write_pipe(ends.write());
            writer.write(std::string(500'000, 'x'));
            EXPECT_GT(writer.unsent(), 0u);
        }
        EXPECT_EQ((co_await reader.read_all()).size(), 500'000u);
    });
}

}  // namespace
}  // namespace coroscope::test
