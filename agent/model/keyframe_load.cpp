// A message as a fold. Trusts nothing: what the columns themselves may be is checked in columns_in.hpp, what rows may
// say of each other here.
//
// What exceeds this reader's Limits goes as it would have gone in the fold, and is counted: the oldest first, of live
// tasks the newest. So a keyframe takes no more memory than the batches that it stands for.
#include <algorithm>
#include <unordered_set>

#include "columns_in.hpp"

namespace coroscope::model {

bool Model::Fold::load_definitions(TablesIn& in) {
    const auto count = [&](bool added) {
        if (!added) ++anomalies;
        return true;
    };
    const auto value = [&](ValueRow& row) {
        Value added;
        switch (row.type) {
            case ValueType::unknown: break;
            case ValueType::text: added = std::move(row.text); break;
            case ValueType::integer: added = row.integer; break;
            case ValueType::real: added = row.real; break;
            case ValueType::boolean: added = row.boolean; break;
        }
        return count(definitions.add_value(row.id, std::move(added)));
    };
    const auto runtime = [&](Runtime& row) { return count(add_runtime(std::move(row))); };
    return in.read<term_table>([&](UnknownTerm& row) { return load_term(std::move(row)); }) &&
           in.read<runtime_table>(runtime) && in.read<name_table>([&](NameRow& row) {
               return count(definitions.add_name(row.id, std::move(row.text)));
           }) &&
           in.read<site_table>([&](SiteRow& row) {
               const std::uint32_t id = row.id;
               return count(definitions.add_site(id, std::move(row)));
           }) &&
           in.read<node_table>([&](NodeRow& row) { return count(definitions.add_node(row.id, row)); }) &&
           in.read<value_table>(value);
}

bool Model::Fold::load_loops(TablesIn& in) {
    TableReader<loop_table> table = in.open<loop_table>();
    if (!table.usable()) return false;
    while (!table.at_end()) {
        if (loops.size() >= limits.loops && !drop_stopped_loop()) return false;
        LoopEntry& entry = new_loop(0);
        if (!table.read(entry) || entry.loop->id == 0 || find_loop(entry.loop->id) != &entry) return false;
    }
    return true;
}

bool Model::Fold::load_threads(TablesIn& in) {
    return in.read<thread_table>([&](ThreadRow& row) {
        if (thread_entries.contains(row.id)) return false;
        ThreadEntry& entry = thread(row.id);
        entry.last_ns = row.last_ns;
        shorten(row.name, limits.text_bytes);
        threads[entry.index] = std::move(row);
        const Thread& known = threads[entry.index];
        if (known.loop == 0) return true;
        entry.loop = find_loop(known.loop);
        return entry.loop != nullptr && entry.loop->loop->thread == known.id && entry.loop->loop->running;
    });
}

bool Model::Fold::load_tasks(TablesIn& in) {
    std::vector<TaskId> ended;
    if (!in.read<ended_table>([&](const EndedRow& row) {
            ended.push_back(row.task);
            return true;
        }))
        return false;
    // The ones that ended first are too many.
    const std::size_t too_many = ended.size() > limits.done_tasks ? ended.size() - limits.done_tasks : 0;
    std::vector<TaskId> forgotten(ended.begin(), ended.begin() + static_cast<std::ptrdiff_t>(too_many));
    std::sort(forgotten.begin(), forgotten.end());
    ended.erase(ended.begin(), ended.begin() + static_cast<std::ptrdiff_t>(too_many));
    done_tasks_dropped += too_many;

    std::size_t live = 0;
    const auto add = [&](const TaskEntry& row) {
        if (row.id == 0 || tasks.find(row.id) != nullptr) return false;
        const bool done = row.state == State::done;
        if (done ? std::binary_search(forgotten.begin(), forgotten.end(), row.id) : live >= limits.live_tasks) {
            live_tasks_refused += done ? 0 : 1;
            return true;
        }
        TaskEntry& task = tasks.add(row.id);
        task = row;
        if (done) return true;
        ++live;
        task.owner = find_loop(task.loop);
        if (task.incomplete)
            list_of(task.owner).push_back(task);
        else
            list_of(task.owner).push_front(task);
        return true;
    };
    if (!in.read<task_table>(add)) return false;

    for (const TaskId id : ended) {
        TaskEntry* task = tasks.find(id);
        if (task == nullptr || task->state != State::done) return false;
        if (task->previous != nullptr || done_tasks.first == task) return false;  // it ended twice
        done_tasks.push_back(*task);
        ++done_count;
    }
    return live + done_count == tasks.size();  // each task is on one list
}

// What is of loops that had no room is left out.
bool Model::Fold::load_slices(TablesIn& in) {
    LoopEntry* entry = nullptr;
    const auto find = [&](LoopId id) {
        if (entry == nullptr || entry->loop->id != id) entry = find_loop(id);
        return entry != nullptr;
    };
    const auto slice = [&](SliceRow& row) {
        if (!find(row.loop)) return true;
        Loop& loop = *entry->loop;
        if (!row.open && !row.paused) {
            loop.slices.push_back(row);
            loop.slices_dropped += bound(loop.slices, limits.slices);
            return true;
        }
        // The steps that run now, outermost first.
        if (loop.open_slice || (row.open && row.paused) || loop.outer_slices.size() > most_nested_steps) return false;
        row.end_ns = 0;
        if (row.open) {
            loop.open_slice = row;
            entry->open_ran_ns = row.ran_ns;
        } else {
            loop.outer_slices.push_back(row);
            entry->outer_ran_ns.push_back(row.ran_ns);
        }
        return true;
    };
    const auto iteration = [&](const IterationRow& row) {
        if (!find(row.loop)) return true;
        Loop& loop = *entry->loop;
        loop.iterations.push_back(row);
        loop.iterations_dropped += bound(loop.iterations, limits.iterations);
        return true;
    };
    if (!in.read<slice_table>(slice) || !in.read<iteration_table>(iteration)) return false;
    // A step pauses for another one only.
    return std::all_of(loops.begin(), loops.end(),
                       [](const auto& loop) { return loop->open_slice || loop->outer_slices.empty(); });
}

bool Model::Fold::load_queues(TablesIn& in) {
    const auto long_step = [&](const LongStep& row) {
        long_steps.push_back(row);
        bound(long_steps, limits.long_steps);
        return true;
    };
    const auto report = [&](Report& row) {
        keep(std::move(row));
        return true;
    };
    const auto gap = [&](const Gap& row) {
        gaps.push_back(row);
        bound(gaps, limits.gaps);
        return true;
    };
    const auto hotspot = [&](Hotspot& row) { return keep(std::move(row)); };
    const auto latency = [&](const LatencyRow& row) {
        const LoopEntry* entry = find_loop(row.loop);
        if (row.bucket >= Histogram::most_buckets) return false;
        if (entry == nullptr) return true;  // there was no room for the loop
        Loop& loop = *entry->loop;
        histogram_of(loop, row.of).restore(row.bucket, row.count);
        return true;
    };
    if (!in.read<long_step_table>(long_step) || !in.read<report_table>(report) || !in.read<gap_table>(gap) ||
        !in.read<hotspot_table>(hotspot) || !in.read<latency_table>(latency))
        return false;
    for (const auto& loop : loops) {
        loop->iteration_lengths.restore_max(loop->longest_iteration_ns);
        loop->wake_to_run.restore_max(loop->longest_wake_to_run_ns);
    }
    return true;
}

// As load_tasks(): the resources that were closed first are too many, and of live ones the newest. What is of resources
// that had no room is left out.
bool Model::Fold::load_resources(TablesIn& in) {
    std::deque<ResourceId> closed;
    if (!in.read<closed_table>([&](const ClosedRow& row) {
            closed.push_back(row.resource);
            return true;
        }))
        return false;
    const std::size_t too_many = closed.size() - std::min(closed.size(), limits.closed_resources);
    std::vector<ResourceId> forgotten(closed.begin(), closed.begin() + static_cast<std::ptrdiff_t>(too_many));
    std::sort(forgotten.begin(), forgotten.end());
    bound(closed, limits.closed_resources);

    std::size_t live = 0;
    const auto add = [&](Resource& row) {
        if (row.id == 0 || resources.contains(row.id)) return false;
        const bool is_closed = row.closed_ns != 0;
        if (is_closed && std::binary_search(forgotten.begin(), forgotten.end(), row.id)) return true;
        if (!is_closed && live >= limits.resources) {
            ++resources_refused;
            return true;
        }
        live += is_closed ? 0 : 1;
        shorten(row.name, limits.text_bytes);
        resources.emplace(row.id, std::move(row));
        return true;
    };
    if (!in.read<resource_table>(add)) return false;

    std::unordered_set<ResourceId, SeededHash> listed;
    for (const ResourceId id : closed) {
        const Resource* resource = find_resource(id);
        if (resource == nullptr || resource->closed_ns == 0 || !listed.insert(id).second) return false;
    }
    if (live + closed.size() != resources.size()) return false;  // each closed one is listed
    closed_resources = std::move(closed);

    const auto user = [&](const UserRow& row) {
        Resource* resource = find_resource(row.resource);
        if (resource == nullptr) return true;
        resource->users.push_back(row);
        if (resource->users.size() > limits.resource_users) resource->users.erase(resource->users.begin());
        return true;
    };
    const auto member = [&](const MemberRow& row) {
        Resource* resource = find_resource(row.resource);
        if (resource != nullptr && resource->members.size() < limits.resource_members)
            resource->members.push_back(row.task);
        return true;
    };
    return in.read<user_table>(user) && in.read<member_table>(member);
}

bool Model::Fold::load_annotations(TablesIn& in) {
    const auto span = [&](const SpanRow& row) {
        if (!row.open) {
            keep_span(row);
            return true;
        }
        return row.id != 0 && add_open_span(row);
    };
    const auto attribute = [&](const AttributeRow& row) {
        add_attribute(row.of, row.id, row.time_ns, vocabulary::pack_attribute(row.key, row.value));
        return true;
    };
    const auto counter = [&](const Counter& row) {
        if (row.name == 0 || app_counters.contains(row.name)) return false;
        if (app_counters.size() < limits.counters)
            app_counters.emplace(row.name, row);
        else
            ++anomalies;
        return true;
    };
    const auto sample = [&](const CounterSampleRow& row) {
        const auto of = app_counters.find(row.counter);
        if (of == app_counters.end()) return true;  // there was no room for it
        of->second.recent.push_back(row);
        bound(of->second.recent, limits.counter_samples);
        return true;
    };
    return in.read<span_table>(span) && in.read<attribute_table>(attribute) && in.read<counter_table>(counter) &&
           in.read<counter_sample_table>(sample);
}

bool Model::Fold::load(const v2::Keyframe& keyframe) {
    TablesIn in(keyframe);
    const auto capture = [&](const Capture& row) {
        static_cast<Capture&>(*this) = row;
        return true;
    };
    if (!in.usable() || !in.read<capture_table>(capture)) return false;
    set_hello(keyframe.hello());
    if (!load_definitions(in) || !load_loops(in) || !load_threads(in) || !load_tasks(in) || !load_slices(in) ||
        !load_queues(in) || !load_resources(in) || !load_annotations(in))
        return false;
    columns_unknown += in.unknown();
    if (threads.size() > limits.threads) trim_threads();
    return true;
}

}  // namespace coroscope::model
