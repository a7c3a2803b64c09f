// Starting a program: posix_spawn() with what asyncio's subprocesses offer. Any thread.
#pragma once

#include <sys/types.h>
#include <unistd.h>

#include <string>
#include <utility>
#include <vector>

#include "coroscope/net/process.hpp"

namespace coroscope::detail {

class OwnedFd {
public:
    OwnedFd() noexcept = default;
    explicit OwnedFd(int fd) noexcept : fd_(fd) {}
    OwnedFd(OwnedFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    OwnedFd& operator=(OwnedFd&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~OwnedFd() {
        if (fd_ >= 0) ::close(fd_);
    }
    int get() const noexcept { return fd_; }
    int release() noexcept { return std::exchange(fd_, -1); }

private:
    int fd_ = -1;
};

class Spawned {
public:
    Spawned() noexcept = default;
    pid_t pid = -1;
    OwnedFd in, out, err;  // this program's ends of the pipes; none: not redirected to PIPE
};

// Throws std::system_error, std::invalid_argument.
Spawned spawn_program(const std::string& program, const std::vector<std::string>& arguments,
                      const ProcessOptions& options);

}  // namespace coroscope::detail
