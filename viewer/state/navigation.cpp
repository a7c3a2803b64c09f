#include "navigation.hpp"

namespace coroscope::viewer {

void Navigation::visit(model::TaskId task) {
    if (task == 0 || (at_ > 0 && tasks_[at_ - 1] == task)) return;
    tasks_.resize(at_);
    if (tasks_.size() == longest) tasks_.erase(tasks_.begin());
    tasks_.push_back(task);
    at_ = tasks_.size();
}

model::TaskId Navigation::back() {
    if (!can_go_back()) return 0;
    --at_;
    return tasks_[at_ - 1];
}

model::TaskId Navigation::forward() {
    if (!can_go_forward()) return 0;
    ++at_;
    return tasks_[at_ - 1];
}

void Navigation::left(const TimeRange& range) {
    if (!ranges_.empty() && ranges_.back() == range) return;
    if (ranges_.size() == longest) ranges_.erase(ranges_.begin());
    ranges_.push_back(range);
}

std::optional<TimeRange> Navigation::undo() {
    if (ranges_.empty()) return std::nullopt;
    const TimeRange range = ranges_.back();
    ranges_.pop_back();
    return range;
}

}  // namespace coroscope::viewer
