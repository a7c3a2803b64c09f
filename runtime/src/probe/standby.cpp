#include "standby.hpp"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <thread>
#include <utility>

#include "app_signals.hpp"
#include "coroscope/emit.h"
#include "find_library.hpp"
#include "json.hpp"
#include "proto/address/app_sockets.hpp"
#include "switch.hpp"

namespace coroscope::probe {

namespace {

constexpr std::size_t most_request_bytes = 8192;
constexpr int patience_s = 2;  // for a tool to send its request, and to take the answer
constexpr int no_descriptors_ms = 1000;
constexpr std::uint32_t most_flush_ms = 1000;
// Above what an app has open as a rule: it gets the numbers that it would get without us.
constexpr int lowest_descriptor = 700;

// A descriptor of ours that the app may close or replace at any time.
class Descriptor {
public:
    Descriptor() = default;
    explicit Descriptor(int fd) noexcept : fd_(fd) {
        struct stat info{};
        if (fd_ >= 0 && ::fstat(fd_, &info) == 0) inode_ = info.st_ino;
    }
    int fd() const noexcept { return fd_; }
    bool is_ours() const noexcept {
        struct stat info{};
        return fd_ >= 0 && ::fstat(fd_, &info) == 0 && S_ISSOCK(info.st_mode) && info.st_ino == inode_;
    }
    void close() noexcept {
        if (is_ours()) ::close(fd_);
        fd_ = -1;
    }

private:
    int fd_ = -1;
    ino_t inode_ = 0;
};

// Never destroyed. Under the switch's mutex until the thread runs, then the thread's.
struct Listener {
    bool tried = false;
    pid_t owner = 0;
    std::string path;
    Descriptor socket;
    int signal = 0;  // 0: none
};
Listener& listener() noexcept {
    static Listener* const the_listener = new Listener;
    return *the_listener;
}

// Between the handler of the signal and the thread.
std::atomic<bool> g_signalled{false};
std::atomic<pid_t> g_thread{0};

std::string error_text() { return std::strerror(errno); }

// Ours alone, so that nobody else puts a socket there. "": it is.
std::string make_folder(const std::string& folder) {
    if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return folder + " cannot be made: " + error_text();
    struct stat info{};
    if (::lstat(folder.c_str(), &info) != 0) return folder + " cannot be read: " + error_text();
    if (!S_ISDIR(info.st_mode) || info.st_uid != ::geteuid() || (info.st_mode & 077) != 0)
        return folder + " is not a folder of this user's alone; remove it, or set XDG_RUNTIME_DIR";
    return "";
}

bool somebody_answers(const sockaddr_un& address) {
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return false;
    const bool connected = ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    ::close(fd);
    return connected;
}

// Binds and listens. "": it does.
std::string open_socket(Listener& self) {
    const std::string folder = app_sockets_folder();
    if (std::string why_not = make_folder(folder); !why_not.empty()) return why_not;
    self.path = app_socket(folder, ::getpid());
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (self.path.size() >= sizeof address.sun_path) return self.path + " is too long for a socket";
    self.path.copy(address.sun_path, self.path.size());
    if (somebody_answers(address)) return "another process listens at " + self.path;
    int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0) return "no socket: " + error_text();
    if (const int high = ::fcntl(fd, F_DUPFD_CLOEXEC, lowest_descriptor); high >= 0) {
        ::close(fd);
        fd = high;
    }
    ::unlink(self.path.c_str());  // of an earlier process of this number
    // Nobody can connect before listen().
    if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::chmod(self.path.c_str(), 0600) != 0 || ::listen(fd, 16) != 0) {
        std::string why_not = self.path + ": " + error_text();
        ::close(fd);
        return why_not;
    }
    self.socket = Descriptor(fd);
    return "";
}

void remove_socket_at_exit() {
    const Listener& self = listener();
    if (self.owner == ::getpid() && !self.path.empty()) ::unlink(self.path.c_str());
}

bool may_ask(int connection) {
    ucred peer{};
    socklen_t size = sizeof peer;
    return ::getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
           (peer.uid == ::geteuid() || peer.uid == ::getuid() || peer.uid == 0);
}

// nullopt-like "": the tool sent no line.
std::string read_request(int connection) {
    std::string text;
    char bytes[1024];
    while (text.size() < most_request_bytes && text.find('\n') == std::string::npos) {
        const ssize_t size = ::recv(connection, bytes, sizeof bytes, 0);
        if (size <= 0) return "";
        text.append(bytes, static_cast<std::size_t>(size));
    }
    return text.substr(0, text.find('\n'));
}

void send_all(const Descriptor& connection, std::string_view text) {
    while (!text.empty() && connection.is_ours()) {
        const ssize_t size = ::send(connection.fd(), text.data(), text.size(), MSG_NOSIGNAL);
        if (size <= 0) return;
        text.remove_prefix(static_cast<std::size_t>(size));
    }
}

void serve_one(int fd) {
    Descriptor connection(fd);
    const timeval patience{patience_s, 0};
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    try {
        if (!may_ask(fd)) {
            send_all(connection, R"({"ok":false,"error":"the process belongs to another user"})");
        } else if (const std::string request = read_request(fd); !request.empty()) {
            send_all(connection, answer_to(request));
        }
    } catch (...) {  // out of memory: no answer
    }
    connection.close();
}

void say(const std::string& text) { cs_log(CS_LOG_INFO, text.c_str()); }

// The first signal switches debug mode on, the next one off.
void toggle() {
    try {
        if (switch_state().on) {
            switch_off(most_flush_ms);
            say("debug mode is off, by the signal");
        } else if (const char* why_not = switch_on(nullptr)) {
            say(why_not);
        } else {
            say("debug mode is on, by the signal; it goes to " + switch_state().target);
        }
    } catch (...) {  // out of memory
    }
}

// False: it listens no more.
bool accept_one(Listener& self) {
    if (!self.socket.is_ours()) {
        self.socket = {};
        return open_socket(self).empty();
    }
    const int connection = ::accept4(self.socket.fd(), nullptr, nullptr, SOCK_CLOEXEC);
    if (connection >= 0) {
        serve_one(connection);
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
        ::poll(nullptr, 0, no_descriptors_ms);
    }
    return true;
}

void listen_on_own_thread(Listener& self) {
    ::pthread_setname_np(::pthread_self(), "coroscope-tools");
    g_thread.store(static_cast<pid_t>(::syscall(SYS_gettid)), std::memory_order_relaxed);
    sigset_t while_waiting;
    ::pthread_sigmask(SIG_BLOCK, nullptr, &while_waiting);
    if (self.signal != 0) ::sigdelset(&while_waiting, self.signal);
    for (bool listens = true; listens;) {
        pollfd socket{self.socket.fd(), POLLIN, 0};
        const int count = ::ppoll(&socket, 1, nullptr, &while_waiting);
        if (g_signalled.exchange(false, std::memory_order_relaxed)) toggle();
        if (count > 0) listens = accept_one(self);
    }
}

/* ---- The signal ---- */

void on_signal(int number) {
    const int error = errno;
    g_signalled.store(true, std::memory_order_relaxed);
    // It waits with this signal let through: see listen_on_own_thread().
    const pid_t thread = g_thread.load(std::memory_order_relaxed);
    if (thread != 0 && thread != static_cast<pid_t>(::syscall(SYS_gettid)))
        ::syscall(SYS_tgkill, ::getpid(), thread, number);
    errno = error;
}

// "USR2", "SIGUSR2", "12", "RTMIN+3"; 0: none that may be used.
int signal_number(std::string_view text) {
    if (text.starts_with("SIG")) text.remove_prefix(3);
    int number = 0;
    if (text.starts_with("RTMIN+")) {
        number = SIGRTMIN + std::atoi(std::string(text.substr(6)).c_str());
    } else if (!text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos && text.size() < 4) {
        number = std::atoi(std::string(text).c_str());
    } else {
        for (int each = 1; each < SIGRTMIN; ++each)
            if (const char* name = ::sigabbrev_np(each); name != nullptr && text == name) number = each;
    }
    for (const int taken : {SIGKILL, SIGSTOP, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS, SIGCHLD})
        if (number == taken) return 0;
    return number > 0 && number <= SIGRTMAX ? number : 0;
}

// "": nobody asked for a signal, or it is taken.
std::string take_signal(Listener& self) {
    const std::string text = variable("COROSCOPE_SIGNAL");
    if (text.empty()) return "";
    const int number = signal_number(text);
    if (number == 0)
        return "COROSCOPE_SIGNAL='" + text + "' is no signal that can be used; use a name or a number, as USR2";
    struct sigaction before{};
    if (::sigaction(number, nullptr, &before) != 0 || (before.sa_handler != SIG_DFL && before.sa_handler != on_signal))
        return "COROSCOPE_SIGNAL='" + text + "': the program handles that signal itself; use another";
    struct sigaction action{};
    action.sa_handler = on_signal;
    action.sa_flags = SA_RESTART;
    ::sigemptyset(&action.sa_mask);
    self.signal = number;
    ::sigaction(number, &action, nullptr);
    return "";
}

std::string start_thread(Listener& self) {
    try {
        const AppSignalsBlocked blocked;
        std::thread([&self] { listen_on_own_thread(self); }).detach();
        return "";
    } catch (const std::exception& error) {
        return error.what();
    }
}

}  // namespace

bool standby_signal_asked() { return !variable("COROSCOPE_SIGNAL").empty(); }

std::string listen_for_tools() {
    Listener& self = listener();
    if (std::exchange(self.tried, true)) return "";
    constexpr const char* impossible = "nothing can be attached to this process: ";
    if (std::string why_not = open_socket(self); !why_not.empty()) return impossible + why_not;
    self.owner = ::getpid();
    static const int registered = std::atexit(remove_socket_at_exit);
    static_cast<void>(registered);
    std::string why_no_signal = take_signal(self);
    if (std::string why_not = start_thread(self); !why_not.empty()) {
        ::unlink(self.path.c_str());
        return impossible + why_not;
    }
    return why_no_signal;
}

void stop_listening_in_child() noexcept {
    Listener& self = listener();
    self.socket.close();
    self.tried = false;
    self.owner = 0;
    self.signal = 0;
    g_thread.store(0, std::memory_order_relaxed);
}

}  // namespace coroscope::probe
