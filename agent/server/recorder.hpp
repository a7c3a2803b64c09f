// Writes everything the agent learns to a trace file, live. A subscriber like any other, but for its larger queue.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "hub.hpp"
#include "proto/container/trace_file.hpp"

namespace coroscope::server {

// Threads: construct, stop() and destroy on one; failed() from any. A full disk ends the recording with a line in the
// log, not the agent.
class Recorder {
public:
    // A keyframe block is a place to seek to. It follows after this much history, and not before
    // `keyframe_spacing` times its own size: a large state must not drown the history.
    static constexpr std::size_t keyframe_every_bytes = 4u << 20;
    static constexpr std::size_t keyframe_spacing = 4;
    // When nothing came for so long, what is buffered goes to the disk: a crash then loses little.
    static constexpr std::chrono::milliseconds flush_after{200};

    Recorder(Hub& hub, const std::string& path, std::size_t queue_bytes);
    ~Recorder();  // stop()

    // Empty, or why the file cannot be written. The constructor reports so; nothing is recorded then.
    const std::string& error() const { return error_; }
    const std::string& path() const { return path_; }
    // Writes what is queued, then the index. Call after Hub::close().
    void stop();
    bool recording() const { return recording_.load(std::memory_order_relaxed); }

private:
    void run();
    bool write(const v2::WatchUpdate& update);
    bool write_frame(const v2::Frame& frame);
    bool gather(const v2::WatchUpdate& update);

    Hub& hub_;
    const std::string path_;
    trace::Writer writer_;
    std::string error_;
    std::shared_ptr<Subscription> subscription_;
    std::atomic<bool> recording_{false};  // for Status: orders nothing

    // The recording thread's.
    bool unflushed_ = false;
    std::size_t bytes_since_keyframe_ = 0;
    std::size_t last_keyframe_bytes_ = 0;
    bool gathering_ = false;            // keyframes of a block are on their way
    std::vector<v2::Frame> keyframes_;  // those that came
    std::vector<v2::Frame> held_back_;  // frames of apps whose keyframe came: they belong behind the block

    std::thread thread_;
};

}  // namespace coroscope::server
