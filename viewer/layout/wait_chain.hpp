// Why a task is stuck: it waits for a task, which waits for a task, and so on to what really holds it up.
#pragma once

#include <vector>

#include "agent/model/model.hpp"

namespace coroscope::viewer {

struct WaitChain {
    std::vector<model::TaskId> tasks;  // the task itself first; each waits for the next
    bool cycle = false;                // the last waits for one that is in the chain: none will ever go on
    model::TaskId closes_at = 0;       // that one
};

WaitChain wait_chain(const model::Model& model, model::TaskId task, std::size_t longest = 64);

}  // namespace coroscope::viewer
