#include "app_link.hpp"

#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

#include "command.hpp"
#include "proto/address/app_sockets.hpp"
#include "proto/words/place.hpp"
#include "proto/words/utf8.hpp"

namespace coroscope::cli {

namespace {

constexpr int answer_patience_s = 60;  // stacks: its debug library may be loaded, and debug information be read
constexpr int glance_patience_ms = 500;
constexpr std::size_t most_answer_bytes = 512u << 20;
constexpr int most_tries = 3;  // a process that has just listened anew has dropped the connection
constexpr int most_waits = 50, wait_ms = 10;

std::string process_file(pid_t pid, const char* name) {
    std::ifstream in("/proc/" + std::to_string(pid) + "/" + name, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

std::string executable_name(pid_t pid) {
    std::error_code error;
    const auto path = std::filesystem::read_symlink("/proc/" + std::to_string(pid) + "/exe", error);
    if (!error) return path.filename().string();
    std::string name = process_file(pid, "comm");
    return name.substr(0, name.find('\n'));
}

// Of the environment that it was started with; "": it is not set, or may not be read.
std::string variable_of(pid_t pid, const std::string& name) {
    const std::string all = std::string(1, '\0') + process_file(pid, "environ");
    const std::string before = std::string(1, '\0') + name + "=";
    const std::size_t at = all.find(before);
    return at == std::string::npos ? "" : all.substr(at + before.size(), all.find('\0', at + 1) - at - before.size());
}

// Where its socket is: its folder is that of its own user and environment.
std::vector<std::string> sockets_of(pid_t pid) {
    std::vector<std::string> all;
    struct stat info{};
    const uid_t user = ::stat(("/proc/" + std::to_string(pid)).c_str(), &info) == 0 ? info.st_uid : ::geteuid();
    const std::string run_folder = variable_of(pid, "XDG_RUNTIME_DIR");
    for (std::string folder :
         {app_sockets_folder(run_folder.c_str(), user), app_sockets_folder(), app_sockets_folder(nullptr, user)}) {
        std::string path = app_socket(folder, pid);
        if (std::ranges::find(all, path) == all.end()) all.push_back(std::move(path));
    }
    return all;
}

// -1, and errno.
int connect_to(const std::string& path, timeval patience) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path) {
        errno = ENOENT;
        return -1;
    }
    path.copy(address.sun_path, path.size());
    const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return fd;
    const int error = errno;
    ::close(fd);
    errno = error;
    return -1;
}

int connect_to(pid_t pid, timeval patience) {
    int error = ENOENT;
    for (const std::string& path : sockets_of(pid)) {
        if (const int fd = connect_to(path, patience); fd >= 0) return fd;
        if (errno != ENOENT) error = errno;
    }
    errno = error;
    return -1;
}

struct Conversation {
    std::string answer;
    bool timed_out = false;
};

Conversation converse(int fd, const std::string& request) {
    Conversation result;
    const std::string line = request + "\n";
    bool open = ::send(fd, line.data(), line.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(line.size());
    char bytes[16384];
    while (open && result.answer.size() < most_answer_bytes) {
        const ssize_t size = ::recv(fd, bytes, sizeof bytes, 0);
        if (size < 0 && errno == EINTR) continue;
        result.timed_out = size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
        open = size > 0;
        if (open) result.answer.append(bytes, static_cast<std::size_t>(size));
    }
    ::close(fd);
    return result;
}

bool is_stopped(pid_t pid) {
    const std::string stat = process_file(pid, "stat");
    const std::size_t at = stat.rfind(')');
    return at != std::string::npos && at + 2 < stat.size() && (stat[at + 2] == 'T' || stat[at + 2] == 't');
}

std::string user_name(uid_t user) {
    const passwd* entry = ::getpwuid(user);
    return entry != nullptr ? entry->pw_name : "number " + std::to_string(user);
}

// Why nobody could be asked.
[[noreturn]] void fail_to_connect(pid_t pid, int error) {
    const std::string number = std::to_string(pid);
    struct stat info{};
    if (::stat(("/proc/" + number).c_str(), &info) != 0) throw Failure("there is no process " + number);
    const std::string process = "process " + number + " (" + words::printable(executable_name(pid)) + ")";
    if (info.st_uid != ::geteuid() && ::geteuid() != 0)
        throw Failure(process + " belongs to user " + user_name(info.st_uid) +
                      ": only that user and root can look into it");
    if (error != ENOENT && error != ECONNREFUSED && error != ENOTDIR)
        throw Failure(process + " cannot be asked: " + std::strerror(error));
    throw Failure(process +
                  " does not listen; start it with COROSCOPE=standby in its environment, or in debug mode, and it can "
                  "be asked at any time. It must use coroscope's runtime or an adapter");
}

[[noreturn]] void fail_to_hear(pid_t pid, bool timed_out) {
    const std::string process = "process " + std::to_string(pid);
    if (is_stopped(pid)) throw Failure(process + " is stopped; continue it: kill -CONT " + std::to_string(pid));
    throw Failure(timed_out ? process + " does not answer; it gets no CPU, or debug mode is just being switched"
                            : process + " has closed the connection without an answer; it may have ended");
}

std::optional<Json> parsed(const std::string& answer) {
    Json json = Json::parse(answer, nullptr, false);
    if (!json.is_object()) return std::nullopt;
    return json;
}

AppState state_from(pid_t pid, const Json& answer) {
    AppState app;
    app.pid = pid;
    app.name = answer.value("name", "");
    if (app.name.empty()) app.name = executable_name(pid);
    app.on = answer.value("on", false);
    app.target = answer.value("target", "");
    return app;
}

}  // namespace

Json ask_app(pid_t pid, const std::string& request) {
    Conversation last;
    for (int i = 0; i < most_tries && last.answer.empty() && !last.timed_out; ++i) {
        int fd = connect_to(pid, {answer_patience_s, 0});
        // It listened a moment ago: it is about to listen anew.
        for (int waits = 0; fd < 0 && i > 0 && waits < most_waits; ++waits) {
            ::poll(nullptr, 0, wait_ms);
            fd = connect_to(pid, {answer_patience_s, 0});
        }
        if (fd < 0) fail_to_connect(pid, errno);
        last = converse(fd, request);
    }
    const auto answer = parsed(last.answer);
    if (!answer) fail_to_hear(pid, last.timed_out);
    if (!answer->value("ok", false))
        throw Failure("process " + std::to_string(pid) + " says: " + words::printable(answer->value("error", "no")));
    return *answer;
}

AppState app_state(pid_t pid) { return state_from(pid, ask_app(pid, "status")); }

bool listens(pid_t pid) {
    const int fd = connect_to(pid, {1, 0});
    if (fd >= 0) ::close(fd);
    return fd >= 0;
}

std::optional<AppState> glance_at(pid_t pid) {
    const int fd = connect_to(pid, {0, glance_patience_ms * 1000});
    if (fd < 0) return std::nullopt;
    const auto answer = parsed(converse(fd, "status").answer);
    if (!answer || !answer->value("ok", false)) return std::nullopt;
    return state_from(pid, *answer);
}

std::vector<pid_t> listening_processes() {
    std::vector<pid_t> all;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(app_sockets_folder(), error)) {
        const std::string name = entry.path().filename().string();
        if (!name.ends_with(app_socket_ending)) continue;
        const std::string number = name.substr(0, name.size() - std::strlen(app_socket_ending));
        pid_t pid = 0;
        const auto [end, wrong] = std::from_chars(number.data(), number.data() + number.size(), pid);
        if (wrong != std::errc() || end != number.data() + number.size() || pid <= 0) continue;
        const int fd = connect_to(entry.path().string(), {1, 0});
        if (fd >= 0) {
            ::close(fd);
            all.push_back(pid);
        } else if (errno == ECONNREFUSED) {
            ::unlink(entry.path().c_str());
        }
    }
    std::ranges::sort(all);
    return all;
}

std::string title(const AppState& app) { return words::printable(app.name) + " (pid " + std::to_string(app.pid) + ")"; }

}  // namespace coroscope::cli
