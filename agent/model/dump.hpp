// Everything that a model knows, as text: for tests, golden files and bug reports. Two models are equal if and only if
// their dumps are. Deterministic; one line an item.
#pragma once

#include <string>

#include "model.hpp"

namespace coroscope::model {

std::string dump(const Model& model);

}  // namespace coroscope::model
