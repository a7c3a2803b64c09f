// Tests that hang explain themselves: on a time limit, every task of the process is printed with its await stack and
// what it waits for, and the process is aborted.
//
//     TEST(Shop, Checkout) {
//         coroscope::testing::TimeLimit limit(10s);
//         coroscope::run(checkout());
//     }
//
// For all tests of a GoogleTest program at once: coroscope/testing_gtest.hpp. Debug mode need not be on. Costs nothing
// while nothing hangs, but a thread that sleeps.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

#include "coroscope/loop.hpp"

namespace coroscope::testing {

// All tasks of a loop that are not done: name, coroutine, await stack, what each waits for and who holds it. Thread:
// the loop's. O(tasks). Not a cancellation point.
std::string describe_tasks(EventLoop& loop);

// The same of all loops of the process. Thread: any but a loop's own: each loop is asked to describe its tasks itself.
// A loop that does not answer within `patience` is stuck in a step: that is said instead.
std::string describe_all_tasks(std::chrono::nanoseconds patience = std::chrono::seconds(1));

// A limit for what happens while this object lives.
class TimeLimit {
public:
    // Called on a thread of its own when the time is over, with describe_all_tasks(). The default prints that on stderr
    // and calls std::abort().
    using TimedOut = std::function<void(const std::string& tasks)>;
    // `what`: is named in the message. Errors: std::system_error if no thread can be started.
    explicit TimeLimit(std::chrono::nanoseconds limit, std::string what = {}, TimedOut timed_out = {});
    // Waits for `timed_out` if it runs.
    ~TimeLimit();
    TimeLimit(const TimeLimit&) = delete;
    TimeLimit& operator=(const TimeLimit&) = delete;

private:
    void watch(std::chrono::nanoseconds limit);

    std::string what_;
    TimedOut timed_out_;
    std::mutex mutex_;
    std::condition_variable changed_;
    bool over_ = false;  // under mutex_
    std::thread thread_;
};

}  // namespace coroscope::testing
