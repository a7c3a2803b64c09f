// The live tasks of a loop as one looks at them now, with debug mode on or off: by the loop itself on its thread, or,
// while that thread hangs, from outside. For `coroscope stacks`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "coroscope/detail/task_control.hpp"
#include "coroscope/emit.h"

namespace coroscope::detail {

// A coroutine's frame: its own place, and where it awaits, as addresses of what a std::source_location refers to.
struct SeenFrame {
    std::uint64_t own_site = 0, await_site = 0;
    bool operator==(const SeenFrame&) const = default;
};

struct SeenTask {
    std::uint64_t id = 0, parent = 0;
    std::string name;  // given by the app; often empty
    TaskState state = TaskState::created;
    std::uint64_t wait = 0, holder = 0;  // as waits_for() and holder_of(); 0: not known
    std::uint32_t created_at = 0;        // probe node; 0: not known
    std::vector<SeenFrame> frames;       // outermost first
    bool operator==(const SeenTask&) const = default;
};

struct SeenTasks {
    static constexpr std::size_t most_tasks = 100'000;
    static constexpr std::size_t most_frames = 500;  // of a task; past it, the outermost alone is told

    std::vector<SeenTask> tasks;
    std::size_t left_out = 0;  // past most_tasks; of a look from outside at least so many
    bool operator==(const SeenTasks&) const = default;
};

// On the loop's thread. O(tasks).
SeenTasks list_tasks(EventLoop& loop);

// What is read of a loop from outside, without its help and without stopping its thread. The loop may even end
// meanwhile: memory is read through the kernel (copy_memory()), which says so where there is none.
struct LoopFromOutside {
    std::uint64_t id = 0;
    std::uint64_t thread = 0;  // the system's number; 0: no thread has run it
    bool running = false;
    // nullopt: it is gone, or the system does not let us read.
    static std::optional<LoopFromOutside> read(const EventLoop& loop);

    struct List {
        SeenTasks seen;
        bool changing = false;  // it was another at each look: a task may be missing, or told as it was
    };
    // Blocks for a second at the longest. What the tasks wait for is not known.
    static List read_tasks(const EventLoop& loop);
};

// All loops: see cs_stacks_writer. A loop has 200 ms to answer; then it is read from outside. Any thread but a loop's.
void write_stacks(const cs_stacks_writer& writer);

}  // namespace coroscope::detail
