// coroscope export: a trace file, or the state of a live agent, for other tools.
#include <algorithm>
#include <filesystem>
#include <memory>

#include "agent/analysis/problem.hpp"
#include "agent/trace/export.hpp"
#include "command.hpp"
#include "output.hpp"
#include "source.hpp"

namespace coroscope::cli {

namespace {

struct ExportOptions {
    SourceOptions source;
    std::string format, output;
    bool profile = false;
};

trace::Marker marker(const analysis::Problem& problem) {
    trace::Marker marker;
    marker.app = problem.app;
    marker.task = problem.task;
    marker.time_ns = problem.time_ns;
    marker.duration_ns = problem.duration_ns;
    marker.kind = problem.kind;
    marker.severity = to_string(problem.severity);
    marker.title = problem.summary;
    marker.details = {{"evidence", problem.evidence},
                      {"certainty", std::string(to_string(problem.certainty))},
                      {"advice", problem.advice}};
    for (const analysis::Place& place : problem.stack) marker.stack.push_back({place.function, place.file, place.line});
    return marker;
}

// Writing over the trace that is being read would lose it.
bool same_file(const std::string& one, const std::string& other) {
    std::error_code none;
    return std::filesystem::equivalent(one, other, none);
}

bool has_samples(const model::Session& session) {
    return std::ranges::any_of(session.apps(), [](const auto& app) {
        return !app.second.model.hotspots(model::ReportKind::cpu_samples).empty();
    });
}

int run_export(const ExportOptions& options) {
    if (options.output != "-" && same_file(options.source.source, options.output))
        throw Failure("will not write over the trace itself; give another file with -o");
    const trace::ExportFormat format = trace::format_named(options.format).value();  // CLI11 checked it
    if (options.profile && format != trace::ExportFormat::folded && format != trace::ExportFormat::speedscope)
        throw Failure("--profile is for the formats folded and speedscope");
    const Source source = load(options.source);
    if (options.profile && !has_samples(source.session))
        throw Failure("no samples of CPU time; start the app with COROSCOPE_PROFILE=97");
    std::vector<trace::Marker> markers;
    for (const analysis::Problem& problem : analysis::find_problems(source.session)) markers.push_back(marker(problem));
    const std::string error = trace::export_file(source.session, markers, format, options.output,
                                                 options.profile ? trace::Stacks::cpu : trace::Stacks::usual);
    if (!error.empty()) throw Failure("cannot export: " + error + "; give another file with -o");
    return exit_ok;
}

}  // namespace

void add_export(Command root) {
    auto options = std::make_shared<ExportOptions>();
    Command command =
        root.subcommand("export", "Convert a trace file for Perfetto, Chrome, speedscope or flame graphs");
    add_source(command, options->source);
    command
        .option("--format", options->format,
                "perfetto: for ui.perfetto.dev; chrome: JSON for chrome://tracing; speedscope: what each loop ran, "
                "for speedscope.app; folded: where tasks waited, for flame graphs")
        .required()
        .check([](const std::string& name) {
            return trace::format_named(name) ? "" : "'" + name + "' is none of " + trace::format_names();
        });
    command.option("-o,--output", options->output, "The file to write; - is stdout").required().type("OUT");
    command.flag("--profile", options->profile,
                 "With folded or speedscope: where the CPU time of steps went, if the app ran with "
                 "COROSCOPE_PROFILE");
    command.footer(
        "Without FILE it exports what a live agent knows now.\n"
        "\n"
        "Examples:\n"
        "  coroscope export t.cst --format perfetto -o t.perfetto-trace    open it in ui.perfetto.dev\n"
        "  coroscope export t.cst --format speedscope -o t.json            open it in speedscope.app\n"
        "  coroscope export t.cst --format folded -o - | flamegraph.pl > waits.svg\n"
        "  coroscope export t.cst --format folded --profile -o - | flamegraph.pl > cpu.svg\n"
        "  coroscope export --agent localhost:6670 --format chrome -o now.json");
    command.runs([options] { return run_export(*options); });
}

}  // namespace coroscope::cli
