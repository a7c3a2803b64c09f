// A trace file as a session: what every command and the viewer do with a path.
//
//     auto loaded = trace::load("t.cst");
//     if (!loaded.error.empty()) return fail(loaded.error);
//     if (!loaded.warning.empty()) warn(loaded.warning);
//     for (const auto& [key, app] : loaded.session.apps()) ...
#pragma once

#include <cstdint>
#include <string>

#include "agent/model/session.hpp"

namespace coroscope::trace {

struct Loaded {
    model::Session session;
    std::string error;    // not empty: nothing could be read; why, with the path, and what to do
    std::string warning;  // not empty: the session is good but not all of the file is in it; with the path
};

// As it was at the end of the file.
Loaded load(const std::string& path, model::Limits limits = {});

// A moment of a recording, for all of its apps: clocks of different machines are compared by their wall-clock anchors.
struct When {
    enum class From : std::uint8_t { recording_start, unix_epoch };
    From from = From::recording_start;
    std::uint64_t ns = 0;
};

// As it was then, by a model::History: of what was over by then, the newest only (model::moment_limits()).
Loaded load_at(const std::string& path, const When& when);

}  // namespace coroscope::trace
