// The way through tasks and time ranges, for back, forward and undo. Bounded: the oldest step is forgotten.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "agent/model/model.hpp"
#include "viewer/layout/time_axis.hpp"

namespace coroscope::viewer {

class Navigation {
public:
    static constexpr std::size_t longest = 200;

    void visit(model::TaskId task);
    bool can_go_back() const { return at_ > 1; }
    bool can_go_forward() const { return at_ < tasks_.size(); }
    model::TaskId back();  // 0: there is none
    model::TaskId forward();

    void left(const TimeRange& range);  // the range that is about to be replaced
    std::optional<TimeRange> undo();

private:
    std::vector<model::TaskId> tasks_;
    std::size_t at_ = 0;  // one past the current
    std::vector<TimeRange> ranges_;
};

}  // namespace coroscope::viewer
