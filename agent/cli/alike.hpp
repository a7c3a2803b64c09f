// Rows that say the same: of thousands of tasks made at one place that wait at one place, a few are shown.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "agent/model/model.hpp"

namespace coroscope::cli {

// A task to show, or tasks that are left out because enough like them are shown above.
struct Shown {
    const model::Task* task = nullptr;  // of those left out, the first
    std::size_t left_out = 0;           // 0: `task` itself is to be shown
};

// Tasks are alike if they have the same coroutine, were created at the same place, and are in the same state at the
// same place. Of many alike ones a few are shown, and in the place of the next one stands how many are left out. The
// order stays. `must_show`: whether a task is never left out.
std::vector<Shown> fold_alike(const std::vector<const model::Task*>& tasks,
                              const std::function<bool(const model::Task&)>& must_show);

// "2,987 more like the one above: serve, created at server.cpp:27 in async_main"
std::string left_out_text(const model::Model& model, const Shown& shown);

}  // namespace coroscope::cli
