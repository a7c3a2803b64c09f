// Apps to look at: an empty one, a small one, a busy service with everything wrong with it, and one with very many
// tasks.
#pragma once

#include <cstdint>
#include <vector>

#include "coroscope/v2/session.pb.h"

namespace coroscope::test {

using Frames = std::vector<v2::Frame>;

Frames small_scene();                                              // three tasks, a few steps
Frames service_scene(std::uint64_t app = 1, double seconds = 12);  // a web service with a pipeline behind it
Frames connection_scene();                // a server of the library; one connection waits in it
Frames crowd_scene(std::uint32_t tasks);  // one parent, `tasks` children of two creation sites

}  // namespace coroscope::test
