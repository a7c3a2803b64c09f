// Ctrl+P: tasks by a few letters of their name or coroutine.
#pragma once

#include <string>
#include <vector>

#include "agent/model/model.hpp"

namespace coroscope::viewer {

struct Found {
    model::TaskId task = 0;
    int score = 0;
};

// How well `letters` are in `text`, in order, not necessarily adjacent: 0 not at all; more when adjacent or at a word's
// begin.
int fuzzy_score(std::string_view text, std::string_view letters);

// The best matches, best first; alive before done, newer before older. Looks at no more than `most_looked_at` tasks,
// the newest.
std::vector<Found> find_tasks(const model::Model& model, std::string_view letters, std::size_t most,
                              std::size_t most_looked_at = 200'000);

}  // namespace coroscope::viewer
