// Runs shell commands, several at a time, each with a limit of time, and reports how they ended. Without arguments it
// runs sixty jobs of its own: most are well, some need a second attempt, some fail, some do not end by themselves.
//
// To see here: async_with() ends a job's processes whatever happens, also when the job's time is over or Ctrl-C ends
// the program. A job has a process group of its own, so that what it has started ends with it. Output is read line by
// line while the job runs: a job that writes a lot is not held up.
#include <coroscope/coroscope.hpp>
#include <coroscope/net.hpp>
#include <csignal>
#include <deque>
#include <functional>
#include <iostream>
#include <string>
#include <system_error>
#include <vector>

#include "service.hpp"

using namespace coroscope;
using namespace std::chrono_literals;

namespace {

constexpr auto time_to_clean_up = 100ms;  // between SIGTERM and SIGKILL
constexpr std::size_t most_lines = 20;    // of a job's output that are kept: the last

struct Job {
    explicit Job(std::string the_command, std::chrono::milliseconds the_limit)
        : command(std::move(the_command)), limit(the_limit) {}
    std::string command;
    std::chrono::milliseconds limit;

    enum class Outcome { waiting, done, failed, killed };
    Outcome outcome = Outcome::waiting;
    int attempts = 0;
    std::string why;                // if it is not done
    std::deque<std::string> lines;  // stdout and stderr
    std::size_t lines_in_all = 0;
};

class JobFailed : public std::runtime_error {
    using std::runtime_error::runtime_error;
};

// A process with all that it has started. For async_with(): if the process has not ended by then, aclose() ends them
// all.
class ProcessGroup {
public:
    explicit ProcessGroup(Process leader) : leader_(std::move(leader)) {}
    Process& leader() { return leader_; }

    Coro<> aclose() {
        if (leader_.returncode()) co_return;
        send(SIGTERM);
        try {
            co_await wait_for(leader_.wait(), time_to_clean_up);
        } catch (const TimeoutError&) {
        }
        send(SIGKILL);
        co_await leader_.wait();
    }

private:
    void send(int signal) {
        try {
            leader_.send_signal_to_group(signal);
        } catch (const std::system_error&) {  // nobody is left
        }
    }
    Process leader_;
};

Coro<ProcessGroup> start(const Job& job) {
    ProcessOptions options;
    options.in = subprocess::DEVNULL;
    options.out = subprocess::PIPE;
    options.err = subprocess::STDOUT;
    options.process_group = 0;
    options.stream.read_limit = 1024 * 1024;
    const std::string attempt = "ATTEMPT=" + std::to_string(job.attempts) + "; export ATTEMPT; ";
    Process shell = co_await create_subprocess_shell(attempt + job.command, options);
    co_return ProcessGroup(std::move(shell));
}

class JobRunner {
public:
    JobRunner(std::size_t at_once, RetryOptions retries) : at_once_(at_once), retries_(retries) {
        at_once_.set_name("jobs at once");
    }

    // Called for each line that a job writes.
    std::function<void(const Job&, const std::string&)> on_line = [](const Job&, const std::string&) {};

    // Throws nothing: what became of a job is in it.
    Coro<> run_all(std::vector<Job>& jobs) {
        TaskGroup group;
        for (Job& job : jobs) group.create_task(run_job(job), job.command.substr(0, 40));
        co_await group.join();
    }
    std::size_t most_at_once() const { return most_at_once_; }

private:
    Coro<> run_job(Job& job) {
        const auto permit = co_await at_once_.acquire();
        most_at_once_ = std::max(most_at_once_, ++running_);
        try {
            co_await retry(retries_, std::bind_front(&JobRunner::attempt, this), std::ref(job));
            job.outcome = Job::Outcome::done;
        } catch (const TimeoutError&) {
            job.outcome = Job::Outcome::killed;
            job.why = "killed after " + std::to_string(job.limit.count()) + " ms";
        } catch (const std::exception& error) {
            job.outcome = Job::Outcome::failed;
            job.why = error.what();
        }
        --running_;
    }

    Coro<> attempt(Job& job) {
        ++job.attempts;
        job.lines.clear();
        job.lines_in_all = 0;
        const Span whole = span("attempt", {{"command", job.command}, {"number", job.attempts}});
        const auto read_output = [this, &job](ProcessGroup& group) { return read(job, group.leader()); };
        const int code = co_await with_timeout(job.limit, async_with(start(job), read_output));
        if (code > 0) throw JobFailed("exit code " + std::to_string(code));
        if (code < 0) throw JobFailed("signal " + std::to_string(-code));
    }

    Coro<int> read(Job& job, Process& process) {
        AsyncGenerator<std::string> lines = process.out().lines();
        while (std::optional<std::string> line = co_await lines.next()) {
            if (line->ends_with('\n')) line->pop_back();
            on_line(job, *line);
            if (job.lines.size() == most_lines) job.lines.pop_front();
            job.lines.push_back(std::move(*line));
            ++job.lines_in_all;
        }
        co_return co_await process.wait();
    }

    Semaphore at_once_;
    const RetryOptions retries_;
    std::size_t running_ = 0, most_at_once_ = 0;
};

RetryOptions retries(int attempts) {
    return {.attempts = attempts, .first_pause = 20ms, .should_retry = [](const std::exception& error) {
                return dynamic_cast<const JobFailed*>(&error) != nullptr;  // one that was killed would be again
            }};
}

std::size_t count(const std::vector<Job>& jobs, Job::Outcome outcome) {
    const auto ended_so = [&](const Job& job) { return job.outcome == outcome; };
    return static_cast<std::size_t>(std::ranges::count_if(jobs, ended_so));
}

void report(const std::vector<Job>& jobs) {
    const auto again = [](const Job& job) { return job.outcome == Job::Outcome::done && job.attempts > 1; };
    std::cout << jobs.size() << " jobs: " << count(jobs, Job::Outcome::done) << " done, of which "
              << std::ranges::count_if(jobs, again) << " at a further attempt; " << count(jobs, Job::Outcome::failed)
              << " failed, " << count(jobs, Job::Outcome::killed) << " killed\n";
    for (const Job& job : jobs) {
        if (job.outcome == Job::Outcome::done) continue;
        std::cout << "  " << job.command << ": " << job.why << ", " << job.attempts << " attempts";
        if (!job.lines.empty()) std::cout << ", said last: " << job.lines.back();
        std::cout << '\n';
    }
}

Coro<int> run_commands(std::vector<std::string> commands, std::size_t at_once, int seconds, int attempts) {
    std::vector<Job> jobs;
    for (const std::string& command : commands) jobs.emplace_back(command, std::chrono::seconds(seconds));
    JobRunner runner(at_once, retries(attempts));
    runner.on_line = [](const Job& job, const std::string& line) {
        std::cout << "[" << job.command << "] " << line << std::endl;
    };
    co_await runner.run_all(jobs);
    report(jobs);
    co_return count(jobs, Job::Outcome::done) == jobs.size() ? 0 : 1;
}

Coro<int> demonstrate() {
    constexpr std::chrono::milliseconds enough = 60s, short_time = 1s;
    std::vector<Job> jobs;
    for (int i = 0; i < 48; ++i) jobs.emplace_back("echo job " + std::to_string(i), enough);
    for (int i = 0; i < 4; ++i) jobs.emplace_back("[ $ATTEMPT -gt 1 ] && echo well now", enough);
    jobs.emplace_back("seq 20000", enough);  // more than a pipe holds
    jobs.emplace_back("echo half of it; echo no space left >&2; exit 3", enough);
    jobs.emplace_back("kill -9 $$", enough);
    jobs.emplace_back("no-such-program 2>/dev/null", enough);
    jobs.emplace_back("echo begun; sleep 60", short_time);
    jobs.emplace_back("trap '' TERM; echo will not go; sleep 60", short_time);
    jobs.emplace_back("sleep 60 & echo left a child behind; wait", short_time);
    jobs.emplace_back("exec >/dev/null 2>&1; sleep 60", short_time);
    JobRunner runner(4, retries(2));
    co_await runner.run_all(jobs);
    require(runner.most_at_once() == 4, std::to_string(runner.most_at_once()) + " jobs at once");
    for (std::size_t i = 0; i < 48; ++i)
        require(jobs[i].lines == std::deque<std::string>{"job " + std::to_string(i)},
                "the output of job " + std::to_string(i));
    require(jobs[52].lines_in_all == 20'000 && jobs[52].lines.back() == "20000", "all of a long output is read");
    report(jobs);
    co_return 0;
}

}  // namespace

int main(int argc, char** argv) {
    const CommandLine line(argc, argv,
                           "job_runner                 a demonstration\n"
                           "job_runner [--at-once N] [--seconds LIMIT] [--attempts N] COMMAND...\n",
                           {"--at-once", "--seconds", "--attempts"});
    try {
        if (line.words().empty()) return run(demonstrate());
        return run(run_commands(line.words(), line.number<std::size_t>("--at-once", 4), line.number("--seconds", 60),
                                line.number("--attempts", 1)));
    } catch (const std::exception& error) {
        std::cerr << "job_runner: " << error.what() << '\n';
        return 1;
    }
}
