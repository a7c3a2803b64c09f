// Folds a trace file.
#include "load.hpp"

#include "coroscope/v2/session.pb.h"
#include "proto/container/trace_file.hpp"

namespace coroscope::trace {

Loaded load(const std::string& path, model::Limits limits) {
    Loaded loaded{model::Session{limits}, {}, {}};
    Reader reader(path);
    if (!reader.ok()) {
        loaded.error = reader.error();
        return loaded;
    }
    const bool whole = reader.read([&](const v2::Frame& frame) {
        loaded.session.apply(frame);
        return true;
    });
    if (!whole) loaded.warning = path + ": " + reader.warning();
    if (const auto bad = loaded.session.bad_frames(); bad != 0) {
        if (loaded.warning.empty())
            loaded.warning = path + ": ";
        else
            loaded.warning += "; ";
        loaded.warning += std::to_string(bad) + (bad == 1 ? " frame made" : " frames made") + " no sense and " +
                          (bad == 1 ? "was" : "were") + " skipped";
    }
    return loaded;
}

}  // namespace coroscope::trace
