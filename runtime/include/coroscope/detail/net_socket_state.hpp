// What a socket and its operations share: the file descriptor, what is known of its readiness, who waits. Thread: the
// loop's.
//
// I/O is tried first and waited for only when the kernel said "would block". The poller is edge-triggered with one
// registration, made at the first wait: a request that is answered at once never touches epoll_ctl.
#pragma once

#include <sys/socket.h>

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>

#include "coroscope/detail/resource.hpp"
#include "coroscope/detail/task_control.hpp"
#include "coroscope/loop.hpp"

namespace coroscope::detail {

// A counted pointer, not atomic: everything here belongs to one loop.
template <class T>
class Ref {
public:
    Ref() noexcept = default;
    explicit Ref(T* adopted) noexcept : target_(adopted) {}
    Ref(const Ref& other) noexcept : target_(other.target_) {
        if (target_ != nullptr) target_->reference();
    }
    Ref(Ref&& other) noexcept : target_(std::exchange(other.target_, nullptr)) {}
    Ref& operator=(Ref other) noexcept {
        std::swap(target_, other.target_);
        return *this;
    }
    ~Ref() {
        if (target_ != nullptr) target_->release();
    }
    static Ref share(T* target) noexcept {
        target->reference();
        return Ref(target);
    }
    T* operator->() const noexcept { return target_; }
    T& operator*() const noexcept { return *target_; }
    T* get() const noexcept { return target_; }
    explicit operator bool() const noexcept { return target_ != nullptr; }

private:
    T* target_ = nullptr;
};

class SocketState;

// Suspends until the socket may be ready in a direction, or is closed. Check again afterwards.
class [[nodiscard("co_await it")]] ReadinessAwaiter final : public Suspension {
public:
    enum class Direction : std::uint8_t { read, write };

    ReadinessAwaiter(SocketState& socket, Direction direction) noexcept : socket_(socket), direction_(direction) {}
    ~ReadinessAwaiter();
    bool await_ready() const noexcept;
    void start();  // throws std::logic_error if another task waits in this direction
    void await_resume() { check_cancelled(); }

private:
    friend SocketState;
    friend Suspension;
    void on_cancel() noexcept;
    std::uint64_t waits_for() const noexcept;
    SocketState& socket_;
    Direction direction_;
    bool waiting_ = false;
};

// The outcome of one system call.
struct IoResult {
    enum class Kind : std::uint8_t { done, would_block, closed, failed };
    Kind kind;
    std::size_t count;  // done: bytes, 0 is the end of the stream
    int error;          // failed: errno
};

// What is behind a file descriptor: it decides which system calls read and write it.
enum class FdKind : std::uint8_t {
    tcp,     // a read that got less than asked for emptied it
    socket,  // any other socket
    pipe,    // a pipe, FIFO or terminal
};

class SocketState : public FdWatch {
public:
    using Direction = ReadinessAwaiter::Direction;

    SocketState(EventLoop& loop, int the_fd) noexcept;  // of a socket; asks the kernel for its kind
    SocketState(EventLoop& loop, int the_fd, FdKind kind) noexcept : loop_(loop), kind_(kind) {
        fd = the_fd;
        ready = &SocketState::on_events;
    }
    virtual ~SocketState();
    SocketState(const SocketState&) = delete;
    SocketState& operator=(const SocketState&) = delete;

    void reference() noexcept { ++references_; }
    void release() noexcept {
        if (--references_ == 0) delete this;
    }

    bool is_open() const noexcept { return fd >= 0; }
    FdKind kind() const noexcept { return kind_; }
    EventLoop& loop() const noexcept { return loop_; }
    IoResult try_recv(std::span<std::byte> into) noexcept;
    IoResult try_send(std::span<const std::byte> data) noexcept;
    IoResult try_accept(sockaddr* peer, socklen_t* peer_size, int* accepted) noexcept;
    // Tries a system call that reads or writes (its count, or -1 and errno); repeats it when a signal interrupts it.
    template <class Call>
    IoResult attempt(Direction direction, const Call& call) noexcept {
        bool& may_go = direction == Direction::read ? readable_ : writable_;
        if (fd < 0) return {IoResult::Kind::closed, 0, 0};
        if (!may_go) return {IoResult::Kind::would_block, 0, 0};
        for (;;) {
            const auto count = call();
            if (count >= 0) return {IoResult::Kind::done, static_cast<std::size_t>(count), 0};
            if (errno == EINTR) continue;
            if (errno != EAGAIN && errno != EWOULDBLOCK) return {IoResult::Kind::failed, 0, errno};
            may_go = false;
            return {IoResult::Kind::would_block, 0, 0};
        }
    }
    void expect_nothing() noexcept {  // before waiting for a connect
        readable_ = writable_ = false;
        connecting_ = true;
    }
    void expect_no_data() noexcept { readable_ = false; }  // reading waits until the poller says so
    void expect_room() noexcept { writable_ = true; }      // try again though the poller said nothing

    ReadinessAwaiter until_readable() noexcept { return {*this, Direction::read}; }
    ReadinessAwaiter until_writable() noexcept { return {*this, Direction::write}; }
    ReadinessAwaiter incoming() noexcept { return {*this, Direction::read}; }  // a listening socket's connections
    void watch();                                                              // idempotent; throws std::system_error
    // The peer has shut down, or the connection is broken. Known once it is watched. What came before may be unread.
    bool ended() const noexcept { return ended_; }
    void close() noexcept;  // idempotent; wakes who waits
    // What a task that waits here waits for.
    std::uint64_t wait(Verb verb, const TaskControl& waiter) noexcept;
    void show_as(ResourceType type) noexcept { type_ = type; }
    // For the debugger: it is the `label` ("stdout") of another resource, a subprocess.
    void belongs_to(std::uint64_t parent, const char* label) noexcept {
        parent_ = parent;
        label_ = label;
    }
    int give_up() noexcept;  // the file descriptor, no longer watched nor closed here

    // A peer that sends without pause must not keep the loop: after this many operations without a wait, others have a
    // turn.
    bool turn_is_over() noexcept {
        if (++unwaited_ < most_unwaited) return false;
        unwaited_ = 0;
        return true;
    }

protected:
    virtual ResourceType shown_type() const noexcept { return type_; }
    virtual std::string shown_name() const { return {}; }
    virtual void on_writable() noexcept {}
    virtual void on_ended() noexcept {}  // see ended()
    virtual void on_closed() noexcept {}

private:
    friend ReadinessAwaiter;
    static constexpr std::uint32_t most_unwaited = 32;
    static void on_events(FdWatch& watch, std::uint32_t events) noexcept;
    void wake(Direction direction) noexcept;
    ResourceTraits traits(const std::string& name) const noexcept;
    std::string name_to_show() const noexcept;
    void report_unread() noexcept;
    ReadinessAwaiter*& waiter(Direction direction) noexcept { return direction == Direction::read ? reader_ : writer_; }

    EventLoop& loop_;
    std::uint32_t references_ = 1;
    std::uint32_t unwaited_ = 0;
    bool watched_ = false;
    bool readable_ = true;  // not known to be empty
    bool writable_ = true;  // not known to be full
    bool ended_ = false;    // the peer has shut down or reset: there will be no further edge
    bool connecting_ = false;
    FdKind kind_;
    ResourceType type_ = ResourceType::socket;
    ReadinessAwaiter* reader_ = nullptr;
    ReadinessAwaiter* writer_ = nullptr;
    Resource resource_;
    std::uint64_t parent_ = 0;  // id of a resource
    const char* label_ = nullptr;
};

}  // namespace coroscope::detail
