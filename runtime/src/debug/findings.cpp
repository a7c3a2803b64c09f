#include "findings.hpp"

#include <spdlog/fmt/fmt.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <optional>

#include "local_log.hpp"
#include "proto/words/amount.hpp"
#include "proto/words/function_name.hpp"
#include "proto/words/place.hpp"
#include "proto/words/utf8.hpp"

namespace coroscope::debug {

namespace {

using probe::readable_name;

using probe::EventKind;
using probe::NodeKind;

constexpr std::size_t most_names = 100'000;
constexpr std::size_t most_long_steps = 256;  // of a batch
constexpr std::size_t most_a_second = 10;     // findings; past it they are counted

std::string place(const NativeFrame& frame) {
    return words::printable(words::frame(frame.function, words::full_place(frame.file, frame.line)),
                            words::most_of_a_message);
}

std::string shown(std::string_view text) { return words::printable(text, words::most_of_a_message); }

std::string lines_of(const std::vector<NativeFrame>& innermost_first) {
    std::string text;
    for (auto it = innermost_first.rbegin(); it != innermost_first.rend(); ++it) text += "\n      " + place(*it);
    return text;
}

}  // namespace

void Findings::begin(Steps& steps, const Step& step) {
    if (steps.depth < steps.open.size()) steps.open[steps.depth] = step;
    ++steps.depth;
}

void Findings::end(std::uint32_t thread, Steps& steps, const probe::Record& record) {
    if (steps.depth > steps.open.size()) {  // deeper than remembered: one end for one begin
        --steps.depth;
        return;
    }
    // With it ends what began within it and whose end was lost.
    std::size_t depth = steps.depth;
    while (depth != 0 && steps.open[depth - 1].task != record.subject) --depth;
    if (depth == 0) return;  // its begin was lost
    steps.depth = depth - 1;
    const Step& step = steps.open[depth - 1];
    const std::uint64_t threshold_ns = registry_.slow_step_ns.load(std::memory_order_relaxed);
    const std::uint64_t took_ns = clock_.ns(record.stamp) - clock_.ns(step.begin);
    if (took_ns >= threshold_ns && record.stamp > step.begin) long_step(thread, step, record, took_ns);
}

void Findings::long_step(std::uint32_t thread, const Step& step, const probe::Record& end, std::uint64_t took_ns) {
    std::optional<StepCost> cost;
    if (took_ns >= StepCosts::shortest_ns && long_steps_.size() < most_long_steps) {
        const std::uint64_t end_ns = clock_.ns(end.stamp);
        cost = costs_.of(thread, end_ns - took_ns, end_ns);
        if (cost) long_steps_.push_back({thread, step.task, end_ns, took_ns, *cost});
    }
    slow_step(step, end, took_ns, cost);
}

void Findings::see(std::uint32_t thread, const probe::Record* begin_record, const probe::Record* end_record) {
    Steps& steps = steps_[thread];
    for (const probe::Record* record = begin_record; record != end_record; ++record) {
        switch (record->kind) {
            case EventKind::step_begin:
            case EventKind::callback_begin: begin(steps, {record->stamp, record->subject, record->stack}); break;
            case EventKind::step_end:
            case EventKind::callback_end: end(thread, steps, *record); break;
            case EventKind::task_named:
                if (task_names_.size() < most_names)
                    task_names_[record->subject] = static_cast<std::uint32_t>(record->argument);
                break;
            case EventKind::task_done: {
                const bool runs = steps.depth != 0 && steps.depth <= steps.open.size() &&
                                  steps.open[steps.depth - 1].task == record->subject;
                if (!task_names_.empty() && !runs) task_names_.erase(record->subject);
                break;
            }
            case EventKind::gap: steps.depth = 0; break;
            default: break;
        }
    }
}

bool Findings::may_speak() {
    const auto now = std::chrono::steady_clock::now();
    if (now - second_ >= std::chrono::seconds(1)) {
        tell_of_withheld();
        second_ = now;
        said_ = 0;
    }
    if (said_ < most_a_second) {
        ++said_;
        return true;
    }
    ++withheld_;
    return false;
}

void Findings::tick() {
    if (withheld_ != 0 && std::chrono::steady_clock::now() - second_ >= std::chrono::seconds(1)) tell_of_withheld();
}

void Findings::tell_of_withheld() {
    if (withheld_ != 0) log().warn("suppressed {} more findings", withheld_);
    withheld_ = 0;
}

// Innermost first.
std::vector<NativeFrame> Findings::frames(probe::NodeId node) const {
    std::vector<NativeFrame> frames;
    std::optional<probe::SiteDefinition> call;  // where the frame to come awaits or creates
    for (const probe::NodeDefinition& each : registry_.definitions.path(node)) {
        const probe::SiteDefinition site = registry_.definitions.site(each.site);
        if (each.kind == NodeKind::call) {
            call = site;
            continue;
        }
        const probe::SiteDefinition& at = call ? *call : site;
        frames.push_back({readable_name(site), at.file, at.line, (at.flags & CS_SITE_LIBRARY) != 0});
        call.reset();
        if (each.kind == NodeKind::task) break;
    }
    if (call) frames.push_back({readable_name(*call), call->file, call->line, (call->flags & CS_SITE_LIBRARY) != 0});
    return frames;
}

std::string Findings::stack_text(probe::NodeId node) const { return lines_of(frames(node)); }

std::string Findings::place_text(probe::NodeId node) const {
    const std::vector<NativeFrame> all = frames(node);
    if (all.empty()) return "an unknown place";
    const auto users = std::find_if(all.begin(), all.end(), [](const NativeFrame& frame) {
        return !words::is_library(frame.function, frame.file);
    });
    return place(users == all.end() ? all.front() : *users);
}

std::string Findings::task_text(std::uint64_t task, probe::NodeId node) const {
    if (task == 0) return "a callback";
    std::string name = "Task-" + std::to_string(task);
    if (const auto named = task_names_.find(task); named != task_names_.end())
        if (const std::string given = registry_.definitions.name(named->second); !given.empty())
            name = words::printable(given, words::most_of_a_name);
    for (const probe::NodeDefinition& each : registry_.definitions.path(node))
        if (each.kind == NodeKind::task)
            return fmt::format("task '{}' ({})", name, shown(readable_name(registry_.definitions.site(each.site))));
    return fmt::format("task '{}'", name);
}

void Findings::slow_step(const Step& step, const probe::Record& end, std::uint64_t took_ns,
                         const std::optional<StepCost>& cost) {
    if (!may_speak()) return;
    const std::uint64_t threshold_ns = registry_.slow_step_ns.load(std::memory_order_relaxed);
    const probe::NodeId known = step.began_at != 0 ? step.began_at : end.stack;
    if (cost && took_ns - cost->no_cpu_ns < threshold_ns) {
        log().warn("no CPU: a step of {} lasted {}, but for {} of it the process was stopped or got no CPU",
                   task_text(step.task, known), words::duration(took_ns), words::duration(cost->no_cpu_ns));
        return;
    }
    log().warn(
        "slow step: {} took {} (threshold {}){}\n    began at {}\n    ended at {}\n    stack (most "
        "recent call last):{}",
        task_text(step.task, known), words::duration(took_ns), words::duration(threshold_ns),
        cost ? ", with " + words::between(cost->cpu_least_ns, cost->cpu_most_ns) + " of CPU time" : "",
        step.began_at != 0 ? place_text(step.began_at) : "the start of the task",
        end.stack != 0 ? place_text(end.stack) : "the end of the task", stack_text(known));
}

void Findings::stall(std::uint64_t task, std::uint64_t lasted_ns, const std::string& blocked_in,
                     const std::vector<NativeFrame>& frames) {
    if (!may_speak()) return;
    log().warn("the loop hangs: a step of {} has been running for {}{}; its thread is at (most recent call last):{}",
               task_text(task, 0), words::duration(lasted_ns),
               blocked_in.empty() ? "" : ", blocked in " + shown(blocked_in), lines_of(frames));
}

std::optional<Findings::Running> Findings::running(std::uint32_t thread) const {
    const auto found = steps_.find(thread);
    if (found == steps_.end() || found->second.depth == 0 || found->second.depth > found->second.open.size())
        return std::nullopt;
    const Step& step = found->second.open[found->second.depth - 1];
    return Running{step.task, step.began_at, clock_.ns(step.begin)};
}

void Findings::crash(const std::string& text, const std::optional<Running>& step,
                     const std::vector<NativeFrame>& frames) {
    const std::string who =
        step ? (step->task == 0 ? " in " : " in a step of ") + task_text(step->task, step->began_at) : std::string();
    log().error("the app crashes: {}{}; its thread is at (most recent call last):{}", shown(text), who,
                lines_of(frames));
}

void Findings::report(const probe::Report& report, const std::vector<NativeFrame>& frames) {
    if (!may_speak()) return;
    const std::string stack = stack_text(report.stack);
    using Kind = vocabulary::ReportKind;
    switch (static_cast<Kind>(report.kind)) {
        case Kind::never_awaited: {
            const probe::SiteDefinition site = registry_.definitions.site(report.site);
            log().warn(
                "coroutine '{}' was never awaited (defined at {}:{})\n    created at (most recent call last):{}\n    "
                "in {}:{}",
                shown(readable_name(site)), shown(site.file), site.line, lines_of(frames),
                task_text(report.task, report.stack), stack);
            break;
        }
        case Kind::exception_never_retrieved:
            log().error("exception of {} was never retrieved: {}\n    stack (most recent call last):{}",
                        task_text(report.task, report.stack), shown(report.text), stack);
            break;
        case Kind::task_destroyed_pending:
            log().error("{} was destroyed but it is pending\n    waiting at (most recent call last):{}",
                        task_text(report.task, report.stack), stack);
            break;
        case Kind::callback_exception:
            log().error("exception in a callback of the event loop: {}\n    scheduled at (most recent call last):{}",
                        shown(report.text), stack);
            break;
        case Kind::future_exception_never_retrieved:
            log().error("exception of a future was never retrieved: {}\n    set at (most recent call last):{}",
                        shown(report.text), stack);
            break;
        case Kind::wrong_thread:
            log().error(
                "{} from another thread than the loop's; use call_soon_threadsafe(){}\n    called at (most recent call "
                "last):{}",
                shown(report.text), report.task != 0 ? ": " + task_text(report.task, report.stack) : "",
                lines_of(frames));
            break;
        case Kind::uncaught_exception:
            log().error("uncaught exception ends the program: {}", shown(report.text));
            break;
        case Kind::unclosed_transport:
            log().warn("unclosed transport: {}\n    stack (most recent call last):{}", shown(report.text), stack);
            break;
        case Kind::write_after_loss:
            log().warn("writes to {} go on\n    stack (most recent call last):{}", shown(report.text), stack);
            break;
        case Kind::unknown:
        case Kind::step_cost:
        case Kind::crashed:
        case Kind::blocked_calls:
        case Kind::cpu_samples:
        case Kind::stall: break;  // these come by functions of their own
    }
}

}  // namespace coroscope::debug
