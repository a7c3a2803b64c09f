// What was measured: samples by row, their medians, ratios of medians and the targets they have to meet; one table for
// people and one JSON file a part.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace coroscope::bench {

struct Row {
    std::string part, name, unit;
    std::vector<double> samples;
    std::string note;

    double median() const;
    double least() const;
    double most() const;
};

// A figure made of medians. With a limit it is a target of the acceptance list, or of the design.
struct Figure {
    enum class Limit { none, at_most, at_least };
    std::string part, name, unit;
    double value = 0;
    Limit limit = Limit::none;
    double bound = 0;

    bool met() const;
};

class Report {
public:
    Report();
    void sample(const std::string& part, const std::string& name, const std::string& unit, double value);
    void note(const std::string& part, const std::string& name, const std::string& text);
    // Rows of this part are named "WORK: COLUMN": the table prints one line a work.
    void grid(const std::string& part, std::vector<std::string> columns) { grids_[part] = std::move(columns); }
    void figure(Figure figure) { figures_.push_back(std::move(figure)); }
    // A part that could not be measured. It counts as failed.
    void failure(const std::string& part, const std::string& what) { failures_[part] = what; }

    // NaN if nothing was measured.
    double median(const std::string& part, const std::string& name) const;
    // Of two rows whose samples were taken in turn, the median of the ratios of each turn: what slows both down for a
    // while drops out.
    double ratio(const std::string& part, const std::string& name, const std::string& to) const;
    double least(const std::string& part, const std::string& name) const;
    bool has(const std::string& part, const std::string& name) const { return find(part, name) != nullptr; }

    void print_table() const;
    void write_json(const std::string& directory) const;  // throws std::runtime_error
    std::size_t missed() const;
    std::size_t failures() const { return failures_.size(); }

private:
    const Row* find(const std::string& part, const std::string& name) const;
    Row& row(const std::string& part, const std::string& name);
    std::vector<std::string> parts() const;

    void print_rows(const std::string& part) const;
    void print_grid(const std::string& part, const std::vector<std::string>& columns) const;

    std::vector<Row> rows_;  // in the order of their first sample
    std::vector<Figure> figures_;
    std::map<std::string, std::string> failures_;
    std::map<std::string, std::vector<std::string>> grids_;
};

}  // namespace coroscope::bench
