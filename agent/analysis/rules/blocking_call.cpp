// blocking_call: a line that blocks its loop again and again, each time for less than the threshold.
//
// The app measures it when it runs with COROSCOPE_BLOCKING=1: calls of the C library within steps that took 100 us or
// longer (runtime/src/debug/blocking_calls.hpp). What such calls took within steps that became longer than the
// threshold is not counted here: slow_step and stalled_loop tell that. A line is a problem from 10 ms in all: that is
// one call that every other task of the loop notices, or many that add up. Calls of one function at one line are one
// problem, whatever tasks made them.
#include <algorithm>
#include <initializer_list>
#include <map>
#include <string_view>
#include <tuple>

#include "agent/analysis/evidence.hpp"
#include "agent/words/hotspot.hpp"
#include "agent/words/task.hpp"
#include "proto/words/amount.hpp"

namespace coroscope::analysis::rule {

namespace {

constexpr std::uint64_t most_ns = 10'000'000;

struct Blocked {
    const model::Hotspot* worst = nullptr;
    Place site;
    std::uint64_t count = 0, below_ns = 0, slow_ns = 0, longest_ns = 0, quick = 0;
};

std::string advice_for(std::string_view function) {
    const auto is_one_of = [&](std::initializer_list<std::string_view> names) {
        return std::ranges::find(names, function) != names.end();
    };
    if (is_one_of({"sleep", "usleep", "nanosleep", "clock_nanosleep"}))
        return "Use co_await sleep(...): it lets the loop's other tasks run meanwhile.";
    if (function.starts_with("gethost") || is_one_of({"getaddrinfo", "getnameinfo"}))
        return "Use co_await lookup(...), which asks on a thread of the loop's pool.";
    if (function.starts_with("pthread_mutex") || function.starts_with("pthread_rwlock") || function.starts_with("sem_"))
        return "Another thread holds it while the loop waits: hold it for shorter there, share less, or take it in "
               "co_await to_thread(...).";
    if (function.starts_with("pthread_cond") || is_one_of({"pthread_join", "pthread_barrier_wait"}))
        return "The loop waits for another thread: await a future or an event that the thread sets with "
               "call_soon_threadsafe(), or use co_await to_thread(...).";
    if (function.starts_with("wait") || is_one_of({"system", "popen", "pclose", "posix_spawn", "posix_spawnp"}))
        return "Use create_subprocess_exec() and co_await its end.";
    if (is_one_of({"recv", "recvfrom", "recvmsg", "send", "sendto", "sendmsg", "accept", "accept4", "connect", "poll",
                   "select", "epoll_wait"}))
        return "Use the library's streams or sockets, whose reads and writes let other tasks run, or co_await "
               "to_thread(...).";
    return "Move it off the loop with co_await to_thread(...).";
}

Problem problem_of(const model::Model& model, const Blocked& blocked) {
    const model::Hotspot& worst = *blocked.worst;
    Problem problem;
    problem.task = worst.task;
    problem.time_ns = worst.time_ns;
    problem.duration_ns = blocked.below_ns;
    problem.site = blocked.site;
    problem.stack = places(model.stack(worst.stack));
    problem.native_stack = native_places(model, worst.frames);
    problem.cause = worst.function;
    const std::string calls = words::counted(blocked.count, "call", "calls");
    problem.summary = worst.function + " blocked the loop for " + words::duration(blocked.below_ns) + " in " + calls +
                      ", each step below the threshold";
    problem.evidence = calls + " of " + worst.function + " took 100 us or longer, " +
                       words::duration(blocked.below_ns + blocked.slow_ns) + " in all, the longest " +
                       words::duration(blocked.longest_ns);
    if (blocked.slow_ns != 0)
        problem.evidence += "; " + words::duration(blocked.slow_ns) +
                            " of that was in steps longer than the threshold, which slow_step tells";
    if (blocked.quick != 0)
        problem.evidence += "; " + words::counted(blocked.quick, "call", "calls") + " of that line did not block";
    problem.evidence +=
        worst.task == 0 ? "; last in a callback" : "; last in a step of " + words::task_phrase(model, worst.task);
    problem.advice = advice_for(worst.function);
    return problem;
}

void check_blocking_call(const Rule&, const Inspection& seen, std::vector<Problem>& found) {
    const model::Model& model = seen.model;
    std::map<std::tuple<std::string, std::string, std::uint32_t, std::string>, Blocked> by_line;
    for (const model::Hotspot* hotspot : model.hotspots(model::ReportKind::blocked_calls)) {
        if (hotspot->frames.empty() && hotspot->stack == 0) continue;  // of places for which the app had no room
        const Place site = place_of(words::hot_site(model, *hotspot));
        Blocked& blocked = by_line[{hotspot->function, site.file, site.line, site.function}];
        if (blocked.worst == nullptr) blocked.worst = hotspot;  // the list begins with the most
        blocked.site = site;
        blocked.count += hotspot->count;
        blocked.slow_ns += std::min(hotspot->slow_ns, hotspot->total_ns);
        blocked.below_ns += hotspot->total_ns - std::min(hotspot->slow_ns, hotspot->total_ns);
        blocked.longest_ns = std::max(blocked.longest_ns, hotspot->longest_ns);
        blocked.quick = std::max(blocked.quick, hotspot->quick);
    }
    for (const auto& [line, blocked] : by_line)
        if (blocked.below_ns >= most_ns) found.push_back(problem_of(model, blocked));
}

}  // namespace

extern const Rule blocking_call{
    .name = "blocking_call",
    .finds = "a line blocked its loop for 10 ms or longer in all, in steps below the threshold",
    .severity = Severity::warning,
    .ongoing = false,
    .check = check_blocking_call,
};

}  // namespace coroscope::analysis::rule
