// What the container's tests share: a directory of their own, files as bytes, frames to write.
#pragma once

#include "coroscope/v2/events.pb.h"
#include "coroscope/v2/session.pb.h"
#include "proto/container/trace_file.hpp"
#include "tests/support/temporary_directory.hpp"

#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

namespace coroscope::trace::test {

using coroscope::test::TemporaryDirectory;

inline std::string slurp(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

inline void spill(const std::string& path, const std::string& bytes) { std::ofstream(path, std::ios::binary) << bytes; }

inline v2::Frame hello_frame(std::uint64_t app, const std::string& name = "app") {
    v2::Frame frame;
    frame.set_app(app);
    frame.mutable_hello()->set_name(name);
    frame.mutable_hello()->set_pid(4242);
    return frame;
}

inline v2::Frame batch_frame(std::uint64_t app, std::uint64_t sequence, std::uint64_t start_ns = 0) {
    v2::Batch batch;
    batch.set_sequence(sequence);
    if (start_ns != 0) {
        auto& lane = *batch.add_lanes();
        lane.set_thread(1);
        lane.set_start_ns(start_ns);
        lane.set_kinds(std::string(3, '\x0a'));
        for (int i = 0; i < 3; ++i) lane.add_time_deltas(10);
    }
    v2::Frame frame;
    frame.set_app(app);
    frame.set_batch(batch.SerializeAsString());
    return frame;
}

inline v2::Frame keyframe_frame(std::uint64_t app, std::size_t bytes = 20) {
    v2::Frame frame;
    frame.set_app(app);
    frame.set_keyframe(std::string(bytes, 'k'));
    return frame;
}

inline v2::Frame random_frame(std::mt19937_64& random) {
    v2::Frame frame;
    frame.set_app(random() % 5);
    std::string bytes(random() % 5000, '\0');
    for (char& c : bytes) c = static_cast<char>(random() % 4);
    switch (random() % 5) {
        case 0: frame.mutable_hello()->set_name(bytes); break;
        case 1: frame.set_batch(bytes); break;
        case 2: frame.set_keyframe(bytes); break;
        case 3: frame.mutable_disconnected()->set_reason(bytes); break;
        default: break;  // no content at all is a frame, too
    }
    return frame;
}

inline std::vector<std::string> as_bytes(const std::vector<v2::Frame>& frames) {
    std::vector<std::string> out;
    for (const auto& frame : frames) out.push_back(frame.SerializeAsString());
    return out;
}

struct Contents {
    bool ok = false, whole = false;
    std::string error, warning;
    std::vector<std::string> frames;
};

inline Contents read_all(const std::string& path) {
    Contents contents;
    Reader reader(path);
    contents.ok = reader.ok();
    contents.error = reader.error();
    contents.whole = reader.read([&](const v2::Frame& frame) {
        contents.frames.push_back(frame.SerializeAsString());
        return true;
    });
    contents.warning = reader.warning();
    return contents;
}

// The frames of all runs from one on, keyframe blocks included.
inline std::vector<std::string> read_runs(const std::string& path, std::size_t from = 0) {
    std::vector<std::string> frames;
    Reader reader(path);
    for (std::size_t run = from; run < reader.runs().size(); ++run) {
        reader.read_run(run, [&](const v2::Frame& frame, bool) {
            frames.push_back(frame.SerializeAsString());
            return true;
        });
    }
    return frames;
}

}  // namespace coroscope::trace::test
