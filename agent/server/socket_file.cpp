#include "socket_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

namespace coroscope::server {

namespace {

std::string because(int error) { return std::string(": ") + std::strerror(error); }

// Nobody else may be able to swap the socket for his own: the directory is ours or root's, and only sticky if others
// may write.
void check_directory(const std::string& path) {
    std::string directory = std::filesystem::path(path).parent_path().string();
    if (directory.empty()) directory = ".";
    struct stat status{};
    if (::stat(directory.c_str(), &status) != 0) {
        throw ListenError("cannot listen on unix:" + path + because(errno) + " (" + directory +
                          "); create that directory or choose another path with --listen");
    }
    if (!S_ISDIR(status.st_mode)) {
        throw ListenError("cannot listen on unix:" + path + ": " + directory +
                          " is not a directory; choose another path with --listen");
    }
    const bool ours = status.st_uid == ::geteuid() || status.st_uid == 0;
    const bool others_write = (status.st_mode & (S_IWGRP | S_IWOTH)) != 0;
    const bool sticky = (status.st_mode & S_ISVTX) != 0;
    if (!ours || (others_write && !sticky)) {
        throw ListenError("refusing to listen on unix:" + path + ": other users can replace files in " + directory +
                          "; choose a directory of your own with --listen");
    }
}

// The lock file, locked. Its last holder may remove it between our open and our lock: then we hold a file that is no
// longer there.
int lock_file(const std::string& lock_path, const std::string& path) {
    for (;;) {
        const int fd = ::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0) {
            throw ListenError("cannot listen on unix:" + path + because(errno) + " (" + lock_path +
                              "); choose another path with --listen");
        }
        if (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
            ::close(fd);
            throw ListenError("an agent is already listening on unix:" + path +
                              "; use it, or start another one with --listen unix:OTHER-PATH");
        }
        struct stat held{}, there{};
        if (::fstat(fd, &held) == 0 && ::stat(lock_path.c_str(), &there) == 0 && held.st_ino == there.st_ino &&
            held.st_dev == there.st_dev) {
            return fd;
        }
        ::close(fd);
    }
}

void remove_stale(const std::string& path) {
    struct stat status{};
    if (::lstat(path.c_str(), &status) != 0) {
        if (errno == ENOENT) return;
        throw ListenError("cannot listen on unix:" + path + because(errno) + "; choose another path with --listen");
    }
    if (!S_ISSOCK(status.st_mode)) {
        throw ListenError("cannot listen on unix:" + path +
                          ": a file that is not a socket is there; remove it or choose another path with --listen");
    }
    if (status.st_uid != ::geteuid()) {
        throw ListenError("cannot listen on unix:" + path + ": the socket there belongs to user " +
                          std::to_string(status.st_uid) + "; choose another path with --listen");
    }
    if (somebody_listens(path)) {
        throw ListenError("something is already listening on unix:" + path +
                          "; use it, or start another agent with --listen unix:OTHER-PATH");
    }
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
        throw ListenError("cannot replace the socket of a dead agent, " + path + because(errno) +
                          "; remove it or choose another path with --listen");
    }
}

}  // namespace

bool somebody_listens(const std::string& path) {
    sockaddr_un address{};
    if (path.size() >= sizeof(address.sun_path)) return false;
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return false;
    const int result = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof(address));
    const bool listens = result == 0 || errno == EAGAIN;  // EAGAIN: its backlog is full, so there is one
    ::close(fd);
    return listens;
}

SocketFile::SocketFile(std::string path) : path_(std::move(path)), lock_path_(path_ + ".lock") {
    check_directory(path_);
    lock_ = lock_file(lock_path_, path_);
    try {
        remove_stale(path_);
    } catch (...) {
        ::unlink(lock_path_.c_str());
        ::close(lock_);
        throw;
    }
}

SocketFile::~SocketFile() {
    ::unlink(path_.c_str());
    ::unlink(lock_path_.c_str());  // before the lock goes: who opens it now makes a new one
    ::close(lock_);
}

}  // namespace coroscope::server
