// Where a process that can be attached to listens, and where the tools look for it: a folder of the user's own, with a
// socket a process, "PID.sock". std and POSIX only: the emit library and the commands share it.
#pragma once

#include <sys/types.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

namespace coroscope {

// `run_folder`: the value of XDG_RUNTIME_DIR; nullptr: it is not set. "/run/user/1000/coroscope-apps", or where there
// is no such folder, "/tmp/coroscope-1000-apps".
inline std::string app_sockets_folder(const char* run_folder, uid_t user) {
    if (run_folder != nullptr && run_folder[0] == '/') return std::string(run_folder) + "/coroscope-apps";
    return "/tmp/coroscope-" + std::to_string(user) + "-apps";
}

// Of this process's own user and environment.
inline std::string app_sockets_folder() { return app_sockets_folder(std::getenv("XDG_RUNTIME_DIR"), ::geteuid()); }

inline constexpr const char* app_socket_ending = ".sock";

inline std::string app_socket(const std::string& folder, pid_t pid) {
    return folder + "/" + std::to_string(pid) + app_socket_ending;
}

}  // namespace coroscope
