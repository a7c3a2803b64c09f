#include "task_list.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cstring>
#include <unordered_map>
#include <utility>

#include "coroscope/loop.hpp"
#include "debug_commands.hpp"
#include "observe.hpp"
#include "proto/words/function_name.hpp"
#include "runtime/src/probe/copy_memory.hpp"

namespace coroscope::detail {

namespace {

using namespace std::chrono_literals;

constexpr auto patience = 200ms;

// A std::source_location is one pointer to a record that lives as long as the program.
struct SiteRecord {
    alignas(8) std::array<std::byte, 24> bytes;
};

std::string read_text(const char* from) {
    std::array<char, 1024> text;
    const std::size_t size = probe::copy_memory(text.data(), reinterpret_cast<std::uintptr_t>(from), text.size());
    return {text.data(), std::find(text.data(), text.data() + size, '\0')};
}

struct Place {
    std::string function, file;
    std::uint32_t line = 0;  // 0: not known
};

// What was read from outside may not be a site at all, so each is read as if it might be gone.
class Places {
public:
    const Place& at(std::uint64_t site) {
        const auto [found, is_new] = known_.try_emplace(site);
        SiteRecord record;
        if (!is_new || site == 0 || probe::copy_memory(&record, site, sizeof record) != sizeof record)
            return found->second;
        const auto where = std::bit_cast<std::source_location>(static_cast<const void*>(&record));
        found->second = {words::function_name(read_text(where.function_name())), read_text(where.file_name()),
                         where.line()};
        return found->second;
    }

private:
    std::unordered_map<std::uint64_t, Place> known_;
};

SeenTask seen(const TaskControl& task) {
    SeenTask out;
    out.id = task.id;
    out.parent = task.parent_id;
    if (task.has_name()) out.name = task.extras->name;
    out.state = task.state;
    out.created_at = task.creation_node;
    if (task.state == TaskState::suspended) {
        out.wait = waits_for(task);
        out.holder = holder_of(task, out.wait);
    }
    const bool began = task.state == TaskState::suspended || task.state == TaskState::ready;
    for (const PromiseBase* frame = began && task.leaf != nullptr ? task.leaf : task.root; frame != nullptr;
         frame = frame->parent) {
        if (out.frames.size() == SeenTasks::most_frames) {
            out.frames = {{std::bit_cast<std::uint64_t>(task.root->own_site), 0}};
            break;
        }
        out.frames.push_back({std::bit_cast<std::uint64_t>(frame->own_site),
                              began ? std::bit_cast<std::uint64_t>(frame->await_site) : 0});
    }
    std::ranges::reverse(out.frames);
    return out;
}

const char* state_name(TaskState state) {
    switch (state) {
        case TaskState::created: return "created";
        case TaskState::ready: return "ready";
        case TaskState::running: return "running";
        case TaskState::suspended: return "suspended";
        case TaskState::done: break;
    }
    return "done";
}

class Writer {
public:
    explicit Writer(const cs_stacks_writer& to) : to_(to) {}

    Writer& operator<<(std::string_view text) {
        to_.write(to_.to, text.data(), text.size());
        return *this;
    }
    Writer& operator<<(std::uint64_t number) { return *this << std::string_view(std::to_string(number)); }

    void loop(std::uint64_t id, std::uint64_t thread, std::string_view how, const LoopFromOutside::List& list,
              bool looks_at_thread) {
        *this << (first_ ? "" : ",") << R"({"id":)" << id << R"(,"tid":)" << thread << R"(,"how":")" << how
              << R"(","changing":)" << (list.changing ? "true" : "false") << R"(,"left_out":)" << list.seen.left_out
              << R"(,"tasks":[)";
        first_ = false;
        for (std::size_t i = 0; i < list.seen.tasks.size(); ++i) {
            if (i != 0) *this << ",";
            task(list.seen.tasks[i]);
        }
        *this << R"(],"thread":)";
        if (looks_at_thread) {
            to_.write_thread(to_.to, thread);
        } else {
            *this << "null";
        }
        *this << "}";
    }

private:
    void text(const std::string& value) { to_.write_text(to_.to, value.c_str()); }

    void task(const SeenTask& task) {
        const std::uint8_t verb = vocabulary::verb_of(task.wait);
        const std::uint64_t operand = vocabulary::operand_of(task.wait);
        *this << R"({"id":)" << task.id << R"(,"parent":)" << task.parent << R"(,"name":)";
        text(task.name);
        *this << R"(,"state":")" << state_name(task.state) << R"(","verb":)" << std::uint64_t{verb} << R"(,"operand":)"
              << operand << R"(,"holder":)" << task.holder << R"(,"resource":)";
        const bool waits_on_resource =
            vocabulary::row(static_cast<Verb>(verb)).operand == vocabulary::Operand::resource;
        if (waits_on_resource && operand != 0) {
            to_.write_resource(to_.to, operand);
        } else {
            *this << "null";
        }
        *this << R"(,"created":)";
        to_.write_stack(to_.to, task.created_at);
        *this << R"(,"frames":[)";
        for (std::size_t i = 0; i < task.frames.size(); ++i) frame(task.frames[i], i == 0);
        *this << "]}";
    }

    void frame(const SeenFrame& frame, bool is_first) {
        const Place own = places_.at(frame.own_site);
        const Place& await = places_.at(frame.await_site);
        *this << (is_first ? "[" : ",[");
        text(own.function);
        *this << ",";
        text(own.file);
        *this << "," << std::uint64_t{own.line} << ",";
        text(await.file);
        *this << "," << std::uint64_t{await.line} << "]";
    }

    const cs_stacks_writer& to_;
    bool first_ = true;
    Places places_;
};

bool seems_to_run(EventLoop& loop) {
    const auto seen = LoopFromOutside::read(loop);
    return seen && seen->running;
}

}  // namespace

SeenTasks list_tasks(EventLoop& loop) {
    SeenTasks list;
    for (const AnyTask& task : loop.all_tasks()) {
        if (list.tasks.size() < SeenTasks::most_tasks) {
            list.tasks.push_back(seen(*task.control()));
        } else {
            ++list.left_out;
        }
    }
    return list;
}

void write_stacks(const cs_stacks_writer& to) {
    Writer writer(to);
    writer << "[";
    for (AskedLoop<SeenTasks>& asked : ask_loops(list_tasks, patience, seems_to_run)) {
        const auto loop = LoopFromOutside::read(*asked.loop);
        if (!loop || loop->id != asked.id) continue;  // it has ended
        if (asked.answer) {
            writer.loop(loop->id, loop->thread, "answered", {std::move(*asked.answer)}, false);
            continue;
        }
        const LoopFromOutside::List list = LoopFromOutside::read_tasks(*asked.loop);
        if (const auto after = LoopFromOutside::read(*asked.loop); !after || after->id != asked.id) continue;
        writer.loop(loop->id, loop->thread, loop->running ? "busy" : "not running", list,
                    loop->running && loop->thread != 0);
    }
    writer << "]";
}

}  // namespace coroscope::detail
