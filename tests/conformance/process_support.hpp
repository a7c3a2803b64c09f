// Starting programs of the system in tests.
#pragma once

#include <sys/wait.h>

#include <string>
#include <utility>

#include "coroscope/net/process.hpp"
#include "tests/runtime/net_support.hpp"

namespace coroscope::test {

using subprocess::DEVNULL;
using subprocess::PIPE;
using subprocess::Redirect;
using subprocess::STDOUT;

inline ProcessOptions piped() {
    ProcessOptions options;
    options.in = options.out = options.err = PIPE;
    return options;
}

inline ProcessOptions output_only() {
    ProcessOptions options;
    options.in = DEVNULL;
    options.out = PIPE;
    return options;
}

inline Coro<std::string> output_of(std::string command, ProcessOptions options = output_only()) {
    Process process = co_await create_subprocess_shell(std::move(command), std::move(options));
    const Process::Output output = co_await process.communicate();
    co_return output.out;
}

// Whether this program has children, ended or not.
inline bool has_children() {
    siginfo_t info{};
    return ::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

}  // namespace coroscope::test
