// Boost.Asio's side of the parts `runtime` and `runtime_peers`: the same work as programs/tasks.cpp, in the way that is
// fastest in Asio 1.81: its awaitables on the concrete executor type, channels without locks, an io_context told that
// one thread uses it.
#include <benchmark/benchmark.h>
#include <time.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/experimental/basic_channel.hpp>
#include <boost/asio/experimental/channel_traits.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <memory>
#include <vector>

#include "tests/bench/programs/resident.hpp"

namespace {

namespace asio = boost::asio;

#if defined(ASIO_AS_USUAL)  // tasks_asio_usual: Asio as most programs use it
using Executor = asio::any_io_executor;
constexpr int concurrency_hint = 1;
#else
using Executor = asio::io_context::executor_type;
constexpr int concurrency_hint = BOOST_ASIO_CONCURRENCY_HINT_UNSAFE;
#endif
using UseAwaitable = asio::use_awaitable_t<Executor>;
template <class T = void>
using Awaitable = asio::awaitable<T, Executor>;
using Channel = asio::experimental::basic_channel<Executor, asio::experimental::channel_traits<>,
                                                  void(boost::system::error_code, int)>;
using DoneChannel =
    asio::experimental::basic_channel<Executor, asio::experimental::channel_traits<>, void(boost::system::error_code)>;
using Timer =
    asio::basic_waitable_timer<std::chrono::steady_clock, asio::wait_traits<std::chrono::steady_clock>, Executor>;

constexpr UseAwaitable use_awaitable;
constexpr int batch = 1000;

double process_cpu_seconds() {
    timespec time{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

template <class Body>
void run_on_loop(benchmark::State& state, Body body) {
    asio::io_context context(concurrency_hint);
    asio::co_spawn(context.get_executor(), body(state), asio::detached);
    context.run();
}

Awaitable<int> child(int value) { co_return value; }

Awaitable<> await_children(benchmark::State& state) {
    while (state.KeepRunningBatch(batch)) {
        for (int i = 0; i < batch; ++i) benchmark::DoNotOptimize(co_await child(i));
    }
}

Awaitable<> spawn_and_join(benchmark::State& state) {
    const Executor executor = co_await asio::this_coro::executor;
    while (state.KeepRunningBatch(batch)) {
        for (int i = 0; i < batch; ++i) {
            const int value = co_await asio::co_spawn(executor, child(i), use_awaitable);
            benchmark::DoNotOptimize(value);
        }
    }
}

Awaitable<> yields(benchmark::State& state) {
    const Executor executor = co_await asio::this_coro::executor;
    while (state.KeepRunningBatch(batch)) {
        for (int i = 0; i < batch; ++i) co_await asio::post(executor, use_awaitable);
    }
}

constexpr std::size_t queue_size = 64;
constexpr int last_item = -1;

Awaitable<> pass_on(Channel& from, Channel& to) {
    for (;;) {
        const int item = co_await from.async_receive(use_awaitable);
        co_await to.async_send({}, item == last_item ? last_item : item + 1, use_awaitable);
        if (item == last_item) co_return;
    }
}

Awaitable<> produce(Channel& to, benchmark::State& state) {
    while (state.KeepRunningBatch(batch)) {
        for (int i = 0; i < batch; ++i) co_await to.async_send({}, i, use_awaitable);
    }
    co_await to.async_send({}, last_item, use_awaitable);
}

Awaitable<> pipeline(benchmark::State& state) {
    const Executor executor = co_await asio::this_coro::executor;
    const auto stages = static_cast<std::size_t>(state.range(0));
    std::vector<std::unique_ptr<Channel>> queues;
    for (std::size_t i = 0; i + 1 < stages; ++i) queues.push_back(std::make_unique<Channel>(executor, queue_size));
    DoneChannel done(executor, stages);
    const auto when_done = [&done](std::exception_ptr) { done.try_send(boost::system::error_code()); };
    asio::co_spawn(executor, produce(*queues[0], state), when_done);
    for (std::size_t i = 0; i + 1 < queues.size(); ++i)
        asio::co_spawn(executor, pass_on(*queues[i], *queues[i + 1]), when_done);
    while (co_await queues.back()->async_receive(use_awaitable) != last_item) {
    }
    for (std::size_t i = 0; i < queues.size(); ++i) co_await done.async_receive(use_awaitable);
}

Awaitable<int> fib(int n) {
    if (n < 2) co_return n;
    const int one = co_await fib(n - 1);
    co_return one + co_await fib(n - 2);
}

constexpr int fib_argument = 20, fib_calls = 21'891;

Awaitable<> fibs(benchmark::State& state) {
    while (state.KeepRunningBatch(fib_calls)) benchmark::DoNotOptimize(co_await fib(fib_argument));
}

// Asio has no handle to a coroutine: whoever ends counts down, the last one wakes the joiner.
template <class Make>
Awaitable<> spawn_all(std::size_t count, Make make) {
    const Executor executor = co_await asio::this_coro::executor;
    DoneChannel done(executor, 1);
    std::size_t left = count;
    std::vector<int> results(count);
    for (std::size_t i = 0; i < count; ++i) {
        asio::co_spawn(executor, make(static_cast<int>(i)), [&, i](std::exception_ptr, int value) {
            results[i] = value;
            if (--left == 0) done.try_send(boost::system::error_code());
        });
    }
    co_await done.async_receive(use_awaitable);
    benchmark::DoNotOptimize(results.data());
}

Awaitable<> spawn_many(benchmark::State& state) {
    const auto count = static_cast<std::size_t>(state.range(0));
    if (state.range(1) != 0) co_await spawn_all(count, child);  // warm
    while (state.KeepRunningBatch(state.range(0))) co_await spawn_all(count, child);
}

Awaitable<> gathers(benchmark::State& state) {
    while (state.KeepRunningBatch(state.range(0))) co_await spawn_all(static_cast<std::size_t>(state.range(0)), child);
}

Awaitable<> answer_pings(Channel& ping, Channel& pong) {
    for (;;) {  // g++ 12.2 loses an Asio coroutine that awaits in the condition of its loop and in its only statement
        const int item = co_await ping.async_receive(use_awaitable);
        if (item == last_item) co_return;
        co_await pong.async_send({}, 0, use_awaitable);
    }
}

Awaitable<> switches(benchmark::State& state) {
    const Executor executor = co_await asio::this_coro::executor;
    Channel ping(executor, 1), pong(executor, 1);
    DoneChannel done(executor, 1);
    asio::co_spawn(executor, answer_pings(ping, pong),
                   [&done](std::exception_ptr) { done.try_send(boost::system::error_code()); });
    while (state.KeepRunningBatch(2 * batch)) {
        for (int i = 0; i < batch; ++i) {
            co_await ping.async_send({}, i, use_awaitable);
            co_await pong.async_receive(use_awaitable);
        }
    }
    co_await ping.async_send({}, last_item, use_awaitable);
    co_await done.async_receive(use_awaitable);
}

Awaitable<> one_sleep(int index) {
    Timer timer(co_await asio::this_coro::executor, std::chrono::microseconds(1000 + (index * 7919) % 15000));
    co_await timer.async_wait(use_awaitable);
}

Awaitable<> sleeps(benchmark::State& state) {
    const Executor executor = co_await asio::this_coro::executor;
    const auto sleepers = static_cast<int>(state.range(0));
    for (auto _ : state) {
        const double before = process_cpu_seconds();
        DoneChannel done(executor, 1);
        int left = sleepers;
        for (int i = 0; i < sleepers; ++i) {
            asio::co_spawn(executor, one_sleep(i), [&done, &left](std::exception_ptr) {
                if (--left == 0) done.try_send(boost::system::error_code());
            });
        }
        co_await done.async_receive(use_awaitable);
        state.SetIterationTime((process_cpu_seconds() - before) / sleepers);
    }
}

// A limit of time around what is done at once: `||` with a timer is how Asio 1.81 says it.
Awaitable<> expire(Timer& timer) {
    timer.expires_after(std::chrono::seconds(10));
    co_await timer.async_wait(use_awaitable);
}

Awaitable<> timeouts(benchmark::State& state) {
    using namespace asio::experimental::awaitable_operators;
    Timer timer(co_await asio::this_coro::executor);
    while (state.KeepRunningBatch(batch)) {
        for (int i = 0; i < batch; ++i) {
            const auto either = co_await (child(i) || expire(timer));
            benchmark::DoNotOptimize(either.index());
        }
    }
}

Awaitable<> sleep_long() {
    Timer timer(co_await asio::this_coro::executor, std::chrono::hours(1));
    co_await timer.async_wait(use_awaitable);
}

Awaitable<> cancels(benchmark::State& state) {
    const Executor executor = co_await asio::this_coro::executor;
    DoneChannel done(executor, 1);
    std::exception_ptr error;
    while (state.KeepRunningBatch(batch)) {
        for (int i = 0; i < batch; ++i) {
            asio::cancellation_signal signal;
            asio::co_spawn(executor, sleep_long(),
                           asio::bind_cancellation_slot(signal.slot(), [&](std::exception_ptr thrown) {
                               error = std::move(thrown);
                               done.try_send(boost::system::error_code());
                           }));
            co_await asio::post(executor, use_awaitable);
            signal.emit(asio::cancellation_type::terminal);
            co_await done.async_receive(use_awaitable);
            try {
                if (error) std::rethrow_exception(std::exchange(error, nullptr));
            } catch (const boost::system::system_error&) {
            }
        }
    }
}

// What a coroutine that sleeps costs in memory. The process ends with them.
void sleeping_bytes(benchmark::State& state) {
    auto* context = new asio::io_context(concurrency_hint);
    const double before = resident_bytes();
    for (auto _ : state) {
        for (int i = 0; i < state.range(0); ++i) asio::co_spawn(context->get_executor(), sleep_long(), asio::detached);
        context->poll();
        state.counters["bytes"] = (resident_bytes() - before) / static_cast<double>(state.range(0));
    }
}

Awaitable<int> yield_once(int value) {
    co_await asio::post(co_await asio::this_coro::executor, use_awaitable);
    co_return value;
}

Awaitable<> growth(benchmark::State& state) {
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
BENCHMARK(sleeping_bytes)->Name("bytes")->RangeMultiplier(10)->Range(1000, 1'000'000)->Iterations(1);
BENCHMARK(run_growth)->Name("growth")->RangeMultiplier(10)->Range(1000, 1'000'000)->UseRealTime();

}  // namespace

BENCHMARK_MAIN();
