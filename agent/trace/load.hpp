// A trace file as a session: what every command and the viewer do with a path.
//
//     auto loaded = trace::load("t.cst");
//     if (!loaded.error.empty()) return fail(loaded.error);
//     if (!loaded.warning.empty()) warn(loaded.warning);
//     for (const auto& [key, app] : loaded.session.apps()) ...
#pragma once

#include <string>

#include "agent/model/session.hpp"

namespace coroscope::trace {

struct Loaded {
    model::Session session;
    std::string error;    // not empty: nothing could be read; why, with the path, and what to do
    std::string warning;  // not empty: the session is good but not all of the file is in it; with the path
};

Loaded load(const std::string& path, model::Limits limits = {});

}  // namespace coroscope::trace
