#include "hotspot.hpp"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "proto/words/amount.hpp"
#include "proto/words/place.hpp"
#include "where.hpp"

namespace coroscope::words {

namespace {

bool is_users(const model::Site& site) {
    return site.line != 0 && !site.is_library() && !is_library(site.function, site.file);
}

model::Site site_of(const StackFrame& frame) {
    model::Site site;
    site.function = frame.function;
    site.file = frame.file;
    site.line = frame.line;
    if (frame.library) site.flags = vocabulary::site_is_library;
    return site;
}

}  // namespace

model::Site hot_site(const model::Model& model, const model::Hotspot& hotspot) {
    for (auto id = hotspot.frames.rbegin(); id != hotspot.frames.rend(); ++id)
        if (const model::Site* site = model.site(*id); site != nullptr && is_users(*site)) return *site;
    if (const Where at = where(model, hotspot.stack); at.known()) return site_of(at.frame);
    if (!hotspot.frames.empty())
        if (const model::Site* site = model.site(hotspot.frames.back())) return *site;
    return {};
}

std::vector<model::Site> hot_stack(const model::Model& model, const model::Hotspot& hotspot) {
    std::vector<model::Site> stack;
    for (const StackFrame& frame : model.stack(hotspot.stack)) stack.push_back(site_of(frame));
    bool first = true;
    for (const model::SiteId id : hotspot.frames) {
        const model::Site* site = model.site(id);
        if (site == nullptr) continue;
        if (std::exchange(first, false) && !stack.empty() && stack.back().function == site->function) stack.pop_back();
        stack.push_back(*site);
    }
    return stack;
}

std::vector<HotFunction> hot_functions(const model::Model& model) {
    struct Sums {
        HotFunction all;
        std::uint64_t most = 0;  // of one line
    };
    std::map<std::pair<std::string, std::string>, Sums> by_function;
    std::map<std::pair<std::string, std::uint32_t>, std::uint64_t> by_line;
    for (const model::Hotspot* hotspot : model.hotspots(model::ReportKind::cpu_samples)) {
        const model::Site site = hot_site(model, *hotspot);
        Sums& sums = by_function[{site.function, site.file}];
        sums.all.count += hotspot->count;
        sums.all.total_ns += hotspot->total_ns;
        const std::uint64_t of_line = by_line[{site.file, site.line}] += hotspot->count;
        if (of_line > sums.most) {
            sums.most = of_line;
            sums.all.site = site;
        }
    }
    std::vector<HotFunction> all;
    for (auto& [key, sums] : by_function) all.push_back(std::move(sums.all));
    std::ranges::sort(all, [](const HotFunction& a, const HotFunction& b) {
        return std::tie(b.count, a.site.file, a.site.line) < std::tie(a.count, b.site.file, b.site.line);
    });
    return all;
}

std::string cpu_text(const model::Model& model) {
    constexpr std::size_t most_named = 3;
    const std::vector<HotFunction> functions = hot_functions(model);
    std::uint64_t count = 0, total_ns = 0;
    for (const HotFunction& each : functions) {
        count += each.count;
        total_ns += each.total_ns;
    }
    if (count == 0) return {};
    std::string text = "CPU: " + counted(count, "sample", "samples") + ", " + duration(total_ns);
    for (std::size_t i = 0; i < functions.size() && i < most_named; ++i) {
        const model::Site& site = functions[i].site;
        const std::string name = place_in(site.function, site.file, site.line);
        text += (i == 0 ? "; " : ", ") + std::to_string(functions[i].count * 100 / count) + "% " +
                (name.empty() ? "at unknown places" : "at " + name);
    }
    return text;
}

}  // namespace coroscope::words
