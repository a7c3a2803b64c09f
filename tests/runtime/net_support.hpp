// Running a coroutine as a test: with a deadline, and no file descriptor left open afterwards.
#pragma once

#include <dirent.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstddef>
#include <functional>

#include "coroscope/coroscope.hpp"
#include "coroscope/net.hpp"

namespace coroscope::test {

using namespace std::chrono_literals;

inline std::size_t open_descriptors() {
    std::size_t count = 0;
    DIR* directory = ::opendir("/proc/self/fd");
    while (::readdir(directory) != nullptr) ++count;
    ::closedir(directory);
    return count;
}

inline Coro<> with_deadline(std::function<Coro<>()> body) {
    Coro<> running = body();
    co_await wait_for(std::move(running), 30s);
}

inline Coro<> do_nothing() { co_return; }

inline void run_test(const std::function<Coro<>()>& body) {
    static const bool ran_once = (run(do_nothing()), true);  // the first run opens what later ones keep
    static_cast<void>(ran_once);
    const std::size_t before = open_descriptors();
    run(with_deadline(body));
    EXPECT_EQ(open_descriptors(), before) << "a file descriptor was left open";
}

// Until the condition holds; the deadline of the test bounds it.
template <class Condition>
Coro<> until(Condition condition) {
    while (!condition()) co_await sleep(1ms);
}

// Two ends of one connection on loopback.
struct Pair {
    Pair(Connection the_client, Connection the_server) : client(std::move(the_client)), server(std::move(the_server)) {}
    Connection client, server;
};

inline Coro<Pair> connected_pair(StreamOptions options = {}) {
    Socket listener = Socket::listen(*Address::numeric("127.0.0.1", 0));
    Connection client = co_await open_connection("127.0.0.1", listener.local().port(), options);
    Socket accepted = co_await listener.accept();
    co_return Pair(std::move(client), make_connection(std::move(accepted), options));
}

// What kind of error the coroutine ends with; "": none.
template <class Error, class T>
Coro<std::string> error_of(Coro<T> coro) {
    try {
        co_await std::move(coro);
    } catch (const Error& error) {
        co_return std::string("error: ") + error.what();
    }
    co_return "";
}

}  // namespace coroscope::test
