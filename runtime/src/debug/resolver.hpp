// Turns native return addresses into places on its own thread: the first address of a module takes libdw up to 100 ms,
// in which a busy app would fill its rings if the drainer waited.
//
// The queue: bound most_waiting stacks; overflow policy: the stack gets no places; counter: refused().
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "native_frames.hpp"

namespace coroscope::debug {

class Resolver {
public:
    static constexpr std::size_t most_waiting = 1024;

    // `answered` is called on the resolver's thread whenever there is a new answer to take. The thread starts with the
    // first question.
    explicit Resolver(std::function<void()> answered) : answered_(std::move(answered)) {}
    ~Resolver();
    Resolver(const Resolver&) = delete;
    Resolver& operator=(const Resolver&) = delete;

    // One answer for each question, in their order. Thread: the drainer's, as all here.
    void ask(std::vector<void*> addresses, bool first_is_exact);
    std::optional<std::vector<NativeFrame>> take_answer();
    // Waits until an answer can be taken; false: there is none after so long.
    bool wait_for_answer(std::chrono::milliseconds most);
    std::uint64_t refused() const noexcept { return refused_; }

private:
    struct Question {
        std::vector<void*> addresses;  // none: refused, but answers come in order
        bool first_is_exact;
    };
    void run();

    const std::function<void()> answered_;
    std::uint64_t refused_ = 0;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Question> questions_;  // under mutex_, as all below
    std::deque<std::vector<NativeFrame>> answers_;
    bool ending_ = false;
    std::thread thread_;  // the drainer's
};

}  // namespace coroscope::debug
