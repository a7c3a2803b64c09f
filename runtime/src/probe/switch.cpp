#include "switch.hpp"

#include <unistd.h>

#include <cstdlib>
#include <forward_list>
#include <mutex>
#include <set>
#include <string_view>
#include <utility>

#include "coroscope/emit.h"
#include "find_library.hpp"
#include "json.hpp"
#include "process.hpp"
#include "proto/address/agent_address.hpp"
#include "proto/address/default_address.hpp"
#include "proto/address/trace_path.hpp"
#include "standby.hpp"

namespace coroscope::probe {

namespace {

constexpr std::uint32_t most_flush_ms = 1000;

// What the switch remembers. Never destroyed: atexit handlers and threads use it to the end.
struct State {
    std::mutex mutex;
    const DebugLibrary* library = nullptr;  // under mutex, as all below
    DebugSession* session = nullptr;
    bool tried = false;   // by cs_open(): once a process
    bool closed = false;  // for good
    bool settings_read = false;
    bool was_forked = false;     // from a process that has been observed
    bool must_reopen = false;    // from one that was observed just then, and it has not started yet
    pid_t owner = 0;             // of the session
    std::string target;          // of the last session
    std::string parents_target;  // the same as it was asked for: a forked child makes its own of it
    std::string asked_target;    // what COROSCOPE=standby:TARGET says
    std::string app_name;
    std::set<std::string> files;             // targets, written by this process: none is written over
    std::forward_list<std::string> reasons;  // given out; their texts live on
};
State& state() noexcept {
    static State* const the_state = new State;
    return *the_state;
}

void say(const std::string& text) noexcept { cs_log(CS_LOG_WARNING, text.c_str()); }

// What somebody asked for by a text as that of COROSCOPE.
struct Wanted {
    enum class What : std::uint8_t { nothing, off, standby, on };
    What what = What::nothing;
    std::string target{};   // "": the default
    std::string why_not{};  // the text is not understood
};

Wanted wanted_target(Wanted::What what, const std::string& value) {
    if (value.empty() || value == "1") return {what};
    if (value.starts_with("file:") && value.size() > 5) return {what, value};
    try {
        return {what, AgentAddress::parse(value).text()};
    } catch (const AddressError& error) {
        return {Wanted::What::nothing, "", "'" + value + "' is not understood (" + error.what() + ")"};
    }
}

Wanted wanted_by(const std::string& value) {
    constexpr std::string_view standby = "standby";
    if (value.empty()) return {standby_signal_asked() ? Wanted::What::standby : Wanted::What::nothing};
    if (value == "0") return {Wanted::What::off};
    if (value == standby) return {Wanted::What::standby};
    if (value.starts_with(standby) && value[standby.size()] == ':')
        return wanted_target(Wanted::What::standby, value.substr(standby.size() + 1));
    return wanted_target(Wanted::What::on, value);
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

// A child must not write into its parent's file, and a later session of a process not into that of an earlier one.
std::string own_target(const State& all, const std::string& target, bool in_child) {
    constexpr std::string_view file = "file:";
    if (!target.starts_with(file)) return target;
    const std::string path = expand_trace_path(std::string_view(target).substr(file.size()), in_child);
    std::string own = path;
    for (int n = 2; all.files.contains(std::string(file) + own); ++n) own = path_with(path, std::to_string(n));
    return std::string(file) + own;
}

void close_at_exit() { close_switch(most_flush_ms); }

// Under the mutex, as all below. nullptr: it started. Else why not.
const char* give_reason(State& all, const std::string& text) { return all.reasons.emplace_front(text).c_str(); }

// False: `why_not` says more.
bool load_library(State& all, std::string& why_not) {
    if (all.library != nullptr) return true;
    all.library = find_library(why_not);
    if (all.library != nullptr) return true;
    if (why_not.empty()) why_not = std::string(library_name) + " was not found";
    why_not += "; set COROSCOPE_DEBUG_LIBRARY to its path";
    return false;
}

enum class When : std::uint8_t { first_loop, late };

const char* start(State& all, const std::string& asked, When when, bool in_child) {
    const std::string target = own_target(all, asked, in_child);
    const bool had_library = all.library != nullptr;
    if (std::string why_not; !load_library(all, why_not)) return give_reason(all, "debug mode stays off: " + why_not);
    if (!had_library) std::atexit(close_at_exit);
    Registry& shared = registry();
    if (!std::exchange(all.settings_read, true)) read_settings(shared);
    const std::string level = variable("COROSCOPE_LOG");
    DebugStart options;
    options.target = target.c_str();
    options.name = all.app_name.empty() ? nullptr : all.app_name.c_str();
    options.log_level = level.empty() ? nullptr : level.c_str();
    options.signal_threads = variable("COROSCOPE_STALL_SIGNAL") != "0";
    options.forked = all.was_forked;
    options.late = when == When::late;
    const char* error = nullptr;
    all.session = all.library->start(&shared, &options, &error);
    if (all.session == nullptr)
        return give_reason(all, std::string("debug mode stays off: ") + (error == nullptr ? "out of memory" : error));
    all.owner = ::getpid();
    all.target = target;
    all.files.insert(target);
    all.parents_target = asked;
    shared.set_on(true);
    static_cast<void>(listen_for_tools());  // nobody asked for that: it is no news if it cannot be
    return nullptr;
}

const char* start_in_child(State& all) {
    all.must_reopen = false;
    return start(all, all.parents_target, When::first_loop, true);
}

void read_app_name(State& all, const char* given) {
    if (all.app_name.empty()) all.app_name = variable("COROSCOPE_NAME");
    if (all.app_name.empty() && given != nullptr) all.app_name = given;
}

const char* stand_by(State& all, const std::string& target) {
    all.asked_target = target;
    const std::string why_not = listen_for_tools();
    return why_not.empty() ? nullptr : give_reason(all, why_not);
}

}  // namespace

const char* open_switch(const char* target, const char* app_name) {
    State& all = state();
    const std::scoped_lock lock(all.mutex);
    if (all.closed) return nullptr;
    if (all.must_reopen) return start_in_child(all);
    if (all.tried) return nullptr;
    const std::string value = target != nullptr ? target : variable("COROSCOPE");
    const Wanted wanted = wanted_by(value);
    if (wanted.why_not.empty() && (wanted.what == Wanted::What::nothing || wanted.what == Wanted::What::off))
        return nullptr;
    read_app_name(all, app_name);
    if (wanted.what == Wanted::What::standby) return stand_by(all, wanted.target);
    all.tried = true;
    if (!wanted.why_not.empty())
        return give_reason(all, "COROSCOPE=" + wanted.why_not +
                                    "; use 1 (the default agent), unix:PATH, HOST:PORT, file:PATH or standby. Debug "
                                    "mode stays off");
    return start(all, wanted.target.empty() ? default_address() : wanted.target, When::first_loop, false);
}

const char* reopen_in_child() {
    State& all = state();
    const std::scoped_lock lock(all.mutex);
    return all.must_reopen ? start_in_child(all) : nullptr;
}

const char* switch_on(const char* target) {
    State& all = state();
    {
        const std::scoped_lock lock(all.mutex);
        if (all.closed) return give_reason(all, "debug mode stays off: the program is ending");
        if (all.session != nullptr) return nullptr;
        const Wanted environment = wanted_by(variable("COROSCOPE"));
        if (environment.what == Wanted::What::off)
            return give_reason(all, "debug mode stays off: COROSCOPE=0 forbids it");
        Wanted wanted = environment;
        if (target != nullptr) wanted = wanted_target(Wanted::What::on, target);
        if (!wanted.why_not.empty()) return give_reason(all, "debug mode stays off: " + wanted.why_not);
        read_app_name(all, nullptr);
        all.tried = true;
        const bool is_parents = std::exchange(all.must_reopen, false) && target == nullptr;
        if (target == nullptr && wanted.target.empty()) wanted.target = all.asked_target;
        const std::string whole = wanted.target.empty() ? default_address() : wanted.target;
        if (const char* why_not = start(all, whole, When::late, is_parents)) return why_not;
    }
    // The tasks that there are.
    registry().want_snapshot();
    for (const Runtime* runtime : registry().all_runtimes())
        if (runtime->list_tasks != nullptr) runtime->list_tasks(runtime->self);
    return nullptr;
}

namespace {

// A forked child has no drainer.
bool has_session(const State& all) { return all.session != nullptr && all.owner == ::getpid(); }

}  // namespace

void switch_off(std::uint32_t most_ms) noexcept {
    State& all = state();
    const std::scoped_lock lock(all.mutex);  // to the end: two drainers would take from one ring
    if (!has_session(all)) return;
    registry().set_on(false);
    all.library->stop(std::exchange(all.session, nullptr), most_ms, false);
}

void close_switch(std::uint32_t most_ms) noexcept {
    State& all = state();
    DebugSession* session = nullptr;
    {
        const std::scoped_lock lock(all.mutex);
        if (all.must_reopen) return;
        all.closed = true;
        if (!has_session(all)) return;
        session = std::exchange(all.session, nullptr);
    }
    registry().set_on(false);
    all.library->stop(session, most_ms, true);
}

SwitchState switch_state() {
    State& all = state();
    const std::scoped_lock lock(all.mutex);
    const bool on = has_session(all);
    return {on, on ? all.target : all.asked_target, all.app_name};
}

std::string look_at_thread(std::uint64_t tid) {
    State& all = state();
    ThreadLook* look = nullptr;
    std::string why_not;
    {
        const std::scoped_lock lock(all.mutex);  // no fork meanwhile
        if (load_library(all, why_not)) look = all.library->look_at(tid, variable("COROSCOPE_STALL_SIGNAL") != "0");
    }
    if (look == nullptr) return R"({"state":"unknown","why":)" + json_text(why_not) + "}";
    return all.library->tell(look);
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
        all.must_reopen = true;
    }
    all.was_forked = all.was_forked || all.library != nullptr;
    stop_listening_in_child();
    all.mutex.unlock();
}

}  // namespace coroscope::probe
