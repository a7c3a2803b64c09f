// Two ends of a socket pair as streams.
#pragma once

#include <sys/socket.h>

#include <string>
#include <utility>
#include <vector>

#include "coroscope/net/stream.hpp"
#include "tests/runtime/net_support.hpp"

namespace coroscope::test {

inline Pair local_pair(StreamOptions options = {}) {
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    Connection one = make_connection(Socket(ends[0]), options);
    return Pair(std::move(one), make_connection(Socket(ends[1]), options));
}

inline StreamOptions with_limit(std::size_t limit) {
    StreamOptions options;
    options.read_limit = limit;
    return options;
}

// A pair whose server side has received all of `text`, and then the end.
inline Pair received(const std::string& text, StreamOptions options = {}) {
    Pair pair = local_pair(options);
    pair.client.writer.write(text);
    pair.client.writer.write_eof();
    return pair;
}

inline std::vector<std::string> list(std::string one, std::string two) {
    std::vector<std::string> both;
    both.push_back(std::move(one));
    both.push_back(std::move(two));
    return both;
}

}  // namespace coroscope::test
