// How subprocesses end, and who notices: what asyncio's subprocess tests pin down.
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>

#include "process_support.hpp"

namespace coroscope::test {
namespace {

TEST(Subprocess, SeveralMayWait) {
    run_test([]() -> Coro<> {
        ProcessOptions options = piped();
        Process process = co_await create_subprocess_exec("cat", args(), std::move(options));
        Task<int> one = create_task(process.wait());
        Task<int> two = create_task(process.wait());
        co_await yield();
        process.in().close();
        EXPECT_EQ(co_await one, 0);
        EXPECT_EQ(co_await two, 0);
    });
}

TEST(Subprocess, ACancelledWaitDoesNotEndIt) {
    run_test([]() -> Coro<> {
        ProcessOptions options = piped();
        Process process = co_await create_subprocess_exec("cat", args(), std::move(options));
        Task<int> waiting = create_task(process.wait());
        co_await yield();
        waiting.cancel();
        bool cancelled = false;
        try {
            co_await waiting;
        } catch (const Cancelled&) {
            cancelled = true;
        }
        EXPECT_TRUE(cancelled);
        EXPECT_FALSE(process.returncode());
        process.in().write("alive\n");
        EXPECT_EQ(co_await process.out().read_line(), "alive\n");
        process.in().close();
        EXPECT_EQ(co_await process.wait(), 0);
    });
}

TEST(Subprocess, ACancelledCommunicateLeavesTheProcessRunning) {
    run_test([]() -> Coro<> {
        ProcessOptions options = piped();
        Process process = co_await create_subprocess_exec("sleep", args("1000"), std::move(options));
        bool timed_out = false;
        try {
            co_await wait_for(process.communicate(), 10ms);
        } catch (const TimeoutError&) {
            timed_out = true;
        }
        EXPECT_TRUE(timed_out);
        EXPECT_FALSE(process.returncode());
        process.kill();
        EXPECT_EQ(co_await process.wait(), -SIGKILL);
    });
}

TEST(Subprocess, WhatACancelledCommunicateHasReadIsNotLost) {
    run_test([]() -> Coro<> {
        ProcessOptions options = piped();
        Process process = co_await create_subprocess_shell(
            "read line; echo got $line; echo trouble >&2; exec sleep 1000", std::move(options));
        EXPECT_EQ(process.output_so_far().out, "");
        Task<Process::Output> communicating = create_task(process.communicate("input\n"));
        co_await until([&] { return !process.output_so_far().out.empty() && !process.output_so_far().err.empty(); });
        communicating.cancel();
        co_await communicating.wait();
        EXPECT_TRUE(communicating.cancelled());
        EXPECT_EQ(process.output_so_far().out, "got input\n");
        EXPECT_EQ(process.output_so_far().err, "trouble\n");
        process.kill();
        const Process::Output all = co_await process.communicate();
        EXPECT_EQ(all.out, "got input\n");
        EXPECT_EQ(all.err, "trouble\n");
        EXPECT_EQ(process.output_so_far().out, "");
        EXPECT_EQ(process.returncode(), -SIGKILL);
    });
}

TEST(Subprocess, AGroupIsKilledWithWhatItsLeaderStarted) {
    run_test([]() -> Coro<> {
        ProcessOptions options = output_only();
        options.process_group = 0;
        // Two grandchildren hold the pipe open: it ends when they have ended.
        Process process =
            co_await create_subprocess_shell("sleep 1000 & sleep 1000 & echo started; wait", std::move(options));
        EXPECT_EQ(co_await process.out().read_line(), "started\n");
        process.kill_group();
        EXPECT_EQ(co_await process.out().read_all(), "");
        EXPECT_EQ(co_await process.wait(), -SIGKILL);
    });
}

TEST(Subprocess, AGroupIsKilledAfterItsLeaderHasEnded) {
    run_test([]() -> Coro<> {
        ProcessOptions options = output_only();
        options.start_new_session = true;
        Process process = co_await create_subprocess_shell("sleep 1000 & echo started", std::move(options));
        EXPECT_EQ(co_await process.wait(), 0);
        process.terminate_group();
        EXPECT_EQ(co_await process.out().read_all(), "started\n") << "the pipe is closed by the last of the group";
    });
}

TEST(Subprocess, WithoutAGroupOfItsOwnNoGroupIsSignalled) {
    run_test([]() -> Coro<> {
        ProcessOptions options = output_only();
        Process process = co_await create_subprocess_exec("true", args(), std::move(options));
        EXPECT_THROW(process.kill_group(), std::logic_error);
        EXPECT_THROW(Process().kill_group(), std::logic_error);
        co_await process.wait();
    });
}

TEST(Subprocess, ADroppedOneRunsOnAndLeavesNoZombie) {
    run_test([]() -> Coro<> {
        ProcessOptions options;
        int ends[2];
        EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
        options.in = Redirect::to(ends[0]);
        {
            Process process = co_await create_subprocess_exec("cat", args(), std::move(options));
        }
        ::close(ends[0]);
        EXPECT_TRUE(has_children());
        ::close(ends[1]);
        co_await until([] { return !has_children(); });
    });
}

TEST(Subprocess, DroppingOneThatHasEndedReapsItAtOnce) {
    run_test([]() -> Coro<> {
        {
            Process process = co_await create_subprocess_exec("cat", args(), piped());
            process.in().close();
            siginfo_t info{};
            EXPECT_EQ(::waitid(P_PID, static_cast<id_t>(process.pid()), &info, WEXITED | WNOWAIT), 0);
        }
        EXPECT_FALSE(has_children());
    });
}

TEST(Subprocess, OneReapedBySomebodyElseHasAnUnknownCode) {
    run_test([]() -> Coro<> {
        Process process = co_await create_subprocess_exec("cat", args(), piped());
        process.in().close();
        ::waitpid(process.pid(), nullptr, 0);
        EXPECT_EQ(co_await process.wait(), 255);
    });
}

Coro<int> exit_with(int code) {
    Process process = co_await create_subprocess_shell("exit " + std::to_string(code));
    co_return co_await process.wait();
}

TEST(Subprocess, ManyAtOnceKeepTheirCodesApart) {
    run_test([]() -> Coro<> {
        std::vector<Task<int>> tasks;
        for (int i = 0; i < 50; ++i) tasks.push_back(create_task(exit_with(i)));
        for (int i = 0; i < 50; ++i) EXPECT_EQ(co_await tasks[static_cast<std::size_t>(i)], i);
        EXPECT_FALSE(has_children());
    });
}

// From now on this process has no pidfd_open(), as a kernel before 5.3.
void forbid_pidfd() {
    sock_filter program[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pidfd_open, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const sock_fprog filter{4, program};
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0)
        std::_Exit(3);
    if (::syscall(SYS_pidfd_open, ::getpid(), 0) >= 0 || errno != ENOSYS) std::_Exit(4);
}

Coro<> without_pidfd() {
    EXPECT_EQ(co_await exit_with(9), 9);
    EXPECT_EQ(co_await output_of("echo text"), "text\n");
    Process killed = co_await create_subprocess_exec("sleep", args("1000"));
    killed.kill();
    EXPECT_EQ(co_await killed.wait(), -SIGKILL);
    {
        ProcessOptions options = piped();
        Process dropped = co_await create_subprocess_exec("cat", args(), std::move(options));
    }
    co_await until([] { return !has_children(); });
}

TEST(SubprocessDeathTest, WithoutPidfdAThreadWaits) {
    EXPECT_EXIT(
        {
            forbid_pidfd();
            run(wait_for(without_pidfd(), 20s));
            std::_Exit(::testing::Test::HasFailure() ? 1 : 0);
        },
        ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace coroscope::test
