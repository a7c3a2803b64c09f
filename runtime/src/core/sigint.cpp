#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <system_error>

#include "coroscope/run.hpp"
#include "debug_switch.hpp"

namespace coroscope::detail {

namespace {

// Of the run on the process's first thread: there is one at a time. The eventfd is made at the first run and kept for
// ever, so that the handler cannot write to a descriptor that means something else by now.
std::atomic<int> sigint_event{-1};
std::atomic<bool> sigint_came{false};  // in this run
static_assert(std::atomic<int>::is_always_lock_free && std::atomic<bool>::is_always_lock_free);

void set_default() noexcept {
    struct sigaction action {};
    action.sa_handler = SIG_DFL;
    ::sigaction(SIGINT, &action, nullptr);
}

extern "C" void coroscope_sigint_came(int) {
    const int saved = errno;
    if (sigint_came.exchange(true, std::memory_order_relaxed)) {  // the second: it ends the program when this returns
        set_default();
        ::raise(SIGINT);
    }
    const std::uint64_t one = 1;
    // Relaxed: it was stored before the handler was set.
    [[maybe_unused]] const ssize_t written = ::write(sigint_event.load(std::memory_order_relaxed), &one, sizeof one);
    errno = saved;
}

bool is_first_thread() noexcept { return ::syscall(SYS_gettid) == ::getpid(); }

bool set_by_nobody() noexcept {
    struct sigaction now {};
    return ::sigaction(SIGINT, nullptr, &now) == 0 && (now.sa_flags & SA_SIGINFO) == 0 && now.sa_handler == SIG_DFL;
}

// Whether SIGINT still does what SigintScope made it do: somebody may have set something else within the run.
bool set_by_us() noexcept {
    struct sigaction now {};
    return ::sigaction(SIGINT, nullptr, &now) == 0 && now.sa_handler == coroscope_sigint_came;
}

int event_of_sigint() {
    int event = sigint_event.load(std::memory_order_relaxed);
    if (event < 0) {
        event = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (event < 0) throw std::system_error(errno, std::generic_category(), "cannot handle SIGINT (eventfd)");
        sigint_event.store(event, std::memory_order_relaxed);
    }
    std::uint64_t old = 0;
    [[maybe_unused]] const ssize_t count = ::read(event, &old, sizeof old);
    return event;
}

}  // namespace

SigintScope::SigintScope(EventLoop& loop, const AnyTask& task, OnSigint what) : loop_(loop), task_(task) {
    if (what == OnSigint::leave || !is_first_thread() || !set_by_nobody()) return;
    fd = event_of_sigint();
    sigint_came.store(false, std::memory_order_relaxed);
    ready = [](FdWatch& watch, std::uint32_t events) noexcept {
        auto& self = static_cast<SigintScope&>(watch);
        if ((events & EPOLLIN) == 0 || self.came_) return;
        self.came_ = true;
        self.task_.cancel("interrupted (SIGINT)");
    };
    loop_.watch(*this);
    struct sigaction action {};
    action.sa_handler = coroscope_sigint_came;
    action.sa_flags = SA_RESTART;
    ::sigemptyset(&action.sa_mask);
    ::sigaction(SIGINT, &action, nullptr);
    active_ = true;
}

SigintScope::~SigintScope() {
    if (!active_) return;
    if (set_by_us()) set_default();
    loop_.unwatch(*this);
}

bool SigintScope::ended_it() const noexcept { return came_ && task_.uncancel() == 0; }

void end_by_sigint() {
    finish_debug();
    set_default();
    ::raise(SIGINT);
    // Blocked, as in a process that a shell put into the background: no signal ends it then.
    ::_exit(128 + SIGINT);
}

}  // namespace coroscope::detail
