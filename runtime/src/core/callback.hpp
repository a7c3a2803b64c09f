// A scheduled callback of a loop. Allocated by call_soon() and its like; `self` keeps it while it is scheduled. Thread:
// the loop's.
#pragma once

#include <memory>
#include <source_location>

#include "coroscope/loop.hpp"

namespace coroscope::detail {

struct CallbackNode : ReadyNode, CallbackTimer {
    CallbackNode() noexcept : ReadyNode(false) {}
    EventLoop* loop = nullptr;
    EventLoop::Callback callback;
    std::shared_ptr<CallbackNode> self;  // while scheduled
    std::source_location where;
    std::uint64_t when_ns = 0;  // of call_at() and call_later()
    std::uint32_t node = 0;
    bool cancelled = false;
    ContextRef context;  // of who scheduled it
};

}  // namespace coroscope::detail
