// What the tools are answered: see standby.hpp.
#include <unistd.h>

#include <cstdlib>
#include <string_view>
#include <utility>
#include <vector>

#include "json.hpp"
#include "process.hpp"
#include "proto/address/default_address.hpp"
#include "standby.hpp"
#include "switch.hpp"

namespace coroscope::probe {

namespace {

constexpr int protocol = 1;
constexpr std::uint32_t most_flush_ms = 1000;
constexpr std::uint64_t least_threshold_ns = 1'000;

std::string failed(std::string_view why_not) { return R"({"ok":false,"error":)" + json_text(why_not) + "}"; }

const char* truth(bool value) { return value ? "true" : "false"; }

// The members of every answer that says how the process stands, without the brace at its end.
std::string about() {
    const SwitchState now = switch_state();
    const std::uint64_t slow_step_ns = registry().slow_step_ns.load(std::memory_order_relaxed);
    return R"({"ok":true,"protocol":)" + std::to_string(protocol) + R"(,"name":)" + json_text(now.name) + R"(,"pid":)" +
           std::to_string(::getpid()) + R"(,"on":)" + truth(now.on) + R"(,"target":)" + json_text(now.target) +
           R"(,"slow_step_ns":)" + std::to_string(slow_step_ns);
}

std::string attach(const std::string& target) {
    if (const SwitchState now = switch_state(); now.on)
        return failed("debug mode is on already, and goes to " + now.target);
    const char* why_not = switch_on(target.empty() ? nullptr : target.c_str());
    return why_not == nullptr ? about() + "}" : failed(why_not);
}

std::string detach() {
    const SwitchState before = switch_state();
    if (!before.on) return failed("debug mode is not on");
    switch_off(most_flush_ms);
    return R"({"ok":true,"target":)" + json_text(before.target) + "}";
}

std::string threshold(const std::string& text) {
    char* end = nullptr;
    const std::uint64_t ns = std::strtoull(text.c_str(), &end, 10);
    if (text.empty() || *end != '\0' || ns < least_threshold_ns) return failed("no threshold of 1 us or more");
    registry().slow_step_ns.store(ns, std::memory_order_relaxed);
    return about() + "}";
}

/* ---- Stacks ---- */

struct Writing {
    std::string text;
};

std::string site_json(const SiteDefinition& site) {
    return "[" + json_text(readable_name(site)) + "," + json_text(site.file) + "," + std::to_string(site.line) + "]";
}

void write(void* to, const char* text, std::size_t size) { static_cast<Writing*>(to)->text.append(text, size); }

void write_text(void* to, const char* text) { static_cast<Writing*>(to)->text += json_text(text); }

void write_thread(void* to, std::uint64_t tid) { static_cast<Writing*>(to)->text += look_at_thread(tid); }

void write_stack(void* to, cs_node node) {
    std::string& text = static_cast<Writing*>(to)->text;
    Definitions& definitions = registry().definitions;
    const std::vector<NodeDefinition> path = definitions.path(node);
    text += '[';
    for (auto each = path.rbegin(); each != path.rend(); ++each) {
        if (each != path.rbegin()) text += ',';
        text +=
            "[" + std::to_string(static_cast<int>(each->kind)) + "," + site_json(definitions.site(each->site)) + "]";
    }
    text += ']';
}

void write_resource(void* to, cs_resource id) {
    std::string& text = static_cast<Writing*>(to)->text;
    const auto found = registry().resources.find(id);
    text += found ? R"({"type":)" + std::to_string(found->type) + R"(,"name":)" + json_text(found->name) + "}" : "null";
}

std::string stacks() {
    Writing all{about() + R"(,"runtimes":[)"};
    bool first = true;
    for (const Runtime* runtime : registry().all_runtimes()) {
        all.text += std::string(std::exchange(first, false) ? "" : ",") + R"({"name":)" + json_text(runtime->name) +
                    R"(,"loops":)";
        cs_stacks_writer writer{};
        writer.size = sizeof writer;
        writer.to = &all;
        writer.write = write;
        writer.write_text = write_text;
        writer.write_thread = write_thread;
        writer.write_stack = write_stack;
        writer.write_resource = write_resource;
        const std::size_t before = all.text.size();
        if (runtime->write_stacks != nullptr) runtime->write_stacks(runtime->self, &writer);
        if (all.text.size() == before) all.text += "null";
        all.text += "}";
    }
    return std::move(all.text) + "]}";
}

}  // namespace

std::string answer_to(const std::string& request) {
    const std::size_t space = request.find(' ');
    const std::string verb = request.substr(0, space);
    const std::string argument = space == std::string::npos ? "" : request.substr(space + 1);
    if (verb == "status") return about() + "}";
    if (verb == "attach") return attach(argument);
    if (verb == "detach") return detach();
    if (verb == "threshold") return threshold(argument);
    if (verb == "stacks") return stacks();
    return failed("this process is of coroscope " COROSCOPE_VERSION ", which does not know '" + verb +
                  "'; use the command of that version");
}

}  // namespace coroscope::probe
