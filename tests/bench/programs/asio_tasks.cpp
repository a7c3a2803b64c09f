// Boost.Asio's side of the part `runtime`: the same work as tasks.cpp, in the way that is fastest in Asio 1.81: its
// awaitables on the concrete executor type, channels without locks, an io_context told that one thread uses it.
#include <benchmark/benchmark.h>
#include <time.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/experimental/basic_channel.hpp>
#include <boost/asio/experimental/channel_traits.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <memory>
#include <vector>

namespace {

namespace asio = boost::asio;

using Executor = asio::io_context::executor_type;
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
    asio::io_context context(BOOST_ASIO_CONCURRENCY_HINT_UNSAFE);
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

constexpr int sleepers = 10'000;

Awaitable<> one_sleep(int index) {
    Timer timer(co_await asio::this_coro::executor, std::chrono::microseconds(1000 + (index * 7919) % 15000));
    co_await timer.async_wait(use_awaitable);
}

Awaitable<> sleeps(benchmark::State& state) {
    const Executor executor = co_await asio::this_coro::executor;
    for (auto _ : state) {
        const double before = process_cpu_seconds();
        DoneChannel done(executor, sleepers);
        for (int i = 0; i < sleepers; ++i) {
            asio::co_spawn(executor, one_sleep(i),
                           [&done](std::exception_ptr) { done.try_send(boost::system::error_code()); });
        }
        for (int i = 0; i < sleepers; ++i) co_await done.async_receive(use_awaitable);
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
