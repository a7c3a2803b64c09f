// Starting subprocesses and talking to them: what asyncio's subprocess tests pin down, with real programs.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>

#include "process_support.hpp"

namespace coroscope::test {
namespace {

int code_of_failure(const std::string& program, const ProcessOptions& options, std::string& what) {
    try {
        run([](std::string the_program, ProcessOptions the_options) -> Coro<> {
            Process process = co_await create_subprocess_exec(std::move(the_program), args(), std::move(the_options));
        }(program, options));
    } catch (const std::system_error& error) {
        what = error.what();
        return error.code().value();
    }
    return 0;
}

TEST(Subprocess, WaitReturnsTheExitStatus) {
    run_test([]() -> Coro<> {
        Process process = co_await create_subprocess_shell("exit 7");
        EXPECT_GT(process.pid(), 0);
        EXPECT_EQ(co_await process.wait(), 7);
        EXPECT_EQ(process.returncode(), 7);
        EXPECT_EQ(co_await process.wait(), 7) << "again";
    });
}

TEST(Subprocess, TheReturnCodeIsThereWithoutWaitingForIt) {
    run_test([]() -> Coro<> {
        Process process = co_await create_subprocess_shell("exit 3");
        co_await until([&] { return process.returncode().has_value(); });
        EXPECT_EQ(process.returncode(), 3);
    });
}

TEST(Subprocess, ASignalIsANegativeReturnCode) {
    run_test([]() -> Coro<> {
        Process process = co_await create_subprocess_exec("sleep", args("1000"));
        EXPECT_FALSE(process.returncode());
        process.kill();
        EXPECT_EQ(co_await process.wait(), -SIGKILL);
    });
}

TEST(Subprocess, TerminateIsSigterm) {
    run_test([]() -> Coro<> {
        Process process = co_await create_subprocess_exec("sleep", args("1000"));
        process.terminate();
        EXPECT_EQ(co_await process.wait(), -SIGTERM);
    });
}

TEST(Subprocess, AnySignalCanBeSent) {
    run_test([]() -> Coro<> {
        ProcessOptions options = piped();
        Process process = co_await create_subprocess_shell(
            "trap 'echo got it; exit 5' USR1; echo ready; while :; do sleep 0.01; done", std::move(options));
        EXPECT_EQ(co_await process.out().read_line(), "ready\n");
        process.send_signal(SIGUSR1);
        EXPECT_EQ(co_await process.out().read_line(), "got it\n");
        EXPECT_EQ(co_await process.wait(), 5);
    });
}

TEST(Subprocess, ASignalToOneThatHasEndedIsNoSuchProcess) {
    run_test([]() -> Coro<> {
        Process process = co_await create_subprocess_exec("true");
        co_await process.wait();
        int code = 0;
        try {
            process.terminate();
        } catch (const std::system_error& error) {
            code = error.code().value();
        }
        EXPECT_EQ(code, ESRCH);
    });
}

TEST(Subprocess, CommunicateWritesReadsAndWaits) {
    run_test([]() -> Coro<> {
        ProcessOptions options = piped();
        Process process = co_await create_subprocess_shell("tr a-z A-Z; echo problem >&2; exit 4", std::move(options));
        const Process::Output output = co_await process.communicate("some text");
        EXPECT_EQ(output.out, "SOME TEXT");
        EXPECT_EQ(output.err, "problem\n");
        EXPECT_EQ(process.returncode(), 4);
    });
}

TEST(Subprocess, CommunicateDoesNotBlockOnFullPipes) {
    run_test([]() -> Coro<> {
        ProcessOptions options = piped();
        Process process = co_await create_subprocess_exec("cat", args(), std::move(options));
        std::string much(3'000'000, 'x');
        const Process::Output output = co_await process.communicate(much);
        EXPECT_EQ(output.out.size(), much.size());
    });
}

TEST(Subprocess, AChildThatDoesNotReadItsInputIsNoError) {
    run_test([]() -> Coro<> {
        ProcessOptions options;
        options.in = PIPE;
        Process process = co_await create_subprocess_exec("true", args(), std::move(options));
        const Process::Output output = co_await process.communicate(std::string(3'000'000, 'x'));
        EXPECT_EQ(output.out, "");
        EXPECT_EQ(process.returncode(), 0);
    });
}

TEST(Subprocess, WithoutInputTheChildReadsTheEnd) {
    run_test([]() -> Coro<> {
        ProcessOptions options = piped();
        Process process = co_await create_subprocess_exec("wc", args("-c"), std::move(options));
        const Process::Output output = co_await process.communicate();
        EXPECT_EQ(std::stoi(output.out), 0);
    });
}

TEST(Subprocess, InputNeedsAPipe) {
    run_test([]() -> Coro<> {
        Process process = co_await create_subprocess_exec("true");
        EXPECT_NE(co_await error_of<std::logic_error>(process.communicate("x")), "");
        EXPECT_THROW(process.in(), std::logic_error);
        EXPECT_THROW(process.out(), std::logic_error);
        EXPECT_THROW(process.err(), std::logic_error);
        co_await process.wait();
    });
}

TEST(Subprocess, TalkingLineByLine) {
    run_test([]() -> Coro<> {
        ProcessOptions options = piped();
        Process process = co_await create_subprocess_exec("cat", args(), std::move(options));
        for (const char* line : {"one\n", "two\n"}) {
            process.in().write(line);
            EXPECT_EQ(co_await process.out().read_line(), line);
        }
        process.in().close();
        EXPECT_EQ(co_await process.out().read(10), "");
        EXPECT_EQ(co_await process.wait(), 0);
    });
}

TEST(Subprocess, ErrMayGoWhereOutGoes) {
    run_test([]() -> Coro<> {
        ProcessOptions options = output_only();
        options.err = STDOUT;
        EXPECT_EQ(co_await output_of("echo one; echo two >&2; echo three", std::move(options)), "one\ntwo\nthree\n");
    });
}

TEST(Subprocess, DevnullIsEmptyAndSwallows) {
    run_test([]() -> Coro<> {
        ProcessOptions options = output_only();
        options.err = DEVNULL;
        EXPECT_EQ(co_await output_of("cat; echo lost >&2; echo kept", std::move(options)), "kept\n");
    });
}

TEST(Subprocess, AStreamMayGoToAFileDescriptor) {
    run_test([]() -> Coro<> {
        const std::string path = ::testing::TempDir() + "coroscope-out-" + std::to_string(::getpid());
        const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        ProcessOptions options;
        options.out = Redirect::to(file);
        options.err = STDOUT;
        Process process = co_await create_subprocess_shell("echo out; echo err >&2", std::move(options));
        co_await process.wait();
        char text[32] = {};
        EXPECT_EQ(::pread(file, text, sizeof text, 0), 8);
        EXPECT_STREQ(text, "out\nerr\n");
        ::close(file);
        ::unlink(path.c_str());
    });
}

TEST(Subprocess, OutAndErrCanBeSwapped) {
    run_test([]() -> Coro<> {
        int ends[2];
        EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
        ProcessOptions options;
        options.out = Redirect::to(2);
        options.err = Redirect::to(ends[1]);
        Process process = co_await create_subprocess_shell("echo to err >&2", std::move(options));
        ::close(ends[1]);
        StreamReader reader = connect_read_pipe(ends[0]);
        EXPECT_EQ(co_await reader.read_all(), "to err\n");
        EXPECT_EQ(co_await process.wait(), 0);
    });
}

TEST(Subprocess, ItsEnvironmentCanBeGiven) {
    run_test([]() -> Coro<> {
        ProcessOptions options = output_only();
        options.env.emplace();
        options.env->emplace("ONLY", "this one");
        EXPECT_EQ(co_await output_of("/usr/bin/env | grep -v -e ^PWD= -e ^SHLVL= -e ^_=", std::move(options)),
                  "ONLY=this one\n");
    });
}

TEST(Subprocess, ItsEnvironmentIsOursOtherwise) {
    run_test([]() -> Coro<> {
        ::setenv("COROSCOPE_TEST_VARIABLE", "inherited", 1);
        EXPECT_EQ(co_await output_of("echo $COROSCOPE_TEST_VARIABLE"), "inherited\n");
        ::unsetenv("COROSCOPE_TEST_VARIABLE");
    });
}

TEST(Subprocess, ItsDirectoryCanBeGiven) {
    run_test([]() -> Coro<> {
        ProcessOptions options = output_only();
        options.cwd = "/usr";
        EXPECT_EQ(co_await output_of("pwd", std::move(options)), "/usr\n");
    });
}

TEST(Subprocess, AMissingProgramIsNamed) {
    std::string what;
    EXPECT_EQ(code_of_failure("no-such-program-here", ProcessOptions(), what), ENOENT);
    EXPECT_NE(what.find("no-such-program-here"), std::string::npos) << what;
    EXPECT_EQ(code_of_failure("/no/such/program", ProcessOptions(), what), ENOENT);
    EXPECT_NE(what.find("/no/such/program"), std::string::npos) << what;
    EXPECT_FALSE(has_children());
}

TEST(Subprocess, AMissingDirectoryIsNamed) {
    std::string what;
    ProcessOptions options;
    options.cwd = "/no/such/directory";
    EXPECT_EQ(code_of_failure("true", options, what), ENOENT);
    EXPECT_NE(what.find("/no/such/directory"), std::string::npos) << what;
}

TEST(Subprocess, WhatIsNoProgramIsAnError) {
    std::string what;
    EXPECT_EQ(code_of_failure("/etc/passwd", ProcessOptions(), what), EACCES);
    EXPECT_EQ(code_of_failure("/usr", ProcessOptions(), what), EACCES);
    EXPECT_EQ(code_of_failure("", ProcessOptions(), what), ENOENT);
}

TEST(Subprocess, OptionsThatMakeNoSenseAreRefused) {
    ProcessOptions in_to_out;
    in_to_out.in = STDOUT;
    std::string what;
    EXPECT_THROW(code_of_failure("true", in_to_out, what), std::invalid_argument);
    ProcessOptions session_and_group;
    session_and_group.start_new_session = true;
    session_and_group.process_group = 0;
    EXPECT_THROW(code_of_failure("true", session_and_group, what), std::invalid_argument);
    EXPECT_THROW(code_of_failure(std::string("tr\0ue", 5), ProcessOptions(), what), std::exception);
}

TEST(Subprocess, AClosedDescriptorToRedirectToIsAnError) {
    ProcessOptions options;
    options.out = Redirect::to(12345);
    std::string what;
    EXPECT_EQ(code_of_failure("true", options, what), EBADF);
    EXPECT_NE(what.find("12345"), std::string::npos) << what;
}

TEST(Subprocess, ItHasNoOtherDescriptorsOfOurs) {
    run_test([]() -> Coro<> {
        const int leaky = ::open("/dev/null", O_RDONLY);  // not close-on-exec
        const std::string command = "test -e /proc/$$/fd/" + std::to_string(leaky) + " && echo open || echo closed";
        EXPECT_EQ(co_await output_of(command), "closed\n");
        ::close(leaky);
    });
}

TEST(Subprocess, DescriptorsCanBePassed) {
    run_test([]() -> Coro<> {
        int ends[2];
        EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
        ProcessOptions options;
        options.pass_fds.push_back(ends[1]);
        Process process =
            co_await create_subprocess_shell("echo passed > /proc/self/fd/" + std::to_string(ends[1]), options);
        ::close(ends[1]);
        StreamReader reader = connect_read_pipe(ends[0]);
        EXPECT_EQ(co_await reader.read_all(), "passed\n");
        co_await process.wait();
    });
}

TEST(Subprocess, OurEndsOfThePipesAreCloseOnExec) {
    run_test([]() -> Coro<> {
        ProcessOptions options = piped();
        Process process = co_await create_subprocess_exec("cat", args(), std::move(options));
        EXPECT_NE(::fcntl(process.in().fd(), F_GETFD) & FD_CLOEXEC, 0);
        process.in().close();
        co_await process.wait();
    });
}

TEST(Subprocess, ANewSessionIsItsOwn) {
    run_test([]() -> Coro<> {
        ProcessOptions options = piped();
        options.start_new_session = true;
        Process process = co_await create_subprocess_exec("cat", args(), std::move(options));
        EXPECT_EQ(::getsid(process.pid()), process.pid());
        process.kill();
        co_await process.wait();
    });
}

TEST(Subprocess, AProcessGroupCanBeItsOwn) {
    run_test([]() -> Coro<> {
        ProcessOptions options = piped();
        options.process_group = 0;
        Process process = co_await create_subprocess_exec("cat", args(), std::move(options));
        EXPECT_EQ(::getpgid(process.pid()), process.pid());
        process.kill();
        co_await process.wait();
    });
}

TEST(Subprocess, SigpipeDoesItsDefaultInTheChild) {
    run_test([]() -> Coro<> {
        struct sigaction before{};
        struct sigaction ignore{};
        ignore.sa_handler = SIG_IGN;
        ::sigaction(SIGPIPE, &ignore, &before);
        EXPECT_EQ(co_await output_of("yes | head -1; echo done"), "y\ndone\n");
        ::sigaction(SIGPIPE, &before, nullptr);
    });
}

}  // namespace
}  // namespace coroscope::test
