// What the debugger can ask of the loops of this process, from a thread of its own. Between loop.cpp and the probe's
// CommandTable.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "coroscope/loop.hpp"

namespace coroscope::detail {

// A loop takes part from its construction to its destruction. Any thread.
void add_loop_to_commands(EventLoop& loop);
void remove_loop_from_commands(EventLoop& loop) noexcept;
// Calls `visit` for each loop, oldest first. None ends meanwhile; `visit` must neither make nor end one. Any thread.
void visit_loops(const std::function<void(EventLoop&)>& visit);

template <class Answer>
struct AskedLoop {
    EventLoop* loop = nullptr;  // it may have ended by now
    std::uint64_t id = 0;
    std::optional<Answer> answer;  // nullopt: it has not answered in time, or was not asked
};

// Has each loop for which `is_asked` holds (nullptr: each one) call `ask` on its own thread, oldest loop first. What
// comes after `patience` is thrown away. Any thread but a loop's own.
template <class Answer>
std::vector<AskedLoop<Answer>> ask_loops(Answer (*ask)(EventLoop&), std::chrono::nanoseconds patience,
                                         bool (*is_asked)(EventLoop&) = nullptr) {
    struct Asking {
        std::mutex mutex;
        std::condition_variable changed;
        std::vector<AskedLoop<Answer>> loops;  // under mutex, as all below
        std::size_t missing = 0;
        bool over = false;
    };
    const auto asking = std::make_shared<Asking>();
    std::unique_lock lock(asking->mutex);
    visit_loops([&](EventLoop& loop) {
        const std::size_t i = asking->loops.size();
        asking->loops.push_back({&loop, loop.id(), std::nullopt});
        if (is_asked != nullptr && !is_asked(loop)) return;
        ++asking->missing;
        loop.call_soon_threadsafe([asking, ask, i, &loop] {
            {
                const std::scoped_lock looking(asking->mutex);
                if (asking->over) return;
            }
            Answer answer = ask(loop);
            const std::scoped_lock answering(asking->mutex);
            if (asking->over) return;
            asking->loops[i].answer = std::move(answer);
            --asking->missing;
            asking->changed.notify_all();
        });
    });
    asking->changed.wait_for(lock, patience, [&] { return asking->missing == 0; });
    asking->over = true;
    return std::move(asking->loops);
}

}  // namespace coroscope::detail
