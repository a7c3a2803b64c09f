#include "spawn.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <string_view>
#include <system_error>

#include "fail.hpp"

namespace coroscope::detail {

namespace {

using subprocess::Redirect;
using Kind = Redirect::Kind;

void check(int error) {
    if (error != 0) fail(error, "cannot prepare a subprocess");
}

bool is_directory(const std::string& path) {
    struct stat file{};
    return ::stat(path.c_str(), &file) == 0 && S_ISDIR(file.st_mode);
}

// A descriptor above the standard ones: so that putting one of them in place in the child never covers another.
OwnedFd above_standard(int fd) {
    OwnedFd copy(::fcntl(fd, F_DUPFD_CLOEXEC, 3));
    if (copy.get() < 0) fail(errno, "cannot redirect a subprocess to file descriptor " + std::to_string(fd));
    return copy;
}

struct Pipe {
    Pipe() {
        int ends[2];
        if (::pipe2(ends, O_CLOEXEC) != 0) fail(errno, "cannot make a pipe to a subprocess");
        read = OwnedFd(ends[0]);
        write = OwnedFd(ends[1]);
    }
    OwnedFd read, write;
};

class Actions {
public:
    Actions() { check(::posix_spawn_file_actions_init(&actions_)); }
    ~Actions() { ::posix_spawn_file_actions_destroy(&actions_); }
    Actions(const Actions&) = delete;
    Actions& operator=(const Actions&) = delete;

    // What becomes the child's descriptor `number`. Returns our end of a pipe.
    OwnedFd redirect(int number, Redirect where) {
        if (where.kind() == Kind::inherit) return {};
        if (where.kind() == Kind::out) {
            check(::posix_spawn_file_actions_adddup2(&actions_, 1, number));
            return {};
        }
        OwnedFd ours;
        childs_.push_back(open_childs_end(number, where, ours));
        check(::posix_spawn_file_actions_adddup2(&actions_, childs_.back().get(), number));
        return ours;
    }
    void change_directory(const std::string& path) {
        check(::posix_spawn_file_actions_addchdir_np(&actions_, path.c_str()));
    }
    // Closes everything else. With descriptors to pass, only what is close-on-exec, as all of this library's are.
    void close_others(const std::vector<int>& passed) {
        for (const int fd : passed) check(::posix_spawn_file_actions_adddup2(&actions_, fd, fd));  // no close-on-exec
        if (passed.empty()) check(::posix_spawn_file_actions_addclosefrom_np(&actions_, 3));
    }
    const posix_spawn_file_actions_t* get() const noexcept { return &actions_; }

private:
    static OwnedFd open_childs_end(int number, Redirect where, OwnedFd& ours) {
        if (where.kind() == Kind::fd) return above_standard(where.fd());
        if (where.kind() == Kind::null) {
            const OwnedFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
            if (null.get() < 0) fail(errno, "cannot open /dev/null");
            return above_standard(null.get());
        }
        Pipe pipe;
        ours = number == 0 ? std::move(pipe.write) : std::move(pipe.read);
        return above_standard(number == 0 ? pipe.read.get() : pipe.write.get());
    }

    posix_spawn_file_actions_t actions_;
    std::vector<OwnedFd> childs_;
};

class Attributes {
public:
    explicit Attributes(const ProcessOptions& options) {
        check(::posix_spawnattr_init(&attributes_));
        sigset_t defaults;
        ::sigemptyset(&defaults);
        ::sigaddset(&defaults, SIGPIPE);
        ::sigaddset(&defaults, SIGXFSZ);
        ::posix_spawnattr_setsigdefault(&attributes_, &defaults);
        int flags = POSIX_SPAWN_SETSIGDEF;
        if (options.start_new_session) flags |= POSIX_SPAWN_SETSID;
        if (options.process_group) {
            flags |= POSIX_SPAWN_SETPGROUP;
            ::posix_spawnattr_setpgroup(&attributes_, *options.process_group);
        }
        ::posix_spawnattr_setflags(&attributes_, static_cast<short>(flags));
    }
    ~Attributes() { ::posix_spawnattr_destroy(&attributes_); }
    Attributes(const Attributes&) = delete;
    Attributes& operator=(const Attributes&) = delete;
    const posix_spawnattr_t* get() const noexcept { return &attributes_; }

private:
    posix_spawnattr_t attributes_;
};

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> all;
    for (std::string& text : texts) {
        if (text.find('\0') != std::string::npos)
            throw std::invalid_argument("an argument or a variable of a subprocess has a zero byte in it");
        all.push_back(text.data());
    }
    all.push_back(nullptr);
    return all;
}

std::vector<std::string> variables(const ProcessOptions& options) {
    std::vector<std::string> all;
    if (options.env) {
        for (const auto& [name, value] : *options.env) {
            if (name.empty() || name.find('=') != std::string::npos)
                throw std::invalid_argument("'" + name + "' cannot be the name of an environment variable");
            all.push_back(name + "=" + value);
        }
    } else {
        for (char** each = environ; each != nullptr && *each != nullptr; ++each) all.emplace_back(*each);
    }
    return all;
}

// The program's file, by the PATH that the child will have.
std::string find_program(const std::string& program, const std::vector<std::string>& environment) {
    if (program.find('/') != std::string::npos || program.empty()) return program;
    std::string_view path = "/usr/local/bin:/usr/bin:/bin";
    for (const std::string& variable : environment) {
        if (variable.starts_with("PATH=")) path = std::string_view(variable).substr(5);
    }
    int error = ENOENT;
    while (!path.empty()) {
        const std::size_t end = std::min(path.find(':'), path.size());
        const std::string file = (end == 0 ? "." : std::string(path.substr(0, end))) + "/" + program;
        if (::access(file.c_str(), X_OK) == 0 && !is_directory(file)) return file;
        if (::access(file.c_str(), F_OK) == 0) error = EACCES;
        path.remove_prefix(std::min(end + 1, path.size()));
    }
    fail(error, "cannot run '" + program + "': it is in no directory of PATH");
}

void check_options(const ProcessOptions& options) {
    if (options.in.kind() == Kind::out || options.out.kind() == Kind::out)
        throw std::invalid_argument("STDOUT is for the err of a subprocess only");
    if (options.start_new_session && options.process_group)
        throw std::invalid_argument("a subprocess with a session of its own cannot join a process group");
    for (const int fd : options.pass_fds) {
        if (fd < 3) throw std::invalid_argument("pass_fds is for file descriptors above the standard ones");
    }
}

}  // namespace

Spawned spawn_program(const std::string& program, const std::vector<std::string>& arguments,
                      const ProcessOptions& options) {
    check_options(options);
    std::vector<std::string> environment = variables(options);
    const std::string file = find_program(program, environment);
    std::vector<std::string> command{program};
    command.insert(command.end(), arguments.begin(), arguments.end());
    const std::vector<char*> argv = pointers(command);
    const std::vector<char*> envp = pointers(environment);

    Spawned spawned;
    Actions actions;
    const Attributes attributes(options);
    spawned.in = actions.redirect(0, options.in);
    spawned.out = actions.redirect(1, options.out);
    spawned.err = actions.redirect(2, options.err);
    if (!options.cwd.empty()) actions.change_directory(options.cwd);
    actions.close_others(options.pass_fds);
    const int error =
        ::posix_spawn(&spawned.pid, file.c_str(), actions.get(), attributes.get(), argv.data(), envp.data());
    if (error == 0) return spawned;
    if (!options.cwd.empty() && (error == ENOENT || error == ENOTDIR) && !is_directory(options.cwd))
        fail(error, "cannot run '" + program + "' in the directory '" + options.cwd + "'");
    fail(error, "cannot run '" + program + "'");
}

}  // namespace coroscope::detail
