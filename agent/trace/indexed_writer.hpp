// Writes a trace file with keyframes in it, so that a reader can begin at any time: what the agent's recorder,
// `coroscope run --record` and `coroscope index` write with.
//
// It folds what it writes, with model::moment_limits(). So a keyframe costs neither a lock nor a pause of the session
// that is recorded, and it is small whatever the agent keeps.
#pragma once

#include <cstdint>
#include <string>

#include "agent/model/history.hpp"
#include "proto/container/trace_file.hpp"

namespace coroscope::trace {

// Thread: one at a time. Memory: the models of all apps that are connected and of `retain_apps` that have ended, and
// one keyframe of each.
class IndexedWriter {
public:
    struct Settings {
        // Keyframes follow after this much history (unpacked frames), which takes some 50 ms to fold ...
        std::uint64_t keyframe_every_bytes = 4u << 20;
        // ... but only where all keyframes together take no more than this part of the file, and this much beside. So
        // the distance between large keyframes grows with their size.
        std::uint64_t most_part = 20;  // a twentieth
        std::uint64_t most_beside_bytes = 64u << 10;
        std::size_t retain_apps = 32;  // ended apps in a keyframe; the state of others is where their history is
        model::Limits limits = model::moment_limits();
    };

    explicit IndexedWriter(const std::string& path) : IndexedWriter(path, Settings{}) {}
    IndexedWriter(const std::string& path, Settings settings);

    // As those of Writer.
    bool append(const v2::Frame& frame);
    bool flush() { return writer_.flush(); }
    bool finish() { return writer_.finish(); }
    const std::string& error() const { return writer_.error(); }
    std::uint64_t bytes() const { return writer_.bytes(); }
    std::uint64_t keyframe_bytes() const { return writer_.keyframe_bytes(); }
    std::uint64_t keyframe_blocks() const { return keyframe_blocks_; }

private:
    std::uint64_t bytes_for_keyframes() const;
    bool add_keyframes();

    const Settings settings_;
    Writer writer_;
    model::Session session_;
    std::uint64_t history_bytes_ = 0;  // since keyframes were written or tried
    std::uint64_t keyframe_blocks_ = 0;
};

}  // namespace coroscope::trace
