#include "poller.hpp"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace coroscope::detail {

namespace {

constexpr int events_at_once = 256;

[[noreturn]] void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

}  // namespace

Poller::Poller() : epoll_(::epoll_create1(EPOLL_CLOEXEC)), event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (epoll_ < 0 || event_ < 0) fail("cannot make an event loop (epoll)");
    epoll_event event{};
    event.events = EPOLLIN | EPOLLET;
    event.data.ptr = nullptr;
    if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, event_, &event) != 0) fail("cannot make an event loop (eventfd)");
}

Poller::~Poller() {
    ::close(event_);
    ::close(epoll_);
}

void Poller::add(FdWatch& watch) {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    event.data.ptr = &watch;
    if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, watch.fd, &event) != 0) fail("cannot watch a file descriptor");
}

void Poller::remove(FdWatch& watch) noexcept {
    ::epoll_ctl(epoll_, EPOLL_CTL_DEL, watch.fd, nullptr);
    if (handling_) removed_.push_back(&watch);  // its event may be among those already fetched
}

int Poller::poll(std::int64_t timeout_ns) noexcept {
    epoll_event events[events_at_once];
    timespec timeout{};
    if (timeout_ns > 0) {
        timeout.tv_sec = timeout_ns / 1'000'000'000;
        timeout.tv_nsec = timeout_ns % 1'000'000'000;
    }
    int count = ::epoll_pwait2(epoll_, events, events_at_once, timeout_ns < 0 ? nullptr : &timeout, nullptr);
    if (count < 0 && errno == ENOSYS) {  // Linux before 5.11, valgrind: whole milliseconds, not too early
        constexpr std::int64_t longest_ms = 1'000'000'000;
        const std::int64_t timeout_ms = timeout_ns < 0 ? -1 : std::min((timeout_ns + 999'999) / 1'000'000, longest_ms);
        count = ::epoll_wait(epoll_, events, events_at_once, static_cast<int>(timeout_ms));
    }
    if (count <= 0) return 0;  // nothing, or a signal came
    int ready = 0;
    handling_ = true;
    for (int i = 0; i < count; ++i) {
        auto* watch = static_cast<FdWatch*>(events[i].data.ptr);
        if (watch == nullptr) {  // the eventfd: edge-triggered, so its count need not be read
            continue;
        }
        if (!removed_.empty() && std::find(removed_.begin(), removed_.end(), watch) != removed_.end()) continue;
        watch->ready(*watch, events[i].events);
        ++ready;
    }
    handling_ = false;
    removed_.clear();
    return ready;
}

void Poller::wake() noexcept {
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = ::write(event_, &one, sizeof one);
}

}  // namespace coroscope::detail
