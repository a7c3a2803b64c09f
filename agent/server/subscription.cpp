#include "subscription.hpp"

namespace coroscope::server {

void Subscription::offer(model::AppKey app, const Update& update) {
    const std::scoped_lock lock(mutex_);
    if (closed_) return;
    if (!in_step_.contains(app)) {
        // Its state at a later moment is on the way as a keyframe. Only after a cut is that a loss.
        if (cut_ || frames_dropped_ != 0) ++frames_dropped_;
        return;
    }
    push(update);
}

void Subscription::appear(model::AppKey app, const Update& hello) {
    const std::scoped_lock lock(mutex_);
    if (closed_ || cut_) return;
    in_step_.insert(app);
    push(hello);
}

void Subscription::close(bool now) {
    const std::scoped_lock lock(mutex_);
    closed_ = true;
    if (now) {
        queue_.clear();
        queued_bytes_ = 0;
    }
    changed_.notify_all();
}

std::uint64_t Subscription::frames_dropped() const {
    const std::scoped_lock lock(mutex_);
    return frames_dropped_;
}

bool Subscription::settled() const {
    const std::scoped_lock lock(mutex_);
    return queue_.empty() && !cut_ && !resync_;
}

void Subscription::push(const Update& update) {
    const std::size_t bytes = update->ByteSizeLong();
    // One frame larger than the bound passes through an empty queue: else it could never be delivered.
    if (!queue_.empty() && queued_bytes_ + bytes > bound_bytes_) {
        ++frames_dropped_;
        cut_back();
        return;
    }
    queued_bytes_ += bytes;
    queue_.push_back(update);
    changed_.notify_one();
}

void Subscription::cut_back() {
    frames_dropped_ += queue_.size();
    queue_.clear();
    queued_bytes_ = 0;
    in_step_.clear();
    cut_ = true;
    resync_ = true;
    changed_.notify_one();
}

}  // namespace coroscope::server
