// The frames of a live session in memory, for a History: a viewer can then go back in time without a file.
#pragma once

#include <deque>

#include "history.hpp"

namespace coroscope::model {

// A ring of frames. Bound: `max_bytes`, and the newest keyframes. Overflow policy: the oldest position is dropped.
// Counter: frames_dropped(). Thread: one at a time, the owner's.
class RecordedFrames final : public FrameSource {
public:
    struct Settings {
        std::size_t max_bytes = 256u << 20;
        std::size_t position_bytes = 4u << 20;  // after so much, keyframes and a new position
        std::size_t keyframe_spacing = 4;       // nor before so many times the size of the last keyframes
        std::size_t retain_apps = 32;           // ended apps that keyframes still have
        Limits limits = moment_limits();
    };

    RecordedFrames() : RecordedFrames(Settings{}) {}
    explicit RecordedFrames(Settings settings);
    ~RecordedFrames() override;

    // Keeps a frame. Folds it, too: keyframes are states of this fold.
    void append(const v2::Frame& frame);

    std::uint64_t frames_dropped() const { return frames_dropped_; }
    std::size_t bytes() const { return bytes_; }

    std::uint64_t begin() const override { return first_; }
    std::uint64_t end() const override { return first_ + positions_.size(); }
    bool has_keyframes(std::uint64_t position) const override;
    bool read(std::uint64_t position, const OnFrame& on_frame) override;

private:
    struct Position;

    void open_position();
    void drop_oldest();

    const Settings settings_;
    Session session_;
    std::deque<std::unique_ptr<Position>> positions_;
    std::uint64_t first_ = 0;  // number of positions_.front()
    std::size_t bytes_ = 0;
    std::uint64_t frames_dropped_ = 0;
};

}  // namespace coroscope::model
