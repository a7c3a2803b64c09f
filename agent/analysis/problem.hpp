// What is wrong with an app, found in its model. One rule a file; a rule that cannot know stays silent.
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
};

struct Problem {
    std::string kind;  // snake_case: "slow_step", "never_awaited" ...
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
    std::string advice;               // what to do
};

class Rule {
public:
    virtual ~Rule() = default;
    virtual std::string_view kind() const = 0;         // snake_case
    virtual std::string_view description() const = 0;  // one line: what it finds
    virtual void check(model::AppKey key, const model::App& app, std::vector<Problem>& found) const = 0;
};

const std::vector<const Rule*>& rules();  // in order of severity

// All problems of all apps, worst first; equal ones (same kind, app and site) folded with a count.
std::vector<Problem> find_problems(const model::Session& session);
std::vector<Problem> find_problems(model::AppKey key, const model::App& app);

}  // namespace coroscope::analysis
