// What is wrong with an app, found in its model by rules. How rules are written is in rule.hpp.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agent/model/session.hpp"

namespace coroscope::analysis {

struct Place {
    std::string function, file;
    std::uint32_t line = 0;
    bool library = false;  // not in the user's own code
};

// How bad a problem is for the app: something will never happen or was lost; something is slow or untidy; worth
// knowing.
using vocabulary::Severity;
using vocabulary::to_string;  // "error", as in JSON

// How sure a problem is: certain: what the app reported is proof; likely: it is what was seen, and something that was
// not seen could still say otherwise.
enum class Certainty : std::uint8_t { certain, likely };
std::string_view to_string(Certainty certainty);

// A task that has its part in a problem: one that waits in a circle, one of many to which the same happened.
struct Part {
    model::TaskId task = 0;
    Place site;
    std::string text;         // a sentence
    std::uint64_t count = 1;  // equal ones
};

struct Problem {
    std::string kind;  // the name of its rule: "slow_step", "never_awaited" ...
    Severity severity = Severity::warning;
    bool ongoing = false;  // it lasts; else it is over and left its trace
    model::AppKey app = 0;
    model::TaskId task = 0;           // 0: none
    std::uint64_t time_ns = 0;        // when, on the app's clock
    std::uint64_t duration_ns = 0;    // 0: does not apply
    std::uint64_t count = 1;          // equal ones folded into this
    Place site;                       // where to look first
    std::vector<Place> stack;         // async stack, innermost last
    std::vector<Place> native_stack;  // captured while it happened or where created, innermost last; may be empty
    std::string summary;              // one line for a person: "step of Task-7 blocked its loop for 203 ms"
    std::string evidence;             // the facts, measured
    std::vector<Part> parts;          // of which it consists: the edges of a circle, what was folded into it
    Certainty certainty = Certainty::certain;
    std::string cause;   // what makes two at one site different: an error's type and text; may be empty
    std::string advice;  // what to do
};

// The parts that the evidence does not name already: what to show below it.
std::vector<Part> parts_beside_evidence(const Problem& problem);

// All problems of all apps, worst first: errors before warnings, what lasts before what is over, long before short.
// Equal ones (same kind, app and site) are one with a count: see fold_problems.hpp.
std::vector<Problem> find_problems(const model::Session& session);
std::vector<Problem> find_problems(model::AppKey key, const model::App& app);

}  // namespace coroscope::analysis
