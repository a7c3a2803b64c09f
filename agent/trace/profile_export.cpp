#include "profile_export.hpp"

#include <map>
#include <string>
#include <vector>

#include "agent/words/hotspot.hpp"
#include "proto/words/function_name.hpp"
#include "proto/words/place.hpp"
#include "stack_frames.hpp"

namespace coroscope::trace {

namespace {

using model::Hotspot;
using model::ReportKind;

std::vector<Frame> stack_of(const model::Model& model, const Hotspot& hotspot) {
    std::vector<Frame> stack;
    for (const model::Site& site : words::hot_stack(model, hotspot))
        stack.push_back({words::function_name(site.function), site.file, site.line});
    if (stack.empty()) stack.push_back({hotspot.function.empty() ? "?" : hotspot.function, "", 0});
    return stack;
}

}  // namespace

void export_profile_folded(const model::Session& session, Output& out) {
    for (const auto& [key, app] : session.apps()) {
        std::map<std::string, std::uint64_t> lines;
        for (const Hotspot* hotspot : app.model.hotspots(ReportKind::cpu_samples)) {
            std::string line = folded_frame(app.name);
            for (const Frame& frame : stack_of(app.model, *hotspot))
                line += ";" + folded_frame(words::frame(frame.function, words::place(frame.file, frame.line)));
            lines[line] += hotspot->count;
        }
        for (const auto& [line, count] : lines) out << line << ' ' << count << '\n';
    }
    out.flush();
}

void export_profile_speedscope(const model::Session& session, Output& out) {
    Json json(out);
    FrameTable table;
    json.open('{').key("$schema").value("https://www.speedscope.app/file-format-schema.json");
    json.key("exporter").value("coroscope").key("profiles").open('[');
    for (const auto& [key, app] : session.apps()) {
        const auto hotspots = app.model.hotspots(ReportKind::cpu_samples);
        if (hotspots.empty()) continue;
        std::uint64_t total_ns = 0;
        for (const Hotspot* hotspot : hotspots) total_ns += hotspot->total_ns;
        json.line().open('{').key("type").value("sampled").key("unit").value("nanoseconds");
        json.key("name").value(app.name + " CPU time of steps");
        json.key("startValue").value(std::uint64_t{0}).key("endValue").value(total_ns);
        json.key("samples").open('[');
        for (const Hotspot* hotspot : hotspots) {
            json.line().open('[');
            for (const Frame& frame : stack_of(app.model, *hotspot)) json.value(table.id(frame));
            json.close();
        }
        json.close().key("weights").open('[');
        for (const Hotspot* hotspot : hotspots) json.value(hotspot->total_ns);
        json.close().close();
    }
    json.close();
    write_frames(json, table);
    json.close().line();
    out.flush();
}

}  // namespace coroscope::trace
