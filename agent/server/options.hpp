// What an agent can be told, and every bound it keeps. Each queue names its bound, what happens past it, and the
// counter that shows it.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "agent/model/model.hpp"

namespace coroscope::server {

// What the agent keeps of each app. Smaller than the model's own limits: an agent holds many apps, and every subscriber
// gets a keyframe of each when it comes.
inline model::Limits default_limits() {
    model::Limits limits;
    limits.done_tasks = 20'000;
    limits.live_tasks = 1'000'000;
    limits.slices = 200'000;
    limits.iterations = 200'000;
    limits.long_steps = 5'000;
    limits.reports = 5'000;
    limits.gaps = 2'000;
    return limits;
}

struct AgentOptions {
    std::vector<std::string> listen;  // addresses; empty: the default address
    std::string record;               // a trace file to write; empty: none
    std::size_t retain_apps = 32;     // ended apps whose state is kept; past it the one that ended first is forgotten
    model::Limits limits = default_limits();

    // Batches read from one app and not folded yet. Past it the agent stops reading from this app: the app's emitter
    // then fills its own bounded queue, and counts what it throws away (Batch.batches_lost).
    std::size_t inbox_bytes = 32u << 20;
    // Frames for one subscriber that it has not taken yet. Past it all of them are dropped, counted
    // (CutBack.frames_dropped) and replaced by fresh keyframes.
    std::size_t subscriber_queue_bytes = 64u << 20;
    // The same for the recorder, which waits for the disk.
    std::size_t recorder_queue_bytes = 128u << 20;
    // A larger message ends the connection that sent it. A trace file takes no larger batch either
    // (proto/container/FORMAT.md).
    std::size_t max_message_bytes = 16u << 20;
    // Streams of apps and of subscribers at one time. Past it a new one is refused (RESOURCE_EXHAUSTED), and logged.
    std::size_t max_connections = 1024;
};

}  // namespace coroscope::server
