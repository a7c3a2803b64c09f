// Where time goes, in words: the user's line of a hotspot, and its whole stack.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "agent/model/model.hpp"

namespace coroscope::words {

// The innermost line of the user's code of its native stack, else of its async stack; else the innermost of all.
model::Site hot_site(const model::Model& model, const model::Hotspot& hotspot);

// The async stack, then the native frames within the step, outermost first. A coroutine that the step went on in is on
// both: it is told once, with the line of the native frame.
std::vector<model::Site> hot_stack(const model::Model& model, const model::Hotspot& hotspot);

// Samples of CPU time by the user's function in which they were taken, most first.
struct HotFunction {
    model::Site site;  // the line with the most samples
    std::uint64_t count = 0, total_ns = 0;
};
std::vector<HotFunction> hot_functions(const model::Model& model);

// "CPU: 291 samples, 3.00 s; 74% in heavy at work.cpp:12, 24% in light at work.cpp:17"; "": there are no samples.
std::string cpu_text(const model::Model& model);

}  // namespace coroscope::words
