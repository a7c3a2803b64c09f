// Folds a trace file.
#include "load.hpp"

#include <algorithm>
#include <map>

#include "agent/model/history.hpp"
#include "coroscope/v2/session.pb.h"
#include "file_frames.hpp"
#include "proto/container/trace_file.hpp"

namespace coroscope::trace {

namespace {

// How an app's clock stands against the wall clock, and when its history begins.
struct Begin {
    std::uint64_t unix_ns = 0, at_ns = 0;  // the same moment on both clocks
    std::uint64_t first_unix_ns = 0;       // 0: no event yet
    model::Session session;                // up to its first event
};

void look_for_begin(Begin& begin, const v2::Frame& frame) {
    if (frame.has_hello()) {
        begin.unix_ns = frame.hello().wall_unix_ns();
        begin.at_ns = frame.hello().wall_at_ns();
    }
    if (begin.first_unix_ns != 0) return;
    begin.session.apply(frame);
    const model::App* app = begin.session.app(frame.app());
    if (app == nullptr || app->model.events() == 0) return;
    begin.first_unix_ns = app->model.wall_unix_ns(app->model.first_ns());
    begin.session = model::Session{};
}

}  // namespace

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

Loaded load_at(const std::string& path, const When& when) {
    Loaded loaded;
    Reader reader(path);
    if (!reader.ok()) {
        loaded.error = reader.error();
        return loaded;
    }
    std::map<model::AppKey, Begin> begins;
    const bool whole = reader.read([&](const v2::Frame& frame) {
        look_for_begin(begins[frame.app()], frame);
        return true;
    });
    if (!whole) loaded.warning = path + ": " + reader.warning();

    std::uint64_t start_ns = ~std::uint64_t{0};
    for (const auto& [key, begin] : begins)
        if (begin.first_unix_ns != 0) start_ns = std::min(start_ns, begin.first_unix_ns);
    const std::uint64_t unix_ns = when.from == When::From::unix_epoch ? when.ns : start_ns + when.ns;
    FileFrames frames(reader);
    model::History history(frames);
    for (const auto& [key, begin] : begins) {
        if (begin.first_unix_ns == 0 || begin.first_unix_ns > unix_ns) continue;
        history.take(key, unix_ns - begin.unix_ns + begin.at_ns, loaded.session);  // wraps rightly before the anchor
    }
    if (loaded.session.apps().empty())
        loaded.error = path + " has no app at that time; its recording begins later, or has no events";
    return loaded;
}

}  // namespace coroscope::trace
