// What could not be seen of an app: "no problems found" is worth as much as what was looked at.
#pragma once

#include <string>
#include <vector>

#include "problem.hpp"

namespace coroscope::analysis {

struct Coverage {
    // Sentences for a person. What was lost: a problem may have been among it.
    std::vector<std::string> lost;
    // What these apps' runtimes do not report, so that some rules stayed silent; what is shown, but not known here.
    std::vector<std::string> limits;
    std::uint64_t events = 0, tasks = 0, duration_ns = 0;  // what was seen, over all apps; of the longest app

    // "looked at 12,345 events of 7 tasks in 3.2 s"
    std::string seen_text() const;
};

Coverage coverage_of(const model::Session& session);

}  // namespace coroscope::analysis
