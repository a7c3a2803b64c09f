#include "switch.hpp"

#include <dlfcn.h>
#include <unistd.h>

#include <climits>
#include <cstdio>
#include <cstdlib>
#include <forward_list>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "debug_library.hpp"
#include "process.hpp"
#include "proto/address/agent_address.hpp"
#include "proto/address/default_address.hpp"
#include "proto/address/trace_path.hpp"

namespace coroscope::probe {

namespace {

constexpr const char* library_name = "libcoroscope-debug.so";
constexpr std::uint32_t most_flush_ms = 1000;

// What the switch remembers. Never destroyed: atexit handlers and threads use it to the end.
struct State {
    std::mutex mutex;
    const DebugLibrary* library = nullptr;  // under mutex, as all below
    DebugSession* session = nullptr;
    bool tried = false;   // to start: once a process
    bool closed = false;  // for good
    bool forked = false;  // the process is a child, and has not started yet
    pid_t owner = 0;      // of the session
    std::string target, app_name;
    std::forward_list<std::string> reasons;  // given out; their texts live on
};
State& state() noexcept {
    static State* const the_state = new State;
    return *the_state;
}

// "" in a program with more rights than its user (setuid): who starts it must not choose a library to load, or a file
// to write.
std::string variable(const char* name) {
    const char* value = ::secure_getenv(name);
    return value == nullptr ? "" : value;
}

void say(const std::string& text) noexcept { std::fprintf(stderr, "coroscope: %s\n", text.c_str()); }

// Where debug mode is to send to; "": nobody asked for it, or `why_not` says what is wrong.
std::string target_of(const std::string& value, std::string& why_not) {
    if (value.empty() || value == "0") return "";
    if (value == "1") return default_address();
    if (value.starts_with("file:") && value.size() > 5) return value;
    try {
        return AgentAddress::parse(value).text();
    } catch (const AddressError& error) {
        why_not = "COROSCOPE='" + value + "' is not understood (" + error.what() +
                  "); use 1 (the default agent), unix:PATH, HOST:PORT or file:PATH. Debug mode stays off";
        return "";
    }
}

std::string folder_of(std::string_view path) {
    const std::size_t slash = path.rfind('/');
    return slash == std::string_view::npos ? "." : std::string(path.substr(0, slash));
}

std::string executable_folder() {
    char path[PATH_MAX];
    const ssize_t size = ::readlink("/proc/self/exe", path, sizeof path - 1);
    return size <= 0 ? "" : folder_of({path, static_cast<std::size_t>(size)});
}

// Of libcoroscope-emit itself.
std::string own_folder() {
    Dl_info info{};
    if (::dladdr(reinterpret_cast<void*>(&cs_open), &info) == 0 || info.dli_fname == nullptr) return "";
    return folder_of(info.dli_fname);
}

// Several versions may be installed side by side: each in a folder of its version, beside its libcoroscope-emit.
std::vector<std::string> places() {
    const std::string own = own_folder(), executable = executable_folder();
    std::vector<std::string> all;
    all.push_back(own + "/coroscope-" COROSCOPE_VERSION "/" + library_name);
    all.push_back(own + "/" + library_name);
    for (const char* beside : {"/", "/../lib/", "/../../lib/"}) all.push_back(executable + beside + library_name);
    all.emplace_back(library_name);  // the system's search
    return all;
}

// nullptr: it does not load, or is not of this version.
const DebugLibrary* load(const std::string& place, std::string& why_not) {
    void* library = ::dlopen(place.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
        const char* error = ::dlerror();
        why_not = error == nullptr ? place + " does not load" : error;
        return nullptr;
    }
    // dlsym gives an object pointer; POSIX promises that it converts.
    const auto find = reinterpret_cast<DebugLibraryFunction>(::dlsym(library, debug_library_name));
    if (find == nullptr) {
        why_not = place + " is not coroscope's, or of another version";
        return nullptr;
    }
    if (const DebugLibrary* found = find(pair_version().c_str())) return found;
    const auto version = reinterpret_cast<DebugVersionFunction>(::dlsym(library, debug_version_name));
    why_not = place + " is of version " + (version == nullptr ? "?" : version()) + ", and libcoroscope-emit of " +
              pair_version() + ": install both from the same package";
    return nullptr;
}

const DebugLibrary* find_library(std::string& why_not) {
    const std::string named = variable("COROSCOPE_DEBUG_LIBRARY");
    if (!named.empty()) return load(named, why_not);
    for (const std::string& place : places()) {
        // One that is there but does not load says why; one that is not there is no news.
        const bool is_path = place.find('/') != std::string::npos;
        if (is_path && ::access(place.c_str(), F_OK) != 0) continue;
        std::string why_not_this;
        if (const DebugLibrary* library = load(place, why_not_this)) return library;
        if (is_path || why_not.empty()) why_not = why_not_this;
    }
    return nullptr;
}

void read_settings(Registry& registry) {
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

std::string target_of_process(const std::string& target, bool in_child) {
    constexpr std::string_view file = "file:";
    if (!target.starts_with(file)) return target;
    return std::string(file) + expand_trace_path(std::string_view(target).substr(file.size()), in_child);
}

void close_at_exit() { close_switch(most_flush_ms); }

// Under the mutex, as all below. nullptr: it started. Else why not.
const char* give_reason(State& all, const std::string& text) { return all.reasons.emplace_front(text).c_str(); }

const char* start(State& all, bool forked) {
    if (all.library == nullptr) {
        std::string why_not;
        all.library = find_library(why_not);
        if (all.library == nullptr) {
            if (why_not.empty()) why_not = std::string(library_name) + " was not found";
            return give_reason(all, "debug mode stays off: " + why_not + "; set COROSCOPE_DEBUG_LIBRARY to its path");
        }
        std::atexit(close_at_exit);
    }
    Registry& shared = registry();
    if (!forked) read_settings(shared);
    const std::string level = variable("COROSCOPE_LOG");
    const std::string target = target_of_process(all.target, forked);
    DebugStart options;
    options.target = target.c_str();
    options.name = all.app_name.empty() ? nullptr : all.app_name.c_str();
    options.log_level = level.empty() ? nullptr : level.c_str();
    options.signal_threads = variable("COROSCOPE_STALL_SIGNAL") != "0";
    options.forked = forked;
    const char* error = nullptr;
    all.session = all.library->start(&shared, &options, &error);
    if (all.session == nullptr)
        return give_reason(all, std::string("debug mode stays off: ") + (error == nullptr ? "out of memory" : error));
    all.owner = ::getpid();
    shared.set_on(true);
    return nullptr;
}

}  // namespace

const char* open_switch(const char* target, const char* app_name) {
    State& all = state();
    const std::scoped_lock lock(all.mutex);
    if (all.closed) return nullptr;
    if (std::exchange(all.forked, false)) return start(all, true);
    if (all.tried) return nullptr;
    std::string why_not;
    const std::string found = target_of(target != nullptr ? target : variable("COROSCOPE"), why_not);
    if (found.empty() && why_not.empty()) return nullptr;
    all.tried = true;
    if (found.empty()) return give_reason(all, why_not);
    all.target = found;
    all.app_name = variable("COROSCOPE_NAME");
    if (all.app_name.empty() && app_name != nullptr) all.app_name = app_name;
    return start(all, false);
}

const char* reopen_in_child() {
    State& all = state();
    const std::scoped_lock lock(all.mutex);
    return std::exchange(all.forked, false) ? start(all, true) : nullptr;
}

void close_switch(std::uint32_t most_ms) noexcept {
    State& all = state();
    DebugSession* session = nullptr;
    {
        const std::scoped_lock lock(all.mutex);
        if (all.session == nullptr || all.owner != ::getpid()) return;  // a forked child has no drainer
        all.closed = true;
        session = all.session;
        all.session = nullptr;
    }
    registry().set_on(false);
    all.library->stop(session, most_ms);
}

void before_fork() noexcept {
    State& all = state();
    all.mutex.lock();
    if (all.session != nullptr) all.library->hold(all.session);
    registry().lock_all();
}

void after_fork_in_parent() noexcept {
    State& all = state();
    registry().unlock_all();
    if (all.session != nullptr) all.library->release(all.session);
    all.mutex.unlock();
}

void after_fork_in_child() noexcept {
    State& all = state();
    registry().start_anew_in_child();
    forget_thread_in_child();
    registry().unlock_all();
    if (all.session != nullptr) {
        all.library->release(all.session);
        all.session = nullptr;  // leaked: its threads are not here to be ended
        all.forked = true;
    }
    all.mutex.unlock();
}

}  // namespace coroscope::probe
