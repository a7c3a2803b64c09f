// What a lock, a queue, a socket ... is for the debugger. Each holds a Resource, whose record is made when its owner is
// constructed, if debug mode is on by then, or at the first wait, or by set_name().
//
// An operation pays for one test of a bit: whether it is of interest that the running task does this. Without a record
// it never is. With one it is once a step for each role: all that a step does is done by one task, so the first put,
// get or release says who does it, and the further ones say nothing new. The next step makes them of interest again.
// Thread: that of the loop whose tasks use the owner.
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

// What a resource is: given wherever its record may be made, so that nothing of it is stored while debug mode is off.
struct ResourceTraits {
    ResourceType type = ResourceType::unknown;
    std::int64_t capacity = 0;  // 0: unbounded, or it has none
    // How much is in it now. It is asked when the loop reports levels, so that operations need not keep it up to date.
    std::uint64_t (*level_of)(const void* owner) noexcept = nullptr;
    const void* owner = nullptr;
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
        if (record_ != nullptr) [[unlikely]]
            close();
    }
    // What `waiter` waits for, as vocabulary::pack_wait(). Makes the record if there is none.
    std::uint64_t wait(Verb verb, const TaskControl& waiter, const ResourceTraits& traits) noexcept;
    // Its id; 0: it has no record.
    std::uint64_t id() const noexcept;
    // The running task did this; the level may have changed by it. `awaited`: by a co_await, whose place is reported;
    // else only its coroutine is.
    void used(Role role, bool awaited) noexcept {
        if ((of_interest_ & bit(role)) != 0) [[unlikely]]
            note(role, awaited);
    }
    // A task that waits did it: it was handed over what it waits for.
    void used_by(const TaskControl& task, Role role) noexcept {
        if (record_ != nullptr) [[unlikely]]
            note_of(task, role);
    }
    // The level changed by nobody's doing.
    void level_changed() noexcept {
        if (record_ != nullptr) [[unlikely]]
            note_level();
    }
    // Where the level is known from time to time only (ResourceTraits::level_of is null).
    void level_is(std::uint64_t level) noexcept {
        if (record_ != nullptr) [[unlikely]]
            set_level(level);
    }
    // Items of a queue for which task_done() has not been called: of interest while a task waits for that.
    void unfinished_is(std::uint64_t count) const noexcept {
        if (record_ != nullptr) [[unlikely]]
            report_unfinished(count);
    }
    // A task belongs to it: a group, a gather.
    void member(const TaskControl& task) const noexcept;
    void set_name(std::string_view name, const ResourceTraits& traits) noexcept;

private:
    friend class UsedInStep;
    static constexpr std::uint32_t all_roles = ~0u;
    static constexpr std::uint32_t bit(Role role) noexcept { return 1u << static_cast<unsigned>(role); }
    void note(Role role, bool awaited) noexcept;
    [[gnu::noinline]] void note_new(std::uint64_t use, bool awaited) noexcept;
    void note_of(const TaskControl& task, Role role) noexcept;
    [[gnu::noinline]] void note_level() noexcept;
    void set_level(std::uint64_t level) noexcept;
    void make(const ResourceTraits& traits, const std::source_location& where) noexcept;
    void make(const ResourceTraits& traits) noexcept;
    void make_at_await(const ResourceTraits& traits) noexcept;
    void define(const ResourceTraits& traits, std::uint32_t created_at, std::uint64_t created_by) noexcept;
    void report_unfinished(std::uint64_t count) const noexcept;
    void close() noexcept;

    ResourceRecord* record_ = nullptr;  // nullptr: none
    std::uint32_t of_interest_ = 0;     // roles: see above
};

// The resources that the step which runs on this thread has used: they are of interest again when it has ended. The
// loop calls begin() and end() around each step and callback while debug mode is on. Outside of steps, and for more
// than `most` in a step, every use is looked at.
class UsedInStep {
public:
    constexpr UsedInStep() noexcept = default;
    void begin() noexcept { count_ = 0; }
    void end() noexcept {
        for (std::size_t i = 0; i < count_ && count_ <= most; ++i) resources_[i]->of_interest_ = Resource::all_roles;
        count_ = outside;
    }
    void add(Resource& used, Role role) noexcept {
        if (used.of_interest_ == Resource::all_roles) {
            if (count_ >= most) return;
            resources_[count_++] = &used;
        }
        used.of_interest_ &= ~Resource::bit(role);
    }
    void remove(const Resource& gone) noexcept {
        for (std::size_t i = 0; i < count_ && count_ <= most; ++i) {
            if (resources_[i] != &gone) continue;
            resources_[i] = resources_[--count_];
            return;
        }
    }

private:
    static constexpr std::size_t most = 30, outside = most + 1;
    std::size_t count_ = outside;
    Resource* resources_[most] = {};
};
extern thread_local constinit UsedInStep used_in_step;
// For the loop. Reports the levels that changed since the last call on this thread.
void report_changed_levels() noexcept;
// Reports users and levels of all resources of this thread anew: part of a snapshot.
void list_resources() noexcept;

}  // namespace coroscope::detail
