// coroscope problems: what is wrong, with evidence and what to do.
#include <memory>

#include "agent/analysis/coverage.hpp"
#include "agent/analysis/rule.hpp"
#include "agent/words/where.hpp"
#include "command.hpp"
#include "describe.hpp"
#include "output.hpp"
#include "proto/words/function_name.hpp"
#include "proto/words/place.hpp"
#include "proto/words/utf8.hpp"
#include "source.hpp"

namespace coroscope::cli {

namespace {

struct ProblemsOptions {
    SourceOptions source;
    bool json = false, exit_code = false, rules = false, library = false;
};

Json problem_json(const model::Session& session, const analysis::Problem& problem) {
    const model::App* app = session.app(problem.app);
    const model::Task* task = app == nullptr ? nullptr : app->model.task(problem.task);
    Json json{
        {"kind", problem.kind},
        {"severity", analysis::to_string(problem.severity)},
        {"ongoing", problem.ongoing},
        {"app", app == nullptr ? "" : app->name},
        {"pid", app == nullptr ? 0 : app->pid},
        {"task", problem.task == 0 ? Json(nullptr) : Json(problem.task)},
        {"task_name", task == nullptr ? Json(nullptr) : Json(app->model.task_name(*task))},
        {"summary", problem.summary},
        {"site", place_json(problem.site)},
        {"stack", place_json(problem.stack)},
        {"native_stack", place_json(problem.native_stack)},
        {"evidence", problem.evidence},
        {"advice", problem.advice},
        {"certainty", analysis::to_string(problem.certainty)},
        {"count", problem.count},
        {"time_ns", problem.time_ns},
        {"duration_ns", problem.duration_ns},
    };
    Json parts = Json::array();
    if (app != nullptr)
        for (const analysis::Part& part : problem.parts) parts.push_back(part_json(app->model, part));
    json["parts"] = std::move(parts);
    return json;
}

Json coverage_json(const analysis::Coverage& coverage) {
    return {{"events", coverage.events},         {"tasks", coverage.tasks}, {"duration_ns", coverage.duration_ns},
            {"complete", coverage.lost.empty()}, {"lost", coverage.lost},   {"limits", coverage.limits}};
}

// The tasks of which the problem consists, and how the findings that were folded into it differ.
void print_parts(const analysis::Problem& problem) {
    constexpr std::size_t most = 10;
    std::vector<std::vector<std::string>> rows;
    const std::vector<analysis::Part> parts = analysis::parts_beside_evidence(problem);
    for (const analysis::Part& part : parts)
        if (rows.size() < most) rows.push_back({std::to_string(part.count) + " x", words::printable(part.text)});
    print_table(rows, "            ");
    if (parts.size() > most) print("            and " + std::to_string(parts.size() - most) + " more kinds\n");
}

void print_coverage(const analysis::Coverage& coverage) {
    for (const std::string& each : coverage.lost)
        print(styled("not seen", Style::yellow) + "  " + words::printable(each) + "\n");
    for (const std::string& each : coverage.limits)
        print(styled("limit", Style::dim) + "     " + words::printable(each) + "\n");
}

Style style_of(analysis::Severity severity) {
    switch (severity) {
        case analysis::Severity::error: return Style::red;
        case analysis::Severity::warning: return Style::yellow;
        case analysis::Severity::info: break;
    }
    return Style::bold;
}

void print_stack(const char* title, const std::vector<analysis::Place>& stack, bool with_library) {
    if (stack.empty()) return;
    print(std::string("  ") + title + "\n");
    std::vector<std::vector<std::string>> rows;
    std::vector<bool> of_library;
    of_library.reserve(stack.size());
    for (const analysis::Place& place : stack) of_library.push_back(place.library);
    for (const words::StackRow& row : words::stack_rows(of_library, with_library)) {
        if (row.hidden != 0) {
            rows.push_back({styled("(" + words::hidden_text(row) + ")", Style::dim)});
            continue;
        }
        const analysis::Place& place = stack[row.frame];
        // A library without debug information has functions only.
        const std::string where = words::full_place(place.file, place.line);
        rows.push_back({words::function_name(place.function), styled(where.empty() ? "-" : where, Style::dim)});
    }
    print_table(rows, "    ");
}

void print_problem(const model::Session& session, const analysis::Problem& problem, bool with_library) {
    const model::App* app = session.app(problem.app);
    std::string head = styled(words::printable(problem.kind), style_of(problem.severity)) + "  " +
                       styled(words::printable(problem.summary), Style::bold);
    if (problem.certainty == analysis::Certainty::likely) head += styled("  likely", Style::dim);
    if (problem.count > 1) head += "  (" + std::to_string(problem.count) + " times)";
    print(head + "\n");
    if (app != nullptr) print("  app       " + app_title(*app) + "\n");
    if (!problem.site.file.empty()) {
        print("  at        " + words::full_place(problem.site.file, problem.site.line) + " in " +
              words::function_name(problem.site.function) + "\n");
    }
    if (!problem.evidence.empty()) print("  evidence  " + words::printable(problem.evidence) + "\n");
    print_parts(problem);
    if (!problem.advice.empty()) print("  advice    " + words::printable(problem.advice) + "\n");
    print_stack("async stack, innermost last", problem.stack, with_library);
    // What the system does there says how it blocks.
    print_stack("native stack, innermost last", problem.native_stack, true);
}

int list_rules() {
    std::vector<std::vector<std::string>> rows;
    for (const analysis::Rule& rule : analysis::rules()) {
        rows.push_back({styled(std::string(rule.name), style_of(rule.severity)), std::string(to_string(rule.severity)),
                        std::string(rule.finds)});
    }
    print_table(rows);
    return exit_ok;
}

int run_problems(const ProblemsOptions& options) {
    if (options.rules) return list_rules();
    const Source source = load(options.source);
    const std::vector<analysis::Problem> problems = analysis::find_problems(source.session);
    analysis::Coverage coverage = analysis::coverage_of(source.session);
    if (!source.damage.empty()) coverage.lost.push_back(source.damage);
    if (options.json) {
        Json list = Json::array();
        for (const analysis::Problem& problem : problems) list.push_back(problem_json(source.session, problem));
        print_json({{"problems", std::move(list)}, {"coverage", coverage_json(coverage)}});
    } else {
        bool first = true;
        for (const analysis::Problem& problem : problems) {
            if (!std::exchange(first, false)) print("\n");
            print_problem(source.session, problem, options.library);
        }
        if (first) {
            const bool calm = coverage.lost.empty();
            print(styled(calm ? "no problems found" : "no problems found in what was seen",
                         calm ? Style::green : Style::yellow) +
                  " in " + words::printable(source.name) + ": " + coverage.seen_text() + " for " +
                  std::to_string(analysis::rules().size()) + " kinds of problems (--rules)\n");
        }
        print_coverage(coverage);
    }
    if (!options.exit_code) return exit_ok;
    if (!problems.empty()) return exit_failed;
    return coverage.lost.empty() ? exit_ok : exit_unknown;
}

}  // namespace

void add_problems(Command root) {
    auto options = std::make_shared<ProblemsOptions>();
    Command command = root.subcommand(
        "problems", "Say what is wrong: slow steps, coroutines never awaited, errors nobody looked at, ...");
    add_source(command, options->source);
    add_moment(command, options->source);
    command.flag("--json", options->json, "Print JSON");
    command.flag("--exit-code", options->exit_code,
                 "Exit with 1 when there are problems, with 2 when there are none in what was seen, but not "
                 "everything was seen");
    command.flag("--rules", options->rules, "List what is looked for");
    command.flag("--library", options->library, "Show the library's own frames of async stacks, too");
    command.footer(
        "Examples:\n"
        "  coroscope problems                                      of the apps under the default agent\n"
        "  COROSCOPE=file:t.cst ./app; coroscope problems t.cst    of a trace file\n"
        "  coroscope problems t.cst --exit-code                    in a test");
    command.runs([options] { return run_problems(*options); });
}

}  // namespace coroscope::cli
