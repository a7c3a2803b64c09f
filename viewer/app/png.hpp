// Writes a PNG.
#pragma once

#include <string>

#include "window.hpp"

namespace coroscope::viewer {

// False: `error` says why.
bool write_png(const std::string& path, const Pixels& pixels, std::string& error);

}  // namespace coroscope::viewer
