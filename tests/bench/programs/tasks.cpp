// The runtime's side of the parts `runtime` and `runtime_peers`: the same work as peers/tasks_asio.cpp. Debug mode is
// what COROSCOPE says.
#include <benchmark/benchmark.h>
#include <time.h>

#include <chrono>
#include <vector>

#include "coroscope/coroscope.hpp"
#include "runtime/src/probe/process_registry.hpp"
#include "tests/bench/programs/resident.hpp"

namespace {

using namespace coroscope;

// Events that did not fit into the rings while debug mode was on.
double lost() {
    probe::Registry& registry = probe::process_registry();
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

Coro<int> fib(int n) {
    if (n < 2) co_return n;
    const int one = co_await fib(n - 1);
    co_return one + co_await fib(n - 2);
}

constexpr int fib_argument = 20, fib_calls = 21'891;

Coro<> fibs(benchmark::State& state) {
    while (state.KeepRunningBatch(fib_calls)) benchmark::DoNotOptimize(co_await fib(fib_argument));
}

// Starts so many tasks that end at once and joins them all: the first time in the process, or later.
template <class Make>
Coro<> spawn_all(std::size_t count, Make make) {
    std::vector<Task<int>> tasks;
    tasks.reserve(count);
    for (std::size_t i = 0; i < count; ++i) tasks.push_back(create_task(make(static_cast<int>(i))));
    for (Task<int>& task : tasks) benchmark::DoNotOptimize(co_await task);
}

Coro<> spawn_many(benchmark::State& state) {
    const auto count = static_cast<std::size_t>(state.range(0));
    if (state.range(1) != 0) co_await spawn_all(count, child);  // warm
    while (state.KeepRunningBatch(state.range(0))) co_await spawn_all(count, child);
}

Coro<> gathers(benchmark::State& state) {
    while (state.KeepRunningBatch(state.range(0))) {
        std::vector<Coro<int>> children;
        children.reserve(static_cast<std::size_t>(state.range(0)));
        for (int i = 0; i < state.range(0); ++i) children.push_back(child(i));
        benchmark::DoNotOptimize((co_await gather(std::move(children))).data());
    }
}

// Two tasks wake each other in turn.
Coro<> answer_pings(Event& ping, Event& pong) {
    for (;;) {
        co_await ping.wait();
        ping.clear();
        pong.set();
    }
}

Coro<> switches(benchmark::State& state) {
    Event ping, pong;
    Task<> other = create_task(answer_pings(ping, pong));
    while (state.KeepRunningBatch(2 * batch)) {
        for (int i = 0; i < batch; ++i) {
            ping.set();
            co_await pong.wait();
            pong.clear();
        }
    }
    other.cancel();
    co_await other.wait();
}

// Sleeps of 1 to 16 ms, all at a time. What counts is the CPU time, of all threads of the process.
Coro<> one_sleep(int index) { co_await sleep(std::chrono::microseconds(1000 + (index * 7919) % 15000)); }

Coro<> sleeps(benchmark::State& state) {
    const auto sleepers = static_cast<std::size_t>(state.range(0));
    for (auto _ : state) {
        const double before = process_cpu_seconds();
        std::vector<Task<>> tasks;
        tasks.reserve(sleepers);
        for (std::size_t i = 0; i < sleepers; ++i) tasks.push_back(create_task(one_sleep(static_cast<int>(i))));
        for (Task<>& task : tasks) co_await task;
        state.SetIterationTime((process_cpu_seconds() - before) / static_cast<double>(sleepers));
    }
}

// A limit of time around what is done at once.
Coro<> timeouts(benchmark::State& state) {
    while (state.KeepRunningBatch(batch)) {
        for (int i = 0; i < batch; ++i) {
            Timeout limit(std::chrono::seconds(10));
            benchmark::DoNotOptimize(co_await child(i));
        }
    }
}

Coro<> sleep_long() { co_await sleep(std::chrono::hours(1)); }

Coro<> cancel_and_join(benchmark::State& state, bool unwind) {
    const TaskOptions options = TaskOptions().unwind_cancellation(unwind);
    while (state.KeepRunningBatch(batch)) {
        for (int i = 0; i < batch; ++i) {
            Task<> task = create_task(options, sleep_long());
            co_await yield();
            task.cancel();
            if (unwind) {  // without any throw
                co_await task.wait();
                continue;
            }
            try {
                co_await task;
            } catch (const Cancelled&) {
            }
        }
    }
}
Coro<> cancels(benchmark::State& state) { return cancel_and_join(state, false); }
Coro<> cancels_unwinding(benchmark::State& state) { return cancel_and_join(state, true); }

// What a task that sleeps costs in memory; what starting and joining one costs when there are so many.
Coro<> sleeping_bytes(benchmark::State& state) {
    const auto count = static_cast<std::size_t>(state.range(0));
    std::vector<Task<>> tasks(count);
    const double before = resident_bytes();
    for (auto _ : state) {
        for (Task<>& task : tasks) task = create_task(sleep_long());
        co_await yield();
        state.counters["bytes"] = (resident_bytes() - before) / static_cast<double>(count);
        for (Task<>& task : tasks) task.cancel();
        for (Task<>& task : tasks) co_await task.wait();
    }
}

Coro<int> yield_once(int value) {
    co_await yield();
    co_return value;
}

Coro<> growth(benchmark::State& state) {
    while (state.KeepRunningBatch(state.range(0))) {
        co_await spawn_all(static_cast<std::size_t>(state.range(0)), yield_once);
    }
}

#define COROSCOPE_BENCH_ON_LOOP(name) \
    void run_##name(benchmark::State& state) { run_on_loop(state, name); }
COROSCOPE_BENCH_ON_LOOP(await_children)
COROSCOPE_BENCH_ON_LOOP(spawn_and_join)
COROSCOPE_BENCH_ON_LOOP(yields)
COROSCOPE_BENCH_ON_LOOP(pipeline)
COROSCOPE_BENCH_ON_LOOP(sleeps)
COROSCOPE_BENCH_ON_LOOP(fibs)
COROSCOPE_BENCH_ON_LOOP(spawn_many)
COROSCOPE_BENCH_ON_LOOP(gathers)
COROSCOPE_BENCH_ON_LOOP(switches)
COROSCOPE_BENCH_ON_LOOP(timeouts)
COROSCOPE_BENCH_ON_LOOP(cancels)
COROSCOPE_BENCH_ON_LOOP(cancels_unwinding)
COROSCOPE_BENCH_ON_LOOP(sleeping_bytes)
COROSCOPE_BENCH_ON_LOOP(growth)

BENCHMARK(run_await_children)->Name("await")->UseRealTime();
BENCHMARK(run_spawn_and_join)->Name("spawn_join")->UseRealTime();
BENCHMARK(run_yields)->Name("yield")->UseRealTime();
BENCHMARK(run_pipeline)->Name("pipeline")->Arg(2)->Arg(3)->UseRealTime();
BENCHMARK(run_sleeps)->Name("sleeps")->Arg(10'000)->UseManualTime()->Iterations(4);
BENCHMARK(run_sleeps)->Name("sleeps_many")->Arg(100'000)->Arg(1'000'000)->UseManualTime()->Iterations(1);
BENCHMARK(run_fibs)->Name("fib")->UseRealTime();
BENCHMARK(run_spawn_many)->Name("spawn_cold")->Args({1'000'000, 0})->UseRealTime()->Iterations(1'000'000);
BENCHMARK(run_spawn_many)->Name("spawn_warm")->Args({1'000'000, 1})->UseRealTime()->Iterations(3'000'000);
BENCHMARK(run_gathers)->Name("gather")->Arg(100'000)->UseRealTime();
BENCHMARK(run_switches)->Name("switch")->UseRealTime();
BENCHMARK(run_timeouts)->Name("timeout")->UseRealTime();
BENCHMARK(run_cancels)->Name("cancel")->UseRealTime();
BENCHMARK(run_cancels_unwinding)->Name("cancel_unwind")->UseRealTime();
BENCHMARK(run_sleeping_bytes)->Name("bytes")->RangeMultiplier(10)->Range(1000, 1'000'000)->Iterations(1);
BENCHMARK(run_growth)->Name("growth")->RangeMultiplier(10)->Range(1000, 1'000'000)->UseRealTime();

}  // namespace

BENCHMARK_MAIN();
