// The latency chart's data: for each pixel column the longest iteration of a loop that overlaps it. Never strides: a
// single long iteration among a million is seen at every zoom.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "agent/model/model.hpp"
#include "time_axis.hpp"

namespace coroscope::viewer {

struct LatencyColumn {
    std::uint64_t longest_ns = 0;  // 0: no iteration here
    std::size_t longest = 0;       // its index in the loop's iterations
    std::size_t count = 0;         // iterations that overlap the column
};

// Maxima of blocks of iterations, so that a column costs the blocks it covers. Blocks are cut by the iteration's number
// since the loop began, so retiring old ones invalidates nothing.
class IterationIndex {
public:
    void update(const model::Loop& loop);
    // The longest of iterations [first, last), which are indexes into loop.iterations. The range must not be empty.
    std::size_t longest(const model::Loop& loop, std::size_t first, std::size_t last) const;

private:
    static constexpr std::uint64_t block_size = 256;

    model::LoopId loop_ = 0;
    std::uint64_t indexed_ = 0;          // iterations [.., indexed_) by number are in the blocks
    std::uint64_t first_block_ = 0;      // number of longest_.front()
    std::deque<std::uint64_t> longest_;  // number of the longest iteration of each whole block
};

std::vector<LatencyColumn> latency_columns(const model::Loop& loop, const IterationIndex& index, const TimeAxis& axis);

// What made an iteration long: time by task, longest first; task 0 stands for callbacks.
struct Share {
    model::TaskId task = 0;
    model::NodeId node = 0;  // where its longest step began
    std::uint64_t busy_ns = 0;
    std::uint64_t longest_ns = 0;
    std::size_t steps = 0;
};
std::vector<Share> composition(const model::Loop& loop, const model::Iteration& iteration);

struct LongIteration {
    model::LoopId loop = 0;
    model::Iteration iteration;
    Share mostly;  // the task that took most of it
};
// Of all loops, longest first.
std::vector<LongIteration> longest_iterations(const model::Model& model, std::size_t most);

// Counts of iteration lengths in `per_decade` logarithmic bins from 1 us on; the last bin takes all that is longer.
std::vector<std::size_t> length_histogram(const model::Newest<model::Iteration>& iterations, int per_decade, int bins);

}  // namespace coroscope::viewer
