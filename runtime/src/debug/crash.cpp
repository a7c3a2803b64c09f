#include "crash.hpp"

#include <cxxabi.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <typeinfo>

#include "captured_here.hpp"
#include "runtime/src/probe/clock.hpp"

namespace coroscope::debug {

namespace {

constexpr std::uint64_t patience_ns = 300'000'000;

struct Fatal {
    int signal;
    const char* name;
};
constexpr std::array<Fatal, 5> fatal_signals{
    {{SIGSEGV, "SIGSEGV"}, {SIGBUS, "SIGBUS"}, {SIGFPE, "SIGFPE"}, {SIGILL, "SIGILL"}, {SIGABRT, "SIGABRT"}}};

enum State : int { none, writing, waiting, taken, told };
std::atomic<int> g_state{none};
std::atomic<int> g_bell{-1};
std::atomic<pid_t> g_process{0};
std::atomic<long> g_emitter{0};  // its tid

// Between writing and waiting the handler's, then the emitter's: ordered by g_state.
CapturedHere g_captured;
int g_signal = 0, g_code = 0;
pid_t g_sender = 0;
long g_tid = 0;
std::uint64_t g_address = 0, g_time_ns = 0;

std::array<struct sigaction, fatal_signals.size()> g_before;
std::array<bool, fatal_signals.size()> g_installed{};
// Somebody put a handler of theirs before ours, which may call it: ours stays, and is not put before theirs again, or
// each would call the other.
std::array<bool, fatal_signals.size()> g_stays{};
bool g_terminate_stays = false;

// Of an exception that nobody caught: written before abort() is called, on the thread that calls it.
std::terminate_handler g_terminate_before = nullptr;
std::atomic<bool> g_terminated{false};
char g_uncaught[512] = "";

void nap() noexcept {
    const timespec length{0, 1'000'000};
    ::nanosleep(&length, nullptr);
}

// Async-signal-safe, as all that the handler calls.
void hand_over(int signal, const siginfo_t& info, const ucontext_t& context) noexcept {
    const long self = ::syscall(SYS_gettid);
    if (g_process.load(std::memory_order_relaxed) != ::getpid()) return;  // a forked child has no emitter
    const std::uint64_t until_ns = probe::monotonic_ns() + patience_ns;
    int expected = none;
    if (g_state.compare_exchange_strong(expected, writing, std::memory_order_acquire, std::memory_order_relaxed)) {
        g_captured.capture(context);
        g_signal = signal;
        g_code = info.si_code;
        g_sender = info.si_code <= 0 ? info.si_pid : 0;
        g_address = reinterpret_cast<std::uintptr_t>(info.si_addr);
        g_tid = self;
        g_time_ns = probe::monotonic_ns();
        g_state.store(waiting, std::memory_order_release);  // pairs with take()
    }
    if (self == g_emitter.load(std::memory_order_relaxed)) return;
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = ::write(g_bell.load(std::memory_order_relaxed), &one, sizeof one);
    while (g_state.load(std::memory_order_acquire) != told && probe::monotonic_ns() < until_ns) nap();
}

// The signal has its old meaning again, and comes again: at the instruction that faulted, or by a call as before.
void give_back(std::size_t index, const siginfo_t& info) noexcept {
    ::sigaction(fatal_signals[index].signal, &g_before[index], nullptr);
    const bool is_fault = info.si_code > 0;
    if (!is_fault) ::syscall(SYS_tgkill, ::getpid(), ::syscall(SYS_gettid), fatal_signals[index].signal);
}

bool is_function(const struct sigaction& action) noexcept {
    return (action.sa_flags & SA_SIGINFO) != 0 || (action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN);
}

// The app's own handler. False: the signal goes on as if it were handled.
bool leaves_to_default(int signal, const struct sigaction& own, siginfo_t* info, void* context) noexcept {
    if ((own.sa_flags & SA_RESETHAND) != 0) ::signal(signal, SIG_DFL);
    if ((own.sa_flags & SA_SIGINFO) != 0) {
        own.sa_sigaction(signal, info, context);
    } else {
        own.sa_handler(signal);
    }
    struct sigaction now{};
    if (::sigaction(signal, nullptr, &now) != 0) return false;
    const bool is_default = (now.sa_flags & SA_SIGINFO) == 0 && now.sa_handler == SIG_DFL;
    return is_default || signal == SIGABRT;  // abort() ends the process whatever a handler does
}

void on_fatal(int signal, siginfo_t* info, void* context) {
    const int error = errno;
    std::size_t index = 0;
    while (fatal_signals[index].signal != signal) ++index;
    const struct sigaction& before = g_before[index];
    const auto& where = *static_cast<const ucontext_t*>(context);
    if (!is_function(before)) {
        hand_over(signal, *info, where);
        give_back(index, *info);
    } else if (leaves_to_default(signal, before, info, context)) {
        hand_over(signal, *info, where);
    }
    errno = error;
}

// Runs where std::terminate() was called, not in a signal handler: it may do what the standard library's own does.
void on_terminate() {
    if (!g_terminated.exchange(true)) {
        const std::type_info* type = abi::__cxa_current_exception_type();
        if (type == nullptr) {
            std::snprintf(g_uncaught, sizeof g_uncaught, "std::terminate() was called without an exception");
        } else {
            int status = 0;
            char* name = abi::__cxa_demangle(type->name(), nullptr, nullptr, &status);
            const char* readable = status == 0 && name != nullptr ? name : type->name();
            std::snprintf(g_uncaught, sizeof g_uncaught, "uncaught %s", readable);
            try {
                throw;
            } catch (const std::exception& exception) {
                std::snprintf(g_uncaught, sizeof g_uncaught, "uncaught %s: %s", readable, exception.what());
            } catch (...) {  // it says nothing more
            }
            std::free(name);
        }
    }
    if (g_terminate_before != nullptr) g_terminate_before();
    std::abort();
}

std::string cause() {
    if (g_signal == SIGABRT && g_terminated) return std::string(": ") + g_uncaught;
    if (g_code <= 0) {
        if (g_sender != ::getpid() && g_sender != 0) return ": sent by process " + std::to_string(g_sender);
        return g_signal == SIGABRT ? ": abort() was called" : ": raised by the app itself";
    }
    char address[32];
    std::snprintf(address, sizeof address, "0x%llx", static_cast<unsigned long long>(g_address));
    switch (g_signal) {
        case SIGSEGV:
            if (g_code == SEGV_MAPERR) return std::string(": there is no memory at address ") + address;
            if (g_code == SEGV_ACCERR) return std::string(": the memory at address ") + address + " may not be used so";
            return ": an address that cannot be";
        case SIGBUS: return std::string(": the memory at address ") + address + " cannot be reached";
        case SIGFPE: return g_code == FPE_INTDIV ? ": an integer was divided by zero" : ": an arithmetic error";
        case SIGILL: return std::string(": there is no valid instruction at address ") + address;
        default: return {};
    }
}

}  // namespace

CrashWatch::CrashWatch(int bell) {
    g_state = none;
    g_terminated = false;
    g_bell = bell;
    g_process = ::getpid();
    for (std::size_t i = 0; i < fatal_signals.size(); ++i) {
        g_installed[i] = false;
        if (g_stays[i]) continue;
        if (::sigaction(fatal_signals[i].signal, nullptr, &g_before[i]) != 0) continue;
        if (!is_function(g_before[i]) && g_before[i].sa_handler == SIG_IGN) continue;
        struct sigaction action{};
        action.sa_sigaction = on_fatal;
        action.sa_flags = SA_SIGINFO | SA_ONSTACK | (is_function(g_before[i]) ? g_before[i].sa_flags & SA_NODEFER : 0);
        action.sa_mask = g_before[i].sa_mask;
        g_installed[i] = ::sigaction(fatal_signals[i].signal, &action, nullptr) == 0;
    }
    if (g_terminate_stays) return;
    const std::terminate_handler terminate_before = std::set_terminate(on_terminate);
    if (terminate_before != on_terminate) g_terminate_before = terminate_before;
}

CrashWatch::~CrashWatch() {
    for (std::size_t i = 0; i < fatal_signals.size(); ++i) {
        struct sigaction now{};
        if (!g_installed[i] || ::sigaction(fatal_signals[i].signal, nullptr, &now) != 0) continue;
        g_stays[i] = (now.sa_flags & SA_SIGINFO) == 0 || now.sa_sigaction != on_fatal;
        if (!g_stays[i]) ::sigaction(fatal_signals[i].signal, &g_before[i], nullptr);
    }
    g_terminate_stays = std::get_terminate() != on_terminate;
    if (!g_terminate_stays) std::set_terminate(g_terminate_before);
    g_process = 0;
}

std::optional<Crash> CrashWatch::take() {
    int expected = waiting;
    if (!g_state.compare_exchange_strong(expected, taken, std::memory_order_acquire)) return std::nullopt;
    Crash crash;
    for (const Fatal& each : fatal_signals)
        if (each.signal == g_signal) crash.signal = each.name;
    crash.text = crash.signal + cause();
    crash.tid = static_cast<std::uint64_t>(g_tid);
    crash.time_ns = g_time_ns;
    crash.stack = g_captured.take();
    return crash;
}

void CrashWatch::told() noexcept { g_state.store(State::told, std::memory_order_release); }

void CrashWatch::this_is_the_emitter() noexcept { g_emitter = ::syscall(SYS_gettid); }

}  // namespace coroscope::debug
