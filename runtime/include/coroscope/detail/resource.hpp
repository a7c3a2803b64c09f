// What a lock, a queue, a socket ... is for the debugger. Each holds a Resource: one pointer, nullptr while debug mode
// is off, so an operation that nobody observes pays one null check.
//
// The record behind the pointer is made when its owner is constructed, if debug mode is on by then, or at the first
// wait, or by set_name(). Thread: that of the loop whose tasks use the owner.
#pragma once

#include <cstddef>
#include <cstdint>
#include <source_location>
#include <string_view>

#include "coroscope/detail/debug_switch.hpp"
#include "coroscope/detail/task_control.hpp"
#include "coroscope/vocabulary.hpp"

namespace coroscope::detail {

using vocabulary::ResourceType;
using vocabulary::Role;

struct ResourceRecord;

// What operations look at. The rest of the record is in runtime/src/core/resource.cpp.
struct ResourceUse {
    static constexpr std::size_t remembered = 8;  // a power of two
    std::uint64_t last_uses[remembered] = {};     // as vocabulary::pack_use(); each is reported once, while it is here
    std::uint64_t level = 0;
    bool level_changed = false;  // since the loop reported it
};

// What a resource is: given wherever its record may be made, so that nothing of it is stored while debug mode is off.
struct ResourceTraits {
    ResourceType type = ResourceType::unknown;
    std::int64_t capacity = 0;    // 0: unbounded, or it has none
    std::uint64_t level = 0;      // now
    std::uint64_t parent = 0;     // id of another resource
    std::uint64_t system_id = 0;  // file descriptor + 1, or process id
    // It is made by the operation that waits on it (a gather, a job), so the wait's place is the place of its making.
    bool made_by_wait = false;
    std::string_view name = {};
};

class Resource {
public:
    Resource() noexcept = default;
    Resource(const Resource&) = delete;
    Resource& operator=(const Resource&) = delete;
    ~Resource() { end(); }

    // In the owner's constructor.
    void constructed(const ResourceTraits& traits, const std::source_location& where) noexcept {
        if (debug_enabled()) [[unlikely]]
            make(traits, where);
    }
    // The same for what the runtime makes: the place is the coroutine that runs.
    void constructed(const ResourceTraits& traits) noexcept {
        if (debug_enabled()) [[unlikely]]
            make(traits);
    }
    // In the operation that makes it and waits on it, where that has to be before the wait is reported.
    void made_by_wait(const ResourceTraits& traits) noexcept {
        if (debug_enabled()) [[unlikely]]
            make_at_await(traits);
    }
    // It is no more, though its owner still exists. Idempotent.
    void end() noexcept {
        if (use_ != nullptr) [[unlikely]]
            close();
    }
    // What `waiter` waits for, as vocabulary::pack_wait(). Makes the record if there is none.
    std::uint64_t wait(Verb verb, const TaskControl& waiter, const ResourceTraits& traits) noexcept;
    // Its id; 0: it has no record.
    std::uint64_t id() const noexcept;
    // The running task did this. `awaited`: by a co_await, whose place is reported; else only its coroutine is. What
    // follows the null checks is out of line: inlined, it would make the operations of queues too large to be inlined.
    void used(Role role, bool awaited) noexcept {
        if (use_ != nullptr) [[unlikely]]
            note(role, awaited);
    }
    void used(Role role, bool awaited, std::uint64_t level) noexcept {
        if (use_ != nullptr) [[unlikely]]
            note(role, awaited, level);
    }
    // A task that waits did it: it was handed over what it waits for.
    void used_by(const TaskControl& task, Role role) noexcept {
        if (use_ != nullptr) [[unlikely]]
            note_of(task, role);
    }
    void level_is(std::uint64_t level) noexcept {
        if (use_ != nullptr) [[unlikely]]
            changed(level);
    }
    // Items of a queue for which task_done() has not been called: of interest while a task waits for that.
    void unfinished_is(std::uint64_t count) const noexcept {
        if (use_ != nullptr) [[unlikely]]
            report_unfinished(count);
    }
    // A task belongs to it: a group, a gather.
    void member(const TaskControl& task) const noexcept;
    void set_name(std::string_view name, const ResourceTraits& traits) noexcept;

private:
    void note(Role role, bool awaited) noexcept;
    void note(Role role, bool awaited, std::uint64_t level) noexcept;
    void note_of(const TaskControl& task, Role role) noexcept;
    void changed(std::uint64_t level) noexcept;
    bool is_new(std::uint64_t use) noexcept;
    void make(const ResourceTraits& traits, const std::source_location& where) noexcept;
    void make(const ResourceTraits& traits) noexcept;
    void make_at_await(const ResourceTraits& traits) noexcept;
    void define(const ResourceTraits& traits, std::uint32_t created_at, std::uint64_t created_by) noexcept;
    void report_use(std::uint64_t use, std::uint32_t node) const noexcept;
    void report_use_here(std::uint64_t use, bool awaited) const noexcept;
    void remember_change() noexcept;
    void report_unfinished(std::uint64_t count) const noexcept;
    void close() noexcept;
    ResourceRecord& record() const noexcept;

    ResourceUse* use_ = nullptr;  // the base of a ResourceRecord
};

// For the loop. Reports the levels that changed since the last call on this thread.
void report_changed_levels() noexcept;
// Reports users and levels of all resources of this thread anew: part of a snapshot.
void list_resources() noexcept;

}  // namespace coroscope::detail
