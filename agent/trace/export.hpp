// `coroscope export`: a session into a file of another tool's format.
//
//     auto format = trace::format_named("perfetto");
//     if (!format) return fail("unknown format; one of " + trace::format_names());
//     if (auto error = trace::export_file(session, markers, *format, "t.perfetto-trace"); !error.empty()) return
//     fail(error);
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "agent/model/session.hpp"
#include "marker.hpp"

namespace coroscope::trace {

enum class ExportFormat { chrome, perfetto, speedscope, folded };

// What folded and speedscope show.
enum class Stacks {
    usual,  // folded: where tasks waited; speedscope: what each loop ran
    cpu,    // samples of CPU time, of an app that ran with COROSCOPE_PROFILE
};

std::optional<ExportFormat> format_named(std::string_view name);
std::string format_names();  // "chrome, perfetto, speedscope, folded"

// Creates or truncates `path`; "-" is standard output. Returns what went wrong, in words; empty: all well. A regular
// file that could not be written whole is removed. Only chrome and perfetto show markers. `stacks`: of folded and
// speedscope.
std::string export_file(const model::Session& session, std::span<const Marker> markers, ExportFormat format,
                        const std::string& path, Stacks stacks = Stacks::usual);

}  // namespace coroscope::trace
