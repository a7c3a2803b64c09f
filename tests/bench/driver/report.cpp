#include "report.hpp"

#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <thread>

namespace coroscope::bench {

namespace {

// Three significant digits, or the whole number where it has more.
std::string number(double value) {
    if (std::isnan(value)) return "-";
    char text[64];
    const double size = std::abs(value);
    const int decimals = size == 0 || size >= 1000 ? 0 : size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3;
    std::snprintf(text, sizeof text, "%.*f", decimals, value);
    return text;
}

std::string processor() {
    std::ifstream info("/proc/cpuinfo");
    for (std::string line; std::getline(info, line);) {
        if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
    }
    return "unknown";
}

std::string compiler() {
#if defined(__clang__)
    return "clang++ " __clang_version__;
#else
    return "g++ " __VERSION__;
#endif
}

// Of the last minute, at the start of the run: others' work, that is.
double load_average() {
    static const double at_start = [] {
        double load = 0;
        return ::getloadavg(&load, 1) == 1 ? load : 0;
    }();
    return at_start;
}

nlohmann::json machine() {
    utsname system{};
    ::uname(&system);
    char time[64];
    const std::time_t now = std::time(nullptr);
    std::tm parts{};
    ::gmtime_r(&now, &parts);
    std::strftime(time, sizeof time, "%Y-%m-%dT%H:%M:%SZ", &parts);
    return {{"processor", processor()}, {"cores", std::thread::hardware_concurrency()}, {"kernel", system.release},
            {"compiler", compiler()},   {"load_average_before", load_average()},        {"time", time}};
}

const char* limit_text(Figure::Limit limit) { return limit == Figure::Limit::at_most ? "<=" : ">="; }

std::string target_text(const Figure& figure) {
    if (figure.limit == Figure::Limit::none) return "";
    return std::string(limit_text(figure.limit)) + " " + number(figure.bound);
}

double median_of(std::vector<double> values) {
    if (values.empty()) return std::numeric_limits<double>::quiet_NaN();
    std::sort(values.begin(), values.end());
    const std::size_t middle = values.size() / 2;
    return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

nlohmann::json to_json(const Row& row) {
    nlohmann::json json = {{"name", row.name},     {"unit", row.unit},   {"median", row.median()},
                           {"least", row.least()}, {"most", row.most()}, {"samples", row.samples}};
    if (!row.note.empty()) json["note"] = row.note;
    return json;
}

nlohmann::json to_json(const Figure& figure) {
    nlohmann::json json = {{"name", figure.name}, {"unit", figure.unit}, {"value", figure.value}};
    if (figure.limit != Figure::Limit::none) {
        json["target"] = target_text(figure);
        json["met"] = figure.met();
    }
    return json;
}

}  // namespace

double Row::median() const { return median_of(samples); }
double Row::least() const { return samples.empty() ? 0 : *std::min_element(samples.begin(), samples.end()); }
double Row::most() const { return samples.empty() ? 0 : *std::max_element(samples.begin(), samples.end()); }

bool Figure::met() const {
    if (std::isnan(value)) return limit == Limit::none;
    return limit == Limit::none || (limit == Limit::at_most ? value <= bound : value >= bound);
}

Report::Report() { load_average(); }

const Row* Report::find(const std::string& part, const std::string& name) const {
    const auto found =
        std::find_if(rows_.begin(), rows_.end(), [&](const Row& row) { return row.part == part && row.name == name; });
    return found == rows_.end() ? nullptr : &*found;
}

Row& Report::row(const std::string& part, const std::string& name) {
    if (const Row* known = find(part, name)) return rows_[static_cast<std::size_t>(known - rows_.data())];
    Row row;
    row.part = part;
    row.name = name;
    return rows_.emplace_back(std::move(row));
}

void Report::sample(const std::string& part, const std::string& name, const std::string& unit, double value) {
    Row& at = row(part, name);
    at.unit = unit;
    at.samples.push_back(value);
}

void Report::note(const std::string& part, const std::string& name, const std::string& text) {
    row(part, name).note = text;
}

double Report::median(const std::string& part, const std::string& name) const {
    const Row* known = find(part, name);
    return known == nullptr ? std::numeric_limits<double>::quiet_NaN() : known->median();
}

double Report::least(const std::string& part, const std::string& name) const {
    const Row* known = find(part, name);
    return known == nullptr || known->samples.empty() ? std::numeric_limits<double>::quiet_NaN() : known->least();
}

double Report::ratio(const std::string& part, const std::string& name, const std::string& to) const {
    const Row *above = find(part, name), *below = find(part, to);
    if (above == nullptr || below == nullptr) return std::numeric_limits<double>::quiet_NaN();
    std::vector<double> ratios;
    for (std::size_t i = 0; i < std::min(above->samples.size(), below->samples.size()); ++i)
        ratios.push_back(above->samples[i] / below->samples[i]);
    return median_of(std::move(ratios));
}

std::vector<std::string> Report::parts() const {
    std::vector<std::string> all;
    const auto add = [&](const std::string& part) {
        if (std::find(all.begin(), all.end(), part) == all.end()) all.push_back(part);
    };
    for (const Row& row : rows_) add(row.part);
    for (const Figure& figure : figures_) add(figure.part);
    for (const auto& [part, what] : failures_) add(part);
    return all;
}

std::size_t Report::missed() const {
    return static_cast<std::size_t>(
        std::count_if(figures_.begin(), figures_.end(), [](const Figure& figure) { return !figure.met(); }));
}

void Report::print_rows(const std::string& part) const {
    for (const Row& row : rows_) {
        if (row.part != part) continue;
        std::printf("  %-64s", row.name.c_str());
        if (!row.samples.empty()) std::printf(" %10s %-14s", number(row.median()).c_str(), row.unit.c_str());
        if (row.samples.size() > 1) {
            std::printf(" %s .. %s", number(row.least()).c_str(), number(row.most()).c_str());
        }
        std::printf("%s%s\n", row.note.empty() ? "" : "  ", row.note.c_str());
    }
}

void Report::print_grid(const std::string& part, const std::vector<std::string>& columns) const {
    std::vector<std::string> works;
    for (const Row& row : rows_) {
        if (row.part != part) continue;
        const std::string work = row.name.substr(0, row.name.rfind(": "));
        if (std::find(works.begin(), works.end(), work) == works.end()) works.push_back(work);
    }
    std::printf("  %-40s %-4s", "medians", "");
    for (const std::string& column : columns) std::printf(" %10s", column.c_str());
    std::printf("\n");
    for (const std::string& work : works) {
        std::string unit, note;
        std::printf("  %-40s", work.c_str());
        for (const std::string& column : columns) {
            const Row* row = find(part, work + ": " + column);
            if (row != nullptr && unit.empty()) std::printf(" %-4s", (unit = row->unit).c_str());
            std::printf(" %10s", row == nullptr || row->samples.empty() ? "-" : number(row->median()).c_str());
            if (row != nullptr && !row->note.empty()) note += "  " + row->note;
        }
        std::printf("%s\n", note.c_str());
    }
}

void Report::print_table() const {
    std::printf("\n%s, %u cores, %s\n", processor().c_str(), std::thread::hardware_concurrency(), compiler().c_str());
    if (load_average() > 1) {
        std::printf(
            "the machine was busy before the run (load %.1f): rows that need several cores at once will be off\n",
            load_average());
    }
    for (const std::string& part : parts()) {
        std::printf("\n%s\n", part.c_str());
        if (const auto grid = grids_.find(part); grid != grids_.end()) {
            print_grid(part, grid->second);
        } else {
            print_rows(part);
        }
        for (const Figure& figure : figures_) {
            if (figure.part != part) continue;
            std::printf("  = %-62s %10s %-14s", figure.name.c_str(), number(figure.value).c_str(), figure.unit.c_str());
            if (figure.limit != Figure::Limit::none) {
                std::printf(" target %-8s %s", target_text(figure).c_str(), figure.met() ? "pass" : "MISS");
            }
            std::printf("\n");
        }
        if (const auto failed = failures_.find(part); failed != failures_.end()) {
            std::printf("  ! not measured: %s\n", failed->second.c_str());
        }
    }
    std::printf("\n");
}

void Report::write_json(const std::string& directory) const {
    for (const std::string& part : parts()) {
        nlohmann::json json = {{"part", part}, {"machine", machine()}};
        json["rows"] = nlohmann::json::array();
        json["figures"] = nlohmann::json::array();
        for (const Row& row : rows_)
            if (row.part == part) json["rows"].push_back(to_json(row));
        for (const Figure& figure : figures_)
            if (figure.part == part) json["figures"].push_back(to_json(figure));
        if (const auto failed = failures_.find(part); failed != failures_.end()) json["failure"] = failed->second;
        const std::string path = directory + "/" + part + ".json";
        std::ofstream file(path);
        file << json.dump(2) << '\n';
        if (!file.flush()) throw std::runtime_error("cannot write " + path);
    }
}

}  // namespace coroscope::bench
