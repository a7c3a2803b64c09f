// Why a task waits, in sentences: from the task to what it really waits for.
#pragma once

#include <string>
#include <vector>

#include "wait_graph.hpp"

namespace coroscope::analysis {

// One task's wait as a sentence: "task 'report' (report) waits for lock 1 since 1.2 s at bank.cpp:18 in report; the
// lock is held by task 'transfer' (transfer), which first took it at bank.cpp:9 in transfer". `place` is where it
// waits.
Part wait_part(const model::Model& model, const WaitGraph& graph, model::TaskId task);

// The chain: the task, what it waits for, what that waits for, and so on, up to the one that waits for no task, or that
// was named already (then the last sentence says so). Where several tasks could end a wait, it goes on with one that is
// stuck, or else with the first.
std::vector<Part> why(const model::Model& model, const WaitGraph& graph, model::TaskId task);

// "put by task 'worker-0' (worker) at jobs.cpp:12 in worker, which 1.2 s ago failed: ..."
std::string feeder_text(const model::Model& model, const WaitGraph::Edge& feeder);

}  // namespace coroscope::analysis
