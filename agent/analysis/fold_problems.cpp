#include "fold_problems.hpp"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "evidence.hpp"

namespace coroscope::analysis {

namespace {

constexpr std::size_t most_parts = 50;

// "called from load at store.cpp:12 in load" for the user's frame above the site; "" if there is none.
std::string caller_text(const Problem& problem) {
    const std::vector<Place>& stack = problem.stack;
    const auto is_site = [&](const Place& place) {
        return place.line == problem.site.line && place.file == problem.site.file;
    };
    // A site in a plain function is not on the async stack: then the coroutine that called it is the innermost.
    auto at = std::find_if(stack.rbegin(), stack.rend(), is_site);
    at = std::find_if(at == stack.rend() ? stack.rbegin() : std::next(at), stack.rend(), in_users_code);
    return at == stack.rend() ? std::string() : "called at " + place_text(*at);
}

Part part_of(const Problem& problem) {
    Part part{problem.task, problem.site, problem.cause, problem.count};
    const std::string caller = caller_text(problem);
    if (!caller.empty()) part.text += (part.text.empty() ? "" : ", ") + caller;
    return part;
}

class Folded {
public:
    explicit Folded(Problem first) : problem_(std::move(first)), parts_(problem_.parts) {}

    void add(Problem other) {
        if (!folds_) add_part(part_of(problem_));
        folds_ = true;
        add_part(part_of(other));
        const std::uint64_t count = problem_.count + other.count;
        if (other.duration_ns > problem_.duration_ns) {
            parts_ = other.parts;
            problem_ = std::move(other);
        }
        problem_.count = count;
    }

    Problem take() {
        problem_.parts = std::move(parts_);
        const bool differ = ways_.size() > 1 || (ways_.size() == 1 && !ways_.front().text.empty());
        if (differ) {
            std::ranges::sort(ways_, [](const Part& a, const Part& b) {
                return a.count != b.count ? a.count > b.count : a.text < b.text;
            });
            std::ranges::move(ways_, std::back_inserter(problem_.parts));
        }
        return std::move(problem_);
    }

private:
    void add_part(Part part) {
        const auto same = std::ranges::find(ways_, part.text, &Part::text);
        if (same != ways_.end()) {
            same->count += part.count;
        } else if (ways_.size() < most_parts) {
            ways_.push_back(std::move(part));
        } else {
            ways_.back().text = "others";
            ways_.back().count += part.count;
        }
    }

    Problem problem_;
    std::vector<Part> parts_;  // its own, as the rule gave them
    std::vector<Part> ways_;   // how those that fold differ
    bool folds_ = false;
};

}  // namespace

std::vector<Problem> folded(std::vector<Problem> found) {
    std::map<std::tuple<std::string, std::string, std::string, std::uint32_t>, std::size_t> index;
    std::vector<Folded> all;
    for (Problem& problem : found) {
        const auto [at, is_new] =
            index.try_emplace({problem.kind, problem.site.function, problem.site.file, problem.site.line}, all.size());
        if (is_new)
            all.emplace_back(std::move(problem));
        else
            all[at->second].add(std::move(problem));
    }
    std::vector<Problem> problems;
    for (Folded& each : all) problems.push_back(each.take());
    return problems;
}

}  // namespace coroscope::analysis
