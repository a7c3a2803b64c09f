// Where an app and the agent meet when nobody says otherwise. std and POSIX only: the runtime, the agent and the viewer
// share it.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <string>

namespace coroscope {

// "unix:$XDG_RUNTIME_DIR/coroscope.sock", or where there is no such directory, "unix:/tmp/coroscope-<uid>.sock".
inline std::string default_address() {
    const char* directory = std::getenv("XDG_RUNTIME_DIR");
    if (directory != nullptr && directory[0] == '/') return std::string("unix:") + directory + "/coroscope.sock";
    return "unix:/tmp/coroscope-" + std::to_string(::getuid()) + ".sock";
}

}  // namespace coroscope
