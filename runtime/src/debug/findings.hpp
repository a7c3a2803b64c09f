// What the local log tells at once, without an agent: slow steps, stalls, and the app's own reports, each with places
// and stack.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "clock_map.hpp"
#include "native_frames.hpp"
#include "runtime/src/probe/registry.hpp"
#include "step_cost.hpp"

namespace coroscope::debug {

class Findings {
public:
    Findings(probe::Registry& registry, const ClockMap& clock, StepCosts& costs)
        : registry_(registry), clock_(clock), costs_(costs) {}

    // Every record of a thread, in order. Cheap: looks at begins and ends of steps only.
    void see(std::uint32_t thread, const probe::Record* begin_record, const probe::Record* end_record);
    void forget(std::uint32_t thread) { steps_.erase(thread); }
    bool has_run_steps(std::uint32_t thread) const { return steps_.contains(thread); }
    // A step longer than the threshold, of which something is known beside its length.
    struct LongStep {
        std::uint32_t thread = 0;
        std::uint64_t task = 0;
        std::uint64_t end_ns = 0, took_ns = 0;
        StepCost cost;
    };
    std::vector<LongStep> take_long_steps() { return std::exchange(long_steps_, {}); }
    // The innermost step that a thread runs, as far as its records were seen.
    struct Running {
        std::uint64_t task = 0;  // 0: a callback
        probe::NodeId began_at = 0;
        std::uint64_t began_ns = 0;
    };
    std::optional<Running> running(std::uint32_t thread) const;
    void crash(const std::string& text, const std::optional<Running>& step, const std::vector<NativeFrame>& frames);
    void report(const probe::Report& report, const std::vector<NativeFrame>& frames);
    // Now and then: says how many findings were not logged, because there were too many in a second.
    void tick();
    void tell_of_withheld();  // at once; nothing: none
    // `blocked_in`: the call in which the thread is, in words; "": it computes, or that is unknown.
    void stall(std::uint64_t task, std::uint64_t lasted_ns, const std::string& blocked_in,
               const std::vector<NativeFrame>& frames);

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
    void end(std::uint32_t thread, Steps& steps, const probe::Record& record);
    void long_step(std::uint32_t thread, const Step& step, const probe::Record& end, std::uint64_t took_ns);
    void slow_step(const Step& step, const probe::Record& end, std::uint64_t took_ns,
                   const std::optional<StepCost>& cost);
    bool may_speak();
    std::string task_text(std::uint64_t task, probe::NodeId node) const;
    std::vector<NativeFrame> frames(probe::NodeId node) const;
    std::string stack_text(probe::NodeId node) const;
    std::string place_text(probe::NodeId node) const;  // its innermost line in the user's code, if it has one

    probe::Registry& registry_;
    const ClockMap& clock_;
    StepCosts& costs_;
    std::vector<LongStep> long_steps_;                             // bound: most_long_steps; more are not measured
    std::unordered_map<std::uint32_t, Steps> steps_;               // by thread
    std::unordered_map<std::uint64_t, std::uint32_t> task_names_;  // given ones, of live tasks; bound: most_names
    std::chrono::steady_clock::time_point second_{};
    std::size_t said_ = 0;      // in this second
    std::size_t withheld_ = 0;  // since it was said last
};

}  // namespace coroscope::debug
