// Histories of programs that could have been, from a seed: what some loops, tasks and pool threads do, as the batches
// that an app would send. With `losses` some events are dropped as a full ring drops them (a gap, then a snapshot), and
// some batches never arrive.
#pragma once

#include <cstdint>
#include <vector>

#include "coroscope/v2/events.pb.h"

namespace coroscope::model::test {

struct HistoryOptions {
    int batches = 12;  // about
    int rounds = 40;   // turns of some loop, a batch, about
    std::uint32_t loops = 2;
    bool losses = false;
    std::uint64_t pause_between_losses = 60;  // events, about
};

std::vector<v2::Batch> random_history(std::uint64_t seed, const HistoryOptions& options = {});

}  // namespace coroscope::model::test
