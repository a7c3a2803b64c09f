// The code in runtime/README.md is code of the programs it names, and the output shown is what they print.
#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "support.hpp"

namespace {

struct Snippet {
    std::string program;  // the comment above the code names it: <!-- examples/NAME.cpp -->
    std::string code;
    std::string output;  // of the ```text block that follows; "" if none does
};

std::vector<Snippet> snippets() {
    std::vector<Snippet> all;
    const std::string marker_begin = "<!-- examples/";
    std::istringstream in(contents(COROSCOPE_TUTORIAL));
    std::string line, program, language;
    bool in_block = false;
    while (std::getline(in, line)) {
        if (!in_block && line.starts_with(marker_begin)) {
            program = line.substr(marker_begin.size(), line.find(".cpp -->") - marker_begin.size());
        } else if (!in_block && line.starts_with("```")) {
            in_block = true;
            language = line.substr(3);
            if (language == "cpp") all.push_back({std::exchange(program, ""), "", ""});
        } else if (in_block && line == "```") {
            in_block = false;
        } else if (in_block && !all.empty()) {
            (language == "cpp" ? all.back().code : all.back().output) += line + "\n";
        }
    }
    return all;
}

void PrintTo(const Snippet& snippet, std::ostream* out) { *out << snippet.program; }

class Tutorial : public ::testing::TestWithParam<Snippet> {};

TEST_P(Tutorial, ShowsCompiledCodeAndRealOutput) {
    const Snippet& snippet = GetParam();
    ASSERT_NE(snippet.program, "") << "no program is named above:\n" << snippet.code;
    const std::string source = contents(std::string(COROSCOPE_EXAMPLE_SOURCES) + "/" + snippet.program + ".cpp");
    EXPECT_NE(source.find(snippet.code), std::string::npos)
        << "examples/" << snippet.program << ".cpp has no such lines:\n"
        << snippet.code;
    if (snippet.output.empty()) return;
    const Result run = run_command(std::string(COROSCOPE_EXAMPLES) + "/" + snippet.program + " 2>/dev/null");
    EXPECT_EQ(run.status, 0);
    EXPECT_EQ(run.output, snippet.output);
}

INSTANTIATE_TEST_SUITE_P(Readme, Tutorial, ::testing::ValuesIn(snippets()), [](const auto& each) {
    return each.param.program.empty() ? "Unnamed" + std::to_string(each.index) : each.param.program;
});

TEST(Tutorial, WalksTheWholeRoad) {
    const std::vector<std::string> road = {"greet",        "fetch_data",  "task_group", "web_server",
                                           "cancellation", "custom_loop", "async_with", "to_thread",
                                           "wait_first",   "debug_mode",  "pipeline"};
    std::vector<std::string> shown;
    for (const Snippet& snippet : snippets()) shown.push_back(snippet.program);
    shown.resize(std::min(shown.size(), road.size()));
    EXPECT_EQ(shown, road);
}

}  // namespace
