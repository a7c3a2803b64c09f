// All rules over one app, and equal findings folded.
#include "problem.hpp"

#include <algorithm>
#include <iterator>
#include <tuple>

#include "fold_problems.hpp"
#include "rule.hpp"

namespace coroscope::analysis {

namespace {

// A total order: equal models give equal lists. Two of one kind and app that fold differ in their site.
bool is_worse(const Problem& a, const Problem& b) {
    if (a.severity != b.severity) return a.severity > b.severity;
    if (a.ongoing != b.ongoing) return a.ongoing;
    if (a.duration_ns != b.duration_ns) return a.duration_ns > b.duration_ns;
    if (a.count != b.count) return a.count > b.count;
    return std::tie(a.kind, a.app, a.time_ns, a.site.file, a.site.line, a.site.function) <
           std::tie(b.kind, b.app, b.time_ns, b.site.file, b.site.line, b.site.function);
}

}  // namespace

std::string_view to_string(Certainty certainty) { return certainty == Certainty::certain ? "certain" : "likely"; }

std::vector<Part> parts_beside_evidence(const Problem& problem) {
    std::vector<Part> parts = problem.parts;
    std::erase_if(parts, [&](const Part& part) { return problem.evidence.find(part.text) != std::string::npos; });
    return parts;
}

bool can_report(const model::Model& model, std::uint32_t needs) {
    const std::vector<model::Runtime>& runtimes = model.runtimes();
    return runtimes.empty() || std::ranges::any_of(runtimes, [&](const model::Runtime& runtime) {
               return (runtime.capabilities & needs) == needs;
           });
}

const std::vector<Rule>& rules() {
    static const std::vector<Rule> all = [] {
        std::vector<Rule> listed = rules_of_files();
        std::ranges::move(report_rules(), std::back_inserter(listed));
        std::ranges::sort(listed, [](const Rule& a, const Rule& b) {
            if (a.severity != b.severity) return a.severity > b.severity;
            return a.ongoing != b.ongoing ? a.ongoing : a.name < b.name;
        });
        return listed;
    }();
    return all;
}

std::vector<Problem> find_problems(model::AppKey key, const model::App& app) {
    const Inspection seen(app);
    std::vector<Problem> all;
    for (const Rule& rule : rules()) {
        if (!can_report(app.model, rule.needs)) continue;
        const std::size_t begin = all.size();
        rule.check(rule, seen, all);
        for (std::size_t i = begin; i < all.size(); ++i) {
            all[i].app = key;
            all[i].ongoing = all[i].ongoing || rule.ongoing;
            if (!all[i].kind.empty()) continue;  // a report of a kind that only the app has a name for
            all[i].kind = rule.name;
            all[i].severity = rule.severity;
        }
    }
    all = folded(std::move(all));
    std::ranges::sort(all, is_worse);
    return all;
}

std::vector<Problem> find_problems(const model::Session& session) {
    std::vector<Problem> all;
    for (const auto& [key, app] : session.apps()) std::ranges::move(find_problems(key, app), std::back_inserter(all));
    std::ranges::sort(all, is_worse);
    return all;
}

}  // namespace coroscope::analysis
