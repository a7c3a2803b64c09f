// Our examples print, line for line, what the asyncio programs of the same name print.
// programs/NAME.txt is the output of programs/NAME.py; where this machine has a python3 that can run it, that is
// checked as well.
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

namespace {

struct Result {
    std::string output;
    int status = -1;
};

Result run(const std::string& command) {
    Result result;
    FILE* pipe = ::popen(command.c_str(), "r");
    if (pipe == nullptr) return result;
    std::array<char, 4096> buffer;
    while (const std::size_t size = std::fread(buffer.data(), 1, buffer.size(), pipe))
        result.output.append(buffer.data(), size);
    result.status = ::pclose(pipe);
    return result;
}

std::string contents(const std::string& path) {
    std::ifstream in(path);
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
}

bool has_python_311() {
    static const bool has = run("python3 -c 'import asyncio; asyncio.TaskGroup' 2>&1").status == 0;
    return has;
}

class Document : public ::testing::TestWithParam<const char*> {};

TEST_P(Document, PrintsWhatThePythonProgramPrints) {
    const std::string name = GetParam();
    const std::string expected = contents(std::string(COROSCOPE_PROGRAMS) + "/" + name + ".txt");
    ASSERT_NE(expected, "");
    const Result ours = run(std::string(COROSCOPE_EXAMPLES) + "/" + name);
    EXPECT_EQ(ours.status, 0);
    EXPECT_EQ(ours.output, expected);
    if (has_python_311()) {
        const Result theirs = run("python3 " + std::string(COROSCOPE_PROGRAMS) + "/" + name + ".py");
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
    const Result ours = run(std::string(COROSCOPE_EXAMPLES) + "/custom_loop");
    EXPECT_EQ(ours.status, 0);
    EXPECT_NE(ours.output.find("Hello from my coroutine!"), std::string::npos) << ours.output;
}

}  // namespace
