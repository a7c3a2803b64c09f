// The emitter: drains the rings of all threads, packs batches, hands them to a sink; logs findings; watches for hanging
// threads. One thread, started by the debug library. It is the only consumer of the rings.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

namespace coroscope::probe {
struct Registry;
}
namespace coroscope::v2 {
class Hello;
}

namespace coroscope::debug {

class Sink;

struct EmitterOptions {
    bool signal_threads = true;   // false: of a thread that computes for too long no stack is taken
    bool blocking_calls = false;  // calls that can block are measured: see blocking_calls.hpp
    unsigned profile_hz = 0;      // steps are sampled: see profiler.hpp; 0: they are not
    bool late = false;            // tasks and definitions may be there from before, which nobody has sent
};

class Emitter {
public:
    // The sink gets batches until finish(); its commands may come on any thread.
    Emitter(probe::Registry& registry, std::unique_ptr<Sink> sink, const EmitterOptions& options);
    ~Emitter();
    // Drains what is left, gives it to the sink, ends both. Blocks for about `most` at the longest. `app_ends`: else
    // debug mode is switched off.
    void finish(std::chrono::milliseconds most, bool app_ends);
    // Between these two the emitter's thread holds no lock: around a fork.
    void hold();
    void release();

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace coroscope::debug
