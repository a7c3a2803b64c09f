// A task writes to a client that has gone, again and again: write() alone never says so. From outside: work is done for
// nobody, for ever. `fixed`: drain() throws when the client is gone.
//
//     COROSCOPE=1 ./deaf_ticker       coroscope problems: write_after_loss
#include <coroscope/coroscope.hpp>
#include <coroscope/net.hpp>
#include <iostream>
#include <utility>

#include "bug.hpp"

using namespace coroscope;
using namespace std::chrono_literals;

namespace {

Coro<> send_ticks(StreamWriter writer, bool fixed) {
    try {
        for (int i = 0; i < 100; ++i) {
            writer.write("tick\n");
            if (fixed) co_await writer.drain();
            co_await sleep(5ms);
        }
    } catch (const ConnectionError&) {
        std::cout << "the client is gone\n";
    }
}

Coro<> async_main(bool fixed) {
    Task<> ticks;
    auto serve = [&ticks, fixed](StreamReader, StreamWriter writer) -> Coro<> {
        ticks = create_task(send_ticks(std::move(writer), fixed), "ticks");
        co_await ticks;
    };
    Server server = co_await start_server(serve, "127.0.0.1", 0);
    Connection client = co_await open_connection("127.0.0.1", server.port());
    co_await client.reader.read_line();
    client.writer.abort();
    while (!ticks.done()) co_await sleep(10ms);
}

}  // namespace

int main(int argc, char** argv) { run(async_main(is_fixed(argc, argv))); }
