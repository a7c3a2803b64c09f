// Each case of oracle/cases runs twice, on our runtime and on CPython's asyncio, and both must write the same lines,
// but for what the case says that differs, and where that is documented.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <algorithm>
#include <cctype>
#include <string>
#include <vector>

#include "tests/document/support.hpp"

namespace {

using Lines = std::vector<std::string>;

Lines lines_of(const std::string& text) {
    Lines lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
}

// What a command writes, and a last line if it does not end well.
Lines written_by(const std::string& command) {
    const Result ran = run_command("timeout 60 " + command);
    Lines lines = lines_of(ran.output);
    if (!WIFEXITED(ran.status) || WEXITSTATUS(ran.status) != 0)
        lines.push_back("ended with status " + std::to_string(ran.status));
    return lines;
}
Lines of_ours(const std::string& arguments) { return written_by(COROSCOPE_ORACLE_CASES " " + arguments); }
Lines of_asyncio(const std::string& arguments) {
    return written_by(COROSCOPE_ORACLE_PYTHON " -I -S " COROSCOPE_ORACLE " " + arguments);
}

// A diff with all lines: "  same", "- asyncio's", "+ ours".
Lines diff(const Lines& asyncio, const Lines& ours) {
    // common[i][j]: the length of the longest common subsequence from there on.
    std::vector<std::vector<std::size_t>> common(asyncio.size() + 1, std::vector<std::size_t>(ours.size() + 1));
    for (std::size_t i = asyncio.size(); i-- > 0;)
        for (std::size_t j = ours.size(); j-- > 0;)
            common[i][j] =
                asyncio[i] == ours[j] ? common[i + 1][j + 1] + 1 : std::max(common[i + 1][j], common[i][j + 1]);
    Lines result;
    std::size_t i = 0, j = 0;
    while (i < asyncio.size() || j < ours.size()) {
        if (i < asyncio.size() && j < ours.size() && asyncio[i] == ours[j]) {
            result.push_back(" " + asyncio[i++]);
            ++j;
        } else if (j == ours.size() || (i < asyncio.size() && common[i + 1][j] >= common[i][j + 1])) {
            result.push_back("-" + asyncio[i++]);
        } else {
            result.push_back("+" + ours[j++]);
        }
    }
    return result;
}

Lines changes(const Lines& diff) {
    Lines changed;
    std::ranges::copy_if(diff, std::back_inserter(changed), [](const std::string& line) { return line[0] != ' '; });
    return changed;
}

std::string joined(const Lines& lines) {
    std::string text;
    for (const auto& line : lines) text += line + '\n';
    return text;
}

struct Difference {
    std::string header, reason;
    Lines lines;
};

std::vector<Difference> expected_differences(const std::string& name) {
    std::vector<Difference> differences;
    const Lines lines = of_ours("--differences " + name);
    for (std::size_t at = 0; at + 1 < lines.size(); ++at) {
        Difference& one = differences.emplace_back(Difference{lines[at], lines[at + 1], {}});
        for (at += 2; at < lines.size() && !lines[at].empty(); ++at) one.lines.push_back(lines[at]);
    }
    return differences;
}

// The text of a header's comments, its spaces and line breaks as single spaces.
std::string comments_of(const std::string& header) {
    std::string words;
    for (const std::string& line : lines_of(contents(COROSCOPE_HEADERS + header))) {
        const std::size_t at = line.find("//");
        if (at == std::string::npos) continue;
        std::istringstream in(line.substr(at + 2));
        for (std::string word; in >> word;) words += word + ' ';
    }
    return words;
}

class Oracle : public testing::TestWithParam<std::string> {};

TEST_P(Oracle, WritesTheSameAsAsyncio) {
    const std::string& name = GetParam();
    const Lines all = diff(of_asyncio(name), of_ours(name));
    Lines expected;
    for (const Difference& difference : expected_differences(name)) {
        expected.insert(expected.end(), difference.lines.begin(), difference.lines.end());
        if (difference.header.empty()) continue;  // open
        EXPECT_NE(comments_of(difference.header).find(difference.reason), std::string::npos)
            << difference.header << " does not say any more: " << difference.reason;
    }
    EXPECT_EQ(changes(all), expected) << "-: asyncio, +: ours. Expected are these differences:\n"
                                      << (expected.empty() ? "none\n" : joined(expected)) << "\nBut they are:\n"
                                      << joined(all);
}

std::string name_of_test(const testing::TestParamInfo<std::string>& each) {
    std::string name = each.param;
    std::ranges::replace_if(name, [](unsigned char letter) { return std::isalnum(letter) == 0; }, '_');
    return name;
}
INSTANTIATE_TEST_SUITE_P(Cases, Oracle, testing::ValuesIn(of_ours("--list")), name_of_test);

TEST(OracleList, EveryCaseExistsInBothLanguages) {
    const Lines asyncio = of_asyncio("--list"), ours = of_ours("--list");
    EXPECT_GT(ours.size(), 50u);
    EXPECT_EQ(changes(diff(asyncio, ours)), Lines()) << "-: only in Python, +: only in C++";
}

TEST(OracleDiff, LeavesWhatBothHave) {
    EXPECT_EQ(diff({"a", "b", "c"}, {"a", "x", "c", "d"}), Lines({" a", "-b", "+x", " c", "+d"}));
    EXPECT_EQ(changes(diff({"a", "b"}, {"b", "a"})).size(), 2u);
    EXPECT_EQ(diff({}, {}), Lines());
}

}  // namespace
