// One reader of everything the agent learns: a viewer, a command, the recorder. Its queue is bounded and never slows
// the apps: past its bound it is emptied, and the reader gets fresh keyframes instead (it is "cut back").
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <set>
#include <string>

#include "agent/model/session.hpp"
#include "coroscope/v2/observe.pb.h"

namespace coroscope::server {

using Update = std::shared_ptr<const v2::WatchUpdate>;  // shared by all subscriptions, encoded by each

// Fan-out calls offer() and appear() with the app's mutex held, so that the order of one app's frames is that of its
// fold. One thread reads, through Hub::next(). close() from any thread.
class Subscription {
public:
    Subscription(std::size_t bound_bytes, bool follow, bool to_the_end)
        : bound_bytes_(bound_bytes), follow_(follow), to_the_end_(to_the_end) {}

    // A frame of an app. Never blocks.
    void offer(model::AppKey app, const Update& update);
    // The first frame of an app: from here on the reader is in step with it.
    void appear(model::AppKey app, const Update& hello);
    // Wakes the reader; next() then gives what is queued, and after that the end. `now`: the queue is dropped as well.
    void close(bool now);

    bool to_the_end() const { return to_the_end_; }
    std::uint64_t frames_dropped() const;
    // The reader has taken all there is: it knows what the hub knows.
    bool settled() const;

private:
    friend class Hub;

    void push(const Update& update);                                   // under mutex_
    void cut_back();                                                   // under mutex_
    bool idle() const { return queue_.empty() && !cut_ && !closed_; }  // under mutex_

    const std::size_t bound_bytes_;
    const bool follow_;
    const bool to_the_end_;

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Update> queue_;  // under mutex_, as all below
    std::size_t queued_bytes_ = 0;
    std::set<model::AppKey> in_step_;  // apps whose keyframe or first frame the reader has got, or has in its queue
    bool resync_ = true;               // apps out of step must be looked for
    bool cut_ = false;                 // a CutBack must be told
    bool closed_ = false;
    std::uint64_t frames_dropped_ = 0;

    // The reader's own.
    std::deque<Update> ahead_;  // goes before the queue: keyframes, CaughtUp, CutBack
    bool caught_up_ = false;    // CaughtUp was sent
};

}  // namespace coroscope::server
