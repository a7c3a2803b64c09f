// Streams over a socket pair, where what arrives together is known.
#include <sys/socket.h>

#include "coroscope/net.hpp"
#include "tests/conformance/oracle/support.hpp"

namespace coroscope::oracle {
namespace {

// `one` writes, `two` reads.
struct StreamPair {
    StreamPair(Connection first, Connection second) : one(std::move(first)), two(std::move(second)) {}
    Connection one, two;
};

StreamPair stream_pair(std::size_t limit = 65536) {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) throw std::runtime_error("no socket pair");
    StreamOptions options;
    options.read_limit = limit;
    Connection one = make_connection(Socket(ends[0]));
    return StreamPair(std::move(one), make_connection(Socket(ends[1]), options));
}
StreamPair received(std::string_view data, std::size_t limit = 65536) {
    StreamPair pair = stream_pair(limit);
    pair.one.writer.write(data);
    pair.one.writer.write_eof();
    return pair;
}

// As Python's repr().
Coro<std::string> shown(Coro<std::string> reading) {
    const std::string text = co_await std::move(reading);
    std::string quoted;
    for (const char letter : text) quoted += letter == '\n' ? std::string("\\n") : std::string(1, letter);
    co_return '"' + quoted + '"';
}

CASE(stream_lines) {
    StreamPair pair = received("one\ntwo\nlast");
    StreamReader& reader = pair.two.reader;
    for (int count = 0; count < 4; ++count) co_await attempt("line", shown(reader.read_line()));
    say(reader.at_eof());
}

CASE(stream_exactly) {
    StreamPair pair = received("abcdef");
    StreamReader& reader = pair.two.reader;
    co_await attempt("four", shown(reader.read_exactly(4)));
    co_await attempt("none", shown(reader.read_exactly(0)));
    co_await attempt("four", shown(reader.read_exactly(4)));
    co_await attempt("again", shown(reader.read_exactly(1)));
}

Coro<std::string> until(StreamReader& reader, std::string_view separator) {
    auto reading = reader.read_until(std::string(separator));
    co_return co_await std::move(reading);
}
CASE(stream_until) {
    StreamPair pair = received("head::body:end");
    StreamReader& reader = pair.two.reader;
    co_await attempt("until", shown(until(reader, "::")));
    co_await attempt("until", shown(until(reader, "::")));
    co_await attempt("rest", shown(reader.read(100)));
    co_await attempt("empty", shown(until(reader, "")));
}

CASE(stream_over_its_limit) {
    StreamPair pair = received("0123456789abcdef\nnext\n", 8);
    StreamReader& reader = pair.two.reader;
    co_await attempt("until", shown(until(reader, "\n")));
    co_await attempt("exactly", shown(reader.read_exactly(17)));
    co_await attempt("line", shown(reader.read_line()));
}

CASE(stream_read_by_two) {
    StreamPair pair = stream_pair();
    auto one = create_task(attempt("one", shown(pair.two.reader.read(5))));
    auto two = create_task(attempt("two", shown(pair.two.reader.read(5))));
    co_await two;
    pair.one.writer.write("data");
    co_await one;
}

CASE(stream_read_cancelled_loses_nothing) {
    StreamPair pair = stream_pair();
    StreamReader& reader = pair.two.reader;
    auto task = create_task(attempt("exactly", shown(reader.read_exactly(4))));
    pair.one.writer.write("ab");
    while (!task.done()) {
        co_await yield();
        if (reader.buffered().size() == 2) task.cancel("enough");
    }
    pair.one.writer.write("cd");
    co_await attempt("again", shown(reader.read_exactly(4)));
}

CASE(stream_writer_after_its_end) {
    StreamPair pair = stream_pair();
    StreamWriter& writer = pair.one.writer;
    writer.write("data");
    writer.write_eof();
    say(writer.is_closing(), writer.can_write_eof());
    attempt_now("write", [&] { writer.write("more"); });
    co_await attempt("read", shown(pair.two.reader.read_all()));
    writer.close();
    say(writer.is_closing());
    co_await writer.wait_closed();
    say("closed");
}

CASE(stream_reads_of_nothing) {
    StreamPair pair = stream_pair();
    StreamReader& reader = pair.two.reader;
    co_await attempt("none", shown(reader.read(0)));
    say(reader.at_eof());
    pair.one.writer.write_eof();
    co_await attempt("end", shown(reader.read(1)));
    say(reader.at_eof());
    co_await attempt("end", shown(reader.read(1)));
}

}  // namespace
}  // namespace coroscope::oracle
