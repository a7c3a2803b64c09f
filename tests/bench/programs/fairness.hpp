// What the C++ programs of the part `fairness` have in common: the works, the figure, and the threads beside the loop.
// `fairness WORK SECONDS` prints one number: the 95th percentile of the victim's latencies, in ns. The median would
// hide what happens to one victim in ten, and the maximum is what the machine did.
#pragma once

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <semaphore>
#include <string_view>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace fairness {

using Clock = std::chrono::steady_clock;

enum class Victim {
    sleep,       // a task that sleeps for `pause`, again and again: how late it wakes
    echo,        // a task that sends a byte to a thread that sends it back `answer_time` later: the round trip
    threadsafe,  // a callback that another thread hands to the loop every `pause`: how long until it runs
};

struct Work {
    Victim victim;
    std::chrono::nanoseconds step;  // what the busy task works between two yields
};

constexpr std::chrono::milliseconds pause(1);
// Without it the answer would often be there before the task waits for it: there would be no wait to measure. The
// thread sleeps meanwhile. If it worked on the loop's own core, the loop would find the answer when it gets the core
// back.
constexpr std::chrono::microseconds answer_time(100);

inline std::optional<Work> work_of_name(std::string_view name) {
    using namespace std::chrono_literals;
    if (name == "sleep_5ms") return Work{Victim::sleep, 5ms};
    if (name == "sleep_0") return Work{Victim::sleep, 0ms};
    if (name == "echo_5ms") return Work{Victim::echo, 5ms};
    if (name == "echo_0") return Work{Victim::echo, 0ms};
    if (name == "threadsafe_5ms") return Work{Victim::threadsafe, 5ms};
    if (name == "threadsafe_0") return Work{Victim::threadsafe, 0ms};
    return std::nullopt;
}

inline void work_for(std::chrono::nanoseconds step) {
    if (step.count() == 0) return;
    for (const Clock::time_point end = Clock::now() + step; Clock::now() < end;) {
    }
}

// The latencies of a run, which ends with the first one that comes after its time is over. Thread: the loop's.
class Latencies {
public:
    explicit Latencies(double seconds)
        : end_(Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds))) {}

    // True: there is time for one more.
    bool add(Clock::duration latency) {
        if (std::exchange(first_, false)) return true;  // it pays for the start
        all_.push_back(latency);
        complete_ = Clock::now() >= end_;
        return !complete_;
    }
    bool complete() const { return complete_; }

    double percentile_95_ns() {
        std::sort(all_.begin(), all_.end());
        const std::size_t rank = (all_.size() * 95 + 99) / 100;  // the least that 95 % do not exceed
        return std::chrono::duration<double, std::nano>(all_.at(rank - 1)).count();
    }

private:
    Clock::time_point end_;
    std::vector<Clock::duration> all_;
    bool first_ = true, complete_ = false;
};

// A thread with one end of a pair of sockets: it sends back every byte, with calls that block, until the other end is
// closed.
class EchoThread {
public:
    EchoThread() {
        int ends[2];
        if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
            throw std::system_error(errno, std::system_category(), "socketpair");
        own_end_ = ends[0];
        other_end_ = ends[1];
        thread_ = std::thread([fd = own_end_] {
            for (char byte = 0; ::recv(fd, &byte, 1, 0) == 1;) {
                std::this_thread::sleep_for(answer_time);
                if (::send(fd, &byte, 1, MSG_NOSIGNAL) != 1) return;
            }
        });
    }
    ~EchoThread() {
        ::shutdown(own_end_, SHUT_RDWR);
        thread_.join();
        ::close(own_end_);
    }
    EchoThread(const EchoThread&) = delete;
    EchoThread& operator=(const EchoThread&) = delete;

    int other_end() const { return other_end_; }  // whoever asks owns it

private:
    int own_end_ = -1, other_end_ = -1;
    std::thread thread_;
};

// A thread that hands a callback to the loop with `hand_over(callback)`, waits until it has run, and pauses. Ends when
// the latencies are complete. Its destructor belongs to the loop's thread.
class CallingThread {
public:
    template <class HandOver>
    CallingThread(Latencies& latencies, HandOver hand_over) : latencies_(latencies) {
        thread_ = std::thread([this, hand_over] {
            while (more_) {
                std::this_thread::sleep_for(pause);
                hand_over([this, asked = Clock::now()] {
                    more_ = latencies_.add(Clock::now() - asked);
                    ran_.release();
                });
                ran_.acquire();
            }
        });
    }
    ~CallingThread() { thread_.join(); }
    CallingThread(const CallingThread&) = delete;
    CallingThread& operator=(const CallingThread&) = delete;

private:
    Latencies& latencies_;
    bool more_ = true;  // written by the callback before it releases `ran_`
    std::binary_semaphore ran_{0};
    std::thread thread_;
};

// `run(work, latencies)` runs a loop until the latencies are complete.
template <class Run>
int main_of(int argc, char** argv, Run run) {
    if (argc != 3) {
        std::fprintf(stderr, "usage: %s WORK SECONDS\n", argv[0]);
        return 2;
    }
    const std::optional<Work> work = work_of_name(argv[1]);
    if (!work) {
        std::fprintf(stderr, "%s: no work of the name %s\n", argv[0], argv[1]);
        return 3;
    }
    Latencies latencies(std::atof(argv[2]));
    run(*work, latencies);
    std::printf("%.0f\n", latencies.percentile_95_ns());
    return 0;
}

}  // namespace fairness
