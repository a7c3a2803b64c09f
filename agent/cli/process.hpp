// Starting and awaiting other processes, for `coroscope run`.
#pragma once

#include <signal.h>
#include <sys/types.h>

#include <string>
#include <vector>

namespace coroscope::cli {

// The signals that end or concern a program, blocked in this thread and in those it starts; the mask from before for a
// child.
class BlockedSignals {
public:
    BlockedSignals();
    ~BlockedSignals();
    BlockedSignals(const BlockedSignals&) = delete;
    BlockedSignals& operator=(const BlockedSignals&) = delete;

    const sigset_t& set() const { return set_; }
    const sigset_t& before() const { return before_; }

private:
    sigset_t set_{}, before_{};
};

struct Spawn {
    std::vector<std::string> arguments;    // the program first; looked up on PATH
    std::vector<std::string> environment;  // NAME=VALUE, on top of ours
    bool own_group = false;                // the terminal's Ctrl-C is not for it
    bool discard_errors = false;           // its stderr goes nowhere
    int stdout_fd = -1;                    // -1: ours
};

// The process id, or minus an errno. It gets signal mask `mask` and default handlers.
pid_t spawn(const Spawn& what, const sigset_t& mask);

// Waits for a child, passing on to it the signals that this process gets meanwhile. Returns waitpid's status.
int wait_and_forward(pid_t child, const BlockedSignals& signals);

// As a shell says it: the exit code, or 128 + the signal that killed it.
int exit_code(int wait_status);

// This program's own file.
std::string own_path();

}  // namespace coroscope::cli
