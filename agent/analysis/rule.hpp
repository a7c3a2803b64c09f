// A rule: it looks for one kind of problem in the model of an app. A rule that cannot know stays silent: about
// what was lost, and about apps whose runtimes do not report what it needs.
//
// Each file in rules/ defines the rule of its name; the build makes the list of them. What the app itself reports
// (reported.cpp) is a rule for each kind of report.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "problem.hpp"
#include "wait_graph.hpp"

namespace coroscope::analysis {

// An app as rules see it, with what several of them need: made when the first one asks.
class Inspection {
public:
    explicit Inspection(const model::App& the_app) : app(the_app), model(the_app.model) {}
    const WaitGraph& waits() const {
        if (!waits_) waits_.emplace(model);
        return *waits_;
    }

    const model::App& app;
    const model::Model& model;

private:
    mutable std::optional<WaitGraph> waits_;
};

struct Rule {
    using Check = void(const Rule& rule, const Inspection& seen, std::vector<Problem>& found);

    std::string_view name;   // snake_case; the kind of its problems
    std::string_view finds;  // one line for a person
    Severity severity = Severity::warning;
    bool ongoing = false;     // its problems last while they are found: they are listed before those that are over
    std::uint32_t needs = 0;  // vocabulary::Capability bits: it is not asked about an app that cannot report these
    Check* check = nullptr;
};

// Whether a runtime of the app reports all of these Capability bits. An app that does not say what its runtimes can
// report is taken for one that can report everything.
bool can_report(const model::Model& model, std::uint32_t needs);

// All rules, worst first.
const std::vector<Rule>& rules();

// A rule for each kind of report, and one for kinds that this version does not know.
std::vector<Rule> report_rules();

// The rules of the files in rules/. Defined in a file that the build makes.
std::vector<Rule> rules_of_files();

}  // namespace coroscope::analysis
