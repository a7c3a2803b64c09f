// What the debugger learns of sockets, streams, servers, subprocesses and signals that tasks wait for.
#include <csignal>

#include "coroscope/net.hpp"
#include "net_support.hpp"
#include "probe_support.hpp"

namespace coroscope::test {
namespace {

using vocabulary::ResourceType;
using vocabulary::Verb;

// Lets the task run until it waits with that verb, checks on what, and cancels it.
Coro<> check_wait(Task<> task, ResourceType type, Verb verb, std::string name, std::uint64_t system_id) {
    Observed seen;
    std::uint64_t wait = 0;
    const auto waits = [&] { return (wait = seen.wait_of(task, verb)) != 0; };
    co_await until(waits);
    const probe::ResourceDefinition* const resource = seen.resource(vocabulary::operand_of(wait));
    EXPECT_NE(resource, nullptr) << vocabulary::to_string(verb);
    if (resource != nullptr) {
        EXPECT_EQ(vocabulary::to_string(static_cast<ResourceType>(resource->type)), vocabulary::to_string(type));
        EXPECT_EQ(resource->name, name);
        EXPECT_EQ(resource->system_id, system_id);
    }
    task.cancel();
    co_await task.wait();
}
std::uint64_t id_of(int fd) { return static_cast<std::uint64_t>(fd) + 1; }

Coro<> read_some(StreamReader& reader) { co_await reader.read(1); }
Coro<> write_much(StreamWriter& writer) {
    writer.write(std::string(64 << 20, 'x'));
    co_await writer.drain();
}
Coro<> accept_one(Socket& listener) { co_await listener.accept(); }
Coro<> receive_one(DatagramSocket& socket) { co_await socket.receive_from(); }
Coro<> wait_closed(Server& server) { co_await server.wait_closed(); }
Coro<> wait_for_usr1() { co_await wait_for_signal(SIGUSR1, SIGUSR2); }
Coro<> wait_for_end(Process& process) { co_await process.wait(); }
Coro<> do_nothing_with(StreamReader, StreamWriter) { co_return; }

TEST(NetResource, EveryWaitNamesItsResourceAndItsVerb) {
    const DebugOn debug_on;
    // Not run_test(): the first signal and the first subprocess open descriptors that the process keeps.
    run(with_deadline([]() -> Coro<> {
        Pair pair = co_await connected_pair();
        const std::string peer = pair.client.writer.peer().text();
        const std::uint64_t fd = id_of(pair.client.writer.fd());
        co_await check_wait(create_task(read_some(pair.client.reader)), ResourceType::stream, Verb::read, peer, fd);
        co_await check_wait(create_task(write_much(pair.client.writer)), ResourceType::stream, Verb::write, peer, fd);
        pair.client.writer.abort();

        Socket listener = Socket::listen(*Address::numeric("127.0.0.1", 0));
        co_await check_wait(create_task(accept_one(listener)), ResourceType::server, Verb::accept, "",
                            id_of(listener.fd()));
        DatagramSocket datagrams = open_datagram(*Address::numeric("127.0.0.1", 0));
        co_await check_wait(create_task(receive_one(datagrams)), ResourceType::datagram, Verb::read, "",
                            id_of(datagrams.fd()));
        Server server = co_await start_server(do_nothing_with, "127.0.0.1", 0);
        co_await check_wait(create_task(wait_closed(server)), ResourceType::server, Verb::exit, "", 0);
        server.close();
        co_await server.wait_closed();
        co_await check_wait(create_task(wait_for_usr1()), ResourceType::signal, Verb::signal, "SIGUSR1, SIGUSR2", 0);

        Process process = co_await create_subprocess_exec("sleep", args("100"));
        co_await check_wait(create_task(wait_for_end(process)), ResourceType::subprocess, Verb::exit, "sleep 100",
                            static_cast<std::uint64_t>(process.pid()));
        process.kill();
        co_await process.wait();
    }));
}

TEST(NetResource, AStreamEndsWhenItIsClosed) {
    const DebugOn debug_on;
    run_test([]() -> Coro<> {
        Pair pair = co_await connected_pair();
        Observed seen;
        auto task = create_task(read_some(pair.client.reader));
        std::uint64_t wait = 0;
        const auto waits = [&] { return (wait = seen.wait_of(task, Verb::read)) != 0; };
        co_await until(waits);
        pair.client.writer.abort();
        co_await task.wait();
        const auto closed = seen.closed();
        EXPECT_NE(std::find(closed.begin(), closed.end(), vocabulary::operand_of(wait)), closed.end());
    });
}

}  // namespace
}  // namespace coroscope::test
