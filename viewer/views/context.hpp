// What every view gets: the session to show, what was derived from it, and the state it may change.
#pragma once

#include "agent/model/session.hpp"
#include "viewer/state/derived.hpp"
#include "viewer/state/source_info.hpp"
#include "viewer/state/view_state.hpp"

namespace coroscope::viewer::views {

struct Context {
    const model::Session& session;
    const model::App* app;  // the chosen one; nullptr: there is none yet
    const SourceInfo& source;
    const Derived& derived;
    ViewState& state;

    const model::Model& model() const { return app->model; }
    // Of the selected task; nullptr: none, or no longer retained.
    const model::Task* selected() const { return app == nullptr ? nullptr : app->model.task(state.task); }
    bool live() const { return source.live && app != nullptr && app->connected; }
};

// "+12.345 s" since the app's first event.
std::string since_start(const Context& context, double time_ns);

}  // namespace coroscope::viewer::views
