// What the formats of stacks have in common: speedscope's table of frames, and frames of folded lines.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "json_text.hpp"
#include "labels.hpp"
#include "proto/words/utf8.hpp"

namespace coroscope::trace {

// Frames get their numbers as they come; the table is written last.
class FrameTable {
public:
    std::uint64_t id(const Frame& frame) {
        const auto [at, added] = ids_.try_emplace({frame.function, frame.file, frame.line}, ids_.size());
        if (added) frames_.push_back(frame);
        return at->second;
    }
    const std::vector<Frame>& frames() const { return frames_; }

private:
    std::map<std::tuple<std::string, std::string, std::uint32_t>, std::uint64_t> ids_;
    std::vector<Frame> frames_;
};

inline void write_frames(Json& json, const FrameTable& table) {
    json.key("shared").open('{').key("frames").open('[');
    for (const Frame& frame : table.frames()) {
        json.line().open('{').key("name").value(frame.function);
        if (!frame.file.empty()) json.key("file").value(frame.file);
        if (frame.line != 0) json.key("line").value(std::uint64_t{frame.line});
        json.close();
    }
    json.close().close();
}

// Without the characters that mean something in a folded line: ";" and line breaks.
inline std::string folded_frame(std::string text) {
    std::replace(text.begin(), text.end(), ';', ',');
    return words::printable(text);
}

}  // namespace coroscope::trace
