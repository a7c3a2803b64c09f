// Debug mode without its library: what the runtime reports stays in this process, and a test reads it here.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "coroscope/run.hpp"
#include "coroscope/task.hpp"
#include "coroscope/virtual_time_loop.hpp"
#include "runtime/src/probe/hooks.hpp"
#include "runtime/src/probe/process_registry.hpp"

namespace coroscope::test {

using DebugOn = probe::OnWithoutLibrary;

// What was reported on this thread since it was made.
class Observed {
public:
    Observed() {
        take();
        all_.clear();
        closed_.clear();
        events_.clear();
    }

    // In the order of their making.
    std::vector<probe::ResourceDefinition> resources() {
        take();
        std::vector<probe::ResourceDefinition> all;
        for (const auto& [id, definition] : all_) all.push_back(definition);
        return all;
    }
    // Also one that was made before.
    const probe::ResourceDefinition* resource(std::uint64_t id) {
        take(true);
        const auto found = all_.find(id);
        return found != all_.end() ? &found->second : nullptr;
    }
    std::vector<std::uint64_t> closed() {
        take();
        return closed_;
    }
    std::uint32_t line_of(probe::NodeId node) const {
        const auto& definitions = probe::process_registry().definitions;
        const auto path = definitions.path(node);
        return path.empty() ? 0 : definitions.site(path.front().site).line;
    }
    // The last wait of the task, as pack_wait().
    std::uint64_t wait_of(const AnyTask& task) {
        return last_argument(task.id(), [](const probe::Record& record) {
            return record.kind == vocabulary::EventKind::step_end ||
                   record.kind == vocabulary::EventKind::snapshot_state;
        });
    }
    std::uint64_t wait_of(const AnyTask& task, vocabulary::Verb verb) {
        return last_argument(task.id(), [verb](const probe::Record& record) {
            return record.kind == vocabulary::EventKind::step_end &&
                   vocabulary::verb_of(record.argument) == static_cast<std::uint8_t>(verb);
        });
    }
    std::uint64_t holder_named_by(const AnyTask& task) {
        return last_argument(
            task.id(), [](const probe::Record& record) { return record.kind == vocabulary::EventKind::wait_holder; });
    }
    std::vector<std::pair<std::uint64_t, vocabulary::Role>> uses_of(std::uint64_t resource) {
        std::vector<std::pair<std::uint64_t, vocabulary::Role>> uses;
        for (const std::uint64_t use : arguments(vocabulary::EventKind::resource_used, resource))
            uses.emplace_back(vocabulary::task_of_use(use), static_cast<vocabulary::Role>(vocabulary::role_of(use)));
        return uses;
    }
    std::vector<std::uint64_t> levels_of(std::uint64_t resource) {
        return arguments(vocabulary::EventKind::resource_level, resource);
    }
    std::vector<std::uint64_t> members_of(std::uint64_t resource) {
        auto members = arguments(vocabulary::EventKind::member, resource);
        std::sort(members.begin(), members.end());
        return members;
    }
    // All events of a task, in order.
    std::vector<probe::Record> events_of(std::uint64_t task) {
        take();
        std::vector<probe::Record> found;
        for (const probe::Record& record : events_)
            if (record.subject == task && vocabulary::row(record.kind).subject == vocabulary::Subject::task)
                found.push_back(record);
        return found;
    }
    // Those of one kind.
    std::vector<probe::Record> events_of(std::uint64_t task, vocabulary::EventKind kind) {
        std::vector<probe::Record> found = events_of(task);
        std::erase_if(found, [kind](const probe::Record& record) { return record.kind != kind; });
        return found;
    }
    // Events of one kind about a loop, a resource ...; nullopt: about any.
    std::vector<probe::Record> events_about(std::optional<std::uint64_t> subject, vocabulary::EventKind kind) {
        take();
        std::vector<probe::Record> found;
        for (const probe::Record& record : events_)
            if (record.kind == kind && (!subject || record.subject == *subject)) found.push_back(record);
        return found;
    }
    void forget_events() {
        take();
        events_.clear();
    }
    void ask_for_snapshot() { probe::process_registry().want_snapshot(); }

private:
    void take(bool all = false) {
        probe::ResourceTable::News news;
        probe::process_registry().resources.take(news, all);
        for (auto& definition : news.defined) all_[definition.id] = definition;
        for (const auto& each : news.closed) closed_.push_back(each.id);
        const cs_producer* const producer = probe::this_thread();
        if (producer == nullptr) return;
        for (const auto& thread : probe::process_registry().threads) {
            if (thread->id != producer->thread) continue;
            for (auto records = thread->ring.readable(); !records.empty(); records = thread->ring.readable()) {
                events_.insert(events_.end(), records.begin(), records.end());
                thread->ring.consume(records.size());
            }
        }
    }
    std::vector<std::uint64_t> arguments(vocabulary::EventKind kind, std::uint64_t subject) {
        take();
        std::vector<std::uint64_t> found;
        for (const probe::Record& record : events_)
            if (record.kind == kind && record.subject == subject) found.push_back(record.argument);
        return found;
    }
    template <class Matches>
    std::uint64_t last_argument(std::uint64_t subject, Matches matches) {
        take();
        for (auto record = events_.rbegin(); record != events_.rend(); ++record)
            if (record->subject == subject && matches(*record)) return record->argument;
        return 0;
    }

    std::map<std::uint64_t, probe::ResourceDefinition> all_;
    std::vector<std::uint64_t> closed_;
    std::vector<probe::Record> events_;
};

// Runs `body(observed)` in virtual time with debug mode on.
template <class Body>
void observed(Body body) {
    const DebugOn debug_on;
    Observed seen;
    run<VirtualTimeLoop>(body(seen));
}

}  // namespace coroscope::test
