// What one event costs the thread that emits it: nothing, a hook that is off, a stamp, a stamp and the barest ring, a
// hook that is on. One loop, one shape of record; both rings have the same capacity and the same consumer.
#include <benchmark/benchmark.h>

#include <atomic>
#include <chrono>
#include <cstring>
#include <memory>
#include <thread>

#include "runtime/src/probe/hooks.hpp"
#include "runtime/src/probe/process_registry.hpp"

namespace {

using namespace coroscope;
using probe::EventKind;
using probe::Record;

constexpr std::size_t capacity = 1 << 16;
constexpr std::size_t batch = 8192;

// The least that a ring between two threads can be: an index each, a cached copy of the other's. No gaps, no kinds.
class BareRing {
public:
    void push(probe::Stamp stamp, EventKind kind, std::uint64_t task, std::uint64_t arg) noexcept {
        const std::uint64_t head = head_.load(std::memory_order_relaxed);
        if (head - known_tail_ == capacity) [[unlikely]] {
            known_tail_ = tail_.load(std::memory_order_acquire);  // pairs with the release in consume()
            if (head - known_tail_ == capacity) {
                ++lost_;
                return;
            }
        }
        Record& slot = slots_[head % capacity];
        slot.stamp = stamp;
        slot.subject = task;
        slot.argument = arg;
        slot.kind = kind;
        head_.store(head + 1, std::memory_order_release);  // pairs with the acquire in readable()
    }
    std::span<const Record> readable() const noexcept {
        const std::uint64_t tail = tail_.load(std::memory_order_relaxed);
        const std::uint64_t head = head_.load(std::memory_order_acquire);  // pairs with the release in push()
        const std::size_t at = tail % capacity;
        return {&slots_[at], std::min<std::size_t>(head - tail, capacity - at)};
    }
    void consume(std::size_t count) noexcept {
        tail_.store(tail_.load(std::memory_order_relaxed) + count, std::memory_order_release);  // pairs with push()
    }
    std::uint64_t lost() const noexcept { return lost_; }

private:
    std::unique_ptr<Record[]> slots_{new Record[capacity]};
    alignas(64) std::atomic<std::uint64_t> head_{0};
    std::uint64_t known_tail_ = 0;
    std::uint64_t lost_ = 0;
    alignas(64) std::atomic<std::uint64_t> tail_{0};
};

// Reads as a drainer does: often enough that the ring never fills up, seldom enough that it does not fight over the
// cache line being written.
template <class R>
class Consumer {
public:
    explicit Consumer(R& ring) : ring_(ring), thread_([this] { drain(); }) {}
    ~Consumer() {
        ending_.store(true, std::memory_order_relaxed);  // orders nothing: the join does
        thread_.join();
    }
    // So that no time is measured while the ring overflows because the consumer's thread was not scheduled.
    void wait_until_empty() const {
        while (taken_.load(std::memory_order_acquire) != pushed) std::this_thread::yield();
    }
    std::uint64_t pushed = 0;

private:
    void drain() {
        std::uint64_t sum = 0;
        while (!ending_.load(std::memory_order_relaxed)) {
            const std::span<const Record> records = ring_.readable();
            for (const Record& record : records) sum += record.stamp ^ record.subject;
            ring_.consume(records.size());
            taken_.fetch_add(records.size(), std::memory_order_release);  // pairs with wait_until_empty()
            if (records.size() < batch / 8) std::this_thread::sleep_for(std::chrono::microseconds(50));
        }
        benchmark::DoNotOptimize(sum);
    }

    R& ring_;
    std::atomic<bool> ending_{false};
    std::atomic<std::uint64_t> taken_{0};
    std::thread thread_;
};

// The compiler must make every turn of the loop, and may keep nothing in registers across it but the counter.
#define COROSCOPE_BENCH_TURN(i) asm volatile("" : "+r"(i) : : "memory")

// Times `turns` (a loop of `batch` turns) again and again; between two, `pause` is called.
template <class Turns, class Pause>
void time_batches(benchmark::State& state, Turns turns, Pause pause) {
    for (auto _ : state) {
        const auto began = std::chrono::steady_clock::now();
        turns();
        const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
        state.SetIterationTime(took.count() / batch);
        pause();
    }
}

void empty(benchmark::State& state) {
    const auto turns = [] {
        for (std::uint64_t i = 0; i < batch; ++i) COROSCOPE_BENCH_TURN(i);
    };
    time_batches(state, turns, [] {});
}

void off(benchmark::State& state) {
    const auto turns = [] {
        for (std::uint64_t i = 0; i < batch; ++i) {
            probe::emit(EventKind::task_ready, i, 7);
            COROSCOPE_BENCH_TURN(i);
        }
    };
    time_batches(state, turns, [] {});
}

void stamp(benchmark::State& state) {
    const auto turns = [] {
        for (std::uint64_t i = 0; i < batch; ++i) {
            benchmark::DoNotOptimize(probe::stamp_now());
            COROSCOPE_BENCH_TURN(i);
        }
    };
    time_batches(state, turns, [] {});
}

void bare_ring(benchmark::State& state) {
    static BareRing ring;  // as the other: one for all repetitions
    Consumer consumer(ring);
    const auto turns = [] {
        for (std::uint64_t i = 0; i < batch; ++i) {
            ring.push(probe::stamp_now(), EventKind::task_ready, i, 7);
            COROSCOPE_BENCH_TURN(i);
        }
    };
    time_batches(state, turns, [&] {
        consumer.pushed += batch;
        consumer.wait_until_empty();
    });
    if (ring.lost() != 0) state.SkipWithError("the ring overflowed");
}

void on(benchmark::State& state) {
    probe::process_registry().ring_capacity = capacity;
    const probe::OnWithoutLibrary on;
    cs_producer* producer = probe::this_thread();
    if (producer == nullptr) return state.SkipWithError("no memory");
    probe::Ring& ring = probe::Ring::of(*producer);
    Consumer consumer(ring);
    const auto turns = [] {
        for (std::uint64_t i = 0; i < batch; ++i) {
            probe::emit(EventKind::task_ready, i, 7);
            COROSCOPE_BENCH_TURN(i);
        }
    };
    time_batches(state, turns, [&] {
        consumer.pushed += batch;
        consumer.wait_until_empty();
    });
    if (ring.lost() != 0) state.SkipWithError("the ring overflowed");
}

// The median of many short repetitions: an interruption by another process spoils one of them.
void short_repetitions(benchmark::internal::Benchmark* benchmark) {
    benchmark->UseManualTime()->Iterations(32)->Repetitions(21)->ReportAggregatesOnly();
}
BENCHMARK(empty)->Apply(short_repetitions);
BENCHMARK(off)->Apply(short_repetitions);
BENCHMARK(stamp)->Apply(short_repetitions);
BENCHMARK(bare_ring)->Apply(short_repetitions);
BENCHMARK(on)->Apply(short_repetitions);

}  // namespace

int main(int argc, char** argv) {
    // What a loop does first: says where the runtime's own word is, and what stamps are.
    probe::add_runtime([](std::uint64_t) -> const char* { return "a benchmark"; }, [] {},
                       [](const cs_stacks_writer&) {});
    benchmark::Initialize(&argc, argv);
    benchmark::RunSpecifiedBenchmarks();
}
