#include "child_exit.hpp"

#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <mutex>
#include <new>
#include <system_error>

#include "runtime/src/core/observe.hpp"

namespace coroscope::detail {

namespace {

constexpr int unknown_code = 255;  // somebody else has reaped it

// Blocks until the child can be reaped; leaves it so. False: it is not ours any more.
bool wait_for_end(pid_t pid) noexcept {
    siginfo_t info;
    while (::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOWAIT) != 0) {
        if (errno != EINTR) return false;
    }
    return true;
}

void reap(pid_t pid) noexcept {
    while (::waitpid(pid, nullptr, 0) < 0 && errno == EINTR) {
    }
}

// A detached thread that gets none of the program's signals.
bool start_thread(void* (*function)(void*), void* argument) noexcept {
    pthread_attr_t attributes;
    if (::pthread_attr_init(&attributes) != 0) return false;
    ::pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    sigset_t all, before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_t thread;
    const bool started = ::pthread_create(&thread, &attributes, function, argument) == 0;
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    ::pthread_attr_destroy(&attributes);
    return started;
}

}  // namespace

// What the loop's thread and a waiting thread share. Whoever comes later reaps: the loop's thread if it still cares.
struct ChildExit::Waiter {
    Waiter(pid_t the_pid, int the_event, bool is_abandoned) noexcept
        : pid(the_pid), event(the_event), abandoned(is_abandoned) {}
    ~Waiter() {
        if (event >= 0) ::close(event);
    }
    Waiter(const Waiter&) = delete;
    Waiter& operator=(const Waiter&) = delete;

    static bool start(const std::shared_ptr<Waiter>& waiter) noexcept {
        auto* own = new (std::nothrow) std::shared_ptr<Waiter>(waiter);
        if (own != nullptr && start_thread(&Waiter::run, own)) return true;
        delete own;
        return false;
    }
    static void* run(void* argument) {
        const std::unique_ptr<std::shared_ptr<Waiter>> own(static_cast<std::shared_ptr<Waiter>*>(argument));
        Waiter& self = **own;
        const bool ours = wait_for_end(self.pid);
        const std::scoped_lock lock(self.mutex);
        self.over = true;
        if (self.abandoned) {
            if (ours) reap(self.pid);
            return nullptr;
        }
        const std::uint64_t one = 1;
        [[maybe_unused]] const ssize_t written = ::write(self.event, &one, sizeof one);
        return nullptr;
    }
    void abandon() noexcept {
        const std::scoped_lock lock(mutex);
        abandoned = true;
        if (over) reap(pid);
    }

    const pid_t pid;
    const int event;
    std::mutex mutex;
    bool abandoned;     // under the mutex: the loop does not want to know any more
    bool over = false;  // under the mutex: the thread has waited
};

ChildExit::ChildExit(EventLoop& loop, pid_t pid, const std::string& command) : loop_(loop), pid_(pid) {
    ready = [](FdWatch& watch, std::uint32_t) noexcept { static_cast<ChildExit&>(watch).look(); };
    ended.constructed(
        {.type = ResourceType::subprocess, .system_id = static_cast<std::uint64_t>(pid), .name = command});
    try {
        watch_by_pidfd();
        if (fd < 0) watch_by_thread();
        look();  // it may have ended before it was watched
    } catch (...) {
        if (fd >= 0 && !waiter_) ::close(fd);
        ::kill(pid_, SIGKILL);
        reap(pid_);
        throw;
    }
}

ChildExit::~ChildExit() {
    if (returncode_) return;
    const std::shared_ptr<Waiter> waiter = std::move(waiter_);
    stop_watching();
    if (::waitpid(pid_, nullptr, WNOHANG) != 0) return;
    char text[96];
    std::snprintf(text, sizeof text, "process %d still runs, and its handle is gone", static_cast<int>(pid_));
    report_unclosed_transport(text);
    if (waiter) {
        waiter->abandon();
        return;
    }
    try {
        Waiter::start(std::make_shared<Waiter>(pid_, -1, true));
    } catch (const std::bad_alloc&) {  // it is reaped when this program ends
    }
}

void ChildExit::watch_by_pidfd() {
    fd = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0));
    if (fd < 0) return;
    loop_.watch(*this);
}

void ChildExit::watch_by_thread() {
    const int event = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (event < 0) throw std::system_error(errno, std::generic_category(), "cannot watch a subprocess");
    waiter_ = std::make_shared<Waiter>(pid_, event, false);
    fd = event;
    loop_.watch(*this);
    if (Waiter::start(waiter_)) return;
    loop_.unwatch(*this);
    throw std::system_error(EAGAIN, std::generic_category(), "cannot watch a subprocess");
}

void ChildExit::look() noexcept {
    if (returncode_) return;
    int status = 0;
    const pid_t found = ::waitpid(pid_, &status, WNOHANG);
    if (found == 0 || (found < 0 && errno != ECHILD)) return;
    returncode_ = found < 0 ? unknown_code : WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
    stop_watching();
    ended.set();
}

void ChildExit::stop_watching() noexcept {
    if (fd < 0) return;
    loop_.unwatch(*this);
    if (!waiter_) ::close(fd);  // else it is the waiter's
    fd = -1;
}

int ChildExit::send_signal(int signal) noexcept {
    look();  // it may have ended, and the loop not know yet
    if (returncode_) return ESRCH;
    return ::kill(pid_, signal) == 0 ? 0 : errno;
}

}  // namespace coroscope::detail
