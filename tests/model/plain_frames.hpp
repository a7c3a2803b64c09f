// A recording that has no keyframes.
#pragma once

#include <algorithm>
#include <vector>

#include "agent/model/history.hpp"

namespace coroscope::model::test {

// Frames without any keyframes, some at each position.
class PlainFrames final : public FrameSource {
public:
    PlainFrames(const std::vector<v2::Frame>& frames, std::size_t per_position)
        : frames_(frames), per_position_(per_position) {}
    std::uint64_t begin() const override { return 0; }
    std::uint64_t end() const override { return (frames_.size() + per_position_ - 1) / per_position_; }
    bool has_keyframes(std::uint64_t) const override { return false; }
    bool read(std::uint64_t position, const OnFrame& on_frame) override {
        const std::size_t from = static_cast<std::size_t>(position) * per_position_;
        for (std::size_t i = from; i < std::min(from + per_position_, frames_.size()); ++i)
            if (!on_frame(frames_[i], false)) return true;
        return true;
    }

private:
    const std::vector<v2::Frame>& frames_;
    std::size_t per_position_;
};

}  // namespace coroscope::model::test
