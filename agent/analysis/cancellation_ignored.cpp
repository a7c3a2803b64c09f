// cancellation_ignored: a task was asked to end, has run many steps since, and still lives.
#include "evidence.hpp"

namespace coroscope::analysis {

namespace {

class CancellationIgnored final : public Rule {
public:
    std::string_view kind() const override { return "cancellation_ignored"; }
    std::string_view description() const override { return "a task lives on long after it was cancelled"; }

    void check(model::AppKey, const model::App& app, std::vector<Problem>& found) const override {
        const model::Model& model = app.model;
        constexpr std::uint64_t long_ns = 2'000'000'000;
        for (const model::Task* task : model.live_tasks()) {
            // uncancel() is not seen on the wire, so a single request may have been taken back: only repeated ones are
            // a fact.
            if (task->cancel_requests < 2 || task->incomplete || task->cancelled_ns == 0) continue;
            const std::uint64_t since = model.now_ns() - task->cancelled_ns;
            if (since < long_ns) continue;
            Problem problem;
            problem.task = task->id;
            problem.time_ns = task->cancelled_ns;
            problem.duration_ns = since;
            problem.stack = places(model.await_stack(*task));
            problem.site = innermost(problem.stack);
            problem.summary = task_text(model, task->id) + " was cancelled " + std::to_string(task->cancel_requests) +
                              " times and lives on";
            problem.evidence =
                "the first request came " + duration_text(since) + " ago; it now is at " + place_text(problem.site);
            problem.advice =
                "Something catches Cancelled and goes on, catch (...) perhaps: rethrow it after cleaning up.";
            found.push_back(std::move(problem));
        }
    }
};

}  // namespace

const Rule& cancellation_ignored_rule() {
    static const CancellationIgnored rule;
    return rule;
}

}  // namespace coroscope::analysis
