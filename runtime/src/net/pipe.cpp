#include "coroscope/net/pipe.hpp"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <string>
#include <system_error>

#include "fail.hpp"

namespace coroscope {

using detail::fail;
using detail::FdKind;
using detail::Ref;
using detail::StreamState;

namespace {

FdKind kind_of(int fd) {
    struct stat file{};
    if (::fstat(fd, &file) != 0) fail(errno, "cannot connect to a pipe");
    if (S_ISSOCK(file.st_mode)) return FdKind::socket;
    if (S_ISFIFO(file.st_mode) || S_ISCHR(file.st_mode)) return FdKind::pipe;
    throw std::invalid_argument("only pipes, FIFOs, terminals and sockets can be streams; use to_thread() for files");
}

// Puts an open file of our own behind the terminal's descriptor: O_NONBLOCK would be the other processes', too. False:
// it may not be opened.
bool open_anew(int fd, int access) {
    const std::string path = "/proc/self/fd/" + std::to_string(fd);
    const int own = ::open(path.c_str(), access | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (own < 0) return false;
    const int replaced = ::dup3(own, fd, O_CLOEXEC);
    ::close(own);
    return replaced >= 0;
}

// Opening the master side of a pseudo-terminal anew would make another terminal.
bool is_master(int fd) {
    char name[64];
    return ::ptsname_r(fd, name, sizeof name) == 0;
}

void make_non_blocking(int fd, int flags) {
    if ((flags & O_NONBLOCK) != 0) return;
    if (::isatty(fd) == 1 && !is_master(fd) && open_anew(fd, flags & O_ACCMODE)) return;
    if (::fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0) fail(errno, "cannot make a pipe non-blocking");
}

Ref<StreamState> connect(int fd, const StreamOptions& options, int other_direction) {
    EventLoop& loop = EventLoop::running();
    const FdKind kind = kind_of(fd);
    const int flags = ::fcntl(fd, F_GETFL);
    if ((flags & O_ACCMODE) == other_direction) fail(EBADF, "this end of the pipe is the other one");
    make_non_blocking(fd, flags);
    return Ref<StreamState>(new StreamState(loop, fd, Address(), options, kind));
}

}  // namespace

StreamReader connect_read_pipe(int fd, StreamOptions options) {
    Ref<StreamState> state = connect(fd, options, O_WRONLY);
    state->expect_no_data();  // a FIFO without a writer reads as ended, but polls as empty
    try {
        state->watch();
    } catch (...) {
        state->give_up();  // the caller's still
        throw;
    }
    return StreamReader(std::move(state));
}

StreamWriter connect_write_pipe(int fd, StreamOptions options) { return StreamWriter(connect(fd, options, O_RDONLY)); }

}  // namespace coroscope
