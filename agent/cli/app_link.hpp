// Talks to a process itself, without an agent: through the socket at which it listens for the tools (the requests:
// runtime/src/probe/standby.hpp). Only on this machine.
#pragma once

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "output.hpp"

namespace coroscope::cli {

// How the process stands.
struct AppState {
    pid_t pid = 0;
    std::string name;    // its own, or that of its executable
    bool on = false;     // debug mode
    std::string target;  // where it sends to, or was told to send to when it is asked without a target; "": nothing
};

// Throws Failure: there is no such process; it does not listen; it is another user's; it does not answer; it says that
// it cannot do that.
Json ask_app(pid_t pid, const std::string& request);
AppState app_state(pid_t pid);
// It has a socket, and somebody listens there.
bool listens(pid_t pid);

// What `request` was answered; of a process that does not answer at once, nothing.
std::optional<AppState> glance_at(pid_t pid);
// The processes of this user that listen, by number. Sockets of processes that are gone are removed.
std::vector<pid_t> listening_processes();

// "shop (pid 4711)"
std::string title(const AppState& app);

}  // namespace coroscope::cli
