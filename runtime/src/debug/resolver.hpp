// Turns native return addresses into places on its own thread: the first address of a module takes libdw up to 100 ms,
// in which a busy app would fill its rings if the drainer waited.
//
// The queue: bounds most_waiting and most_stacks_waiting; overflow policy: the stack gets no places; counter:
// refused().
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "native_frames.hpp"

namespace coroscope::debug {

class Resolver {
public:
    static constexpr std::size_t most_waiting = 1024;
    static constexpr std::size_t most_stacks_waiting = 32;  // of those that are copied: they are large

    // `answered` is called on the resolver's thread whenever there is a new answer to take. The thread starts with the
    // first question.
    explicit Resolver(std::function<void()> answered);
    // A look-up that takes long is left behind, with its thread: it must not hold up the end of the app.
    ~Resolver();
    Resolver(const Resolver&) = delete;
    Resolver& operator=(const Resolver&) = delete;

    // One answer for each question, in their order. Thread: the drainer's, as all here.
    void ask(std::vector<void*> return_addresses);
    void ask_stack(StackCopy stack);
    std::optional<std::vector<NativeFrame>> take_answer();
    // Waits until an answer can be taken; false: there is none after so long.
    bool wait_for_answer(std::chrono::milliseconds most);
    std::uint64_t refused() const noexcept { return refused_; }

private:
    struct Question;
    struct Shared;                               // the thread's and ours
    void add(Question&& question, bool refuse);  // under the mutex

    std::shared_ptr<Shared> shared_;
    std::uint64_t refused_ = 0;
    std::thread thread_;
};

}  // namespace coroscope::debug
