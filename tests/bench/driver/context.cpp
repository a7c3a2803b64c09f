#include "context.hpp"

#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace coroscope::bench {

Context::Context(Options the_options, std::string bin_directory)
    : options(std::move(the_options)), bin_(std::move(bin_directory)) {
    std::filesystem::create_directories(options.json_directory);
    log_ = options.json_directory + "/bench.log";
    std::filesystem::remove(log_);
}

std::string Context::existing(const std::string& path) const {
    if (::access(path.c_str(), X_OK) != 0) throw std::runtime_error("no program " + path + ": ./dev bench builds it");
    return path;
}

std::string Context::program(const std::string& name) const { return existing(bin_ + "/bench/" + name); }
std::string Context::example(const std::string& name) const { return existing(bin_ + "/examples/" + name); }
std::string Context::coroscope() const { return existing(bin_ + "/coroscope"); }

std::optional<std::vector<std::string>> Context::peer(const std::string& program, const char* option) {
    const std::string path = bin_ + "/bench/" + program;
    constexpr const char* python = "/usr/bin/python3";  // Debian's, which has Debian's uvloop
    const bool is_script = program.ends_with(".py");
    const bool wants_uvloop = option != nullptr && std::string_view(option) == "--uvloop";
    bool found = ::access(path.c_str(), is_script ? R_OK : X_OK) == 0 && (!is_script || ::access(python, X_OK) == 0);
    if (found && wants_uvloop) {
        if (!has_uvloop_)
            has_uvloop_ = Child({python, "-c", "import uvloop"}, {}, log_).wait(std::chrono::seconds(20)) == 0;
        found = *has_uvloop_;
    }
    if (!found) {
        missing_.insert(program + (option == nullptr ? "" : std::string(" ") + option));
        return std::nullopt;
    }
    std::vector<std::string> command;
    if (is_script) command.push_back(python);
    command.push_back(path);
    if (option != nullptr) command.push_back(option);
    return command;
}

std::string Context::missing_peers() const {
    std::string text;
    for (const std::string& each : missing_) text += (text.empty() ? "" : ", ") + each;
    return text;
}

void Context::tick() const {
    std::fputc('.', stderr);
    std::fflush(stderr);
}

Environment Context::debug_environment(const std::string& value) const {
    // The log of debug mode itself is not what is measured.
    return {{"COROSCOPE", value}, {"COROSCOPE_LOG", "off"}, {"COROSCOPE_NAME", ""}};
}

std::unique_ptr<Child> Context::start_agent(const std::string& name) const {
    auto agent = std::make_unique<Child>(
        std::vector<std::string>{coroscope(), "agent", "--quiet", "--listen", free_socket(name)},
        Environment{{"COROSCOPE", ""}}, log_);
    const auto said = agent->line(std::chrono::seconds(20));
    if (!said || !said->starts_with("listening on")) throw std::runtime_error("the agent does not start; see " + log_);
    return agent;
}

namespace {

double in_ns(const nlohmann::json& run, const char* time) {
    const std::string unit = run.at("time_unit");
    return run.at(time).get<double>() * (unit == "ms" ? 1e6 : unit == "us" ? 1e3 : unit == "s" ? 1e9 : 1);
}

}  // namespace

Measurement measure(const Context& context, const std::string& program, const std::string& benchmark,
                    const Environment& environment, double seconds) {
    std::vector<std::string> command = {context.program(program), "--benchmark_filter=^" + benchmark + "(/.*)?$",
                                        "--benchmark_format=json"};
    if (seconds > 0) command.push_back("--benchmark_min_time=" + std::to_string(seconds));
    const std::string output = run_child(command, environment, context.log());
    const nlohmann::json json = nlohmann::json::parse(output, nullptr, false);
    const nlohmann::json* found = nullptr;
    if (!json.is_discarded() && json.contains("benchmarks")) {
        for (const nlohmann::json& each : json["benchmarks"]) {
            if (each.value("error_occurred", false)) {
                throw std::runtime_error(benchmark + ": " + each.value("error_message", std::string("failed")));
            }
            if (each.value("aggregate_name", std::string("median")) == "median") found = &each;
        }
    }
    if (found == nullptr) throw std::runtime_error(program + " measured no " + benchmark + "; see " + context.log());
    const nlohmann::json& run = *found;
    Measurement measured;
    measured.ns = in_ns(run, "real_time");
    measured.cpu_ns = in_ns(run, "cpu_time");
    for (const auto& [name, value] : run.items()) {
        if (value.is_number() && !name.starts_with("repetition") && !name.ends_with("_time") &&
            !name.ends_with("_index"))
            measured.counters[name] = value.get<double>();
    }
    return measured;
}

}  // namespace coroscope::bench
