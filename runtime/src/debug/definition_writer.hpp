// Writes into a batch what its events refer to: the vocabulary, sites, stacks, names, values, runtimes, resources.
#pragma once

#include "clock_map.hpp"
#include "runtime/src/probe/registry.hpp"

namespace coroscope::v2 {
class Batch;
class Runtime;
}  // namespace coroscope::v2

namespace coroscope::debug {

class DefinitionWriter {
public:
    DefinitionWriter(probe::Registry& registry, const ClockMap& clock) : registry_(registry), clock_(clock) {}

    // What is new, or with `all` everything there is. After the records were drained: so nothing in the batch is
    // undefined. False: there was nothing new.
    bool write(v2::Batch& batch, bool all);
    // Nobody would get it. What comes next must be everything.
    void skip();

private:
    void write_vocabulary(v2::Batch& batch);
    void write_tables(v2::Batch& batch);
    void write_runtimes(v2::Batch& batch);
    void write_resources(v2::Batch& batch, bool all);

    probe::Registry& registry_;
    const ClockMap& clock_;
    bool began_ = false;  // everything was written once
    probe::Definitions::Cursor cursor_;
    probe::Definitions::News news_;
    probe::ResourceTable::News resources_;
    std::size_t runtimes_ = 0;  // written so far
};

void fill(v2::Runtime& out, const probe::Runtime& runtime);

}  // namespace coroscope::debug
