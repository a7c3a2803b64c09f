// Equal findings as one: many tasks that fail at one line for one reason are one problem with a count.
#pragma once

#include <vector>

#include "problem.hpp"

namespace coroscope::analysis {

// Those of one kind at one site become one, for which the longest speaks. What differs between them stays as its parts:
// each cause (an error's type and text) and each way through the program that led there, with the number of times.
std::vector<Problem> folded(std::vector<Problem> found);

}  // namespace coroscope::analysis
