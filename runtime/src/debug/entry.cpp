// The entry points of the debug library (see runtime/src/probe/debug_abi.hpp).
#include <spdlog/spdlog.h>
#include <sys/random.h>
#include <unistd.h>

#include <climits>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <utility>

#include "app_signals.hpp"
#include "coroscope/v2/ingest.pb.h"
#include "coroscope/v2/session.pb.h"
#include "emitter.hpp"
#include "local_log.hpp"
#include "proto/address/protocol_version.hpp"
#include "runtime/src/probe/debug_abi.hpp"
#include "runtime/src/probe/registry.hpp"
#include "sink.hpp"
#include "utf8.hpp"

namespace {

using namespace coroscope;

// Never destroyed but by coroscope_debug_stop(): a forked child runs static destructors too, and has neither the
// emitter's threads nor a gRPC that could be ended.
debug::Emitter* g_emitter = nullptr;
std::string g_error;

std::string executable_name() {
    char path[PATH_MAX];
    const ssize_t size = ::readlink("/proc/self/exe", path, sizeof path);
    if (size <= 0) return "app";
    const std::string whole(path, static_cast<std::size_t>(size));
    return whole.substr(whole.rfind('/') + 1);
}

v2::Hello make_hello(const probe::Registry& registry, const probe::DebugStart& start) {
    v2::Hello hello;
    hello.mutable_version()->set_major(protocol_major);
    hello.mutable_version()->set_minor(protocol_minor);
    hello.set_name(debug::valid_utf8(start.name != nullptr ? start.name : executable_name()));
    hello.set_pid(static_cast<std::uint64_t>(::getpid()));
    char instance[16];
    if (::getrandom(instance, sizeof instance, 0) == sizeof instance) hello.set_instance(instance, sizeof instance);
    char host[HOST_NAME_MAX + 1] = {};
    if (::gethostname(host, sizeof host - 1) == 0) hello.set_host(host);
    timespec wall{};
    ::clock_gettime(CLOCK_REALTIME, &wall);
    hello.set_wall_at_ns(probe::monotonic_ns());
    hello.set_wall_unix_ns(static_cast<std::uint64_t>(wall.tv_sec) * 1'000'000'000u +
                           static_cast<std::uint64_t>(wall.tv_nsec));
    hello.set_slow_step_ns(registry.slow_step_ns.load(std::memory_order_relaxed));
    hello.set_library("coroscope " COROSCOPE_VERSION);
    if (start.compiler != nullptr) hello.set_compiler(start.compiler);
    std::ifstream in("/proc/self/cmdline", std::ios::binary);
    const std::string line((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    for (std::size_t at = 0; at < line.size() && hello.arguments_size() < 256;) {
        const std::size_t end = std::min(line.find('\0', at), line.size());
        hello.add_arguments(debug::valid_utf8(line.substr(at, end - at)));
        at = end + 1;
    }
    return hello;
}

v2::CommandResult execute(probe::Registry& registry, const v2::Command& command) {
    v2::CommandResult result;
    switch (command.command_case()) {
        case v2::Command::kCancelTask: {
            const auto cancel_task = registry.commands.cancel_task.load();
            const char* why_not =
                cancel_task == nullptr ? "the app has no event loop" : cancel_task(command.cancel_task());
            result.set_done(why_not == nullptr);
            if (why_not != nullptr) result.set_error(why_not);
            break;
        }
        case v2::Command::kSlowStepNs:
            registry.slow_step_ns.store(command.slow_step_ns(), std::memory_order_relaxed);
            result.set_done(true);
            break;
        case v2::Command::kSnapshot:
            registry.snapshot_generation.fetch_add(1,
                                                   std::memory_order_release);  // pairs with EventLoop::take_snapshot()
            if (const auto wake_loops = registry.commands.wake_loops.load()) wake_loops();
            result.set_done(true);
            break;
        case v2::Command::COMMAND_NOT_SET: result.set_error("this version of the app does not know the command"); break;
    }
    return result;
}

const char* start(probe::Registry& registry, const probe::DebugStart& options) {
    const std::string target = options.target;
    if (options.log_level != nullptr && !debug::set_log_level(options.log_level))
        debug::log().warn("COROSCOPE_LOG='{}' is not off, error, warn, info or debug; warn is used", options.log_level);
    const v2::Hello hello = make_hello(registry, options);
    const debug::AppSignalsBlocked blocked;  // in all threads that come to be from here on, gRPC's among them
    std::unique_ptr<debug::Sink> sink;
    if (target.starts_with("file:")) {
        std::string error;
        sink = debug::make_file_sink(target.substr(5), hello, error);
        if (!sink) {
            g_error = "the trace file cannot be written: " + error;
            return g_error.c_str();
        }
    } else {
        sink = debug::make_agent_sink(target, hello,
                                      [&registry](const v2::Command& command) { return execute(registry, command); });
    }
    debug::EmitterOptions emitter;
    emitter.watch_stalls = options.watch_stalls;
    g_emitter = new debug::Emitter(registry, std::move(sink), emitter);
    return nullptr;
}

}  // namespace

extern "C" __attribute__((visibility("default"))) const char* coroscope_debug_start(probe::Registry* registry,
                                                                                    const probe::DebugStart* options) {
    if (options->layout != probe::layout_sum())
        return "the debug library was built from other sources than this program; build both again from the same";
    try {
        return start(*registry, *options);
    } catch (const std::exception& error) {
        g_error = error.what();
        return g_error.c_str();
    }
}

extern "C" __attribute__((visibility("default"))) void coroscope_debug_stop(std::uint32_t most_ms) {
    if (g_emitter == nullptr) return;
    g_emitter->finish(std::chrono::milliseconds(most_ms));
    delete std::exchange(g_emitter, nullptr);
}
