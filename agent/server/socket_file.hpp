// The file of an agent's unix socket: whose it is, and that only one live agent has it.
#pragma once

#include <stdexcept>
#include <string>

namespace coroscope::server {

// Why the agent cannot listen, and what to do.
class ListenError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

// Claims a path for a socket: checks its directory, refuses where a live agent listens, removes what a dead one left.
// A lock file beside it (PATH.lock, held while this object lives) decides between two agents that start at once.
// The destructor removes the socket and the lock file. Thread: one at a time.
class SocketFile {
public:
    explicit SocketFile(std::string path);  // throws ListenError
    ~SocketFile();
    SocketFile(const SocketFile&) = delete;
    SocketFile& operator=(const SocketFile&) = delete;

private:
    std::string path_, lock_path_;
    int lock_ = -1;
};

// Somebody accepts connections there.
bool somebody_listens(const std::string& path);

}  // namespace coroscope::server
