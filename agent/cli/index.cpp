// coroscope index: keyframes for a trace file that has none, so that every moment of it opens at once.
#include <cstdio>
#include <memory>

#include "agent/trace/index_file.hpp"
#include "command.hpp"
#include "output.hpp"
#include "proto/words/amount.hpp"

namespace coroscope::cli {

namespace {

struct IndexOptions {
    std::string file;
    bool accept_damage = false, again = false;
};

int run_index(const IndexOptions& options) {
    const trace::Indexed done = trace::index_file(options.file, options.accept_damage, options.again);
    if (!done.error.empty()) throw Failure(done.error);
    if (!done.warning.empty()) std::fprintf(stderr, "coroscope: warning: %s\n", done.warning.c_str());
    if (done.had_index) {
        print(options.file + " has keyframes already; --again makes them anew\n");
        return exit_ok;
    }
    print(options.file + ": " + words::counted(done.keyframe_blocks, "keyframe", "keyframes") + ", " +
          std::to_string(done.bytes_before) + " bytes before, " + std::to_string(done.bytes_after) + " now\n");
    return exit_ok;
}

}  // namespace

void add_index(Command root) {
    auto options = std::make_shared<IndexOptions>();
    Command command = root.subcommand(
        "index", "Add keyframes to a trace file that a program wrote itself, so that any moment of it opens fast");
    command.option("file", options->file, "The trace file").required().type("FILE");
    command.flag("--accept-damage", options->accept_damage, "Also of a damaged file: what is damaged is left out");
    command.flag("--again", options->again, "Also where the file has keyframes");
    command.footer(
        "The new file is written beside the old one and takes its place when it is whole. Keyframes take at most a\n"
        "twentieth of it; a short recording needs none. Files recorded by an agent have them already.\n"
        "\n"
        "Example:\n"
        "  COROSCOPE=file:t.cst ./app && coroscope index t.cst && coroscope tree t.cst --at 12.5");
    command.runs([options] { return run_index(*options); });
}

}  // namespace coroscope::cli
