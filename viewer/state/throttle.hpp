// When to compute something costly again: when its input changed, but never so often that it takes more than a small
// part of the time. Given the time, so that tests can give theirs.
#pragma once

#include <algorithm>
#include <cstdint>

namespace coroscope::viewer {

class Throttle {
public:
    // At most once in `least_s`, and at most a twentieth of the time.
    explicit Throttle(double least_s) : least_s_(least_s) {}

    // `version`: of the input the user does not see change by their own doing; a changed `key` (theirs) is due at once.
    bool due(double now_s, std::uint64_t version, std::uint64_t key) {
        if (ever_ && key == key_ && version == version_) return false;
        if (ever_ && key == key_ && now_s < next_s_) {
            waiting_ = true;
            return false;
        }
        waiting_ = false;
        ever_ = true;
        key_ = key;
        version_ = version;
        return true;
    }
    void took(double now_s, double cost_s) { next_s_ = now_s + std::max(least_s_, cost_s * 20); }
    void reset() { ever_ = false; }
    // Something new waits for its turn: a frame is wanted at next_s().
    bool waiting() const { return waiting_; }
    double next_s() const { return next_s_; }

private:
    double least_s_;
    double next_s_ = 0;
    bool ever_ = false, waiting_ = false;
    std::uint64_t version_ = 0, key_ = 0;
};

}  // namespace coroscope::viewer
