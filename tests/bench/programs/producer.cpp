// producer EVENTS_A_SECOND SECONDS: an app that does nothing but emit: steps of 1,000 tasks through the probe's hooks,
// in bursts every 200 us as a busy loop's iterations would give them. Debug mode is what COROSCOPE says. Prints one
// line of JSON: events emitted, how many of them were lost, seconds it took, growth of its memory.
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "coroscope/coroscope.hpp"
#include "runtime/src/probe/hooks.hpp"
#include "runtime/src/probe/process_registry.hpp"

namespace {

using namespace coroscope;
using Clock = std::chrono::steady_clock;
using probe::EventKind;

constexpr std::uint64_t tasks = 1000;
constexpr std::uint64_t first_task = 1'000'000;  // above any id of the loop's own
constexpr auto burst_period = std::chrono::microseconds(200);

double resident_mb() {
    std::ifstream file("/proc/self/statm");
    long total = 0, resident = 0;
    file >> total >> resident;
    return static_cast<double>(resident) * static_cast<double>(::sysconf(_SC_PAGESIZE)) / 1e6;
}

std::uint64_t lost() {
    probe::Registry& registry = probe::process_registry();
    const std::scoped_lock lock(registry.threads_mutex);
    std::uint64_t sum = 0;
    for (const auto& thread : registry.threads) sum += thread->ring.lost();
    return sum;
}

class Emitter {
public:
    Emitter() {
        const probe::NodeId call = probe::intern_node(0, std::source_location::current(), probe::NodeKind::call);
        root_ = probe::intern_node(call, std::source_location::current(), probe::NodeKind::task);
        wait_ = probe::intern_node(root_, std::source_location::current(), probe::NodeKind::call);
        for (std::uint64_t i = 0; i < tasks; ++i) emit(EventKind::task_created, first_task + i, 0, root_);
    }
    // A poll, then as many wake-ups and steps as make about so many events.
    void burst(std::uint64_t events) {
        emit(EventKind::poll_begin, 0);
        emit(EventKind::poll_end, 0, events / 3);
        for (std::uint64_t i = 0; i < events / 3; ++i) {
            const std::uint64_t task = first_task + next_++ % tasks;
            emit(EventKind::task_ready, task);
            emit(EventKind::step_begin, task);
            emit(EventKind::step_end, task, vocabulary::pack_wait(vocabulary::Verb::descriptor_read, task % 100),
                 wait_);
        }
    }
    void finish() {
        for (std::uint64_t i = 0; i < tasks; ++i) emit(EventKind::task_done, first_task + i, 1);
    }
    std::uint64_t emitted() const { return emitted_; }

private:
    void emit(EventKind kind, std::uint64_t task, std::uint64_t arg = 0, probe::NodeId stack = 0) {
        probe::emit(kind, task, arg, stack);
        ++emitted_;
    }
    probe::NodeId root_ = 0, wait_ = 0;
    std::uint64_t next_ = 0, emitted_ = 0;
};

Coro<> produce(double rate, double seconds) {
    const std::uint64_t lost_before = lost();
    Emitter emitter;
    const auto began = Clock::now();
    const auto end = began + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
    double memory_early = 0;
    auto next = began;
    while (next < end) {
        // What is due by now: a thread that was not scheduled for a while catches up, as a loop would.
        const double due = rate * std::chrono::duration<double>(Clock::now() - began).count();
        if (due > static_cast<double>(emitter.emitted()))
            emitter.burst(static_cast<std::uint64_t>(due) - emitter.emitted());
        if (memory_early == 0 && Clock::now() - began > std::chrono::duration<double>(seconds / 4))
            memory_early = resident_mb();
        next = std::max(next + burst_period, Clock::now());
        co_await sleep(next - Clock::now());
    }
    emitter.finish();
    const std::chrono::duration<double> took = Clock::now() - began;
    const std::uint64_t lost_now = lost() - lost_before;
    std::printf("{\"emitted\": %llu, \"lost\": %llu, \"seconds\": %.6f, \"early_mb\": %.2f, \"end_mb\": %.2f}\n",
                static_cast<unsigned long long>(emitter.emitted()), static_cast<unsigned long long>(lost_now),
                took.count(), memory_early, resident_mb());
    std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fprintf(stderr, "usage: producer EVENTS_A_SECOND SECONDS\n");
        return 2;
    }
    run(produce(std::atof(argv[1]), std::atof(argv[2])));
}
