#include "child.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <thread>
#include <utility>

extern char** environ;  // NOLINT: POSIX wants it declared

namespace coroscope::bench {

namespace {

using Clock = std::chrono::steady_clock;

std::vector<std::string> merged_environment(const Environment& changes) {
    std::vector<std::string> all;
    for (char** at = environ; *at != nullptr; ++at) {
        const std::string entry = *at;
        if (!changes.contains(entry.substr(0, entry.find('=')))) all.push_back(entry);
    }
    for (const auto& [name, value] : changes)
        if (!value.empty()) all.push_back(name + "=" + value);
    return all;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> all;
    for (std::string& text : texts) all.push_back(text.data());
    all.push_back(nullptr);
    return all;
}

int milliseconds_until(Clock::time_point deadline) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    return left > 0 ? static_cast<int>(left) : 0;
}

}  // namespace

Child::Child(const std::vector<std::string>& command, const Environment& environment, const std::string& log_path)
    : name_(command.at(0)) {
    std::vector<std::string> arguments = command;
    std::vector<std::string> variables = merged_environment(environment);
    const std::vector<char*> argv = pointers(arguments), envp = pointers(variables);
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("no pipe: " + std::string(std::strerror(errno)));
    const pid_t parent = ::getpid();
    pid_ = ::fork();
    if (pid_ == 0) {  // only async-signal-safe calls from here
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (::getppid() != parent) ::_exit(126);
        ::dup2(ends[1], STDOUT_FILENO);
        const int log = ::open(log_path.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
        if (log >= 0) ::dup2(log, STDERR_FILENO);
        ::execve(argv[0], argv.data(), envp.data());
        ::_exit(127);
    }
    ::close(ends[1]);
    output_ = ends[0];
    if (pid_ < 0) throw std::runtime_error("cannot start " + name_ + ": " + std::strerror(errno));
}

Child::~Child() {
    if (!ended_ && pid_ > 0) {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
    if (output_ >= 0) ::close(output_);
}

bool Child::fill(Clock::time_point deadline) {
    if (end_of_output_) return false;
    pollfd wanted{output_, POLLIN, 0};
    if (::poll(&wanted, 1, milliseconds_until(deadline)) <= 0) return false;
    char buffer[65536];
    const ssize_t count = ::read(output_, buffer, sizeof buffer);
    if (count <= 0) {
        end_of_output_ = true;
        return false;
    }
    pending_.append(buffer, static_cast<std::size_t>(count));
    return true;
}

std::optional<std::string> Child::line(std::chrono::milliseconds most) {
    const auto deadline = Clock::now() + most;
    for (;;) {
        if (const std::size_t end = pending_.find('\n'); end != std::string::npos) {
            std::string text = pending_.substr(0, end);
            pending_.erase(0, end + 1);
            return text;
        }
        if (!fill(deadline)) return std::nullopt;
    }
}

std::string Child::rest(std::chrono::milliseconds most) {
    const auto deadline = Clock::now() + most;
    while (fill(deadline)) {
    }
    if (!end_of_output_) throw std::runtime_error(name_ + " does not come to an end");
    return std::exchange(pending_, {});
}

int Child::wait(std::chrono::milliseconds most) {
    const auto deadline = Clock::now() + most;
    while (!ended_) {
        int status = 0;
        const pid_t which = ::waitpid(pid_, &status, WNOHANG);
        if (which == pid_) {
            ended_ = true;
            code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
            break;
        }
        if (Clock::now() > deadline) throw std::runtime_error(name_ + " does not end");
        std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    return code_;
}

void Child::terminate() {
    if (ended_) return;
    ::kill(pid_, SIGTERM);
    try {
        wait(std::chrono::seconds(5));
    } catch (const std::runtime_error&) {
        ::kill(pid_, SIGKILL);
        wait(std::chrono::seconds(5));
    }
}

std::string run_child(const std::vector<std::string>& command, const Environment& environment,
                      const std::string& log_path, std::chrono::milliseconds most) {
    Child child(command, environment, log_path);
    std::string output = child.rest(most);
    const int code = child.wait(std::chrono::seconds(20));
    if (code != 0) {
        throw std::runtime_error(command[0] + " failed with code " + std::to_string(code) + "; see " + log_path);
    }
    return output;
}

}  // namespace coroscope::bench
