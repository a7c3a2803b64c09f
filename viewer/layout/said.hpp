// What the app said about the tasks that have a lane: their spans in rows, and their marks. See coroscope/annotate.hpp.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "agent/model/model.hpp"
#include "task_lane.hpp"

namespace coroscope::viewer {

// Copies, since the model drops the oldest.
struct SaidOfTask {
    static constexpr std::size_t most_rows = 3;  // what nests or overlaps deeper shares the last
    std::vector<std::vector<model::Span>> rows;  // each by begin; end 0: it lasts
    std::vector<model::Span> marks;              // by time
};

class SaidIndex {
public:
    // Of the tasks of these lanes. A pass over all spans.
    void update(const model::Model& model, const std::vector<Lane>& lanes);
    const SaidOfTask* find(model::TaskId task) const;  // nullptr: nothing was said

private:
    std::map<model::TaskId, SaidOfTask> tasks_;
};

}  // namespace coroscope::viewer
