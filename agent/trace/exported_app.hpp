// One app on its way out: its timeline, labels, and the process and thread ids under which it appears.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "labels.hpp"
#include "marker.hpp"
#include "timeline.hpp"

namespace coroscope::trace {

struct ExportedApp {
    ExportedApp(model::AppKey key, const model::App& app, std::uint32_t pid, const Clocks& clocks);

    std::uint64_t at(std::uint64_t time_ns) const { return clocks.at(key, time_ns); }
    std::uint32_t tid_of_row(std::size_t row) const { return tids[row]; }
    std::size_t row_of_loop(std::uint32_t loop) const { return rows[loop]; }
    std::size_t row_of_thread(std::uint32_t thread) const;  // timeline.rows().size(): it has none
    std::size_t row_of_task(model::TaskId task) const;      // as above
    std::string row_name(std::size_t row) const;            // "loop 1", "main (loop 1)"
    std::string lost_text() const;                          // "12 events and 1 batch were lost"; empty: none
    std::string retired_text(std::uint32_t loop) const;     // slices that the model's bounds dropped; empty: none
    std::vector<const Marker*> own(std::span<const Marker> markers) const;

    model::AppKey key;
    const model::App& app;
    std::uint32_t pid;  // the process's own unless another app has it, too
    const Clocks& clocks;
    Timeline timeline;
    Labels labels;
    std::vector<std::uint32_t> tids;  // by row
    std::vector<std::size_t> rows;    // by loop
};

// Process ids for all apps, unique, their own where possible.
std::map<model::AppKey, std::uint32_t> unique_pids(const model::Session& session);

}  // namespace coroscope::trace
