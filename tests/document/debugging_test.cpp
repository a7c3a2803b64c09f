// The commands in runtime/DEBUGGING.md are run: the output shown there is what they print, but for times and numbers.
//
//     COROSCOPE_WRITE_PAGES=1 build/tests/debugging_test --gtest_filter='*RealOutput*'      writes the output anew
//
// A block of commands begins with a program under build/bin; one that ends in & is looked at while it runs. Of
// `coroscope problems` only the kinds are compared that the page shows. "..." stands for what the page leaves out.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "tests/e2e/support.hpp"

namespace coroscope::e2e {
namespace {

const std::string page_path = std::string(COROSCOPE_SOURCES) + "/runtime/DEBUGGING.md";
const std::string bugs_path = std::string(COROSCOPE_SOURCES) + "/runtime/examples/bugs";
const std::string margin = "    ", left_out = "...";

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    return lines;
}

std::string joined(const std::vector<std::string>& lines) {
    std::string text;
    for (const std::string& line : lines) text += line + "\n";
    return text;
}

std::vector<std::string> words_of(const std::string& line) {
    std::istringstream in(line);
    std::vector<std::string> words;
    for (std::string word; in >> word;) words.push_back(word);
    return words;
}

struct Command {
    std::string line;
    std::vector<std::string> shown;  // what the page says that it prints

    bool is_problems() const { return line.find("coroscope problems") != std::string::npos; }
};

struct Block {
    std::size_t first = 0, end = 0;  // lines of the page
    std::vector<Command> commands;

    const std::string& program() const { return commands.front().line; }
    std::string name() const {
        for (const std::string& word : words_of(program()))
            if (word.starts_with("build/bin/")) return std::filesystem::path(word).filename();
        return "nothing";
    }
};

void PrintTo(const Block& block, std::ostream* out) { *out << "line " << block.first + 1 << ": " << block.program(); }

// A blank line and a line that begins with $ begin a block.
std::vector<Block> blocks_of(const std::vector<std::string>& page) {
    std::vector<Block> blocks;
    bool in_block = false;
    for (std::size_t i = 0; i < page.size(); ++i) {
        const std::string& line = page[i];
        const bool is_command = line.starts_with(margin + "$ ");
        if (is_command && (i == 0 || page[i - 1].empty())) {
            blocks.emplace_back().first = i;
            in_block = true;
        }
        in_block = in_block && line.starts_with(margin);
        if (!in_block) continue;
        Block& block = blocks.back();
        block.end = i + 1;
        if (is_command) {
            block.commands.emplace_back().line = line.substr(margin.size() + 2);
        } else {
            block.commands.back().shown.push_back(line.substr(margin.size()));
        }
    }
    return blocks;
}

// The kinds that begin the lines of a text of `coroscope problems`.
std::set<std::string> kinds_in(const std::vector<std::string>& lines) {
    std::set<std::string> kinds;
    for (const std::string& line : lines)
        if (!line.empty() && line.front() != ' ' && line != left_out) kinds.insert(words_of(line).front());
    return kinds;
}

// The problems of these kinds.
std::vector<std::string> only(const std::set<std::string>& kinds, const std::vector<std::string>& lines) {
    std::vector<std::string> chosen;
    bool is_chosen = false;
    for (const std::string& line : lines) {
        if (!line.empty() && line.front() != ' ') is_chosen = kinds.contains(words_of(line).front());
        if (is_chosen && !line.empty()) chosen.push_back(line);
    }
    return chosen;
}

// In one line, with a # for each number and time, unless it is a line of a source.
std::string flat(const std::vector<std::string>& lines) {
    static const std::regex numbers(R"((pp:\d+)|\d([\d.,]*\d)?( (ns|us|ms|s|min|h)\b| ?%)?)");
    std::string text;
    for (const std::string& line : lines)
        for (const std::string& word : words_of(line)) text += (text.empty() ? "" : " ") + word;
    std::string masked;
    auto from = text.cbegin();
    for (std::sregex_iterator at(text.begin(), text.end(), numbers), end; at != end; ++at) {
        masked.append(from, (*at)[0].first);
        masked += (*at)[1].matched ? at->str() : "#";
        from = (*at)[0].second;
    }
    return masked.append(from, text.cend());
}

// Whether these lines can be shown for what was printed.
bool shows(const std::vector<std::string>& shown, const std::vector<std::string>& printed) {
    const std::string all = flat(printed);
    std::size_t at = 0;
    bool anywhere = false;
    for (std::vector<std::string> piece; const std::string& line : shown) {
        const bool is_last = &line == &shown.back();
        if (line != left_out) piece.push_back(line);
        if (line == left_out || is_last) {
            const std::string text = flat(piece);
            const std::size_t found = is_last && line != left_out && anywhere ? all.rfind(text) : all.find(text, at);
            if (found == std::string::npos || found < at || (!anywhere && found != 0)) return false;
            at = found + text.size();
            if (is_last && line != left_out && at != all.size()) return false;
            anywhere = true;
            piece.clear();
        }
    }
    return !shown.empty() || all.empty();
}

// The program of a block, and commands of the block that look at it.
class Running {
public:
    explicit Running(const Block& block) {
        std::vector<std::string> words = words_of(block.program()), environment;
        for (; !words.empty() && words.front().find('=') != std::string::npos; words.erase(words.begin()))
            environment.push_back(here(words.front()));
        is_left_running_ = !words.empty() && words.back() == "&";
        if (is_left_running_) words.pop_back();
        for (std::string& word : words) word = here(word);
        program_ = std::make_unique<Process>(directory_, words, environment);
        if (!is_left_running_) {
            EXPECT_NE(program_->wait(), -1) << "it does not end: " << block.program();
        }
    }
    bool is_left_running() const { return is_left_running_; }
    // What a command prints, as it would with the file in the current directory.
    std::vector<std::string> output_of(const Command& command) {
        std::vector<std::string> words = words_of(command.line);
        words.erase(words.begin());
        for (std::string& word : words) word = word == "$!" ? std::to_string(program_->pid()) : here(word);
        const Result result = e2e::coroscope(directory_, words);
        std::string out = result.out;
        const std::string folder = directory_.path("").string();
        for (std::size_t at = out.find(folder); at != std::string::npos; at = out.find(folder))
            out.erase(at, folder.size());
        std::vector<std::string> lines = lines_of(out);
        return command.is_problems() ? only(kinds_in(command.shown), lines) : lines;
    }

private:
    // A path of the page on this machine.
    std::string here(std::string word) const {
        if (word.starts_with("build/bin/")) return binary(word.substr(std::string("build/bin/").size()));
        if (word.ends_with("t.cst")) word.insert(word.size() - 5, directory_.path("").string());
        return word;
    }

    TemporaryDirectory directory_;
    std::unique_ptr<Process> program_;
    bool is_left_running_ = false;
};

class Page : public testing::TestWithParam<Block> {};

TEST_P(Page, ShowsRealOutput) {
    // A machine that is busy with other things adds words to what is said: then once more.
    constexpr int most_runs = 3;
    std::vector<std::string> wrong;
    for (int run = 0; run < most_runs; ++run) {
        Running running(GetParam());
        wrong.clear();
        for (std::size_t i = 1; i < GetParam().commands.size() && wrong.empty(); ++i) {
            const Command& command = GetParam().commands[i];
            std::vector<std::string> printed;
            const auto is_as_shown = [&] { return shows(command.shown, printed = running.output_of(command)); };
            if (running.is_left_running() ? wait_until(is_as_shown, patience / most_runs) : is_as_shown()) continue;
            wrong = {command.line, "prints:", joined(printed), "the page shows:", joined(command.shown)};
        }
        if (wrong.empty()) return;
    }
    FAIL() << joined(wrong);
}

INSTANTIATE_TEST_SUITE_P(Debugging, Page, testing::ValuesIn(blocks_of(lines_of(read_file(page_path)))),
                         [](const auto& each) { return each.param.name() + "_" + std::to_string(each.index); });

// ---- The page anew --------------------------------------------------------------------------------------------------

// Without the stacks of problems.
std::vector<std::string> without_stacks(const std::vector<std::string>& printed) {
    std::vector<std::string> kept;
    bool in_stack = false;
    for (const std::string& line : printed) {
        if (line.front() != ' ') in_stack = false;
        if (line.find(" stack, innermost last") != std::string::npos && !std::exchange(in_stack, true))
            kept.push_back(left_out);
        if (!in_stack) kept.push_back(line);
    }
    return kept;
}

// As the page shows it: no line is wider than the page, and what was left out still is.
std::vector<std::string> for_the_page(const Command& command, std::vector<std::string> printed) {
    constexpr std::size_t width = 116, fields = 12;  // where evidence and advice begin
    if (std::ranges::count(command.shown, left_out) != 0) {
        if (command.is_problems()) {
            printed = without_stacks(printed);
        } else if (printed.size() >= command.shown.size()) {
            printed.resize(command.shown.size() - 1);
            printed.push_back(left_out);
        }
    }
    std::vector<std::string> lines;
    const bool is_tree = command.line.find(" tree ") != std::string::npos;
    for (std::string line : printed) {
        const std::size_t indent = command.is_problems() ? fields : line.find_first_not_of(' ') + 2;
        while (line.size() > width && !is_tree) {
            const std::size_t at = line.rfind(' ', width);
            if (at == std::string::npos || at <= indent) break;
            lines.push_back(line.substr(0, at));
            line = std::string(indent, ' ') + line.substr(at + 1);
        }
        lines.push_back(line);
    }
    return lines;
}

TEST(PageWriter, WritesTheRealOutput) {
    if (std::getenv("COROSCOPE_WRITE_PAGES") == nullptr) return;
    std::vector<std::string> page = lines_of(read_file(page_path));
    const std::vector<Block> blocks = blocks_of(page);
    for (auto block = blocks.rbegin(); block != blocks.rend(); ++block) {
        Running running(*block);
        const auto looked_at = std::chrono::steady_clock::now() + std::chrono::milliseconds(2300);
        const auto shows_all = [&] {
            return std::chrono::steady_clock::now() >= looked_at &&
                   std::ranges::all_of(block->commands, [&](const Command& command) {
                       return !command.is_problems() || kinds_in(command.shown) == kinds_in(running.output_of(command));
                   });
        };
        if (running.is_left_running()) {
            EXPECT_TRUE(wait_until(shows_all)) << block->program();
        }
        std::vector<std::string> lines{margin + "$ " + block->program()};
        for (auto command = block->commands.begin() + 1; command != block->commands.end(); ++command) {
            lines.push_back(margin + "$ " + command->line);
            for (const std::string& line : for_the_page(*command, running.output_of(*command)))
                lines.push_back(margin + line);
        }
        page.erase(page.begin() + static_cast<long>(block->first), page.begin() + static_cast<long>(block->end));
        page.insert(page.begin() + static_cast<long>(block->first), lines.begin(), lines.end());
    }
    std::ofstream(page_path) << joined(page);
}

// ---- Whether it is all there ----------------------------------------------------------------------------------------

// The texts between backticks.
std::vector<std::string> quoted_in(const std::string& text) {
    std::vector<std::string> all;
    for (std::size_t from = text.find('`'); from != std::string::npos; from = text.find('`', from + 1)) {
        const std::size_t to = text.find('`', from + 1);
        if (to == std::string::npos) break;
        all.push_back(text.substr(from + 1, to - from - 1));
        from = to;
    }
    return all;
}

// What the head of a program says that is found: "//     COROSCOPE=1 ./NAME      coroscope problems: KIND, KIND".
std::set<std::string> kinds_of_program(const std::filesystem::path& file) {
    const std::string marker = "coroscope problems: ";
    for (const std::string& line : lines_of(read_file(file))) {
        const std::size_t at = line.find(marker);
        if (at == std::string::npos) continue;
        std::string list = line.substr(at + marker.size());
        std::ranges::replace(list, ',', ' ');
        const std::vector<std::string> kinds = words_of(list);
        return {kinds.begin(), kinds.end()};
    }
    ADD_FAILURE() << file << " does not say what is found";
    return {};
}

TEST(DebuggingPage, NamesEveryKindOfProblemWithTheProgramsThatShowIt) {
    const test::TemporaryDirectory directory;
    std::set<std::string> kinds;
    for (const std::string& line : lines_of(e2e::coroscope(directory, {"problems", "--rules"}).out))
        kinds.insert(words_of(line).front());
    kinds.erase("unknown_report");  // of a runtime that is newer than the tool

    // Of the rows of the tables: "| `kind`, `kind` | what it means | `program`, `program` |".
    std::set<std::string> named;
    std::set<std::pair<std::string, std::string>> shown_by, should_be;
    bool in_table = false;
    for (const std::string& line : lines_of(read_file(page_path))) {
        in_table = line.starts_with("| it says |") || (in_table && line.starts_with("|"));
        if (!in_table) continue;
        const std::size_t second = line.find(" | "), third = line.rfind(" | ");
        for (const std::string& kind : quoted_in(line.substr(0, second))) {
            EXPECT_TRUE(kinds.contains(kind)) << kind << " in " << line;
            named.insert(kind);
            for (const std::string& program : quoted_in(line.substr(third))) shown_by.insert({program, kind});
        }
    }
    EXPECT_EQ(named, kinds);
    for (const auto& file : std::filesystem::directory_iterator(bugs_path))
        if (file.path().extension() == ".cpp")
            for (const std::string& kind : kinds_of_program(file.path())) should_be.insert({file.path().stem(), kind});
    EXPECT_EQ(shown_by, should_be);
}

}  // namespace
}  // namespace coroscope::e2e
