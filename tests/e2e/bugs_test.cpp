// Each program of runtime/examples/bugs/ is found out, while it hangs or after its end, at the line of its bug; its
// mended twin is calm. There is one for every kind of problem.
#include <signal.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <sstream>

#include "support.hpp"

namespace coroscope::e2e {
namespace {

constexpr int hangs = -1;

struct Bug {
    const char* program;
    const char* kind;                // of the problem
    const char* certainty;           // "": not asked
    std::vector<const char*> lines;  // texts of the program's lines that the problem names
    int end = hangs;                 // its exit code, or 128 + signal
    const char* environment = "";    // NAME=VALUE, for what is only measured on demand
};

void PrintTo(const Bug& bug, std::ostream* out) { *out << bug.program; }

const Bug bugs[] = {
    {"lock_order", "deadlock", "certain", {"auto audit = co_await", "auto second = co_await"}},
    {"lock_twice",
     "deadlock",
     "certain",
     {"co_await cache.lock.acquire();\n    ++cache", "co_await cache.lock.acquire();\n    co_await sleep"}},
    {"dead_workers", "stuck_forever", "likely", {"co_await queue.join()", "co_await queue.get()"}},
    {"forgotten_future", "stuck_forever", "likely", {"co_return co_await future"}},
    {"gather_under_semaphore",
     "deadlock",
     "likely",
     {"auto permit = co_await limit.acquire();", "co_await gather(fetch"}},
    {"full_pool", "thread_pool_exhausted", "", {"co_await to_thread(crunch)", "co_await to_thread([]"}},
    {"stubborn_job", "end_waits_for_jobs", "", {"co_await to_thread(wait_for_a_key)"}},
    {"unread_pipe", "unread_output", "", {"co_await process.wait()"}},
    {"foreign_thread", "wrong_thread", "", {"            ready.set();\n    });"}},
    {"foreign_thread", "lost_wakeup", "", {"co_await ready.wait()"}},
    {"waits_for_itself", "stalled_loop", "", {"return answer.get();", "co_await sleep(25ms);"}},
    {"swallowed_cancel", "cancellation_ignored", "", {"co_await sleep(20ms);"}},
    {"blocking_retry", "slow_step", "", {"std::this_thread::sleep_for(300ms);"}, 0},
    {"slow_device", "blocking_call", "", {"return ::read("}, 0, "COROSCOPE_BLOCKING=1"},
    {"stampede", "loop_lag", "", {"}\n\n// Between two changes"}, 0},
    {"crowd", "starved", "", {"co_await yield()"}, 0},
    {"busy_waiting", "self_waking", "likely", {"co_await yield()"}, 0},
    {"stopped", "no_cpu", "", {}, 0},
    {"lock_over_request", "lock_held_long", "", {"co_await ask_slow_server();\n    }\n}"}, 0},
    {"slow_consumer", "queue_backlog", "likely", {"Queue<int> queue(", "queue.put(", "queue.get("}, 0},
    {"forgotten_watchers", "task_leak", "likely", {"create_task(watch("}, 0},
    {"forgotten_await", "never_awaited", "", {"Coro<> saving = save(order)"}, 0},
    {"fire_and_forget", "exception_never_retrieved", "", {"co_await sleep(1ms)", "create_task(send_mail("}, 0},
    {"dead_poller", "failed_unobserved", "", {"co_await sleep(5ms)", "create_task(poll_rates()"}},
    {"late_error", "future_exception_never_retrieved", "", {"co_await sleep(50ms)"}, 0},
    {"loop_by_hand", "task_destroyed_pending", "", {"co_await sleep(10ms)", "create_task(write_log()"}, 0},
    {"throwing_callback", "callback_exception", "", {"EventLoop::running().call_later(5ms, [tick"}, 0},
    {"forgotten_child", "unclosed_transport", "", {"co_await create_subprocess_shell("}, 0},
    {"unsent_answer", "unclosed_transport", "", {"create_task(answer("}, 0},
    {"deaf_ticker", "write_after_loss", "", {"co_await sleep(5ms)"}, 0},
    {"missing_catch", "uncaught_exception", "", {"co_await sleep(5ms)"}, 128 + SIGABRT},
    {"null_session", "crashed", "", {"session->requests = ", "co_await sleep(5ms)"}, 128 + SIGSEGV},
};

class Bugs : public testing::TestWithParam<Bug> {
protected:
    std::string program() const { return example(std::string("bugs/") + GetParam().program); }
    std::string file() const { return directory_.path("t.cst").string(); }
    std::vector<std::string> environment() const {
        std::vector<std::string> all{"COROSCOPE=file:" + file()};
        if (GetParam().environment[0] != '\0') all.emplace_back(GetParam().environment);
        return all;
    }
    // A problem of the kind that names all lines, as far as the file goes, else any of the kind; null: none yet.
    Json found() {
        const Result result = coroscope(directory_, {"problems", file(), "--json"});
        if (result.code != 0) return nullptr;
        const Json all = Json::parse(result.out).at("problems");
        Json of_the_kind;
        for (const Json& problem : all) {
            if (problem.at("kind") != GetParam().kind) continue;
            of_the_kind = problem;
            if (std::ranges::all_of(GetParam().lines, [&](const char* line) { return names(problem, line); })) break;
        }
        return of_the_kind;
    }
    // Whether it does so in its place or its evidence.
    bool names(const Json& problem, const char* line) const {
        const Json& site = problem.at("site");
        const std::string file_name = std::filesystem::path(site.at("file").get<std::string>()).filename();
        std::string all =
            file_name + ":" + site.at("line").dump() + " " + problem.at("evidence").dump() + problem.at("parts").dump();
        for (const Json& frame : problem.at("stack")) {
            const std::filesystem::path file_of_frame = frame.at("file").get<std::string>();
            all += " " + file_of_frame.filename().string() + ":" + frame.at("line").dump();
        }
        const std::string place = place_of(line);
        for (std::size_t at = all.find(place); at != std::string::npos; at = all.find(place, at + 1))
            if (std::isdigit(static_cast<unsigned char>(all[at + place.size()])) == 0) return true;
        return false;
    }
    // "lock_order.cpp:31" for the first line of `text`, where it is in the program first.
    std::string place_of(const std::string& text) const {
        const std::string name = std::string(GetParam().program) + ".cpp";
        const std::string source = read_file(std::string(COROSCOPE_SOURCES) + "/runtime/examples/bugs/" + name);
        const std::size_t at = source.find(text);
        EXPECT_NE(at, std::string::npos) << text;
        return name + ":" +
               std::to_string(1 + std::count(source.begin(), source.begin() + static_cast<long>(at), '\n'));
    }

    TemporaryDirectory directory_;
};

TEST_P(Bugs, IsFoundAtItsLine) {
    Process app(directory_, {program()}, environment());
    Json problem;
    if (GetParam().end == hangs) {
        ASSERT_TRUE(wait_until([&] { return !(problem = found()).is_null(); })) << app.err();
        EXPECT_TRUE(app.running());
    } else {
        EXPECT_EQ(app.wait(), GetParam().end) << app.err();
        problem = found();
        ASSERT_FALSE(problem.is_null()) << coroscope(directory_, {"problems", file()}).out << app.err();
    }
    for (const char* line : GetParam().lines)
        EXPECT_TRUE(names(problem, line)) << place_of(line) << " in " << problem.dump(1);
    if (GetParam().certainty[0] != '\0') {
        EXPECT_EQ(problem.at("certainty"), GetParam().certainty);
    }
}

TEST_P(Bugs, TheMendedTwinIsCalm) {
    Process app(directory_, {program(), "fixed"}, environment());
    EXPECT_EQ(app.wait(), 0) << app.err();
    const Result result = coroscope(directory_, {"problems", file(), "--exit-code"});
    EXPECT_EQ(result.code, 0) << result.out;
}

INSTANTIATE_TEST_SUITE_P(Examples, Bugs, testing::ValuesIn(bugs),
                         [](const auto& each) { return std::string(each.param.program) + "_" + each.param.kind; });

TEST(BugPrograms, ThereIsOneForEveryKindOfProblem) {
    const TemporaryDirectory directory;
    std::set<std::string> shown, found, programs, files;
    for (const Bug& bug : bugs) {
        shown.insert(bug.kind);
        programs.insert(bug.program);
    }
    std::istringstream rules(coroscope(directory, {"problems", "--rules"}).out);
    for (std::string line; std::getline(rules, line);) found.insert(line.substr(0, line.find(' ')));
    found.erase("unknown_report");  // of a runtime that is newer than the tool
    EXPECT_EQ(shown, found);
    for (const auto& file :
         std::filesystem::directory_iterator(std::string(COROSCOPE_SOURCES) + "/runtime/examples/bugs"))
        if (file.path().extension() == ".cpp") files.insert(file.path().stem());
    EXPECT_EQ(programs, files);
}

// Programs whose tasks all wait, and that somebody outside the loop will wake.
class AtRest : public testing::TestWithParam<const char*> {};

TEST_P(AtRest, NothingIsSaidToBeWrong) {
    const TemporaryDirectory directory;
    const std::string file = directory.path("t.cst").string();
    Process app(directory, {binary("e2e/at_rest"), GetParam()}, {"COROSCOPE=file:" + file});
    while (app.running()) {
        const Result result = coroscope(directory, {"problems", file, "--json"});
        if (result.code != 0) continue;  // there is no file yet
        const Json problems = Json::parse(result.out).at("problems");
        EXPECT_EQ(problems, Json::array()) << problems.dump(1);
    }
    EXPECT_EQ(app.wait(), 0) << app.err();
    EXPECT_EQ(app.out(), "rested\n");
    const Result result = coroscope(directory, {"problems", file, "--exit-code"});
    EXPECT_EQ(result.code, 0) << result.out;
}

INSTANTIATE_TEST_SUITE_P(Programs, AtRest, testing::Values("thread", "job", "executor", "server", "limit"),
                         [](const auto& each) { return std::string(each.param); });

TEST(WhyCommand, TellsTheChain) {
    const TemporaryDirectory directory;
    const std::string file = directory.path("t.cst").string();
    Process app(directory, {example("bugs/lock_order")}, {"COROSCOPE=file:" + file});
    Result why;
    ASSERT_TRUE(wait_until([&] {
        why = coroscope(directory, {"why", "1", file});
        return why.out.find("closes a circle") != std::string::npos;
    })) << why.out
        << why.err;
    EXPECT_NE(why.out.find("async_main) waits for the tasks of gather"), std::string::npos) << why.out;
    EXPECT_NE(why.out.find("(held by "), std::string::npos) << why.out;
    const Result nobody = coroscope(directory, {"why", "nobody", file});
    EXPECT_EQ(nobody.code, 1);
    EXPECT_NE(nobody.err.find("no task 'nobody'"), std::string::npos) << nobody.err;
}

}  // namespace
}  // namespace coroscope::e2e
