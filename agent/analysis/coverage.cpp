#include "coverage.hpp"

#include <algorithm>

#include "proto/words/amount.hpp"
#include "proto/words/utf8.hpp"
#include "rule.hpp"

namespace coroscope::analysis {

namespace {

void add_lost(std::vector<std::string>& lost, std::uint64_t count, std::string_view one, std::string_view many) {
    if (count != 0) lost.push_back(words::counted(count, one, many));
}

std::string silent_rules(const model::Model& model) {
    std::string names;
    for (const Rule& rule : rules())
        if (!can_report(model, rule.needs)) names += (names.empty() ? "" : ", ") + std::string(rule.name);
    return names;
}

void look_at(const model::App& app, Coverage& coverage) {
    const model::Model& model = app.model;
    const std::string of = "of " + words::printable(app.name) + " (pid " + std::to_string(app.pid) + "): ";
    std::vector<std::string> lost;
    add_lost(lost, model.dropped(), "event was lost by the app, whose buffers were full",
             "events were lost by the app, whose buffers were full");
    add_lost(lost, model.batches_lost(), "batch of events never arrived", "batches of events never arrived");
    add_lost(lost, model.live_tasks_refused(), "task was not taken into the model, which is full",
             "tasks were not taken into the model, which is full");
    add_lost(lost, model.resources_lost() + model.resources_refused(), "lock, queue or the like is not known",
             "locks, queues and the like are not known");
    for (const std::string& each : lost) coverage.lost.push_back(of + each);
    if (model.events() == 0) coverage.lost.push_back(of + "no event has come yet");
    if (const std::string silent = silent_rules(model); !silent.empty())
        coverage.limits.push_back(of + "its runtime does not report what these need: " + silent);
    if (model.events_unknown() != 0)
        coverage.limits.push_back(of + words::counted(model.events_unknown(), "event", "events") +
                                  " of kinds that this version does not know");
    coverage.events += model.events();
    coverage.tasks += model.tasks_created();
    if (model.now_ns() > model.first_ns())
        coverage.duration_ns = std::max(coverage.duration_ns, model.now_ns() - model.first_ns());
}

}  // namespace

std::string Coverage::seen_text() const {
    return "looked at " + words::counted(events, "event", "events") + " of " + words::counted(tasks, "task", "tasks") +
           " in " + words::duration(duration_ns);
}

Coverage coverage_of(const model::Session& session) {
    Coverage coverage;
    for (const auto& [key, app] : session.apps()) look_at(app, coverage);
    if (session.apps().empty()) coverage.lost.push_back("there is no app");
    if (session.bad_frames() != 0)
        coverage.lost.push_back(words::counted(session.bad_frames(), "part", "parts") +
                                " of the recording made no sense");
    return coverage;
}

}  // namespace coroscope::analysis
