// What lay between a task's steps: the time it was suspended, then the time it was ready and waited for its loop. One
// algorithm for the viewer's lanes and for the exporters. What the model does not know is left out, not guessed.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>

#include "model.hpp"

namespace coroscope::model {

inline constexpr std::uint64_t still_lasts = std::numeric_limits<std::uint64_t>::max();

// Suspended from begin to ready, ready from there to end. Each part may be empty; times never go backwards.
struct Pause {
    std::uint64_t begin_ns = 0, ready_ns = 0, end_ns = 0;  // still_lasts: that has not happened yet
    NodeId at = 0;                                         // where it was suspended; 0 if that part is empty
    TaskId woken_by = 0;                                   // 0: the loop, or unknown
    Wait wait;  // what it was suspended for; Verb::unknown if that part is empty
};

// Before `first`, the earliest step that is known of `task`.
Pause pause_before(const Task& task, const Slice& first);
// Between two steps of a task, of which none is known to lie between them.
Pause pause_between(const Slice& before, const Slice& after);
// Since `last`, the latest step that is known; nullptr: none is. Nothing if the task runs or is done.
std::optional<Pause> pause_after(const Task& task, const Slice* last);

// The task that made the step's task ready; 0: the loop did, or it is unknown. A task that yields wakes itself, which
// is worth no arrow, and gives 0.
TaskId waker_of(const Slice& slice);

}  // namespace coroscope::model
