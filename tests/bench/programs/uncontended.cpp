// Operations on locks, queues and the like that find what they want: no task waits. Debug mode is what COROSCOPE says.
// Such an operation emits no event; with debug mode on it looks whether one is due.
#include <benchmark/benchmark.h>

#include "coroscope/coroscope.hpp"

namespace {

using namespace coroscope;

constexpr int batch = 1000;

// Runs `operation(i)` in a task, over and over.
template <class Operation>
Coro<> repeat(benchmark::State& state, Operation operation) {
    while (state.KeepRunningBatch(batch)) {
        for (int i = 0; i < batch; ++i) operation(i);
        co_await yield();
    }
}

void lock(benchmark::State& state) {
    Lock free;
    run(repeat(state, [&](int) {
        benchmark::DoNotOptimize(free.try_acquire());
        free.release();
    }));
}

void semaphore(benchmark::State& state) {
    Semaphore two(2);
    run(repeat(state, [&](int) {
        benchmark::DoNotOptimize(two.try_acquire());
        two.release();
    }));
}

void queue(benchmark::State& state) {
    Queue<int> items(64);
    run(repeat(state, [&](int i) {
        items.put_nowait(i);
        benchmark::DoNotOptimize(items.get_nowait());
    }));
}

void event(benchmark::State& state) {
    Event flag;
    run(repeat(state, [&](int) {
        flag.set();
        flag.clear();
    }));
}

// The same, awaited: without a wait, too.
Coro<> lock_by_await(benchmark::State& state, Lock& free) {
    while (state.KeepRunningBatch(batch)) {
        for (int i = 0; i < batch; ++i) {
            auto held = co_await free.acquire();
            benchmark::DoNotOptimize(held);
        }
        co_await yield();
    }
}
void lock_awaited(benchmark::State& state) {
    Lock free;
    run(lock_by_await(state, free));
}

Coro<> queue_by_await(benchmark::State& state, Queue<int>& items) {
    while (state.KeepRunningBatch(batch)) {
        for (int i = 0; i < batch; ++i) {
            co_await items.put(i);
            benchmark::DoNotOptimize(co_await items.get());
        }
        co_await yield();
    }
}
void queue_awaited(benchmark::State& state) {
    Queue<int> items(64);
    run(queue_by_await(state, items));
}

BENCHMARK(lock);
BENCHMARK(lock_awaited);
BENCHMARK(semaphore);
BENCHMARK(queue);
BENCHMARK(queue_awaited);
BENCHMARK(event);

}  // namespace

BENCHMARK_MAIN();
