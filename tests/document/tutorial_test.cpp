// The code in runtime/README.md is code of the programs it names, and the output shown is what they print.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <ostream>
#include <set>
#include <sstream>
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

// The name that a piece of code in the table of asyncio's names and ours is about: "retry" of "retry(options, f, x)",
// "call_soon" of "loop.call_soon"; "" if it is not about one.
std::string name_in(std::string code) {
    if (code.starts_with("co_await ")) code.erase(0, std::string("co_await ").size());
    const std::size_t end = code.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.:");
    code.erase(std::min(end, code.size()));
    return code.substr(code.find_last_of(".:") + 1);
}

std::vector<std::string> codes_in(const std::string& cell) {
    std::vector<std::string> codes;
    for (std::size_t from = cell.find('`'); from != std::string::npos; from = cell.find('`', from + 1)) {
        const std::size_t to = cell.find('`', from + 1);
        if (to == std::string::npos) break;
        codes.push_back(cell.substr(from + 1, to - from - 1));
        from = to;
    }
    return codes;
}

TEST(Readme, TheTableOfAsynciosNamesHasOnlyWhatExists) {
    const std::filesystem::path include = std::filesystem::path(COROSCOPE_EXAMPLE_SOURCES).parent_path() / "include";
    std::string headers;
    for (const auto& file : std::filesystem::recursive_directory_iterator(include))
        if (file.is_regular_file()) headers += contents(file.path().string());
    const auto exists = [&](const std::string& name) {
        const auto in_word = [&](std::size_t at) {
            return std::isalnum(static_cast<unsigned char>(headers[at])) != 0 || headers[at] == '_';
        };
        for (std::size_t at = headers.find(name); at != std::string::npos; at = headers.find(name, at + 1))
            if (!in_word(at - 1) && !in_word(at + name.size())) return true;
        return false;
    };
    const std::set<std::string> of_the_language{"", "x", "f"};  // `co_await x`, `Coro<T> f()`
    std::istringstream in(contents(COROSCOPE_TUTORIAL));
    std::size_t names = 0;
    bool in_table = false;
    for (std::string line; std::getline(in, line);) {
        if (line.starts_with("| asyncio | coroscope |")) in_table = true;
        if (!in_table || !line.starts_with("| ")) {
            in_table = in_table && line.starts_with("|");
            continue;
        }
        const std::size_t second = line.find(" |", 1), third = line.find(" |", second + 2);
        ASSERT_NE(third, std::string::npos) << line;
        const std::string theirs = line.substr(0, second), ours = line.substr(second, third - second);
        std::vector<std::string> codes = codes_in(ours);
        if (ours.find("the same") != std::string::npos)
            for (const std::string& code : codes_in(theirs)) codes.push_back(code);
        for (const std::string& code : codes) {
            const std::string name = name_in(code);
            if (of_the_language.contains(name)) continue;
            ++names;
            EXPECT_TRUE(exists(name)) << code << " in: " << line;
        }
        for (const std::string& code : codes_in(line.substr(third)))
            if (code.ends_with(".hpp")) {
                EXPECT_TRUE(std::filesystem::exists(include / "coroscope" / code)) << code << " in: " << line;
            }
    }
    EXPECT_GT(names, 60u);
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
