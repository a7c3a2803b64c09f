// coroscope export: a trace file, or the state of a live agent, for other tools.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "agent/analysis/problem.hpp"
#include "agent/trace/chrome_export.hpp"
#include "agent/trace/perfetto_export.hpp"
#include "command.hpp"
#include "output.hpp"
#include "source.hpp"

namespace coroscope::cli {

namespace {

struct Options {
    SourceOptions source;
    std::string format, output;
};

trace::Marker marker(const analysis::Problem& problem) {
    trace::Marker marker;
    marker.app = problem.app;
    marker.task = problem.task;
    marker.time_ns = problem.time_ns;
    marker.duration_ns = problem.duration_ns;
    marker.kind = problem.kind;
    marker.title = problem.summary;
    marker.details = {{"evidence", problem.evidence}, {"advice", problem.advice}};
    for (const analysis::Place& place : problem.stack) marker.stack.push_back({place.function, place.file, place.line});
    return marker;
}

// The file to write, closed at the end; "-" is stdout.
class Target {
public:
    explicit Target(const std::string& path) : path_(path) {
        if (path == "-") {
            fd_ = STDOUT_FILENO;
            return;
        }
        fd_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
        if (fd_ < 0)
            throw Failure("cannot write " + path + ": " + std::strerror(errno) + "; give another file with -o");
    }
    ~Target() {
        if (fd_ > STDOUT_FILENO) ::close(fd_);
    }
    Target(const Target&) = delete;
    Target& operator=(const Target&) = delete;

    int fd() const { return fd_; }
    // Some file systems tell of a full disk only here.
    void close() {
        if (fd_ > STDOUT_FILENO && ::close(std::exchange(fd_, -1)) != 0) {
            throw Failure("cannot write " + path_ + ": " + std::strerror(errno));
        }
    }

private:
    std::string path_;
    int fd_ = -1;
};

int run(const Options& options) {
    const Source source = load(options.source);
    std::vector<trace::Marker> markers;
    for (const analysis::Problem& problem : analysis::find_problems(source.session)) markers.push_back(marker(problem));
    Target target(options.output);
    {
        trace::Output out(target.fd(), options.output);
        (options.format == "chrome" ? trace::export_chrome : trace::export_perfetto)(source.session, markers, out);
        out.flush();
        if (!out.error().empty()) throw Failure("cannot export: " + out.error());
    }
    target.close();
    return exit_ok;
}

}  // namespace

void add_export(CLI::App& root, Action& action) {
    auto options = std::make_shared<Options>();
    CLI::App* command = root.add_subcommand("export", "Convert a trace file for Perfetto, Chrome or speedscope");
    add_source(*command, options->source);
    command
        ->add_option("--format", options->format,
                     "chrome: JSON for chrome://tracing and speedscope; perfetto: for ui.perfetto.dev")
        ->required()
        ->check(CLI::IsMember({"chrome", "perfetto"}));
    command->add_option("-o,--output", options->output, "The file to write; - is stdout")->required()->type_name("OUT");
    command->footer(
        "Without FILE it exports what a live agent knows now.\n"
        "\n"
        "Examples:\n"
        "  coroscope export t.cst --format perfetto -o t.perfetto-trace    open it in ui.perfetto.dev\n"
        "  coroscope export t.cst --format chrome -o t.json                open it in chrome://tracing or "
        "speedscope.app\n"
        "  coroscope export --agent localhost:6670 --format chrome -o now.json");
    command->callback([options, &action] { action = [options] { return run(*options); }; });
}

}  // namespace coroscope::cli
