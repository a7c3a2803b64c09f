// Subprocesses: create_subprocess_exec(), create_subprocess_shell() and Process, as asyncio's.
//
//     ProcessOptions options;
//     options.out = subprocess::PIPE;
//     Process git = co_await create_subprocess_exec("git", args("log", "-1"), options);
//     const Process::Output output = co_await git.communicate();
//     if (git.returncode() != 0) ...
//
// What becomes of the child: cancelling a task that waits for it does not end it, nor does dropping the Process. Its
// pipes are closed then, and it is reaped when it ends, so no zombie is left; terminate() or kill() it first if it
// shall end. No signal handler and no SIGCHLD are used; other children of this program are left alone. Every other file
// descriptor is closed in the child. If something else reaps it, or SIGCHLD is ignored, the return code is 255.
//
// Starting blocks the loop until the program is loaded (posix_spawn, well below 1 ms). Thread: the loop's, which a
// Process must not outlive.
//
// Differs from asyncio: stdin, stdout and stderr are macros in C, hence in, out and err. The child's signals are set as
// Python's restore_signals does: SIGPIPE and SIGXFSZ do their default.
#pragma once

#include <sys/types.h>

#include <concepts>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "coroscope/coro.hpp"
#include "coroscope/detail/net_socket_state.hpp"
#include "coroscope/net/pipe.hpp"

namespace coroscope {

namespace detail {
class ProcessState;
}

namespace subprocess {

// Where a standard stream of the child leads.
class Redirect {
public:
    enum class Kind : std::uint8_t { inherit, pipe, null, out, fd };

    constexpr explicit Redirect(Kind kind, int fd = -1) noexcept : kind_(kind), fd_(fd) {}
    // To a file descriptor of this program, which stays open here.
    static constexpr Redirect to(int fd) noexcept { return Redirect(Kind::fd, fd); }
    constexpr Kind kind() const noexcept { return kind_; }
    constexpr int fd() const noexcept { return fd_; }

private:
    Kind kind_;
    int fd_;
};

inline constexpr Redirect INHERIT{Redirect::Kind::inherit};  // this program's
inline constexpr Redirect PIPE{Redirect::Kind::pipe};        // Process::in(), out(), err()
inline constexpr Redirect DEVNULL{Redirect::Kind::null};
inline constexpr Redirect STDOUT{Redirect::Kind::out};  // for err only: where out leads

}  // namespace subprocess

class ProcessOptions {
public:
    ProcessOptions() noexcept {}
    subprocess::Redirect in = subprocess::INHERIT;
    subprocess::Redirect out = subprocess::INHERIT;
    subprocess::Redirect err = subprocess::INHERIT;
    std::string cwd;                                        // empty: this program's
    std::optional<std::map<std::string, std::string>> env;  // instead of this program's
    bool start_new_session = false;                         // setsid(): no terminal, not ended by its Ctrl-C
    std::optional<pid_t> process_group;                     // 0: a new one, of its own
    std::vector<int> pass_fds;                              // stay open in the child
    StreamOptions stream;                                   // of its pipes
};

class Process {
public:
    class Output {
    public:
        Output() noexcept {}
        std::string out, err;  // empty also if it was no PIPE
    };

    Process() noexcept;
    explicit Process(detail::Ref<detail::ProcessState> state) noexcept;
    Process(Process&&) noexcept;
    Process& operator=(Process&&) noexcept;
    ~Process();

    pid_t pid() const noexcept;
    // Once it has ended and this was noticed: its exit status, or -N if signal N ended it.
    std::optional<int> returncode() const noexcept;

    // Its pipes. Throw std::logic_error if the stream was not redirected to PIPE.
    StreamWriter& in();
    StreamReader& out();
    StreamReader& err();

    // Until it has ended; returns the return code. Any number of tasks may wait. Does not read its pipes: a child that
    // writes more than fits in them waits for you; use communicate(). Cancellation point.
    Coro<int> wait();
    // Writes the input, closes the pipe, reads the others to their end, all at once, then waits for the end. That the
    // child does not read its input is no error. Cancellation point: what was read until then is output_so_far(), and
    // another communicate() goes on, and gives that, too. Throws std::logic_error if there is input and no pipe for it.
    Coro<Output> communicate(std::string input = {});
    // What a communicate() that was cancelled, by a time limit for one, has read. It stays valid until the next call of
    // communicate(). (Python: TimeoutExpired.output of a subprocess.run(); asyncio loses it.)
    const Output& output_so_far() const noexcept;

    // Throw std::system_error: ESRCH if it has ended (ProcessLookupError).
    void send_signal(int signal);
    void terminate();  // SIGTERM
    void kill();       // SIGKILL
    // The child and all that it has started, unless they have left its process group: for a shell, or a program that
    // has children of its own. Also after the child itself has ended. Needs ProcessOptions::process_group of 0, or
    // start_new_session, else std::logic_error. Throw std::system_error: ESRCH if nobody is left. Python: os.killpg().
    void send_signal_to_group(int signal);
    void terminate_group();  // SIGTERM
    void kill_group();       // SIGKILL

private:
    detail::Ref<detail::ProcessState> state_;
};

// The arguments of a program. (A braced list does not work in a co_await expression with g++ 12.)
template <std::convertible_to<std::string>... Texts>
std::vector<std::string> args(Texts&&... texts) {
    std::vector<std::string> all;
    all.reserve(sizeof...(texts));
    (all.emplace_back(std::forward<Texts>(texts)), ...);
    return all;
}

// The program is searched in the PATH of the child's environment if its name has no "/". Throw std::system_error that
// names the program (ENOENT, EACCES, ...) or the directory, std::invalid_argument for options that make no sense.
Coro<Process> create_subprocess_exec(std::string program, std::vector<std::string> arguments = {},
                                     ProcessOptions options = {});
// Runs `/bin/sh -c command`. Quoting what comes from outside is up to you.
Coro<Process> create_subprocess_shell(std::string command, ProcessOptions options = {});

}  // namespace coroscope
