// Writes everything the agent learns to a trace file, live. A subscriber like any other, but for its larger queue: the
// keyframes in the file are of a fold of its own (agent/trace/indexed_writer.hpp), so that they hold up no app.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include "agent/trace/indexed_writer.hpp"
#include "hub.hpp"

namespace coroscope::server {

// Threads: construct, stop() and destroy on one; failed() from any. A full disk ends the recording with a line in the
// log, not the agent.
class Recorder {
public:
    // When nothing came for so long, what is buffered goes to the disk: a crash then loses little.
    static constexpr std::chrono::milliseconds flush_after{200};

    Recorder(Hub& hub, const std::string& path, std::size_t queue_bytes, std::size_t retain_apps);
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

    Hub& hub_;
    const std::string path_;
    trace::IndexedWriter writer_;
    std::string error_;
    std::shared_ptr<Subscription> subscription_;
    std::atomic<bool> recording_{false};  // for Status: orders nothing

    bool unflushed_ = false;  // the recording thread's

    std::thread thread_;
};

}  // namespace coroscope::server
