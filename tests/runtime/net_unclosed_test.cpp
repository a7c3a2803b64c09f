// What the debugger learns of connections and child processes that are given up before they are at their end.
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>

#include "coroscope/net.hpp"
#include "net_support.hpp"
#include "probe_support.hpp"

namespace coroscope::test {
namespace {

using vocabulary::ReportKind;

// The texts of the reports of a kind since the last call.
std::vector<std::string> told(ReportKind kind) {
    probe::Registry& registry = probe::process_registry();
    const std::scoped_lock lock(registry.reports_mutex);
    std::vector<std::string> texts;
    for (const probe::Report& report : registry.reports)
        if (report.kind == static_cast<std::uint32_t>(kind)) texts.push_back(report.text);
    registry.reports.clear();
    return texts;
}

constexpr std::size_t too_much = 64 << 20;  // for the kernel's buffers

TEST(Unclosed, WhatTheLoopsEndLeftUnsentIsTold) {
    const DebugOn debug_on;
    told(ReportKind::unclosed_transport);
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    run([&]() -> Coro<> {
        Connection connection = make_connection(Socket(ends[0]));
        connection.writer.write(std::string(too_much, 'x'));
        connection.writer.close();
        co_await yield();
    });
    ::close(ends[1]);
    const auto texts = told(ReportKind::unclosed_transport);
    ASSERT_EQ(texts.size(), 1u);
    EXPECT_NE(texts[0].find(" bytes written to the connection to unix:(unnamed) were"), std::string::npos) << texts[0];
    EXPECT_NE(texts[0].find("were not sent: the loop's end came first"), std::string::npos) << texts[0];
}

// The task that sends the rest is the library's: it is nobody's fault.
TEST(Unclosed, WhoClosedItIsTold) {
    const DebugOn debug_on;
    told(ReportKind::unclosed_transport);
    int ends[2];
    ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    std::uint64_t user = 0;
    run([&]() -> Coro<> {
        user = current_task().id();
        Connection connection = make_connection(Socket(ends[0]));
        connection.writer.write(std::string(too_much, 'x'));
        co_await yield();
        connection.writer.close();
        co_await yield();
    });
    ::close(ends[1]);
    probe::Registry& registry = probe::process_registry();
    const std::scoped_lock lock(registry.reports_mutex);
    ASSERT_EQ(registry.reports.size(), 1u);
    EXPECT_EQ(registry.reports[0].task, user);
    EXPECT_NE(registry.reports[0].stack, 0u);
    registry.reports.clear();
}

TEST(Unclosed, WhatAPeerDidNotReadInTimeIsTold) {
    const DebugOn debug_on;
    told(ReportKind::unclosed_transport);
    run(with_deadline([]() -> Coro<> {
        StreamOptions options;
        options.close_timeout = 5ms;
        Pair pair = co_await connected_pair(options);
        pair.client.writer.write(std::string(too_much, 'x'));
        pair.client.writer.close();
        EXPECT_NE(co_await error_of<ConnectionError>(pair.client.writer.wait_closed()), "");
    }));
    const auto texts = told(ReportKind::unclosed_transport);
    ASSERT_EQ(texts.size(), 1u);
    EXPECT_NE(texts[0].find("the peer did not read them in time"), std::string::npos) << texts[0];
}

TEST(Unclosed, WhatIsSentOrAbortedIsNotTold) {
    const DebugOn debug_on;
    told(ReportKind::unclosed_transport);
    run(with_deadline([]() -> Coro<> {
        {
            Pair sent = co_await connected_pair();
            sent.client.writer.write("all of it");
        }
        Pair aborted = co_await connected_pair();
        aborted.client.writer.write(std::string(too_much, 'x'));
        aborted.client.writer.abort();
        Process child = co_await create_subprocess_exec("true");
        co_await child.wait();
    }));
    EXPECT_EQ(told(ReportKind::unclosed_transport), std::vector<std::string>());
}

TEST(Unclosed, AChildThatRunsOnWithoutAHandleIsTold) {
    const DebugOn debug_on;
    told(ReportKind::unclosed_transport);
    pid_t pid = 0;
    run(with_deadline([&pid]() -> Coro<> {
        const Process child = co_await create_subprocess_exec("sleep", args(std::string("1000")));
        pid = child.pid();
    }));
    ::kill(pid, SIGKILL);
    EXPECT_EQ(told(ReportKind::unclosed_transport),
              std::vector<std::string>{"process " + std::to_string(pid) + " still runs, and its handle is gone"});
}

TEST(Unclosed, WritesThatGoOnAfterTheConnectionIsLostAreToldOnce) {
    const DebugOn debug_on;
    told(ReportKind::write_after_loss);
    run(with_deadline([]() -> Coro<> {
        Pair pair = co_await connected_pair();
        pair.server.writer.write(std::string(too_much, 'x'));
        pair.server.writer.abort();  // resets it
        EXPECT_NE(co_await error_of<ConnectionError>(pair.client.reader.read_all()), "");
        for (int i = 0; i < 4; ++i) pair.client.writer.write("into the void");
        EXPECT_EQ(told(ReportKind::write_after_loss), std::vector<std::string>());
        for (int i = 0; i < 100; ++i) pair.client.writer.write("into the void");
    }));
    const auto texts = told(ReportKind::write_after_loss);
    ASSERT_EQ(texts.size(), 1u);
    EXPECT_NE(texts[0].find("which was lost (Connection reset by peer)"), std::string::npos) << texts[0];
}

}  // namespace
}  // namespace coroscope::test
