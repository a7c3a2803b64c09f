// A loop's tasks, read by another thread while the loop's own thread computes or is blocked in a call. Nothing is
// locked and nothing is stopped, so the list may change under the reader: it is read until two looks are the same.
#include <algorithm>
#include <array>
#include <bit>
#include <chrono>
#include <cstddef>

#include "coroscope/loop.hpp"
#include "runtime/src/probe/copy_memory.hpp"
#include "task_list.hpp"

namespace coroscope::detail {

namespace {

using namespace std::chrono_literals;

constexpr int most_looks = 5;
constexpr auto most_time = 1s;
constexpr std::size_t most_name_bytes = 256;

// The bytes of an object that may change or end while they are copied; pointers in them are not followed.
template <class T>
class Copy {
public:
    explicit Copy(const T* from) : Copy(reinterpret_cast<std::uintptr_t>(from)) {}
    explicit Copy(std::uintptr_t from) {
        whole_ = from != 0 && probe::copy_memory(bytes_.data(), from, sizeof(T)) == sizeof(T);
    }
    bool whole() const noexcept { return whole_; }
    const T& operator*() const noexcept { return *reinterpret_cast<const T*>(bytes_.data()); }
    const T* operator->() const noexcept { return &**this; }

private:
    alignas(T) std::array<std::byte, sizeof(T)> bytes_{};
    bool whole_ = false;
};

std::string read_name(const TaskControl& task) {
    const Copy<TaskExtras> extras(task.extras.get());
    if (!extras.whole()) return {};
    std::array<char, most_name_bytes> text;
    const std::size_t size = std::min(extras->name.size(), text.size());
    return {text.data(), probe::copy_memory(text.data(), reinterpret_cast<std::uintptr_t>(extras->name.data()), size)};
}

// Outermost first. Empty: the frames do not lead from `innermost` to `root`, so they are not the task's any more.
std::vector<SeenFrame> read_frames(const PromiseBase* innermost, const PromiseBase* root, bool has_awaited) {
    std::vector<SeenFrame> frames;
    for (const PromiseBase* at = innermost;;) {
        const Copy<PromiseBase> frame(at);
        if (!frame.whole() || frames.size() == SeenTasks::most_frames) return {};
        const bool awaits = has_awaited && frame->holds != PromiseBase::Holds::error;
        frames.push_back({std::bit_cast<std::uint64_t>(frame->own_site),
                          awaits ? std::bit_cast<std::uint64_t>(frame->await_site) : 0});
        if (at == root) break;
        at = frame->parent;
    }
    std::ranges::reverse(frames);
    return frames;
}

SeenTask seen(const TaskControl& task, const PromiseBase* running_frame) {
    SeenTask out;
    out.id = task.id;
    out.parent = task.parent_id;
    out.name = read_name(task);
    out.state = task.state;
    out.created_at = task.creation_node;
    if (task.root == nullptr) return out;
    const PromiseBase* innermost = task.state == TaskState::running   ? running_frame
                                   : task.state != TaskState::created ? task.leaf
                                                                      : nullptr;
    if (innermost != nullptr) out.frames = read_frames(innermost, task.root, true);
    if (out.frames.empty()) out.frames = read_frames(task.root, task.root, false);
    return out;
}

SeenTasks look(const TaskControl* first, const PromiseBase* running_frame) {
    SeenTasks list;
    for (const TaskControl* at = first; at != nullptr;) {
        const Copy<TaskControl> task(at);
        if (!task.whole() || task->id == 0 || task->state > TaskState::done) break;
        if (list.tasks.size() == SeenTasks::most_tasks) {
            ++list.left_out;
            break;
        }
        if (task->state != TaskState::done) list.tasks.push_back(seen(*task, running_frame));
        at = task->next_task;
    }
    return list;
}

}  // namespace

std::optional<LoopFromOutside> LoopFromOutside::read(const EventLoop& loop) {
    const Copy<std::uint64_t> id(&loop.id_), thread(&loop.thread_);
    const Copy<bool> running(&loop.running_);
    if (!id.whole() || !thread.whole() || !running.whole()) return std::nullopt;
    return LoopFromOutside{*id, *thread, *running};
}

LoopFromOutside::List LoopFromOutside::read_tasks(const EventLoop& loop) {
    const auto until = std::chrono::steady_clock::now() + most_time;
    List list;
    for (int i = 0; i < most_looks; ++i) {
        const Copy<TaskControl*> first(&loop.first_task_);
        const Copy<PromiseBase* const*> where(&loop.running_frame_);
        if (!first.whole() || !where.whole()) break;
        const Copy<PromiseBase*> running_frame(*where);
        SeenTasks now = look(*first, running_frame.whole() ? *running_frame : nullptr);
        list.changing = i == 0 || now != list.seen;
        list.seen = std::move(now);
        if ((i != 0 && !list.changing) || std::chrono::steady_clock::now() > until) break;
    }
    return list;
}

}  // namespace coroscope::detail
