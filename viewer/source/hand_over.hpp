// Frames on their way from a source's thread to the UI's.
// Bound: `bound_bytes` of frames. Full: the source's thread waits, so that a file is not read faster than it is folded,
// and an agent that is not read from cuts this viewer back to a keyframe (CutBack, counted). Nothing is dropped here.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>

#include "coroscope/v2/session.pb.h"

namespace coroscope::viewer {

struct Item {
    enum class Kind : std::uint8_t {
        frame,
        reset,      // all that was delivered before is void: another agent, or the same one started anew
        caught_up,  // what was there when the source was opened has been delivered
    };
    Kind kind = Kind::frame;
    v2::Frame frame;
};

class HandOver {
public:
    static constexpr std::size_t bound_bytes = 64u << 20;

    // `wake` is called on the source's thread when the first item comes after a drain: at most one call a drain.
    explicit HandOver(std::function<void()> wake) : wake_(std::move(wake)) {}

    // The source's thread. Waits while full. False: closed, the source should end.
    bool push(Item item) {
        const std::size_t bytes = item.frame.ByteSizeLong();
        bool first = false;
        {
            std::unique_lock lock(mutex_);
            not_full_.wait(lock, [this] { return closed_ || queued_bytes_ < bound_bytes; });
            if (closed_) return false;
            queued_bytes_ += bytes;
            items_.push_back({std::move(item), bytes});
            first = !woken_;
            woken_ = true;
        }
        if (first) wake_();
        return true;
    }

    // The UI's thread. False: nothing waits; the next push wakes.
    bool pop(Item& item) {
        bool was_full = false;
        {
            const std::lock_guard lock(mutex_);
            if (items_.empty()) {
                woken_ = false;
                return false;
            }
            item = std::move(items_.front().item);
            was_full = queued_bytes_ >= bound_bytes;
            queued_bytes_ -= items_.front().bytes;
            items_.pop_front();
        }
        if (was_full) not_full_.notify_one();
        return true;
    }

    void close() {
        {
            const std::lock_guard lock(mutex_);
            closed_ = true;
        }
        not_full_.notify_all();
    }

    std::size_t queued_bytes() const {
        const std::lock_guard lock(mutex_);
        return queued_bytes_;
    }

private:
    struct Queued {
        Item item;
        std::size_t bytes = 0;
    };
    std::function<void()> wake_;
    mutable std::mutex mutex_;
    std::condition_variable not_full_;
    std::deque<Queued> items_;
    std::size_t queued_bytes_ = 0;
    bool woken_ = false;
    bool closed_ = false;
};

}  // namespace coroscope::viewer
