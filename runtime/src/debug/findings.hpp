// What the local log tells at once, without an agent: slow steps, stalls, and the app's own reports, each with places
// and stack.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "clock_map.hpp"
#include "native_frames.hpp"
#include "runtime/src/probe/registry.hpp"

namespace coroscope::debug {

class Findings {
public:
    Findings(probe::Registry& registry, const ClockMap& clock) : registry_(registry), clock_(clock) {}

    // Every record of a thread, in order. Cheap: looks at begins and ends of steps only.
    void see(std::uint32_t thread, const probe::Record* begin_record, const probe::Record* end_record);
    void forget(std::uint32_t thread) { steps_.erase(thread); }
    void report(const probe::Report& report, const std::vector<NativeFrame>& frames);
    void stall(std::uint64_t task, std::uint64_t lasted_ns, const std::vector<NativeFrame>& frames);

private:
    struct Step {
        probe::Stamp begin = 0;  // 0: none runs
        std::uint64_t task = 0;
        probe::NodeId began_at = 0;
    };
    // Steps that a thread runs, the innermost last: an eager task runs within the step of another.
    struct Steps {
        std::size_t depth = 0;
        std::array<Step, CS_STEP_DEPTH> open{};
    };
    static void begin(Steps& steps, const Step& step);
    void end(Steps& steps, const probe::Record& record);
    void slow_step(const Step& step, const probe::Record& end, std::uint64_t took_ns);
    bool may_speak();
    std::string task_text(std::uint64_t task, probe::NodeId node) const;
    std::vector<NativeFrame> frames(probe::NodeId node) const;
    std::string stack_text(probe::NodeId node) const;
    std::string place_text(probe::NodeId node) const;  // its innermost line in the user's code, if it has one

    probe::Registry& registry_;
    const ClockMap& clock_;
    std::unordered_map<std::uint32_t, Steps> steps_;               // by thread
    std::unordered_map<std::uint64_t, std::uint32_t> task_names_;  // given ones, of live tasks; bound: most_names
    std::chrono::steady_clock::time_point second_{};
    std::size_t said_ = 0;      // in this second
    std::size_t withheld_ = 0;  // since it was said last
};

}  // namespace coroscope::debug
