#include "debug_switch.hpp"

#include <dlfcn.h>
#include <unistd.h>

#include <climits>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "coroscope/detail/debug_switch.hpp"
#include "proto/address/default_address.hpp"
#include "runtime/src/probe/debug_abi.hpp"
#include "runtime/src/probe/registry.hpp"

namespace coroscope::detail {

namespace {

constexpr const char* library_name = "libcoroscope-debug.so";
constexpr std::uint32_t most_flush_ms = 1000;

// One line, and the app runs on: nothing here may stop it.
void say(const std::string& text) noexcept { std::fprintf(stderr, "coroscope: %s\n", text.c_str()); }

// "" in a program with more rights than its user (setuid): who starts it must not choose a library to load, or a file
// to write.
std::string variable(const char* name) {
    const char* value = ::secure_getenv(name);
    return value == nullptr ? "" : value;
}

// Where debug mode is to send to; "": it stays off.
std::string target_of(const std::string& value) {
    if (value.empty() || value == "0") return "";
    if (value == "1") return default_address();
    const auto starts_with_path = [&](std::string_view prefix) {
        return value.starts_with(prefix) && value.size() > prefix.size();
    };
    if (starts_with_path("unix:") || starts_with_path("file:")) return value;
    const std::size_t colon = value.rfind(':');
    if (colon != std::string::npos && colon > 0 && colon + 1 < value.size() &&
        value.find_first_not_of("0123456789", colon + 1) == std::string::npos)
        return value;
    say("COROSCOPE='" + value +
        "' is not understood; use 1 (the default agent), unix:PATH, HOST:PORT or file:PATH. Debug mode stays off");
    return "";
}

std::string executable_directory() {
    char path[PATH_MAX];
    const ssize_t size = ::readlink("/proc/self/exe", path, sizeof path - 1);
    if (size <= 0) return "";
    const std::string_view whole(path, static_cast<std::size_t>(size));
    return std::string(whole.substr(0, whole.rfind('/')));
}

void* open_library(std::string& why_not) {
    const std::string named = variable("COROSCOPE_DEBUG_LIBRARY");
    std::vector<std::string> places;
    if (!named.empty()) {
        places.push_back(named);
    } else {
        const std::string directory = executable_directory();
        for (const char* beside : {"/", "/../lib/", "/../../lib/"}) places.push_back(directory + beside + library_name);
        places.emplace_back(library_name);  // the system's search
    }
    for (const std::string& place : places) {
        // One that is there but does not load tells why; one that is not there is no news.
        const bool is_path = place.find('/') != std::string::npos;
        if (is_path && named.empty() && ::access(place.c_str(), F_OK) != 0) continue;
        if (void* library = ::dlopen(place.c_str(), RTLD_NOW | RTLD_LOCAL)) return library;
        if (const char* error = ::dlerror(); error != nullptr && (is_path || why_not.empty())) why_not = error;
    }
    return nullptr;
}

void read_settings(probe::Registry& registry) {
    const auto number = [](const char* name, double least, double most) -> double {
        const std::string text = variable(name);
        if (text.empty()) return -1;
        char* end = nullptr;
        const double value = std::strtod(text.c_str(), &end);
        if (*end == '\0' && value >= least && value <= most) return value;
        say(std::string(name) + "='" + text + "' is not a number from " + std::to_string(static_cast<long>(least)) +
            " to " + std::to_string(static_cast<long>(most)) + "; the default is used");
        return -1;
    };
    const double slow_ms = number("COROSCOPE_SLOW_STEP", 0, 1e6);
    if (slow_ms >= 0) registry.slow_step_ns.store(static_cast<std::uint64_t>(slow_ms * 1e6), std::memory_order_relaxed);
    const double records = number("COROSCOPE_RING", 1024, 1 << 24);
    if (records > 0) {
        std::size_t capacity = 1024;
        while (capacity < static_cast<std::size_t>(records)) capacity *= 2;
        registry.ring_capacity = capacity;
    }
}

probe::DebugStopFunction g_stop = nullptr;
pid_t g_owner = 0;

void start(const std::string& target) {
    std::string why_not;
    void* library = open_library(why_not);
    if (library == nullptr) {
        say("debug mode stays off: " + (why_not.empty() ? std::string(library_name) + " was not found" : why_not) +
            "; set COROSCOPE_DEBUG_LIBRARY to its path");
        return;
    }
    // dlsym gives an object pointer; POSIX promises that it converts.
    const auto start_library = reinterpret_cast<probe::DebugStartFunction>(::dlsym(library, probe::debug_start_name));
    const auto stop_library = reinterpret_cast<probe::DebugStopFunction>(::dlsym(library, probe::debug_stop_name));
    if (start_library == nullptr || stop_library == nullptr) {
        say(std::string("debug mode stays off: the ") + library_name +
            " that was found is not coroscope's, or of another version");
        return;
    }
    probe::Registry& registry = probe::registry();
    read_settings(registry);
    const std::string name = variable("COROSCOPE_NAME");
    const std::string level = variable("COROSCOPE_LOG");
    probe::DebugStart options;
    options.layout = probe::layout_sum();
    options.target = target.c_str();
    options.name = name.empty() ? nullptr : name.c_str();
    options.log_level = level.empty() ? nullptr : level.c_str();
    options.watch_stalls = variable("COROSCOPE_STALL_SIGNAL") != "0";
#if defined(__clang__)
    options.compiler = "clang " __clang_version__;
#else
    options.compiler = "g++ " __VERSION__;
#endif
    if (const char* error = start_library(&registry, &options)) {
        say(std::string("debug mode stays off: ") + error);
        return;
    }
    g_stop = stop_library;
    g_owner = ::getpid();
    debug_on.store(true, std::memory_order_relaxed);
    std::atexit(finish_debug);
}

void start_once(const std::string& target) noexcept {
    static std::once_flag once;
    if (target.empty()) return;
    try {
        std::call_once(once, start, target);
    } catch (...) {
        say("debug mode stays off: out of memory");
    }
}

}  // namespace

void start_debug_from_environment() noexcept {
    static const bool asked = [] {
        start_once(target_of(variable("COROSCOPE")));
        return true;
    }();
    static_cast<void>(asked);
}

void start_debug() noexcept {
    const std::string value = variable("COROSCOPE");
    start_once(value.empty() ? default_address() : target_of(value));
}

void finish_debug() noexcept {
    if (g_stop == nullptr || g_owner != ::getpid()) return;  // a forked child has no drainer
    debug_on.store(false, std::memory_order_relaxed);
    g_stop(most_flush_ms);
    g_stop = nullptr;
}

}  // namespace coroscope::detail
