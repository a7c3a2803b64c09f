// The entry points of the debug library (see runtime/src/probe/debug_library.hpp).
#include <spdlog/spdlog.h>
#include <sys/random.h>
#include <unistd.h>

#include <chrono>
#include <climits>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "app_signals.hpp"
#include "coroscope/v2/events.pb.h"
#include "coroscope/v2/ingest.pb.h"
#include "coroscope/v2/session.pb.h"
#include "definition_writer.hpp"
#include "emitter.hpp"
#include "local_log.hpp"
#include "profiler.hpp"
#include "proto/address/protocol_version.hpp"
#include "proto/words/utf8.hpp"
#include "runtime/src/probe/debug_library.hpp"
#include "runtime/src/probe/registry.hpp"
#include "sink.hpp"
#include "thread_look.hpp"

namespace {

using namespace coroscope;

std::string executable_name() {
    char path[PATH_MAX];
    const ssize_t size = ::readlink("/proc/self/exe", path, sizeof path);
    if (size <= 0) return "app";
    const std::string whole(path, static_cast<std::size_t>(size));
    return whole.substr(whole.rfind('/') + 1);
}

v2::Hello make_hello(probe::Registry& registry, const probe::DebugStart& start) {
    v2::Hello hello;
    hello.mutable_version()->set_major(protocol_major);
    hello.mutable_version()->set_minor(protocol_minor);
    hello.set_name(words::valid_utf8(start.name != nullptr ? start.name : executable_name()));
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
#if defined(__clang__)
    hello.set_compiler("clang " __clang_version__);
#else
    hello.set_compiler("g++ " __VERSION__);
#endif
    for (const probe::Runtime* runtime : registry.all_runtimes()) debug::fill(*hello.add_runtimes(), *runtime);
    std::ifstream in("/proc/self/cmdline", std::ios::binary);
    const std::string line((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
    for (std::size_t at = 0; at < line.size() && hello.arguments_size() < 256;) {
        const std::size_t end = std::min(line.find('\0', at), line.size());
        hello.add_arguments(words::valid_utf8(line.substr(at, end - at)));
        at = end + 1;
    }
    return hello;
}

v2::CommandResult execute(probe::Registry& registry, const v2::Command& command) {
    v2::CommandResult result;
    switch (command.command_case()) {
        case v2::Command::kCancelTask: {
            const char* why_not = registry.cancel_task(command.cancel_task());
            result.set_done(why_not == nullptr);
            if (why_not != nullptr) result.set_error(why_not);
            break;
        }
        case v2::Command::kSlowStepNs:
            registry.slow_step_ns.store(command.slow_step_ns(), std::memory_order_relaxed);
            result.set_done(true);
            break;
        case v2::Command::kSnapshot:
            registry.want_snapshot();
            for (const probe::Runtime* runtime : registry.all_runtimes())
                if (runtime->list_tasks != nullptr) runtime->list_tasks(runtime->self);
            result.set_done(true);
            break;
        case v2::Command::COMMAND_NOT_SET: result.set_error("this version of the app does not know the command"); break;
    }
    return result;
}

}  // namespace

namespace coroscope::probe {

// Destroyed by stop_session() alone: a forked child, which runs static destructors too, has neither the emitter's
// threads nor a gRPC that could be ended.
struct DebugSession {
    std::unique_ptr<debug::Emitter> emitter;
};

struct ThreadLook {
    debug::ThreadLook look;
};

}  // namespace coroscope::probe

namespace {

std::unique_ptr<debug::Sink> make_sink(probe::Registry& registry, const probe::DebugStart& options,
                                       const v2::Hello& hello, std::string& error) {
    const std::string target = options.target;
    if (target.starts_with("file:")) {
        auto sink = debug::make_file_sink(target.substr(5), hello, error);
        if (!sink) error = "the trace file cannot be written: " + error;
        return sink;
    }
    if (options.forked && debug::grpc_was_used()) {
        error =
            "this process is a forked child of one that was connected to an agent, and gRPC does not survive a "
            "fork; start debug mode in the child first, or use COROSCOPE=file:PATH";
        return nullptr;
    }
    return debug::make_agent_sink(target, hello,
                                  [&registry](const v2::Command& command) { return execute(registry, command); });
}

// What costs more than debug mode does by itself is asked for by name.
void read_settings(debug::EmitterOptions& options) {
    const char* blocking = ::secure_getenv("COROSCOPE_BLOCKING");
    options.blocking_calls = blocking != nullptr && *blocking != '\0' && std::string_view(blocking) != "0";
    const char* profile = ::secure_getenv("COROSCOPE_PROFILE");
    if (profile == nullptr || *profile == '\0') return;
    char* end = nullptr;
    const unsigned long hz = std::strtoul(profile, &end, 10);
    if (*end == '\0' && *profile != '-' && hz <= debug::Profiler::most_hz) {
        options.profile_hz = static_cast<unsigned>(hz);
    } else {
        debug::log().warn("COROSCOPE_PROFILE='{}' is not a number of samples a second up to {}; nothing is sampled",
                          profile, debug::Profiler::most_hz);
    }
}

probe::DebugSession* start_session(probe::Registry* registry, const probe::DebugStart* options, const char** why_not) {
    static std::string the_error;  // of the last start that failed
    try {
        debug::use_log_handler_of(*registry);
        if (options->forked) debug::renew_log_in_child();
        if (options->log_level != nullptr && !debug::set_log_level(options->log_level))
            debug::log().warn("COROSCOPE_LOG='{}' is not off, error, warn, info or debug; warn is used",
                              options->log_level);
        const debug::AppSignalsBlocked blocked;  // in all threads that come to be from here on, gRPC's among them
        the_error.clear();
        auto sink = make_sink(*registry, *options, make_hello(*registry, *options), the_error);
        if (sink) {
            debug::EmitterOptions emitter;
            emitter.signal_threads = options->signal_threads;
            emitter.late = options->late;
            read_settings(emitter);
            return new probe::DebugSession{std::make_unique<debug::Emitter>(*registry, std::move(sink), emitter)};
        }
    } catch (const std::exception& error) {
        the_error = error.what();
    }
    *why_not = the_error.c_str();
    return nullptr;
}

void stop_session(probe::DebugSession* session, std::uint32_t most_ms, bool app_ends) {
    session->emitter->finish(std::chrono::milliseconds(most_ms), app_ends);
    delete session;
    debug::finish_log(debug::most_of_log);
}

probe::ThreadLook* look_at(std::uint64_t tid, bool may_signal) {
    return new probe::ThreadLook{debug::look_at_thread(tid, may_signal)};
}

std::string tell(probe::ThreadLook* look) {
    const std::unique_ptr<probe::ThreadLook> own(look);
    return debug::look_json(own->look);
}

const std::string& own_version() {
    static const std::string version = probe::pair_version();
    return version;
}

constexpr probe::DebugLibrary the_library = {start_session,
                                             stop_session,
                                             [](probe::DebugSession* session) { session->emitter->hold(); },
                                             [](probe::DebugSession* session) { session->emitter->release(); },
                                             look_at,
                                             tell};

}  // namespace

extern "C" __attribute__((visibility("default"))) const probe::DebugLibrary* coroscope_debug_library(
    const char* version) {
    return version == own_version() ? &the_library : nullptr;
}

extern "C" __attribute__((visibility("default"))) const char* coroscope_debug_version() {
    return own_version().c_str();
}
