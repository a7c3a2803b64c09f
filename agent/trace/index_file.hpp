// Adds keyframes and an index to a trace file that has none: what `coroscope index` does.
#pragma once

#include <cstdint>
#include <string>

namespace coroscope::trace {

struct Indexed {
    std::string error;       // not empty: the file is as it was; why, and what to do
    std::string warning;     // not empty: the file is indexed, and what was damaged or cut off in it is left out
    bool had_index = false;  // it had keyframes and an index: nothing was done
    std::uint64_t bytes_before = 0, bytes_after = 0;
    std::uint64_t keyframe_blocks = 0;
};

// Writes a new file beside `path`, then renames it over `path`. On any error the old file stays as it is. Where the
// file has damage, the new one would lack what is left out, so a damaged file is refused unless `accept_damage`. A file
// that was only cut off loses nothing more. `again`: also where the file has keyframes; they are made anew.
Indexed index_file(const std::string& path, bool accept_damage = false, bool again = false);

}  // namespace coroscope::trace
