#include "process.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

extern char** environ;

namespace coroscope::cli {

namespace {

// posix_spawn's two bags of settings, freed.
struct Settings {
    Settings() {
        ::posix_spawn_file_actions_init(&files);
        ::posix_spawnattr_init(&attributes);
    }
    ~Settings() {
        ::posix_spawn_file_actions_destroy(&files);
        ::posix_spawnattr_destroy(&attributes);
    }
    Settings(const Settings&) = delete;
    Settings& operator=(const Settings&) = delete;

    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
};

std::vector<std::string> merged_environment(const std::vector<std::string>& ours_first) {
    std::vector<std::string> merged = ours_first;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string_view text(*entry);
        const std::string_view name = text.substr(0, text.find('=') + 1);
        bool replaced = false;
        for (const std::string& ours : ours_first) replaced = replaced || ours.compare(0, name.size(), name) == 0;
        if (!replaced) merged.emplace_back(text);
    }
    return merged;
}

std::vector<char*> pointers(const std::vector<std::string>& strings) {
    std::vector<char*> list;
    for (const std::string& text : strings) list.push_back(const_cast<char*>(text.c_str()));
    list.push_back(nullptr);
    return list;
}

}  // namespace

BlockedSignals::BlockedSignals() {
    sigemptyset(&set_);
    for (const int number : {SIGCHLD, SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2}) sigaddset(&set_, number);
    ::pthread_sigmask(SIG_BLOCK, &set_, &before_);
}

BlockedSignals::~BlockedSignals() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

pid_t spawn(const Spawn& what, const sigset_t& mask) {
    Settings settings;
    short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
    ::posix_spawnattr_setsigmask(&settings.attributes, &mask);
    sigset_t defaults;
    sigemptyset(&defaults);
    sigaddset(&defaults, SIGPIPE);
    ::posix_spawnattr_setsigdefault(&settings.attributes, &defaults);
    if (what.own_group) {
        flags = static_cast<short>(flags | POSIX_SPAWN_SETPGROUP);
        ::posix_spawnattr_setpgroup(&settings.attributes, 0);
    }
    ::posix_spawnattr_setflags(&settings.attributes, flags);
    if (what.stdout_fd >= 0) ::posix_spawn_file_actions_adddup2(&settings.files, what.stdout_fd, STDOUT_FILENO);
    if (what.own_group) ::posix_spawn_file_actions_addopen(&settings.files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    if (what.discard_errors) {
        ::posix_spawn_file_actions_addopen(&settings.files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    }
    const std::vector<std::string> environment = merged_environment(what.environment);
    const std::vector<char*> argv = pointers(what.arguments), envp = pointers(environment);
    pid_t child = 0;
    const int error = ::posix_spawnp(&child, argv[0], &settings.files, &settings.attributes, argv.data(), envp.data());
    return error == 0 ? child : -error;
}

int wait_and_forward(pid_t child, const BlockedSignals& signals) {
    for (;;) {
        int status = 0;
        const pid_t ended = ::waitpid(child, &status, WNOHANG);
        if (ended == child) return status;
        if (ended < 0 && errno != EINTR) return 0;
        siginfo_t info{};
        const int number = ::sigwaitinfo(&signals.set(), &info);
        if (number <= 0 || number == SIGCHLD) continue;
        // What the terminal's keys send goes to the whole foreground group: the child has it already.
        if (info.si_code != SI_KERNEL) ::kill(child, number);
    }
}

int exit_code(int wait_status) {
    return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

std::string own_path() {
    std::error_code error;
    const auto path = std::filesystem::read_symlink("/proc/self/exe", error);
    return error ? "coroscope" : path.string();
}

}  // namespace coroscope::cli
