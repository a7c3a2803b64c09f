// The runtime's side of the part `runtime`: the same work as asio_tasks.cpp. Debug mode is what COROSCOPE says.
#include <benchmark/benchmark.h>
#include <time.h>

#include <chrono>
#include <vector>

#include "coroscope/coroscope.hpp"
#include "runtime/src/probe/registry.hpp"

namespace {

using namespace coroscope;

// Events that did not fit into the rings while debug mode was on.
double lost() {
    probe::Registry& registry = probe::registry();
    const std::scoped_lock lock(registry.threads_mutex);
    std::uint64_t sum = 0;
    for (const auto& thread : registry.threads) sum += thread->ring.lost();
    return static_cast<double>(sum);
}

double process_cpu_seconds() {
    timespec time{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

// Runs `body(state)` on a loop and says how much was lost meanwhile.
template <class Body>
void run_on_loop(benchmark::State& state, Body body) {
    const double before = lost();
    run(body(state));
    state.counters["lost"] = lost() - before;
}

constexpr int batch = 1000;

Coro<int> child(int value) { co_return value; }

Coro<> await_children(benchmark::State& state) {
    while (state.KeepRunningBatch(batch)) {
        for (int i = 0; i < batch; ++i) benchmark::DoNotOptimize(co_await child(i));
    }
}

Coro<> spawn_and_join(benchmark::State& state) {
    while (state.KeepRunningBatch(batch)) {
        for (int i = 0; i < batch; ++i) benchmark::DoNotOptimize(co_await create_task(child(i)));
    }
}

Coro<> yields(benchmark::State& state) {
    while (state.KeepRunningBatch(batch)) {
        for (int i = 0; i < batch; ++i) co_await yield();
    }
}

// A pipeline: items go through queues of 64, from task to task, to this one.
constexpr std::size_t queue_size = 64;
constexpr int last_item = -1;

Coro<> pass_on(Queue<int>& from, Queue<int>& to) {
    for (;;) {
        const int item = co_await from.get();
        co_await to.put(item == last_item ? last_item : item + 1);
        if (item == last_item) co_return;
    }
}

Coro<> produce(Queue<int>& to, benchmark::State& state) {
    while (state.KeepRunningBatch(batch)) {
        for (int i = 0; i < batch; ++i) co_await to.put(i);
    }
    co_await to.put(last_item);
}

Coro<> pipeline(benchmark::State& state) {
    const auto stages = static_cast<std::size_t>(state.range(0));
    std::vector<std::unique_ptr<Queue<int>>> queues;
    for (std::size_t i = 0; i + 1 < stages; ++i) queues.push_back(std::make_unique<Queue<int>>(queue_size));
    std::vector<Task<>> tasks;
    tasks.push_back(create_task(produce(*queues[0], state)));
    for (std::size_t i = 0; i + 1 < queues.size(); ++i)
        tasks.push_back(create_task(pass_on(*queues[i], *queues[i + 1])));
    while (co_await queues.back()->get() != last_item) {
    }
    for (Task<>& task : tasks) co_await task;
}

// Sleeps of 1 to 16 ms, ten thousand at a time. What counts is the CPU time, of all threads of the process.
constexpr int sleepers = 10'000;

Coro<> one_sleep(int index) { co_await sleep(std::chrono::microseconds(1000 + (index * 7919) % 15000)); }

Coro<> sleeps(benchmark::State& state) {
    for (auto _ : state) {
        const double before = process_cpu_seconds();
        std::vector<Task<>> tasks;
        tasks.reserve(sleepers);
        for (int i = 0; i < sleepers; ++i) tasks.push_back(create_task(one_sleep(i)));
        for (Task<>& task : tasks) co_await task;
        state.SetIterationTime((process_cpu_seconds() - before) / sleepers);
    }
}

#define COROSCOPE_BENCH_ON_LOOP(name) \
    void run_##name(benchmark::State& state) { run_on_loop(state, name); }
COROSCOPE_BENCH_ON_LOOP(await_children)
COROSCOPE_BENCH_ON_LOOP(spawn_and_join)
COROSCOPE_BENCH_ON_LOOP(yields)
COROSCOPE_BENCH_ON_LOOP(pipeline)
COROSCOPE_BENCH_ON_LOOP(sleeps)

BENCHMARK(run_await_children)->Name("await")->UseRealTime();
BENCHMARK(run_spawn_and_join)->Name("spawn_join")->UseRealTime();
BENCHMARK(run_yields)->Name("yield")->UseRealTime();
BENCHMARK(run_pipeline)->Name("pipeline")->Arg(2)->Arg(3)->UseRealTime();
BENCHMARK(run_sleeps)->Name("sleeps")->UseManualTime()->Iterations(4);

}  // namespace

BENCHMARK_MAIN();
