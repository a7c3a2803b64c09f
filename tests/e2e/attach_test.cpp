// Debug mode of programs that run already: attach, detach, stacks; at rest, blocked in a call, computing.
#include <signal.h>

#include <algorithm>
#include <set>

#include "support.hpp"

namespace coroscope::e2e {
namespace {

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

class Attach : public testing::Test {
protected:
    std::string run_folder() const { return "XDG_RUNTIME_DIR=" + directory_.path("run").string(); }
    void SetUp() override { std::filesystem::create_directory(directory_.path("run")); }

    std::unique_ptr<Process> start(const std::string& how,
                                   std::vector<std::string> environment = {"COROSCOPE=standby"}) {
        environment.push_back(run_folder());
        auto app = std::make_unique<Process>(directory_, std::vector<std::string>{binary("e2e/long_runner"), how},
                                             std::move(environment));
        EXPECT_TRUE(wait_until([&] { return has(app->out(), "ready"); })) << app->err();
        return app;
    }
    Result tool(const std::vector<std::string>& arguments) { return coroscope(directory_, arguments, {run_folder()}); }
    Result attach(const Process& app, const std::string& target) {
        return tool({"attach", std::to_string(app.pid()), "--to", target});
    }
    Result detach(const Process& app) { return tool({"detach", std::to_string(app.pid())}); }
    Json stacks(pid_t pid) {
        const Result result = tool({"stacks", std::to_string(pid), "--json"});
        EXPECT_EQ(result.code, 0) << result.err;
        return result.code == 0 ? Json::parse(result.out) : Json();
    }
    std::string file(const std::string& name = "t.cst") const { return directory_.path(name).string(); }
    // The app of a file as `ps` says, as soon as it has a task of that name.
    Json app_with(const std::string& path, const std::string& task) {
        Json app;
        EXPECT_TRUE(wait_until([&] {
            const Result result = coroscope(directory_, {"ps", path, "--json"});
            if (result.code != 0) return false;
            const Json apps = Json::parse(result.out).at("apps");
            if (apps.empty()) return false;
            app = apps.at(0);
            return !find(app.at("tasks"), task).is_null();
        })) << task;
        return app;
    }
    static Json find(const Json& tasks, const std::string& name) {
        for (const Json& task : tasks)
            if (task.at("name") == name) return task;
        return nullptr;
    }
    static std::vector<std::string> functions(const Json& stack) {
        std::vector<std::string> all;
        for (const Json& frame : stack) {
            const std::string function = frame.at("function");
            all.push_back(function.substr(function.rfind(':') + 1));
        }
        return all;
    }
    static bool names(const Json& stack, const std::string& function) {
        const auto all = functions(stack);
        return std::ranges::find(all, function) != all.end();
    }

    TemporaryDirectory directory_;
};

TEST_F(Attach, StacksOfAProgramInStandby) {
    const auto app = start("rests");
    const Json all = stacks(app->pid());
    EXPECT_EQ(all.at("debug_mode"), false);
    ASSERT_EQ(all.at("loops").size(), 1u);
    const Json& loop = all.at("loops").at(0);
    EXPECT_EQ(loop.at("how"), "answered");
    const Json consumer = find(loop.at("tasks"), "consumer");
    ASSERT_FALSE(consumer.is_null()) << loop.dump(1);
    EXPECT_EQ(consumer.at("state"), "suspended");
    EXPECT_EQ(consumer.at("waits_for"), "an item from a queue");
    EXPECT_EQ(functions(consumer.at("await_stack")), (std::vector<std::string>{"consume", "take"}));
    EXPECT_TRUE(has(consumer.at("where").at("file"), "long_runner.cpp"));
    EXPECT_EQ(find(loop.at("tasks"), "wanting").at("waits_for"), "a lock or semaphore (held by holder)");
    EXPECT_EQ(find(loop.at("tasks"), "producer").at("waits_for"), "a timer");
}

TEST_F(Attach, StacksWhileTheLoopIsBlockedInACall) {
    const auto app = start("usleep");
    const Json loop = stacks(app->pid()).at("loops").at(0);
    EXPECT_EQ(loop.at("how"), "busy");
    EXPECT_EQ(loop.at("changing"), false);
    EXPECT_EQ(loop.at("thread").at("state"), "blocked");
    EXPECT_TRUE(has(loop.at("thread").at("call"), "nanosleep")) << loop.at("thread").dump(1);
    EXPECT_TRUE(names(loop.at("thread").at("native_stack"), "sleep_for_ever")) << loop.at("thread").dump(1);
    EXPECT_EQ(find(loop.at("tasks"), "hanging").at("state"), "running");
    const Json consumer = find(loop.at("tasks"), "consumer");
    EXPECT_EQ(consumer.at("state"), "suspended");
    EXPECT_TRUE(consumer.at("waits_for").is_null());
    EXPECT_EQ(functions(consumer.at("await_stack")), (std::vector<std::string>{"consume", "take"}));
    const Result text = tool({"stacks", std::to_string(app->pid())});
    EXPECT_TRUE(has(text.out, "as seen from outside while it was busy")) << text.out;
    EXPECT_TRUE(has(text.out, "blocked in")) << text.out;
}

TEST_F(Attach, StacksWhileTheLoopComputes) {
    const auto app = start("spins");
    const Json loop = stacks(app->pid()).at("loops").at(0);
    EXPECT_EQ(loop.at("how"), "busy");
    EXPECT_EQ(find(loop.at("tasks"), "hanging").at("state"), "running");
    EXPECT_EQ(find(loop.at("tasks"), "holder").at("state"), "suspended");
    // On a machine without a free core it may just not be on a CPU at a look.
    EXPECT_TRUE(wait_until([&] {
        const Json now = stacks(app->pid()).at("loops").at(0).at("thread");
        return now.at("state") == "computes" && names(now.at("native_stack"), "spin_for_ever");
    }));
}

TEST_F(Attach, WhatThereWasAppearsAndNothingIsMadeUp) {
    const auto app = start("rests");
    const Result attached = attach(*app, "file:" + file());
    ASSERT_EQ(attached.code, 0) << attached.err;
    EXPECT_TRUE(has(attached.out, "debug mode is on in long_runner (pid " + std::to_string(app->pid()) + ")"))
        << attached.out;
    const Json tasks = app_with(file(), "wanting").at("tasks");
    const Json consumer = find(tasks, "consumer");
    EXPECT_EQ(consumer.at("state"), "suspended");
    EXPECT_EQ(functions(consumer.at("await_stack")), (std::vector<std::string>{"consume", "take"}));
    EXPECT_EQ(consumer.at("created_ns"), 0u);
    EXPECT_EQ(consumer.at("incomplete"), true);
    EXPECT_EQ(consumer.at("found"), true);
    EXPECT_EQ(find(tasks, "wanting").at("waits_on").at("holder"), find(tasks, "holder").at("id"));
    // The queue's producer sleeps: that it has not fed the queue before our eyes proves nothing.
    const Json problems = coroscope_json(directory_, {"problems", file(), "--json"}).at("problems");
    for (const Json& problem : problems) EXPECT_TRUE(problem.at("kind") == "lock_held_long") << problem.dump(1);
    EXPECT_TRUE(app->running());
}

TEST_F(Attach, OffAndOnAgain) {
    const auto app = start("rests");
    ASSERT_EQ(attach(*app, "file:" + file()).code, 0);
    const Result twice = attach(*app, "file:" + file("other.cst"));
    EXPECT_EQ(twice.code, 1);
    EXPECT_TRUE(has(twice.err, "is in debug mode already, and writes " + file())) << twice.err;
    app_with(file(), "consumer");
    const Result detached = detach(*app);
    EXPECT_EQ(detached.code, 0) << detached.err;
    EXPECT_TRUE(has(detached.out, "the file is complete: " + file())) << detached.out;
    const Json ended = coroscope_json(directory_, {"ps", file(), "--json"}).at("apps").at(0);
    EXPECT_EQ(ended.at("disconnect_reason"), "debug mode was switched off");
    EXPECT_EQ(detach(*app).code, 1);
    // A file of this process is not written over.
    const Result again = attach(*app, "file:" + file());
    ASSERT_EQ(again.code, 0) << again.err;
    EXPECT_TRUE(has(again.out, file("t.2.cst"))) << again.out;
    const Json second = app_with(file("t.2.cst"), "consumer");
    EXPECT_EQ(second.at("dropped"), 0u);
    EXPECT_EQ(find(second.at("tasks"), "consumer").at("state"), "suspended");
    EXPECT_TRUE(app->running());
}

TEST_F(Attach, ToARunningAgent) {
    const auto app = start("rests");
    const Result nobody = tool({"attach", std::to_string(app->pid())});
    EXPECT_EQ(nobody.code, 1);
    EXPECT_TRUE(has(nobody.err, "no agent answers at")) << nobody.err;
    AgentProcess agent(directory_);
    const Result attached = attach(*app, agent.address());
    ASSERT_EQ(attached.code, 0) << attached.err;
    EXPECT_TRUE(wait_until([&] {
        const Json ps = coroscope_json(directory_, {"ps", agent.address(), "--json"});
        const Json found = find_app(ps, app->pid());
        return !found.is_null() && !find(found.at("tasks"), "wanting").is_null();
    }));
    EXPECT_EQ(tool({"threshold", std::to_string(app->pid()), "soon"}).code, 2);
    const Result changed = tool({"threshold", std::to_string(app->pid()), "50ms"});
    EXPECT_EQ(changed.code, 0) << changed.err;
    EXPECT_TRUE(has(changed.out, "50.0 ms") || has(changed.out, "50 ms")) << changed.out;
    const Result by_agent = tool({"threshold", "long_runner", "20ms", "--agent", agent.address()});
    EXPECT_EQ(by_agent.code, 0) << by_agent.err;
    EXPECT_EQ(detach(*app).code, 0);
    EXPECT_TRUE(wait_until([&] {
        const Json found = find_app(coroscope_json(directory_, {"ps", agent.address(), "--json"}), app->pid());
        return !found.is_null() && found.at("disconnect_reason") == "debug mode was switched off";
    }));
}

TEST_F(Attach, AlsoWhileItHangs) {
    for (const char* how : {"usleep", "spins"}) {
        const auto app = start(how);
        const std::string path = file(std::string(how) + ".cst");
        ASSERT_EQ(attach(*app, "file:" + path).code, 0) << how;
        EXPECT_EQ(stacks(app->pid()).at("debug_mode"), true);
        EXPECT_EQ(detach(*app).code, 0) << how;
        EXPECT_TRUE(app->running());
    }
}

TEST_F(Attach, WhoCannotBeAskedIsToldWhy) {
    const Result none = tool({"stacks", "999999999"});
    EXPECT_EQ(none.code, 1);
    EXPECT_TRUE(has(none.err, "there is no process 999999999")) << none.err;
    const Process deaf(directory_, {"/bin/sleep", "600"});
    for (const char* command : {"stacks", "attach", "detach"}) {
        const Result result = tool({command, std::to_string(deaf.pid())});
        EXPECT_EQ(result.code, 1);
        EXPECT_TRUE(has(result.err, "does not listen; start it with COROSCOPE=standby")) << result.err;
    }
}

TEST_F(Attach, PsNamesTheProcessesInStandby) {
    const auto one = start("rests"), two = start("rests");
    auto gone = start("rests");
    gone->kill_hard();
    const std::string socket = directory_.path("run/coroscope-apps/" + std::to_string(gone->pid()) + ".sock").string();
    EXPECT_TRUE(std::filesystem::exists(socket));
    const Result result = tool({"ps"});
    for (const Process* app : {one.get(), two.get()})
        EXPECT_TRUE(has(result.out, "standby: coroscope attach " + std::to_string(app->pid()))) << result.out;
    EXPECT_FALSE(has(result.out, std::to_string(gone->pid()))) << result.out;
    EXPECT_FALSE(std::filesystem::exists(socket)) << "a socket of a process that is gone is removed";
}

TEST_F(Attach, AForkedChildHasItsOwnSocket) {
    const auto app = start("forks");
    const pid_t child = std::stoi(app->out());
    const Json all = stacks(child);
    EXPECT_EQ(all.at("pid"), child);
    const auto& loops = all.at("loops");
    EXPECT_TRUE(
        std::ranges::any_of(loops, [](const Json& loop) { return !find(loop.at("tasks"), "consumer").is_null(); }));
    const Json parent = stacks(app->pid());
    EXPECT_EQ(parent.at("loops").at(0).at("how"), "not running");
    ::kill(child, SIGKILL);
}

TEST_F(Attach, TheAppMayCloseTheDescriptor) {
    const auto app = start("closes");
    for (int i = 0; i < 3; ++i) EXPECT_FALSE(stacks(app->pid()).is_null()) << i;
}

TEST_F(Attach, ByTheProgramItself) {
    Process app(directory_, {binary("e2e/long_runner"), "switches"},
                {"COROSCOPE=standby:file:" + file(), run_folder()});
    EXPECT_EQ(app.wait(), 0) << app.err();
    EXPECT_EQ(app.out(), "");
    const Json first = app_with(file(), "session 1"), second = app_with(file("t.2.cst"), "session 2");
    EXPECT_TRUE(find(first.at("tasks"), "session 2").is_null());
    EXPECT_TRUE(find(second.at("tasks"), "session 1").is_null());
}

TEST_F(Attach, ByASignal) {
    const auto app = start("rests", {"COROSCOPE_SIGNAL=USR2", "COROSCOPE=standby:file:" + file()});
    app->signal(SIGUSR2);
    app_with(file(), "consumer");
    app->signal(SIGUSR2);
    EXPECT_TRUE(wait_until([&] { return has(app->err(), "debug mode is off, by the signal"); })) << app->err();
    EXPECT_TRUE(app->running());
}

TEST_F(Attach, AProgramInStandbyBehavesAsWithout) {
    Process plain(directory_, {example("greet")});
    Process standby(directory_, {example("greet")}, {"COROSCOPE=standby", run_folder()});
    EXPECT_EQ(plain.wait(), 0);
    EXPECT_EQ(standby.wait(), 0);
    EXPECT_EQ(standby.out(), plain.out());
    EXPECT_EQ(standby.err(), "");
    EXPECT_TRUE(std::filesystem::is_empty(directory_.path("run/coroscope-apps"))) << "its socket goes with it";
}

TEST_F(Attach, WhereItCannotListenIsToldInOneLine) {
    Process app(directory_, {example("greet")}, {"COROSCOPE=standby", "XDG_RUNTIME_DIR=/proc"});
    EXPECT_EQ(app.wait(), 0);
    EXPECT_TRUE(has(app.err(), "coroscope: nothing can be attached to this process: /proc/coroscope-apps cannot be"))
        << app.err();
    EXPECT_EQ(std::ranges::count(app.err(), '\n'), 1) << app.err();
}

}  // namespace
}  // namespace coroscope::e2e
