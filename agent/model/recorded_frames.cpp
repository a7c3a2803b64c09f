// Frames in, positions with keyframes out; the oldest are dropped.
#include "recorded_frames.hpp"

#include <algorithm>

#include "coroscope/v2/session.pb.h"

namespace coroscope::model {

struct RecordedFrames::Position {
    std::vector<v2::Frame> keyframes;
    std::vector<v2::Frame> frames;
    std::size_t keyframe_bytes = 0;
    std::size_t frame_bytes = 0;
};

RecordedFrames::RecordedFrames(Settings settings) : settings_(settings), session_(settings.limits) {
    positions_.push_back(std::make_unique<Position>());
}
RecordedFrames::~RecordedFrames() = default;

void RecordedFrames::append(const v2::Frame& frame) {
    // Keyframes cost time and room: the larger they are, the more history stands between them.
    const Position& last = *positions_.back();
    const std::size_t enough = std::min(
        std::max(settings_.position_bytes, settings_.keyframe_spacing * last.keyframe_bytes), settings_.max_bytes / 4);
    if (last.frame_bytes >= enough) open_position();
    session_.apply(frame);
    const std::size_t size = frame.ByteSizeLong();
    positions_.back()->frames.push_back(frame);
    positions_.back()->frame_bytes += size;
    bytes_ += size;
    while (bytes_ > settings_.max_bytes && positions_.size() > 1) drop_oldest();
}

void RecordedFrames::open_position() {
    session_.retain_ended(settings_.retain_apps);
    Position& position = *positions_.emplace_back(std::make_unique<Position>());
    position.keyframes = session_.keyframes();
    for (const v2::Frame& keyframe : position.keyframes) position.keyframe_bytes += keyframe.ByteSizeLong();
    bytes_ += position.keyframe_bytes;
}

void RecordedFrames::drop_oldest() {
    const Position& oldest = *positions_.front();
    frames_dropped_ += oldest.frames.size();
    bytes_ -= oldest.frame_bytes + oldest.keyframe_bytes;
    positions_.pop_front();
    ++first_;
}

bool RecordedFrames::has_keyframes(std::uint64_t position) const {
    return !positions_[static_cast<std::size_t>(position - first_)]->keyframes.empty();
}

bool RecordedFrames::read(std::uint64_t position, const OnFrame& on_frame) {
    const Position& at = *positions_[static_cast<std::size_t>(position - first_)];
    for (const v2::Frame& frame : at.keyframes)
        if (!on_frame(frame, true)) return true;
    for (const v2::Frame& frame : at.frames)
        if (!on_frame(frame, false)) return true;
    return true;
}

}  // namespace coroscope::model
