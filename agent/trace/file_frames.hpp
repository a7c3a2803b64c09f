// A trace file as a model::FrameSource: what a model::History reads.
#pragma once

#include "agent/model/history.hpp"
#include "proto/container/trace_file.hpp"

namespace coroscope::trace {

// Positions are the reader's runs. Memory: one block.
class FileFrames final : public model::FrameSource {
public:
    // The reader must be ok() and outlive this.
    explicit FileFrames(Reader& reader) : reader_(reader) {}

    std::uint64_t begin() const override { return 0; }
    std::uint64_t end() const override { return reader_.runs().size(); }
    bool has_keyframes(std::uint64_t position) const override {
        return reader_.runs()[static_cast<std::size_t>(position)].keyframe;
    }
    bool read(std::uint64_t position, const OnFrame& on_frame) override {
        return reader_.read_run(static_cast<std::size_t>(position), on_frame);
    }

private:
    Reader& reader_;
};

}  // namespace coroscope::trace
