#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <memory>
#include <thread>
#include <utility>

#include "coroscope/run.hpp"
#include "debug_switch.hpp"

namespace coroscope::detail {

// What the signal handler sends to the loop: made beforehand, because the handler may not allocate.
struct SigintCall : RemoteCall {
    EventLoop* loop = nullptr;
    SigintScope* scope = nullptr;  // nullptr: the run has ended meanwhile
};

namespace {

// Of the run on the process's first thread: there is one at a time. The handler may run on any thread.
std::atomic<SigintCall*> sigint_call{nullptr};
std::atomic<bool> sigint_came{false};
std::atomic<int> sigint_handlers{0};  // running now
static_assert(std::atomic<SigintCall*>::is_always_lock_free && std::atomic<int>::is_always_lock_free);

void set_default() noexcept {
    struct sigaction action{};
    action.sa_handler = SIG_DFL;
    ::sigaction(SIGINT, &action, nullptr);
}

extern "C" void coroscope_sigint_came(int) {
    sigint_handlers.fetch_add(1, std::memory_order_seq_cst);  // before the exchange: see ~SigintScope()
    if (sigint_came.exchange(true, std::memory_order_relaxed)) {
        set_default();  // the second: it ends the program when this returns
        ::raise(SIGINT);
    } else if (SigintCall* call = sigint_call.exchange(nullptr, std::memory_order_seq_cst)) {
        call->loop->post(*call);  // atomics and a write()
    }
    sigint_handlers.fetch_sub(1, std::memory_order_release);
}

bool is_first_thread() noexcept { return ::syscall(SYS_gettid) == ::getpid(); }

bool set_by_nobody() noexcept {
    struct sigaction now{};
    return ::sigaction(SIGINT, nullptr, &now) == 0 && (now.sa_flags & SA_SIGINFO) == 0 && now.sa_handler == SIG_DFL;
}

// Whether SIGINT still does what SigintScope made it do: somebody may have set something else within the run.
bool set_by_us() noexcept {
    struct sigaction now{};
    return ::sigaction(SIGINT, nullptr, &now) == 0 && now.sa_handler == coroscope_sigint_came;
}

}  // namespace

SigintScope::SigintScope(EventLoop& loop, const AnyTask& task, OnSigint what) : task_(task) {
    if (what == OnSigint::leave || !is_first_thread() || !set_by_nobody()) return;
    call_ = new SigintCall;
    call_->loop = &loop;
    call_->scope = this;
    call_->run = [](RemoteCall& base) noexcept {
        const std::unique_ptr<SigintCall> call(static_cast<SigintCall*>(&base));
        if (call->scope != nullptr) call->scope->came();
    };
    sigint_came.store(false, std::memory_order_relaxed);
    sigint_call.store(call_, std::memory_order_seq_cst);
    struct sigaction action{};
    action.sa_handler = coroscope_sigint_came;
    action.sa_flags = SA_RESTART;
    ::sigemptyset(&action.sa_mask);
    ::sigaction(SIGINT, &action, nullptr);
    active_ = true;
}

SigintScope::~SigintScope() {
    if (!active_) return;
    if (set_by_us()) set_default();
    const bool unused = sigint_call.exchange(nullptr, std::memory_order_seq_cst) != nullptr;
    // A handler on another thread that took the call still needs the loop, for a moment.
    while (sigint_handlers.load(std::memory_order_acquire) != 0) std::this_thread::yield();
    if (unused) {
        delete call_;
    } else if (call_ != nullptr) {
        call_->scope = nullptr;  // it is with the loop
    }
}

void SigintScope::came() noexcept {
    call_ = nullptr;
    came_ = true;
    task_.control()->cancel("interrupted (SIGINT)", {CancelOrigin::signal, 0, 0});
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
