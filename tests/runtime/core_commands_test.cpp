// What the debugger asks of the loops from its own thread.
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "coroscope/coroscope.hpp"
#include "runtime/src/probe/process_registry.hpp"

namespace coroscope {
namespace {

using namespace std::chrono_literals;

const char* cancel_from_outside(std::uint64_t task) { return probe::process_registry().cancel_task(task); }

Coro<> for_ever() { co_await sleep(1h); }

// Two loops with tasks that sleep until they are cancelled.
struct LoopOfSleepers {
    std::atomic<std::uint64_t> first_id{0}, last_id{0}, others_cancelled{0};
    std::thread thread{[this] { run(sleepers()); }};

    Coro<> sleepers() {
        std::vector<Task<>> tasks;
        for (int i = 0; i < 50; ++i) tasks.push_back(create_task(for_ever()));
        first_id = tasks.front().id();
        last_id = tasks.back().id();
        co_await tasks.front().wait();
        co_await tasks.back().wait();
        for (const Task<>& task : tasks) others_cancelled += task.cancelling();
        for (const Task<>& task : tasks) task.cancel();
    }
};

TEST(Commands, CancelFindsItsTaskAmongThoseOfAllLoops) {
    LoopOfSleepers one, other;
    while (one.last_id == 0 || other.last_id == 0) std::this_thread::yield();
    EXPECT_EQ(cancel_from_outside(one.first_id), nullptr);
    EXPECT_EQ(cancel_from_outside(other.last_id), nullptr);
    const char* const why_not = cancel_from_outside(~std::uint64_t{0});
    ASSERT_NE(why_not, nullptr);
    EXPECT_STREQ(why_not, "no loop of the app has this task: it is done, or never was");
    EXPECT_EQ(cancel_from_outside(one.last_id), nullptr);
    EXPECT_EQ(cancel_from_outside(other.first_id), nullptr);
    one.thread.join();
    other.thread.join();
    EXPECT_EQ(one.others_cancelled, 2u) << "the first and the last, and no other";
    EXPECT_EQ(other.others_cancelled, 2u);
}

}  // namespace
}  // namespace coroscope
