// Our examples print, line for line, what the asyncio programs of the same name print.
// programs/NAME.txt is the output of programs/NAME.py; where this machine has a python3 that can run it, that is
// checked as well.
#include <gtest/gtest.h>

#include <string>

#include "support.hpp"

namespace {

bool has_python_311() {
    static const bool has = run_command("python3 -c 'import asyncio; asyncio.TaskGroup' 2>&1").status == 0;
    return has;
}

class Document : public ::testing::TestWithParam<const char*> {};

TEST_P(Document, PrintsWhatThePythonProgramPrints) {
    const std::string name = GetParam();
    const std::string expected = contents(std::string(COROSCOPE_PROGRAMS) + "/" + name + ".txt");
    ASSERT_NE(expected, "");
    const Result ours = run_command(std::string(COROSCOPE_EXAMPLES) + "/" + name);
    EXPECT_EQ(ours.status, 0);
    EXPECT_EQ(ours.output, expected);
    if (has_python_311()) {
        const Result theirs = run_command("python3 " + std::string(COROSCOPE_PROGRAMS) + "/" + name + ".py");
        EXPECT_EQ(theirs.status, 0);
        EXPECT_EQ(theirs.output, expected) << "the recorded output is not what Python prints";
    }
}

INSTANTIATE_TEST_SUITE_P(Programs, Document,
                         ::testing::Values("greet", "fetch_data", "task_group", "cancellation", "to_thread",
                                           "wait_first", "pipeline"),
                         [](const auto& each) { return std::string(each.param); });

// The document's own loop cannot run in Python (its call_soon is given a function, not a coroutine); this is what it
// means to print.
TEST(Document, CustomLoopRunsItsCoroutine) {
    const Result ours = run_command(std::string(COROSCOPE_EXAMPLES) + "/custom_loop");
    EXPECT_EQ(ours.status, 0);
    EXPECT_NE(ours.output.find("Hello from my coroutine!"), std::string::npos) << ours.output;
}

}  // namespace
