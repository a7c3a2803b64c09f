// What a suspended task waits on, as one integer for the debugger: see vocabulary::pack_wait().
#pragma once

#include <cstdint>

#include "coroscope/vocabulary.hpp"

namespace coroscope::detail {

using vocabulary::pack_wait;
using vocabulary::Verb;

// Dense id of a queue, lock, ... for the debugger: taken when it is first asked for, so that unobserved resources pay
// nothing.
std::uint64_t next_resource_id() noexcept;

class ResourceId {
public:
    std::uint64_t get() const noexcept {
        if (id_ == 0) id_ = next_resource_id();
        return id_;
    }

private:
    mutable std::uint64_t id_ = 0;
};

}  // namespace coroscope::detail
