#include "coroscope/detail/resource.hpp"

#include <pthread.h>

#include <mutex>
#include <new>
#include <string>
#include <utility>

#include "coroscope/detail/assert.hpp"
#include "observe.hpp"

namespace coroscope::detail {

thread_local constinit UsedInStep used_in_step;

namespace {

// In the list of resources whose levels may have changed.
struct LevelLinks {
    ResourceRecord** list = nullptr;  // its first; nullptr: in none
    ResourceRecord* next = nullptr;
    ResourceRecord* previous = nullptr;
};

// The uses that were reported, as vocabulary::pack_use(): each is reported once, as long as it is here. The table grows
// with the number of tasks that use the resource again and again, and not past a bound: beyond that a use may be
// reported again, which costs an event and says nothing false.
class KnownUses {
public:
    ~KnownUses() {
        if (uses_ != first_) delete[] uses_;
    }
    KnownUses() noexcept = default;
    KnownUses(const KnownUses&) = delete;
    KnownUses& operator=(const KnownUses&) = delete;

    bool has(std::uint64_t use) const noexcept { return uses_[place_of(use)] == use; }
    void add(std::uint64_t use) noexcept {
        std::uint64_t* place = &uses_[place_of(use)];
        if (*place != 0 && size_ < most && ++pushed_out_ >= size_ / 2 && grow()) place = &uses_[place_of(use)];
        *place = use;
    }
    template <class Visit>
    void for_each(Visit visit) const {
        for (std::size_t i = 0; i < size_; ++i)
            if (uses_[i] != 0) visit(uses_[i]);
    }

private:
    static constexpr std::size_t first_size = 8, most = 512;  // powers of two
    std::size_t place_of(std::uint64_t use) const noexcept {
        return static_cast<std::size_t>((use * 0x9e37'79b9'7f4a'7c15) >> 40) & (size_ - 1);
    }
    bool grow() noexcept {
        pushed_out_ = 0;
        auto* const larger = new (std::nothrow) std::uint64_t[size_ * 4]();
        if (larger == nullptr) return false;
        const std::uint64_t* const before = uses_;
        const std::size_t size_before = std::exchange(size_, size_ * 4);
        uses_ = larger;
        for (std::size_t i = 0; i < size_before; ++i)
            if (before[i] != 0) larger[place_of(before[i])] = before[i];
        if (before != first_) delete[] before;
        return true;
    }

    std::uint64_t first_[first_size] = {};
    std::uint64_t* uses_ = first_;
    std::size_t size_ = first_size;
    std::size_t pushed_out_ = 0;  // since it has this size
};

}  // namespace

// Of one resource that the debugger knows, or was given a name. On the heap: it is there only while it is worth it.
struct ResourceRecord {
    std::uint64_t id = 0;  // 0: debug mode was off until now, it is defined at the first wait
    std::uint32_t thread = 0;
    bool has_level = false;
    bool level_reported = false;
    std::uint64_t (*level_of)(const void* owner) noexcept = nullptr;
    const void* owner = nullptr;
    std::uint64_t level = 0;  // as last reported; without level_of: as it is
    KnownUses uses;
    std::string name;
    ResourceRecord* next = nullptr;  // all there are: under Records::mutex
    ResourceRecord* previous = nullptr;
    LevelLinks level_links;
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

// The resources of this thread whose levels may have changed since they were reported.
thread_local constinit ResourceRecord* changed_levels = nullptr;

void forget_level(ResourceRecord& record) noexcept {
    LevelLinks& its = record.level_links;
    if (its.list == nullptr) return;
    COROSCOPE_ASSERT((its.previous != nullptr ? its.previous->level_links.next : *its.list) == &record,
                     "the neighbours of a resource whose level has changed refer to it");
    (its.previous != nullptr ? its.previous->level_links.next : *its.list) = its.next;
    if (its.next != nullptr) its.next->level_links.previous = its.previous;
    its = {};
}

// A resource may outlive the thread in whose list it is.
struct LevelsOfThread {
    ~LevelsOfThread() {
        while (changed_levels != nullptr) forget_level(*changed_levels);
    }
    void are_used() const noexcept {}
};
thread_local const LevelsOfThread levels_of_thread;

void remember_level(ResourceRecord& record) noexcept {
    LevelLinks& its = record.level_links;
    if (changed_levels == nullptr) levels_of_thread.are_used();
    its.list = &changed_levels;
    its.next = changed_levels;
    if (its.next != nullptr) its.next->level_links.previous = &record;
    changed_levels = &record;
}

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

std::uint64_t Resource::id() const noexcept { return record_ != nullptr ? record_->id : 0; }

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
        if (record_ == nullptr) {
            auto* const made = new ResourceRecord;
            record_ = made;
            of_interest_ = all_roles;
            made->has_level = has_level(traits.type);
            made->level_of = traits.level_of;
            made->owner = traits.owner;
            const std::scoped_lock lock(records().mutex);
            made->next = records().first;
            if (made->next != nullptr) made->next->previous = made;
            records().first = made;
        }
        ResourceRecord& self = *record_;
        if (self.name.empty()) self.name = traits.name;
        if (!probe::on()) return;
        self.thread = this_thread_id();
        self.id = define_resource(traits, self.name, created_at, created_by);
        if (self.level_of != nullptr && self.level_of(self.owner) != 0) note_level();
    } catch (...) {
    }
}

void Resource::set_name(std::string_view name, const ResourceTraits& traits) noexcept {
    try {
        if (record_ == nullptr) define(traits, node_here(false), current_task != nullptr ? current_task->id : 0);
        if (record_ == nullptr) return;
        record_->name = name;
        cs_resource_name(id(), record_->name.c_str());
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

// Hot where each step uses the resource once: what is done seldom is in functions of its own, so that this one needs no
// registers of its caller.
void Resource::note(Role role, bool awaited) noexcept {
    used_in_step.add(*this, role);
    const ResourceRecord& self = *record_;
    if (self.has_level && self.level_links.list == nullptr) note_level();
    const std::uint64_t use = vocabulary::pack_use(role, current_task != nullptr ? current_task->id : 0);
    if (!self.uses.has(use)) [[unlikely]]
        note_new(use, awaited);
}

void Resource::note_new(std::uint64_t use, bool awaited) noexcept {
    if (record_->id == 0 || !probe::on()) return;
    record_->uses.add(use);
    probe::emit(EventKind::resource_used, record_->id, use, node_here(awaited));
}

void Resource::note_of(const TaskControl& task, Role role) noexcept {
    note_level();
    const std::uint64_t use = vocabulary::pack_use(role, task.id);
    if (record_->uses.has(use) || record_->id == 0 || !probe::on()) return;
    record_->uses.add(use);
    probe::emit(EventKind::resource_used, record_->id, use, task.suspended_node);
}

void Resource::note_level() noexcept {
    if (record_->has_level && record_->level_links.list == nullptr && probe::on()) remember_level(*record_);
}

void Resource::set_level(std::uint64_t level) noexcept {
    record_->level = level;
    note_level();
}

void Resource::report_unfinished(std::uint64_t count) const noexcept {
    if (id() != 0) probe::emit(EventKind::unfinished, id(), count);
}

void Resource::member(const TaskControl& task) const noexcept {
    if (id() != 0) probe::emit(EventKind::member, id(), task.id);
}

void Resource::close() noexcept {
    ResourceRecord* const gone = std::exchange(record_, nullptr);
    if (std::exchange(of_interest_, 0) != all_roles) used_in_step.remove(*this);
    forget_level(*gone);
    {
        const std::scoped_lock lock(records().mutex);
        (gone->previous != nullptr ? gone->previous->next : records().first) = gone->next;
        if (gone->next != nullptr) gone->next->previous = gone->previous;
    }
    if (gone->id != 0) cs_resource_close(gone->id);
    delete gone;
}

void report_changed_levels() noexcept {
    while (changed_levels != nullptr) {
        ResourceRecord& record = *changed_levels;
        forget_level(record);
        if (record.id == 0) continue;
        if (record.level_of != nullptr) {
            const std::uint64_t level = record.level_of(record.owner);
            if (level == record.level && record.level_reported) continue;
            record.level = level;
        }
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
        record->uses.for_each([record](std::uint64_t use) { probe::emit(EventKind::resource_used, record->id, use); });
    }
}

}  // namespace coroscope::detail
