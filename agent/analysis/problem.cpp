// All rules over one app, and equal findings folded.
#include "problem.hpp"

#include <algorithm>
#include <map>
#include <tuple>

#include "evidence.hpp"

namespace coroscope::analysis {

const std::vector<const Rule*>& rules() {
    static const std::vector<const Rule*> all = {
        &deadlock_rule(),
        &stalled_loop_rule(),
        &slow_step_rule(),
        &loop_lag_rule(),
        &exception_never_retrieved_rule(),
        &callback_exception_rule(),
        &never_awaited_rule(),
        &task_destroyed_pending_rule(),
        &cancellation_ignored_rule(),
    };
    return all;
}

namespace {

// A total order: equal models give equal lists. Two of one kind that fold differ in their site.
bool is_worse(const Problem& a, const Problem& b) {
    if (a.duration_ns != b.duration_ns) return a.duration_ns > b.duration_ns;
    if (a.count != b.count) return a.count > b.count;
    return std::tie(a.time_ns, a.site.file, a.site.line, a.site.function) <
           std::tie(b.time_ns, b.site.file, b.site.line, b.site.function);
}

}  // namespace

std::vector<Problem> find_problems(model::AppKey key, const model::App& app) {
    std::vector<Problem> folded;
    for (const Rule* rule : rules()) {
        std::vector<Problem> found;
        rule->check(key, app, found);
        // Equal ones become one: the worst of them speaks for all.
        std::map<std::tuple<std::string, std::string, std::uint32_t>, std::size_t> index;
        const std::size_t begin = folded.size();
        for (Problem& problem : found) {
            problem.kind = rule->kind();
            problem.app = key;
            const auto [at, is_new] =
                index.try_emplace({problem.site.function, problem.site.file, problem.site.line}, folded.size());
            if (is_new) {
                folded.push_back(std::move(problem));
                continue;
            }
            Problem& same = folded[at->second];
            const std::uint64_t count = same.count + problem.count;
            if (problem.duration_ns > same.duration_ns) same = std::move(problem);
            same.count = count;
        }
        std::sort(folded.begin() + static_cast<std::ptrdiff_t>(begin), folded.end(), is_worse);
    }
    return folded;
}

std::vector<Problem> find_problems(const model::Session& session) {
    std::vector<Problem> all;
    for (const auto& [key, app] : session.apps()) {
        std::vector<Problem> found = find_problems(key, app);
        std::move(found.begin(), found.end(), std::back_inserter(all));
    }
    return all;
}

}  // namespace coroscope::analysis
