// Events a second over the last seconds, from a growing count.
#pragma once

#include <cstdint>
#include <deque>

namespace coroscope::viewer {

class Rate {
public:
    void add(double now_s, std::uint64_t count) {
        if (!samples_.empty() && count < samples_.back().count) samples_.clear();  // another source
        if (!samples_.empty() && now_s - samples_.back().at_s < 0.1) return;
        samples_.push_back({now_s, count});
        while (samples_.size() > 2 && now_s - samples_.front().at_s > window_s) samples_.pop_front();
    }
    double per_s() const {
        if (samples_.size() < 2) return 0;
        const double seconds = samples_.back().at_s - samples_.front().at_s;
        return seconds <= 0 ? 0 : static_cast<double>(samples_.back().count - samples_.front().count) / seconds;
    }

private:
    static constexpr double window_s = 3;
    struct Sample {
        double at_s;
        std::uint64_t count;
    };
    std::deque<Sample> samples_;
};

}  // namespace coroscope::viewer
