#include "finder.hpp"

#include <algorithm>
#include <cctype>
#include <string_view>
#include <unordered_map>

#include "agent/words/task.hpp"
#include "viewer/layout/contains.hpp"

namespace coroscope::viewer {

namespace {

char lower(char c) { return static_cast<char>(std::tolower(static_cast<unsigned char>(c))); }

}  // namespace

int fuzzy_score(std::string_view text, std::string_view letters) {
    if (letters.empty()) return 1;
    if (contains_text(text, letters))
        return 1000 + (lower(text.front()) == lower(letters.front()) ? 100 : 0) -
               static_cast<int>(std::min<std::size_t>(text.size(), 90));
    int score = 0;
    std::size_t at = 0;
    bool adjacent = false;
    for (const char letter : letters) {
        if (letter == ' ') continue;
        std::size_t found = at;
        while (found < text.size() && lower(text[found]) != lower(letter)) ++found;
        if (found == text.size()) return 0;
        adjacent = found == at && at > 0;
        const bool word_begin = found == 0 || std::isalnum(static_cast<unsigned char>(text[found - 1])) == 0;
        score += adjacent ? 8 : word_begin ? 6 : 1;
        at = found + 1;
    }
    return std::max(1, score - static_cast<int>(std::min<std::size_t>(text.size(), 60)) / 10);
}

std::vector<Found> find_tasks(const model::Model& model, std::string_view letters, std::size_t most,
                              std::size_t most_looked_at) {
    std::vector<Found> found;
    std::unordered_map<model::NodeId, std::string> coroutines;
    const std::vector<const model::Task*> all = model.all_tasks();
    const std::size_t from = all.size() > most_looked_at ? all.size() - most_looked_at : 0;
    for (std::size_t i = all.size(); i-- > from;) {
        const model::Task& task = *all[i];
        const auto [coroutine, fresh] = coroutines.try_emplace(task.root);
        if (fresh) coroutine->second = words::short_coroutine(model, task);
        const int score =
            std::max(fuzzy_score(model.task_name(task), letters), fuzzy_score(coroutine->second, letters));
        if (score > 0) found.push_back({task.id, score * 2 + (task.state == model::State::done ? 0 : 1)});
    }
    const auto better = [](const Found& a, const Found& b) {
        return a.score != b.score ? a.score > b.score : a.task > b.task;
    };
    const std::size_t kept = std::min(most, found.size());
    std::partial_sort(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(kept), found.end(), better);
    found.resize(kept);
    return found;
}

}  // namespace coroscope::viewer
