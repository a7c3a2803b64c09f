// The registry of this process, which is in libcoroscope-emit: for tests and benchmarks of the same build.
#pragma once

#include "debug_library.hpp"
#include "registry.hpp"

namespace coroscope::probe {

inline Registry& process_registry() noexcept { return *static_cast<Registry*>(cs_internals(pair_version().c_str())); }

// Debug mode as the hooks see it, without the debug library: nobody drains the rings.
class OnWithoutLibrary {
public:
    OnWithoutLibrary() { process_registry().set_on(true); }
    ~OnWithoutLibrary() { process_registry().set_on(false); }
    OnWithoutLibrary(const OnWithoutLibrary&) = delete;
    OnWithoutLibrary& operator=(const OnWithoutLibrary&) = delete;
};

}  // namespace coroscope::probe
