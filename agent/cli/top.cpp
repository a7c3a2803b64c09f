// coroscope top: which tasks keep their loops busy, again and again.
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <thread>

#include "agent/words/hotspot.hpp"
#include "agent/words/task.hpp"
#include "client.hpp"
#include "command.hpp"
#include "describe.hpp"
#include "output.hpp"
#include "proto/words/amount.hpp"
#include "proto/words/utf8.hpp"
#include "source.hpp"

namespace coroscope::cli {

namespace {

struct TopOptions {
    SourceOptions source;
    double interval_s = 1;
    unsigned rounds = 0;  // 0: until interrupted
    bool library = false;
};

// The agent's stream, folded on a thread of its own.
class LiveSession {
public:
    explicit LiveSession(Client& client) : stream_(client.follow()), thread_([this] { read(); }) {}
    ~LiveSession() {
        stream_->cancel();
        thread_.join();
    }
    LiveSession(const LiveSession&) = delete;
    LiveSession& operator=(const LiveSession&) = delete;

    // Until all that was known at the start is folded. False: the stream ended instead.
    bool wait_until_caught_up() {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return caught_up_ || ended_; });
        return caught_up_;
    }
    // Sleeps for the interval; false as soon as the stream ends.
    bool sleep(std::chrono::duration<double> interval) {
        std::unique_lock lock(mutex_);
        return !changed_.wait_for(lock, interval, [this] { return ended_; });
    }
    template <class F>
    void with(F&& look) {
        const std::scoped_lock lock(mutex_);
        look(session_);
    }

private:
    static model::Limits limits() {
        model::Limits limits;
        limits.done_tasks = limits.slices = limits.iterations = 1'000;  // top shows none of them
        return limits;
    }

    void read() {
        for (v2::WatchUpdate update; stream_->read(update);) {
            const std::scoped_lock lock(mutex_);
            if (update.has_frame()) session_.apply(update.frame());
            if (!update.has_caught_up()) continue;
            caught_up_ = true;
            changed_.notify_all();
        }
        const std::scoped_lock lock(mutex_);
        ended_ = true;
        changed_.notify_all();
    }

    std::unique_ptr<ClientStream> stream_;
    std::mutex mutex_;
    std::condition_variable changed_;
    model::Session session_{limits()};  // under mutex_, as all below
    bool caught_up_ = false, ended_ = false;
    std::thread thread_;
};

struct Usage {
    const model::App* app;
    const model::Task* task;
    std::uint64_t busy = 0, steps = 0;  // since the round before
};

class Top {
public:
    explicit Top(bool with_library) : with_library_(with_library) {}

    // What the next round compares with.
    void take(const model::Session& session) { before_ = totals(session); }

    void round(const model::Session& session, std::chrono::duration<double> interval, std::size_t most) {
        const Totals now = totals(session);
        std::vector<Usage> usages;
        for (const auto& [key, total] : now) {
            const model::App* app = session.app(key.first);
            const auto before = before_.find(key);
            const Total zero, &since = before == before_.end() ? zero : before->second;
            usages.push_back({app, app->model.task(key.second), total.busy - std::min(total.busy, since.busy),
                              total.steps - std::min(total.steps, since.steps)});
        }
        before_ = now;
        const auto end = usages.begin() + static_cast<std::ptrdiff_t>(std::min(most, usages.size()));
        std::partial_sort(usages.begin(), end, usages.end(), [](const Usage& a, const Usage& b) {
            return std::tie(b.busy, b.steps, a.app->key, a.task->id) <
                   std::tie(a.busy, a.steps, b.app->key, b.task->id);
        });
        usages.erase(end, usages.end());
        print_usages(usages, now_shown(session) + wake_text(session), interval);
        print_cpu(session);
    }

private:
    struct Total {
        std::uint64_t busy = 0, steps = 0;
    };
    using Totals = std::map<std::pair<model::AppKey, model::TaskId>, Total>;

    static Totals totals(const model::Session& session) {
        Totals totals;
        for (const auto& [key, app] : session.apps()) {
            if (!app.connected) continue;
            for (const model::Task* task : app.model.live_tasks()) {
                totals[{key, task->id}] = {app.model.busy_ns(*task), task->steps};
            }
        }
        return totals;
    }

    static std::string now_shown(const model::Session& session) {
        std::size_t apps = 0, tasks = 0;
        for (const auto& [key, app] : session.apps()) {
            if (!app.connected) continue;
            ++apps;
            tasks += app.model.live_tasks().size();
        }
        return words::counted(apps, "app", "apps") + ", " + words::counted(tasks, "live task", "live tasks");
    }

    // Of the steps of all apps since their start.
    static std::string wake_text(const model::Session& session) {
        model::Histogram all;
        for (const auto& [key, app] : session.apps()) {
            if (!app.connected) continue;
            for (const auto& loop : app.model.loops()) all.merge(loop->wake_to_run);
        }
        if (all.count() == 0) return {};
        return ", p99 from ready to running " + words::duration(all.quantile_ns(0.99)) + " (longest " +
               words::duration(all.max_ns()) + ")";
    }

    static void print_cpu(const model::Session& session) {
        for (const auto& [key, app] : session.apps())
            if (const std::string cpu = app.connected ? words::cpu_text(app.model) : ""; !cpu.empty())
                print(words::printable(app.name) + "  " + cpu + "\n");
    }

    void print_usages(const std::vector<Usage>& usages, const std::string& title,
                      std::chrono::duration<double> interval) const {
        print(styled(title, Style::bold) + "\n");
        std::vector<std::vector<std::string>> rows{
            {"APP", "ID", "NAME", "COROUTINE", "STATE", "BUSY%", "STEPS/S", "WAITS FOR", "AT"}};
        for (const Usage& usage : usages) {
            const model::Model& model = usage.app->model;
            char share[32], rate[32];
            std::snprintf(share, sizeof share, "%.1f", static_cast<double>(usage.busy) / 1e7 / interval.count());
            std::snprintf(rate, sizeof rate, "%.0f", static_cast<double>(usage.steps) / interval.count());
            rows.push_back({words::printable(usage.app->name), std::to_string(usage.task->id),
                            words::task_name(model, usage.task->id), words::coroutine(model, *usage.task),
                            styled(words::state(usage.task->state, usage.task->outcome), state_style(*usage.task)),
                            share, rate, words::wait(model, *usage.task),
                            words::where_text(shown_place(model, *usage.task, with_library_))});
        }
        print_table(rows);
    }

    const bool with_library_;
    Totals before_;
};

std::size_t rows_that_fit() {
    winsize size{};
    const bool known = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 4;
    return known ? size.ws_row - 3u : 20;
}

int run_top(const TopOptions& options) {
    Client client(agent_address(options.source));
    client.status();  // the clear error, if nobody answers
    LiveSession live(client);
    const std::chrono::duration<double> interval(options.interval_s);
    Top top(options.library);
    bool there = live.wait_until_caught_up();
    // The first round only takes the totals that the next compares with.
    for (unsigned round = 0; there && (options.rounds == 0 || round < options.rounds); ++round) {
        if (round == 0) live.with([&](const model::Session& session) { top.take(session); });
        there = live.sleep(interval);
        print(::isatty(STDOUT_FILENO) == 1 ? "\033[H\033[J" : round == 0 ? "" : "\n");
        live.with([&](const model::Session& session) { top.round(session, interval, rows_that_fit()); });
        finish_output();
    }
    if (!there) throw Failure("the agent at " + client.address() + " has ended");
    return exit_ok;
}

}  // namespace

void add_top(Command root) {
    auto options = std::make_shared<TopOptions>();
    Command command = root.subcommand("top", "Show which tasks keep their loops busy, again and again");
    add_source(command, options->source);
    command.option("-d,--interval", options->interval_s, "Seconds between two looks").range(0.1, 3600).shows_default();
    command.option("-n,--rounds", options->rounds, "End after so many looks; 0: not before Ctrl-C").shows_default();
    add_library_flag(command, options->library);
    command.footer(
        "Examples:\n"
        "  coroscope top               on a terminal: refreshed each second\n"
        "  coroscope top -n 1 -d 5     once, over five seconds");
    command.runs([options] { return run_top(*options); });
}

}  // namespace coroscope::cli
