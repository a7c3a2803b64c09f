// Time lost below the threshold, and where the CPU time goes: real programs that are measured, and do not notice.
#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>

#include "support.hpp"

namespace coroscope::e2e {
namespace {

int line_with(const std::string& marker) {
    std::ifstream in(std::string(COROSCOPE_SOURCES) + "/tests/e2e/programs/blocking.cpp");
    std::string text;
    for (int number = 1; std::getline(in, text); ++number)
        if (text.find(marker) != std::string::npos) return number;
    return 0;
}

class Measured : public testing::Test {
protected:
    // Runs a program to its end, with a trace file.
    void trace(const std::string& name, const std::string& argument, std::vector<std::string> environment) {
        environment.push_back("COROSCOPE=file:" + file_);
        Process app(directory_, {binary("e2e/" + name), argument}, environment);
        ASSERT_EQ(app.wait(), 0) << app.err();
        out_ = app.out();
        err_ = app.err();
    }
    Json app() { return coroscope_json(directory_, {"ps", file_, "--json"}).at("apps").at(0); }
    Json problems(const std::string& kind) {
        Json found = Json::array();
        const Json all = coroscope_json(directory_, {"problems", file_, "--json"});
        for (const Json& problem : all.at("problems"))
            if (problem.at("kind") == kind) found.push_back(problem);
        return found;
    }

    TemporaryDirectory directory_;
    const std::string file_ = directory_.path("t.cst").string();
    std::string out_, err_;
};

TEST_F(Measured, CallsThatBlockAreFoundByLineAndReturnAsWithout) {
    Process plain(directory_, {binary("e2e/blocking"), "all"});
    ASSERT_EQ(plain.wait(), 0) << plain.err();
    trace("blocking", "all", {"COROSCOPE_BLOCKING=1", "COROSCOPE_SLOW_STEP=10000"});
    EXPECT_EQ(out_, plain.out());
    EXPECT_EQ(err_, "");

    const Json calls = app().at("blocking_calls"), found = problems("blocking_call");
    for (const char* function : {"usleep", "poll", "sem_timedwait", "pthread_mutex_lock", "pthread_cond_clockwait",
                                 "pthread_join", "syscall", "read", "system", "pause"}) {
        SCOPED_TRACE(function);
        const int line = line_with(std::string("// ") + function);
        ASSERT_NE(line, 0);
        const auto is_it = [&](const Json& each) { return each.at("site").at("line") == line; };
        const auto call = std::ranges::find_if(
            calls, [&](const Json& each) { return each.at("function") == function && is_it(each); });
        ASSERT_NE(call, calls.end()) << calls.dump(1);
        int count = 0;  // the first step of a task has another stack than those that follow
        for (const Json& each : calls)
            if (each.at("function") == function && is_it(each)) count += each.at("count").get<int>();
        EXPECT_EQ(count, std::string(function) == "usleep" ? 10 : 1);
        EXPECT_GE(call->at("total_ns"), 10'000'000);
        EXPECT_LE(call->at("longest_ns"), call->at("total_ns"));
        EXPECT_FALSE(call->at("task").is_null());
        const auto problem = std::ranges::find_if(found, is_it);
        ASSERT_NE(problem, found.end()) << found.dump(1);
        EXPECT_EQ(problem->at("summary").get<std::string>().rfind(function, 0), 0u) << problem->dump(1);
    }
    for (const Json& call : calls) EXPECT_NE(call.at("function"), "epoll_wait") << "the loop's own";
}

TEST_F(Measured, WhatSlowStepTellsIsNotToldAgain) {
    trace("blocking", "long", {"COROSCOPE_BLOCKING=1", "COROSCOPE_SLOW_STEP=40"});
    EXPECT_EQ(problems("slow_step").size(), 1u);
    EXPECT_TRUE(problems("blocking_call").empty()) << problems("blocking_call").dump(1);
    const Json calls = app().at("blocking_calls");
    EXPECT_TRUE(std::ranges::any_of(calls, [](const Json& call) {
        return call.at("function") == "usleep" && call.at("in_slow_steps_ns") == call.at("total_ns");
    })) << calls.dump(1);
}

TEST_F(Measured, OtherThreadsMayBlock) {
    trace("blocking", "elsewhere", {"COROSCOPE_BLOCKING=1"});
    EXPECT_TRUE(problems("blocking_call").empty()) << problems("blocking_call").dump(1);
}

TEST_F(Measured, NothingIsMeasuredThatNobodyAskedFor) {
    trace("blocking", "long", {});
    EXPECT_TRUE(app().at("blocking_calls").empty());
    EXPECT_TRUE(app().at("cpu_samples").empty());
}

TEST_F(Measured, SamplesAreAsManyAsTheCpuTimeOfFunctions) {
    trace("profile", "", {"COROSCOPE_PROFILE=199"});
    EXPECT_EQ(err_, "");
    double heavy = 0, light = 0, all = 0;
    bool with_await_stack = false;
    const Json samples = app().at("cpu_samples");
    for (const Json& sample : samples) {
        const double count = sample.at("count");
        all += count;
        const auto calls = [&](const std::string& function) {
            return std::ranges::any_of(sample.at("stack"), [&](const Json& frame) {
                return frame.at("function").get<std::string>().find(function) != std::string::npos;
            });
        };
        if (calls("heavy")) heavy += count;
        if (calls("light")) light += count;
        if (calls("heavy") && calls("work_hard") && calls("serve")) with_await_stack = true;
        EXPECT_FALSE(sample.at("task").is_null());
    }
    ASSERT_GT(all, 50);
    EXPECT_GT(heavy + light, all * 0.9);
    EXPECT_GT(heavy, light * 2);
    EXPECT_LT(heavy, light * 4.5);
    EXPECT_TRUE(with_await_stack) << samples.dump(1);

    const Result folded = coroscope(directory_, {"export", file_, "--format", "folded", "--profile", "-o", "-"});
    ASSERT_EQ(folded.code, 0) << folded.err;
    double exported = 0;
    std::istringstream lines(folded.out);
    for (std::string line; std::getline(lines, line);) exported += std::stod(line.substr(line.rfind(' ')));
    EXPECT_EQ(exported, all);
    const Result speedscope =
        coroscope(directory_, {"export", file_, "--format", "speedscope", "--profile", "-o", "-"});
    ASSERT_EQ(speedscope.code, 0) << speedscope.err;
    const Json profile = Json::parse(speedscope.out).at("profiles").at(0);
    EXPECT_EQ(profile.at("type"), "sampled");
    EXPECT_EQ(profile.at("samples").size(), profile.at("weights").size());
}

TEST_F(Measured, AProfileThatIsNotThereIsSaid) {
    trace("blocking", "elsewhere", {});
    const Result folded = coroscope(directory_, {"export", file_, "--format", "folded", "--profile", "-o", "-"});
    EXPECT_NE(folded.code, 0);
    EXPECT_NE(folded.err.find("COROSCOPE_PROFILE"), std::string::npos) << folded.err;
}

}  // namespace
}  // namespace coroscope::e2e
