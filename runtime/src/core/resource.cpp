#include "coroscope/detail/resource.hpp"

#include <pthread.h>

#include <mutex>
#include <new>
#include <string>

#include "coroscope/detail/assert.hpp"
#include "observe.hpp"

namespace coroscope::detail {

namespace {

struct ChangedLevels;

}  // namespace

// Of one resource that the debugger knows, or was given a name. On the heap: it is there only while it is worth it.
struct ResourceRecord : ResourceUse {
    std::uint64_t id = 0;  // 0: debug mode was off until now, it is defined at the first wait
    std::uint32_t thread = 0;
    bool has_level = false;
    bool level_reported = false;
    std::string name;
    ResourceRecord* next = nullptr;  // all there are: under Records::mutex
    ResourceRecord* previous = nullptr;
    ChangedLevels* changed_in = nullptr;  // nullptr: its level has been reported
    ResourceRecord* next_changed = nullptr;
    ResourceRecord* previous_changed = nullptr;
};

namespace {

using probe::EventKind;

struct Records {
    std::mutex mutex;
    ResourceRecord* first = nullptr;  // under mutex
};
Records* make_records();
Records& records() {
    static Records* const all = make_records();  // leaked on purpose: a resource may be a static object
    return *all;
}
// A forked child destroys its resources as ever, and none of the threads that it lacks has the mutex.
Records* make_records() {
    const auto unlock = [] { records().mutex.unlock(); };
    ::pthread_atfork([] { records().mutex.lock(); }, unlock, unlock);
    return new Records;
}

// The resources of this thread whose levels have changed since they were reported.
struct ChangedLevels {
    ResourceRecord* first = nullptr;

    ~ChangedLevels() {
        while (first != nullptr) remove(*first);
    }
    void add(ResourceRecord& record) noexcept {
        record.level_changed = true;
        record.changed_in = this;
        record.previous_changed = nullptr;
        record.next_changed = first;
        if (first != nullptr) first->previous_changed = &record;
        first = &record;
    }
    void remove(ResourceRecord& record) noexcept {
        COROSCOPE_ASSERT(
            (record.previous_changed != nullptr ? record.previous_changed->next_changed : first) == &record,
            "the neighbours of a resource whose level has changed refer to it");
        (record.previous_changed != nullptr ? record.previous_changed->next_changed : first) = record.next_changed;
        if (record.next_changed != nullptr) record.next_changed->previous_changed = record.previous_changed;
        record.changed_in = nullptr;
        record.level_changed = false;
    }
};
thread_local ChangedLevels changed_levels;

std::uint32_t this_thread_id() noexcept {
    const cs_producer* const producer = probe::this_thread();
    return producer != nullptr ? producer->thread : 0;
}

bool has_level(ResourceType type) noexcept { return !vocabulary::row(type).level.empty(); }

// The node of the co_await at which the running frame is or, if it is at none, of the frame.
probe::NodeId node_here(bool awaited) noexcept {
    if (current_task == nullptr || current_frame == nullptr) return 0;
    const probe::NodeId frame = frame_node(*current_frame, *current_task);
    return awaited ? probe::intern_node(frame, current_frame->await_site, probe::NodeKind::call) : frame;
}

// 0: debug mode is off, or the table is full.
std::uint64_t define_resource(const ResourceTraits& traits, const std::string& name, probe::NodeId created_at,
                              std::uint64_t created_by) noexcept {
    cs_resource_info info{};
    info.size = sizeof info;
    info.type = static_cast<std::uint32_t>(traits.type);
    info.name = name.c_str();
    info.created_at = created_at;
    info.created_by = created_by;
    info.capacity = traits.capacity;
    info.parent = traits.parent;
    info.system_id = traits.system_id;
    return cs_resource_new(&info);
}

}  // namespace

ResourceRecord& Resource::record() const noexcept { return static_cast<ResourceRecord&>(*use_); }

std::uint64_t Resource::id() const noexcept { return use_ != nullptr ? record().id : 0; }

void Resource::make(const ResourceTraits& traits, const std::source_location& where) noexcept {
    define(traits, call_node(where), current_task != nullptr ? current_task->id : 0);
}

void Resource::make(const ResourceTraits& traits) noexcept {
    define(traits, node_here(false), current_task != nullptr ? current_task->id : 0);
}

void Resource::make_at_await(const ResourceTraits& traits) noexcept {
    define(traits, node_here(true), current_task != nullptr ? current_task->id : 0);
}

// Without memory, or past the bound of the table, the resource stays unknown: its id is 0.
void Resource::define(const ResourceTraits& traits, std::uint32_t created_at, std::uint64_t created_by) noexcept {
    try {
        if (use_ == nullptr) {
            auto* const made = new ResourceRecord;
            use_ = made;
            made->has_level = has_level(traits.type);
            const std::scoped_lock lock(records().mutex);
            made->next = records().first;
            if (made->next != nullptr) made->next->previous = made;
            records().first = made;
        }
        ResourceRecord& self = record();
        if (self.name.empty()) self.name = traits.name;
        if (!probe::on()) return;
        self.thread = this_thread_id();
        self.id = define_resource(traits, self.name, created_at, created_by);
        if (self.has_level && traits.level != 0) changed(traits.level);
    } catch (...) {
    }
}

void Resource::set_name(std::string_view name, const ResourceTraits& traits) noexcept {
    try {
        if (use_ == nullptr) define(traits, node_here(false), current_task != nullptr ? current_task->id : 0);
        if (use_ == nullptr) return;
        record().name = name;
        cs_resource_name(id(), record().name.c_str());
    } catch (...) {  // out of memory: it stays unnamed
    }
}

std::uint64_t Resource::wait(Verb verb, const TaskControl& waiter, const ResourceTraits& traits) noexcept {
    if (id() == 0 && probe::on()) {
        const bool made_here = traits.made_by_wait;
        define(traits, made_here ? suspension_node(waiter) : 0, made_here ? waiter.id : 0);
    }
    return vocabulary::pack_wait(verb, id());
}

inline bool Resource::is_new(std::uint64_t use) noexcept {
    const std::uint64_t place = vocabulary::task_of_use(use) + vocabulary::role_of(use);
    std::uint64_t& last = use_->last_uses[place & (ResourceUse::remembered - 1)];
    if (last == use) [[likely]]
        return false;
    last = use;
    return true;
}

void Resource::note(Role role, bool awaited) noexcept {
    const std::uint64_t use = vocabulary::pack_use(role, current_task != nullptr ? current_task->id : 0);
    if (is_new(use)) [[unlikely]]
        report_use_here(use, awaited);
}

void Resource::note(Role role, bool awaited, std::uint64_t level) noexcept {
    note(role, awaited);
    changed(level);
}

void Resource::note_of(const TaskControl& task, Role role) noexcept {
    const std::uint64_t use = vocabulary::pack_use(role, task.id);
    if (is_new(use)) report_use(use, task.suspended_node);
}

void Resource::changed(std::uint64_t level) noexcept {
    use_->level = level;
    if (!use_->level_changed) [[unlikely]]
        remember_change();
}

void Resource::report_use(std::uint64_t use, std::uint32_t node) const noexcept {
    if (probe::on() && id() != 0) probe::emit(EventKind::resource_used, id(), use, node);
}

void Resource::report_use_here(std::uint64_t use, bool awaited) const noexcept {
    if (probe::on()) report_use(use, node_here(awaited));
}

void Resource::remember_change() noexcept {
    if (record().has_level && probe::on()) changed_levels.add(record());
}

void Resource::report_unfinished(std::uint64_t count) const noexcept {
    if (id() != 0) probe::emit(EventKind::unfinished, id(), count);
}

void Resource::member(const TaskControl& task) const noexcept {
    if (id() != 0) probe::emit(EventKind::member, id(), task.id);
}

void Resource::close() noexcept {
    ResourceRecord* const gone = &record();
    use_ = nullptr;
    if (gone->changed_in != nullptr) gone->changed_in->remove(*gone);
    {
        const std::scoped_lock lock(records().mutex);
        (gone->previous != nullptr ? gone->previous->next : records().first) = gone->next;
        if (gone->next != nullptr) gone->next->previous = gone->previous;
    }
    if (gone->id != 0) cs_resource_close(gone->id);
    delete gone;
}

void report_changed_levels() noexcept {
    while (changed_levels.first != nullptr) {
        ResourceRecord& record = *changed_levels.first;
        changed_levels.remove(record);
        if (record.id == 0) continue;
        record.level_reported = true;
        probe::emit(EventKind::resource_level, record.id, record.level);
    }
}

void list_resources() noexcept {
    const std::uint32_t thread = this_thread_id();
    const std::scoped_lock lock(records().mutex);
    for (const ResourceRecord* record = records().first; record != nullptr; record = record->next) {
        if (record->thread != thread || record->id == 0) continue;
        if (record->level_reported) probe::emit(EventKind::resource_level, record->id, record->level);
        for (const std::uint64_t use : record->last_uses)
            if (use != 0) probe::emit(EventKind::resource_used, record->id, use);
    }
}

}  // namespace coroscope::detail
