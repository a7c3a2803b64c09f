// An event loop inside somebody else's: the host waits with its own epoll, for a timer of its own and for coroscope's
// loop, and runs whichever is ready. Nothing polls in vain.
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include <coroscope/coroscope.hpp>

#include <algorithm>
#include <iostream>

using namespace std::chrono_literals;

namespace {

coroscope::Coro<> count(int& counted) {
    for (int i = 0; i < 5; ++i) {
        co_await coroscope::sleep(20ms);
        ++counted;
    }
    const int answer = co_await coroscope::to_thread([] { return 42; });  // wakes the host from another thread
    std::cout << "counted to " << counted << ", a thread answered " << answer << std::endl;
}

class Host {
public:
    Host() {
        const itimerspec every_30_ms{{0, 30'000'000}, {0, 30'000'000}};
        ::timerfd_settime(timer_, 0, &every_30_ms, nullptr);
        add(timer_);
        add(loop_.poll_fd());
    }
    ~Host() {
        ::close(timer_);
        ::close(epoll_);
    }
    Host(const Host&) = delete;
    Host& operator=(const Host&) = delete;

    int run() {
        int counted = 0, ticks = 0;
        const coroscope::Task<> task = loop_.create_task(count(counted));
        while (!task.done()) {
            epoll_event events[2];
            const int ready = ::epoll_wait(epoll_, events, 2, timeout_ms());
            for (int i = 0; i < ready; ++i)
                if (events[i].data.fd == timer_) ticks += expirations();
            loop_.run_once();
        }
        std::cerr << "the host's own timer ticked " << ticks << " times meanwhile\n";
        return counted == 5 && ticks > 0 ? 0 : 1;
    }

private:
    void add(int fd) {
        epoll_event event{};
        event.events = EPOLLIN;
        event.data.fd = fd;
        ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
    }
    int expirations() {
        std::uint64_t count = 0;
        return ::read(timer_, &count, sizeof count) == sizeof count ? static_cast<int>(count) : 0;
    }
    // Rounded up: a moment too early would be a turn for nothing.
    int timeout_ms() {
        const auto idle = loop_.idle_time();
        if (idle.count() < 0) return -1;
        return static_cast<int>(
            std::min<std::int64_t>(std::chrono::ceil<std::chrono::milliseconds>(idle).count(), 60'000));
    }

    coroscope::EventLoop loop_;
    int epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
    int timer_ = ::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
};

}  // namespace

int main() { return Host().run(); }
