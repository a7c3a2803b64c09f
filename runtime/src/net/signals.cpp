#include "coroscope/signals.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <bit>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <stdexcept>
#include <string>
#include <system_error>

#include "coroscope/detail/resource.hpp"
#include "coroscope/loop.hpp"

namespace coroscope {

namespace detail {

namespace {

// One wait under way. The handler may run on any thread at any time, so it only uses these atomics and write(). An
// eventfd is made at a slot's first use and kept for ever: the handler cannot write to a descriptor that means
// something else by now.
struct Slot {
    std::atomic<std::uint64_t> wanted{0};    // signals; written by the wait, read by the handler
    std::atomic<std::uint64_t> received{0};  // written by the handler before the eventfd, which orders it for the wait
    std::atomic<int> event{-1};
    bool taken = false;  // under Signals::mutex
};

constexpr std::size_t most_slots = 16;
constinit Slot slots[most_slots];
static_assert(std::atomic<std::uint64_t>::is_always_lock_free && std::atomic<int>::is_always_lock_free);

// What was set before the first wait for a signal, to be set again after the last.
struct Signals {
    std::mutex mutex;
    std::size_t waits[64] = {};
    struct sigaction before[64] = {};
};

Signals& signals() {
    static Signals* const all = new Signals;  // leaked on purpose: a loop may end after static destructors ran
    return *all;
}

extern "C" void coroscope_signal_came(int number) {
    const int saved = errno;
    for (Slot& slot : slots) {
        // Acquire: pairs with the release in Caught, after the eventfd was stored.
        if ((slot.wanted.load(std::memory_order_acquire) >> number & 1) == 0) continue;
        slot.received.fetch_or(std::uint64_t{1} << number, std::memory_order_release);  // pairs with the wait's acquire
        const std::uint64_t one = 1;
        [[maybe_unused]] const ssize_t written = ::write(slot.event.load(std::memory_order_relaxed), &one, sizeof one);
    }
    errno = saved;
}

// While it lives, the signals go to a slot.
class Caught {
public:
    explicit Caught(std::uint64_t mask) : mask_(mask) {
        const std::scoped_lock lock(signals().mutex);
        take_slot();
        slot_->received.store(0, std::memory_order_relaxed);
        slot_->wanted.store(mask, std::memory_order_release);  // pairs with the handler's acquire
        for (int number = 1; number < 64; ++number) {
            if ((mask >> number & 1) == 0 || signals().waits[number]++ != 0) continue;
            struct sigaction action{};
            action.sa_handler = coroscope_signal_came;
            action.sa_flags = SA_RESTART;
            ::sigfillset(&action.sa_mask);
            if (::sigaction(number, &action, &signals().before[number]) == 0) continue;
            const int error = errno;
            --signals().waits[number];
            give_back(number);
            throw std::system_error(error, std::generic_category(), "cannot wait for signal " + std::to_string(number));
        }
    }
    ~Caught() {
        const std::scoped_lock lock(signals().mutex);
        give_back(64);
    }
    Caught(const Caught&) = delete;
    Caught& operator=(const Caught&) = delete;

    std::uint64_t mask() const noexcept { return mask_; }
    int event() const noexcept { return slot_->event.load(std::memory_order_relaxed); }
    // As if the signals had come now.
    void put_back() noexcept {
        slot_->received.store(mask_, std::memory_order_relaxed);
        const std::uint64_t one = 1;
        [[maybe_unused]] const ssize_t written = ::write(event(), &one, sizeof one);
    }
    // Whether one has come since the last call.
    bool take() noexcept {
        std::uint64_t count = 0;
        [[maybe_unused]] const ssize_t got = ::read(event(), &count, sizeof count);
        return slot_->received.exchange(0, std::memory_order_acquire) != 0;  // pairs with the handler's release
    }
    // The lowest one that came; 0: none.
    int number() const noexcept {
        const std::uint64_t received =
            slot_->received.load(std::memory_order_acquire);  // pairs with the handler's release
        return received == 0 ? 0 : std::countr_zero(received);
    }

private:
    void take_slot() {
        for (Slot& slot : slots) {
            if (slot.taken) continue;
            if (slot.event.load(std::memory_order_relaxed) < 0) {
                const int event = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
                if (event < 0)
                    throw std::system_error(errno, std::generic_category(), "cannot wait for signals (eventfd)");
                slot.event.store(event, std::memory_order_relaxed);
            }
            std::uint64_t old = 0;
            [[maybe_unused]] const ssize_t count = ::read(slot.event.load(std::memory_order_relaxed), &old, sizeof old);
            slot.taken = true;
            slot_ = &slot;
            return;
        }
        throw std::logic_error("wait_for_signal: more than 16 waits at once");
    }
    void give_back(int below) noexcept {
        for (int number = 1; number < below; ++number) {
            if ((mask_ >> number & 1) == 0 || --signals().waits[number] != 0) continue;
            ::sigaction(number, &signals().before[number], nullptr);
        }
        slot_->wanted.store(0, std::memory_order_relaxed);
        slot_->taken = false;
    }

    const std::uint64_t mask_;
    Slot* slot_ = nullptr;
};

// "SIGINT, SIGTERM"
std::string names_of(std::uint64_t mask) {
    std::string names;
    for (int number = 1; number < 64; ++number) {
        if ((mask >> number & 1) == 0) continue;
        const char* const name = ::sigabbrev_np(number);
        names += (names.empty() ? "" : ", ") + (name != nullptr ? std::string("SIG") + name : std::to_string(number));
    }
    return names;
}

class SignalAwaiter final : public Suspension, FdWatch {
public:
    explicit SignalAwaiter(Caught& caught) noexcept : caught_(caught) {}
    ~SignalAwaiter() { stop(); }
    bool await_ready() const noexcept { return caught_.number() != 0; }
    int await_resume() {
        check_cancelled();
        return caught_.number();
    }

    void start() {
        fd = caught_.event();
        ready = [](FdWatch& watch, std::uint32_t events) noexcept {
            auto& self = static_cast<SignalAwaiter&>(watch);
            if ((events & EPOLLIN) == 0) return;  // the edge of its being writable
            self.stop();
            self.wake();
        };
        EventLoop& loop = EventLoop::running();
        loop.watch(*this);
        loop_ = &loop;
        suspend(*this);
    }

private:
    friend Suspension;
    void on_cancel() noexcept {
        stop();
        wake_cancelled();
    }
    std::uint64_t waits_for() const noexcept {
        if (resource_.id() != 0 || !debug_enabled()) return pack_wait(Verb::signal, resource_.id());
        std::string names;
        try {
            names = names_of(caught_.mask());
        } catch (...) {  // out of memory: it has none
        }
        return resource_.wait(Verb::signal, *task(),
                              {.type = ResourceType::signal, .made_by_wait = true, .name = names});
    }
    void stop() noexcept {
        if (loop_ != nullptr) std::exchange(loop_, nullptr)->unwatch(*this);
    }

    Caught& caught_;
    EventLoop* loop_ = nullptr;
    mutable Resource resource_;
};

}  // namespace

class HandledSignal : FdWatch {
public:
    HandledSignal(int signal, std::function<void()> callback)
        : caught_(std::uint64_t{1} << signal), loop_(EventLoop::running()), callback_(std::move(callback)) {
        fd = caught_.event();
        ready = [](FdWatch& watch, std::uint32_t events) noexcept {
            auto& self = static_cast<HandledSignal&>(watch);
            if ((events & EPOLLIN) == 0 || !self.caught_.take()) return;
            try {
                self.scheduled_ = self.loop_.call_soon(self.callback_);
            } catch (...) {  // out of memory: at the next turn again
                self.caught_.put_back();
            }
        };
        loop_.watch(*this);
    }
    ~HandledSignal() {
        loop_.unwatch(*this);
        scheduled_.cancel();
    }

private:
    Caught caught_;
    EventLoop& loop_;
    const std::function<void()> callback_;
    Handle scheduled_;  // the last call
};

Coro<int> wait_for_signals(std::uint64_t mask) {
    Caught caught(mask);
    SignalAwaiter came(caught);
    co_return co_await came;
}

}  // namespace detail

SignalHandler::SignalHandler() noexcept = default;
SignalHandler::SignalHandler(std::unique_ptr<detail::HandledSignal> handled) noexcept : handled_(std::move(handled)) {}
SignalHandler::~SignalHandler() = default;
SignalHandler::SignalHandler(SignalHandler&&) noexcept = default;
SignalHandler& SignalHandler::operator=(SignalHandler&&) noexcept = default;
void SignalHandler::remove() noexcept { handled_.reset(); }

SignalHandler add_signal_handler(int signal, std::function<void()> callback) {
    if (signal < 1 || signal > 63)
        throw std::invalid_argument("add_signal_handler: no signal " + std::to_string(signal));
    return SignalHandler(std::make_unique<detail::HandledSignal>(signal, std::move(callback)));
}

}  // namespace coroscope
