// Each program of runtime/examples/bugs/ is found out while it runs, at the line of its bug; its mended twin is calm.
#include <algorithm>

#include "support.hpp"

namespace coroscope::e2e {
namespace {

struct Bug {
    const char* program;
    const char* kind;                // of the problem
    const char* certainty;           // "": not asked
    std::vector<const char*> lines;  // texts of the program's lines that the problem names
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
};

class Bugs : public testing::TestWithParam<Bug> {
protected:
    std::string program() const { return example(std::string("bugs/") + GetParam().program); }
    std::string file() const { return directory_.path("t.cst").string(); }
    // The problems of the kind, as far as the file goes; null: none yet.
    Json found() {
        const Result result = coroscope(directory_, {"problems", file(), "--json"});
        if (result.code != 0) return nullptr;
        const Json all = Json::parse(result.out).at("problems");
        for (const Json& problem : all)
            if (problem.at("kind") == GetParam().kind) return problem;
        return nullptr;
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

TEST_P(Bugs, IsFoundWhileItHangs) {
    Process app(directory_, {program()}, {"COROSCOPE=file:" + file()});
    Json problem;
    ASSERT_TRUE(wait_until([&] { return !(problem = found()).is_null(); })) << app.err();
    const std::string all = problem.dump();
    for (const char* line : GetParam().lines)
        EXPECT_NE(all.find(place_of(line)), std::string::npos) << place_of(line) << " in " << problem.dump(1);
    if (GetParam().certainty[0] != '\0') {
        EXPECT_EQ(problem.at("certainty"), GetParam().certainty);
    }
}

TEST_P(Bugs, TheMendedTwinIsCalm) {
    Process app(directory_, {program(), "fixed"}, {"COROSCOPE=file:" + file()});
    EXPECT_EQ(app.wait(), 0) << app.err();
    const Result result = coroscope(directory_, {"problems", file(), "--exit-code"});
    EXPECT_EQ(result.code, 0) << result.out;
}

INSTANTIATE_TEST_SUITE_P(Examples, Bugs, testing::ValuesIn(bugs),
                         [](const auto& each) { return std::string(each.param.program) + "_" + each.param.kind; });

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
