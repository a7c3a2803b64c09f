// What a model answers.
#include "model.hpp"

#include <algorithm>

#include "fold.hpp"

namespace coroscope::model {

std::string_view to_string(State state) {
    switch (state) {
        case State::created: return "created";
        case State::ready: return "ready";
        case State::running: return "running";
        case State::suspended: return "suspended";
        case State::done: return "done";
    }
    return "?";
}

TaskId awaited_task(const Task& task) { return task.state == State::suspended ? task.wait.task() : 0; }

Model::Model() : Model(Limits{}) {}
Model::Model(Limits limits) : fold_(std::make_unique<Fold>(limits)) {}
Model::~Model() = default;
Model::Model(Model&&) noexcept = default;
Model& Model::operator=(Model&&) noexcept = default;

void Model::apply(const v2::Batch& batch) {
    go_on(end_of_time);
    fold_->begin(batch);
    go_on(end_of_time);
}

bool Model::apply(v2::Batch&& batch, std::uint64_t until_ns) {
    go_on(end_of_time);
    fold_->own_batch.Swap(&batch);
    fold_->begin(fold_->own_batch);
    return go_on(until_ns);
}

bool Model::go_on(std::uint64_t until_ns) {
    if (fold_->current == nullptr) return true;
    ++fold_->version;
    return fold_->go_on(until_ns);
}

void Model::set_hello(const v2::Hello& hello) {
    fold_->set_hello(hello);
    ++fold_->version;
}

void Model::save_keyframe(v2::Keyframe& keyframe) const { fold_->save(keyframe); }

bool Model::load_keyframe(const v2::Keyframe& keyframe) {
    auto fresh = std::make_unique<Fold>(fold_->limits);
    if (!fresh->load(keyframe)) return false;
    fresh->version = fold_->version + 1;
    fold_ = std::move(fresh);
    return true;
}

const Task* Model::task(TaskId id) const { return fold_->tasks.find(id); }

std::vector<const Task*> Model::all_tasks() const {
    const std::vector<TaskEntry*> all = fold_->tasks.sorted();
    return {all.begin(), all.end()};
}

std::vector<const Task*> Model::live_tasks() const {
    std::vector<const Task*> live;
    const std::size_t count = fold_->tasks.size() - fold_->done_count;
    live.reserve(count);
    if (count > fold_->done_count / 4) {  // to skip the done ones is cheaper than to sort
        for (const TaskEntry* task : fold_->tasks.sorted())
            if (task->state != State::done) live.push_back(task);
        return live;
    }
    const auto take = [&](const TaskList& list) {
        for (const TaskEntry* task = list.first; task != nullptr; task = task->next) live.push_back(task);
    };
    take(fold_->tasks_without_loop);
    for (const auto& loop : fold_->loop_entries) take(loop->tasks);
    std::sort(live.begin(), live.end(), [](const Task* a, const Task* b) { return a->id < b->id; });
    return live;
}

std::vector<const Task*> Model::done_tasks() const {
    std::vector<const Task*> done;
    done.reserve(fold_->done_count);
    for (const TaskEntry* task = fold_->done_tasks.first; task != nullptr; task = task->next) done.push_back(task);
    return done;
}

std::vector<TaskId> Model::children(TaskId parent) const {
    Fold::Children& index = fold_->children;
    if (index.version != fold_->version) {
        index.version = fold_->version;
        index.of.clear();
        for (const TaskEntry* task : fold_->tasks.sorted()) {
            const bool has_parent = task->parent != task->id && fold_->tasks.find(task->parent) != nullptr;
            index.of[has_parent ? task->parent : 0].push_back(task->id);
        }
    }
    const auto found = index.of.find(parent);
    return found == index.of.end() ? std::vector<TaskId>{} : found->second;
}

std::string Model::task_name(const Task& task) const {
    const std::string_view given = name(task.name);
    return given.empty() ? "Task-" + std::to_string(task.id) : std::string(given);
}

std::string Model::coroutine(const Task& task) const {
    const Site* own = site_of(task.root);
    return own == nullptr || own->function.empty() ? "?" : own->function;
}

std::vector<TaskId> Model::awaiters(TaskId id) const {
    std::vector<TaskId> result;
    for (const Task* task : live_tasks())
        if (id != 0 && awaited_task(*task) == id) result.push_back(task->id);
    return result;
}

std::uint64_t Model::busy_ns(const Task& task) const {
    const bool running = task.state == State::running && task.step_began_ns != 0 && now_ns() > task.step_began_ns;
    return task.busy_ns + (running ? now_ns() - task.step_began_ns : 0);
}

std::uint64_t Model::age_ns(const Task& task) const {
    const std::uint64_t end = task.state == State::done ? task.done_ns : now_ns();
    return task.created_ns != 0 && end > task.created_ns ? end - task.created_ns : 0;
}

std::uint64_t Model::in_state_ns(const Task& task) const {
    return task.changed_ns != 0 && now_ns() > task.changed_ns ? now_ns() - task.changed_ns : 0;
}

const Site* Model::site(SiteId id) const { return fold_->definitions.site(id); }
const Node* Model::node(NodeId id) const { return fold_->definitions.node(id); }
std::string_view Model::name(std::uint32_t id) const { return fold_->definitions.name(id); }

const Site* Model::site_of(NodeId id) const {
    const Node* at = node(id);
    return at == nullptr ? nullptr : site(at->site);
}

// A path reads, outermost first: task(f), call(L1), frame(g), call(L2): f stands at L1, g stands at L2.
bool Model::state_known(const Task& task) const {
    const LoopEntry* loop = fold_->find_loop(task.loop);
    const TaskEntry* entry = fold_->tasks.find(task.id);
    return loop != nullptr && entry != nullptr && entry->known_losses == loop->losses;
}

std::vector<Model::StackFrame> Model::stack(NodeId id) const {
    std::vector<StackFrame> frames;  // innermost first, until the end
    NodeId call = 0;                 // where the frame above awaits or creates
    const auto add = [&](NodeId function_node, NodeId place_node) {
        const Site* function = site_of(function_node);
        const Site* place = site_of(place_node);
        StackFrame frame;
        frame.function =
            function != nullptr && !function->function.empty() ? std::string_view(function->function) : "?";
        frame.library = function != nullptr && function->is_library();
        if (place != nullptr) {
            frame.file = place->file;
            frame.line = place->line;
        }
        frame.node = place_node;
        frames.push_back(frame);
    };
    for (const Node* at = node(id); at != nullptr && frames.size() < max_stack_frames; at = node(id)) {
        if (at->kind == NodeKind::call) {
            if (call != 0) add(call, call);  // a call in a call: its frame is not known
            call = id;
        } else {
            add(id, call != 0 ? call : id);
            call = 0;
            if (at->kind == NodeKind::task) break;
        }
        id = at->parent;
    }
    if (call != 0 && frames.size() < max_stack_frames) add(call, call);  // outside of any coroutine
    std::reverse(frames.begin(), frames.end());
    return frames;
}

NodeId Model::stands_at(const Task& task) const {
    const bool stands = task.state == State::suspended || task.state == State::ready;
    return stands && task.suspended_at != 0 ? task.suspended_at : task.root;
}

std::vector<Model::StackFrame> Model::await_stack(const Task& task) const { return stack(stands_at(task)); }

std::vector<Model::StackFrame> Model::creation_stack(const Task& task) const {
    const Node* root = node(task.root);
    return root == nullptr ? std::vector<StackFrame>{} : stack(root->parent);
}

const std::vector<std::unique_ptr<Loop>>& Model::loops() const { return fold_->loops; }
const std::vector<Thread>& Model::threads() const { return fold_->threads; }
const std::deque<LongStep>& Model::long_steps() const { return fold_->long_steps; }
const std::deque<Report>& Model::reports() const { return fold_->reports; }
std::vector<const Hotspot*> Model::hotspots(ReportKind kind) const {
    std::vector<const Hotspot*> all;
    for (const auto& [key, hotspot] : fold_->hotspots)
        if (hotspot.kind == kind) all.push_back(&hotspot);
    std::sort(all.begin(), all.end(), [](const Hotspot* a, const Hotspot* b) {
        return a->total_ns != b->total_ns ? a->total_ns > b->total_ns : a->id < b->id;
    });
    return all;
}
const std::deque<Gap>& Model::gaps() const { return fold_->gaps; }

std::uint64_t Model::now_ns() const { return fold_->now_ns; }
std::uint64_t Model::first_ns() const { return fold_->first_ns; }
std::uint64_t Model::last_event_ns() const { return fold_->last_event_ns; }
std::uint64_t Model::backlog() const { return fold_->backlog; }
std::optional<std::size_t> Model::other_threads() const {
    if (fold_->app_threads == 0) return std::nullopt;
    const auto loops =
        static_cast<std::size_t>(std::ranges::count_if(fold_->loops, [](const auto& loop) { return loop->running; }));
    return fold_->app_threads > loops ? fold_->app_threads - loops : 0;
}
std::uint64_t Model::events_unknown() const { return fold_->events_unknown; }
std::uint64_t Model::events() const { return fold_->events; }
std::uint64_t Model::batches() const { return fold_->batches; }
std::uint64_t Model::dropped() const { return fold_->dropped; }
std::uint64_t Model::batches_lost() const { return fold_->batches_lost; }
std::uint64_t Model::anomalies() const { return fold_->anomalies; }
std::uint64_t Model::tasks_created() const { return fold_->tasks_created; }
std::uint64_t Model::done_tasks_dropped() const { return fold_->done_tasks_dropped; }
std::uint64_t Model::live_tasks_refused() const { return fold_->live_tasks_refused; }
std::uint64_t Model::columns_unknown() const { return fold_->columns_unknown; }
std::uint64_t Model::slow_step_ns() const { return fold_->slow_step_ns; }
std::uint64_t Model::version() const { return fold_->version; }

std::uint64_t Model::wall_unix_ns(std::uint64_t time_ns) const {
    return fold_->hello.wall_unix_ns() + (time_ns - fold_->hello.wall_at_ns());  // wraps rightly before the anchor
}

}  // namespace coroscope::model
