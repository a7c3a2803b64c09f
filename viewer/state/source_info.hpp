// What the views say about the source; the application copies it from the source each frame.
#pragma once

#include <cstdint>
#include <string>

namespace coroscope::viewer {

struct SourceInfo {
    enum class Mood : std::uint8_t { waiting, good, warning, failed };
    bool live = false;
    Mood mood = Mood::waiting;
    std::string name;              // the address, or the path
    bool default_address = false;  // commands need not name it
    std::string phase;             // "live", "reading", "cut off" ...
    std::string message;           // more about it; may be empty
    double progress = 1;           // of reading a file, 0..1; -1: unknown
    std::uint64_t frames = 0, bytes = 0, queued_bytes = 0, frames_cut = 0, connections = 0;
};

}  // namespace coroscope::viewer
