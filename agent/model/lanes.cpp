// Reads the columns of a batch's lanes and hands their events to the fold, in order of time over all lanes.
//
// Lanes that overlap in time are merged: a task that one thread creates and another wakes is then seen in that order.
// With one lane, the usual case, nothing is compared. A gap of a thread takes effect between its lane's events, at the
// time at which it begins. The merge can stop at any time and go on later: a model may stand inside a batch.
#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "fold.hpp"

namespace coroscope::model {

namespace {

template <typename T>
struct Reader {
    const T* at = nullptr;
    const T* end = nullptr;

    explicit Reader(const google::protobuf::RepeatedField<T>& column)
        : at(column.data()), end(column.data() + column.size()) {}
    std::size_t size() const { return static_cast<std::size_t>(end - at); }
    // A column shorter than the kinds say gives zeros and is told by `short_column`.
    template <bool checked>
    T next(bool& short_column) {
        if constexpr (checked) {
            if (at == end) [[unlikely]] {
                short_column = true;
                return 0;
            }
        }
        return *at++;
    }
};

// How many entries of subjects, arguments and stacks an event takes that has these columns: a sum of such numbers has
// the three sums in it, for fewer events than the room of one.
constexpr unsigned entry_bits = 21;
constexpr auto entries_by_columns = [] {
    std::array<std::uint64_t, 8> made{};
    for (unsigned columns = 0; columns < made.size(); ++columns) {
        if ((columns & vocabulary::subject_column) != 0) made[columns] += std::uint64_t{1};
        if ((columns & vocabulary::argument_column) != 0) made[columns] += std::uint64_t{1} << entry_bits;
        if ((columns & vocabulary::stack_column) != 0) made[columns] += std::uint64_t{1} << 2 * entry_bits;
    }
    return made;
}();

}  // namespace

class Model::Fold::Lane {
public:
    Lane(const v2::Lane& lane, ThreadEntry& thread, const std::array<std::uint8_t, 256>& columns_of_kinds)
        : on(&thread),
          kinds_(lane.kinds().data()),
          kinds_end_(kinds_ + lane.kinds().size()),
          time_deltas_(lane.time_deltas()),
          subject_deltas_(lane.subject_deltas()),
          arguments_(lane.arguments()),
          stacks_(lane.stacks()),
          time_ns_(lane.start_ns()),
          whole_(is_whole(columns_of_kinds)) {
        advance<true>();
    }

    bool at_end() const { return ended_; }
    std::uint64_t time_ns() const { return time_ns_; }
    std::uint8_t kind() const { return static_cast<std::uint8_t>(*kinds_); }
    // All its kinds are known, and no column is shorter than they say: nothing need be checked.
    bool whole() const { return whole_; }
    // The columns of the event that stands next; in this order, each once, if its kind takes it.
    template <bool checked>
    std::uint64_t subject() {
        return subject_ += static_cast<std::uint64_t>(subject_deltas_.next<checked>(short_column_));
    }
    template <bool checked>
    std::uint64_t argument() {
        return arguments_.next<checked>(short_column_);
    }
    template <bool checked>
    NodeId stack() {
        return stacks_.next<checked>(short_column_);
    }
    bool short_column() const { return short_column_; }
    // Whether its events are about ever other tasks: with many of them nearly all of the fold's time would go for
    // waiting for memory. Not where they go to and fro between two, as a parent and its newest child.
    bool jumps() {
        if (jumps_) return *jumps_;
        constexpr std::size_t looked_at = 256;
        const std::size_t some = std::min(looked_at, subject_deltas_.size());
        std::size_t count = 0;
        std::uint64_t subject = subject_, one = 0, other = 0;
        for (const std::int64_t *at = subject_deltas_.at, *end = at + some; at != end; ++at) {
            subject += static_cast<std::uint64_t>(*at);
            if (is_far(subject - one)) {
                count += is_far(subject - other);
                other = one;
            }
            one = subject;
        }
        return jumps_.emplace(count > some / 8);
    }
    // Fetches what the events that follow will ask the table of tasks for. Of a whole lane, before each event.
    // Neighbours have been fetched with those before them. Not inlined: it would take the fold's loop its registers.
    [[gnu::noinline]] void look_ahead(const TaskTable& table) {
        constexpr std::ptrdiff_t far = 24, near = 12;
        const std::int64_t* const here = subject_deltas_.at;
        while (far_.at != subject_deltas_.end && far_.at - here < far)
            if (far_.next_is_elsewhere()) table.prefetch_place(far_.subject);
        while (near_.at != subject_deltas_.end && near_.at - here < near)
            if (near_.next_is_elsewhere()) table.prefetch(near_.subject);
        asm volatile("");  // g++ takes a function that only fetches for one without effect, and leaves its calls out
    }
    // On to the next event.
    template <bool checked>
    void next() {
        ++kinds_;
        advance<checked>();
    }
    // No more events: what follows cannot be read.
    void end() { ended_ = true; }

    bool gap_is_next() const { return !gaps.empty() && (ended_ || time_ns_ > gaps.back()->first_ns()); }
    bool is_over() const { return ended_ && gaps.empty(); }
    // Of the event or gap that stands next. There must be one.
    std::uint64_t next_ns() const { return gap_is_next() ? gaps.back()->first_ns() : time_ns_; }

    ThreadEntry* on;
    std::vector<const v2::Gap*> gaps;  // of its thread, the next one last

private:
    bool is_whole(const std::array<std::uint8_t, 256>& columns_of_kinds) const {
        const auto count = static_cast<std::size_t>(kinds_end_ - kinds_);
        if (count >> entry_bits != 0 || time_deltas_.size() < count) return false;
        std::uint64_t needed = 0;
        std::uint8_t all = 0;
        for (const char* kind = kinds_; kind != kinds_end_; ++kind) {
            const std::uint8_t columns = columns_of_kinds[static_cast<std::uint8_t>(*kind)];
            all |= columns;
            needed += entries_by_columns[columns % entries_by_columns.size()];
        }
        constexpr std::uint64_t most = (std::uint64_t{1} << entry_bits) - 1;
        return (all & vocabulary::unknown_kind) == 0 && (needed & most) <= subject_deltas_.size() &&
               (needed >> entry_bits & most) <= arguments_.size() && needed >> 2 * entry_bits <= stacks_.size();
    }
    template <bool checked>
    void advance() {
        ended_ = kinds_ == kinds_end_ || (checked && short_column_);
        if (ended_) return;
        const std::uint64_t delta_ns = time_deltas_.next<checked>(short_column_);
        time_ns_ += std::min(delta_ns, ~time_ns_);  // saturates
        if constexpr (checked) ended_ = short_column_;
    }

    struct Ahead {
        const std::int64_t* at;
        std::uint64_t subject = 0;
        bool next_is_elsewhere() {
            const auto delta = static_cast<std::uint64_t>(*at++);
            subject += delta;
            return is_far(delta);
        }
    };
    static bool is_far(std::uint64_t difference) {
        constexpr std::uint64_t near = 4;
        return difference + near > 2 * near;
    }

    const char* kinds_;
    const char* kinds_end_;
    Reader<std::uint64_t> time_deltas_;
    Reader<std::int64_t> subject_deltas_;
    Reader<std::uint64_t> arguments_;
    Reader<std::uint32_t> stacks_;
    std::uint64_t time_ns_;
    bool whole_;
    std::optional<bool> jumps_;  // not looked at yet
    std::uint64_t subject_ = 0;
    Ahead far_{subject_deltas_.at}, near_{subject_deltas_.at};
    bool short_column_ = false;
    bool ended_ = false;
};

// The lanes of one batch, in order of time. Refers to the batch.
class Model::Fold::Merge {
public:
    Merge(Fold& fold, const v2::Batch& batch);
    // Folds what is not later than `until_ns`. False: something later is left.
    bool run(std::uint64_t until_ns);

private:
    auto later() const {
        return [this](std::size_t a, std::size_t b) {
            const std::uint64_t a_ns = lanes_[a].next_ns(), b_ns = lanes_[b].next_ns();
            return a_ns != b_ns ? a_ns > b_ns : a > b;
        };
    }

    Fold& fold_;
    std::vector<Lane> lanes_;
    std::vector<std::size_t> waiting_;  // a heap: lanes that are not over, the one that is behind in front
};

Model::Fold::Merge::Merge(Fold& fold, const v2::Batch& batch) : fold_(fold) {
    lanes_.reserve(static_cast<std::size_t>(batch.lanes_size()) + static_cast<std::size_t>(batch.gaps_size()));
    std::unordered_map<std::uint32_t, std::size_t> lane_of_thread;
    for (const v2::Lane& lane : batch.lanes()) {
        if (batch.gaps_size() != 0) lane_of_thread.try_emplace(lane.thread(), lanes_.size());
        lanes_.emplace_back(lane, fold.thread(lane.thread()), fold.kind_columns);
    }
    for (const v2::Gap& gap : batch.gaps()) {
        const auto [place, is_new] = lane_of_thread.try_emplace(gap.thread(), lanes_.size());
        if (is_new) lanes_.emplace_back(v2::Lane::default_instance(), fold.thread(gap.thread()), fold.kind_columns);
    }
    for (int i = batch.gaps_size(); i-- > 0;)
        lanes_[lane_of_thread.at(batch.gaps(i).thread())].gaps.push_back(&batch.gaps(i));
    waiting_.reserve(lanes_.size());
    for (std::size_t i = 0; i < lanes_.size(); ++i) {
        if (lanes_[i].is_over())
            fold.anomalies += lanes_[i].short_column();
        else
            waiting_.push_back(i);
    }
    std::make_heap(waiting_.begin(), waiting_.end(), later());
}

// Runs the lane that is behind until it has passed the one that is behind next.
bool Model::Fold::Merge::run(std::uint64_t until_ns) {
    while (!waiting_.empty()) {
        if (lanes_[waiting_.front()].next_ns() > until_ns) return false;
        std::pop_heap(waiting_.begin(), waiting_.end(), later());
        Lane& lane = lanes_[waiting_.back()];
        const std::uint64_t other_ns = waiting_.size() > 1 ? lanes_[waiting_.front()].next_ns() : until_ns;
        if (fold_.run(lane, std::min(until_ns, other_ns))) {
            std::push_heap(waiting_.begin(), waiting_.end(), later());
            continue;
        }
        waiting_.pop_back();
        if (lane.short_column()) ++fold_.anomalies;
    }
    return true;
}

Model::Fold::Fold(const Limits& the_limits) : limits(the_limits), definitions(the_limits) {}
Model::Fold::~Fold() = default;

void Model::Fold::open_lanes(const v2::Batch& batch) { merge = std::make_unique<Merge>(*this, batch); }
bool Model::Fold::fold_lanes(std::uint64_t until_ns) { return merge->run(until_ns); }
void Model::Fold::close_lanes() { merge.reset(); }

[[gnu::always_inline]] inline void Model::Fold::apply_event(ThreadEntry& on, std::uint64_t time_ns, std::uint8_t kind,
                                                            const Event& event) {
    using vocabulary::EventKind;
    const auto& [subject, argument, stack] = event;
    switch (static_cast<EventKind>(kind)) {
        case EventKind::task_created: return created(on, time_ns, subject, argument, stack);
        case EventKind::task_root: return root_known(on, time_ns, subject, stack);
        case EventKind::task_named: return named(on, time_ns, subject, argument);
        case EventKind::task_ready: return ready(on, time_ns, subject, argument);
        case EventKind::step_begin: return step_begin(on, time_ns, subject);
        case EventKind::step_end: return step_end(on, time_ns, subject, argument, stack);
        case EventKind::wait_holder: return wait_holder(subject, argument);
        case EventKind::task_done: return done(on, time_ns, subject, argument);
        case EventKind::cancel_requested: return cancel_requested(on, time_ns, subject, argument, stack);
        case EventKind::uncancelled: return uncancelled(on, time_ns, subject, argument);
        case EventKind::loop_started: return loop_started(on, time_ns, subject);
        case EventKind::loop_stopped: return loop_stopped(on, time_ns, subject);
        case EventKind::poll_begin: return poll_begin(on, time_ns);
        case EventKind::poll_end: return poll_end(on, time_ns, argument);
        case EventKind::callback_begin: return callback_begin(on, time_ns, argument, stack);
        case EventKind::callback_end: return callback_end(on, time_ns);
        case EventKind::job_begin: return job_begin(on, time_ns, subject, argument);
        case EventKind::job_end: return job_end(time_ns, subject);
        case EventKind::snapshot_begin: return snapshot_begin(on, subject);
        case EventKind::snapshot_task: return snapshot_task(on, time_ns, subject, argument, stack);
        case EventKind::snapshot_state: return snapshot_state(on, time_ns, subject, argument, stack);
        case EventKind::snapshot_end: return snapshot_end(on, time_ns, subject);
        case EventKind::resource_used: return resource_used(time_ns, subject, argument, stack);
        case EventKind::resource_level: return resource_level(time_ns, subject, argument);
        case EventKind::member: return add_member(subject, argument);
        case EventKind::task_attribute: return add_attribute(Of::task, subject, time_ns, argument);
        case EventKind::resource_attribute: return add_attribute(Of::resource, subject, time_ns, argument);
        case EventKind::span_begin: return span_begin(on, time_ns, subject, argument, stack, false);
        case EventKind::span_end: return span_end(time_ns, subject);
        case EventKind::mark: return span_begin(on, time_ns, subject, argument, stack, true);
        case EventKind::span_attribute: return add_attribute(Of::span, subject, time_ns, argument);
        case EventKind::counter: return count(time_ns, subject, argument);
        case EventKind::loop_idle: return loop_idle(on, time_ns, subject, argument);
        case EventKind::time_limit_begin: return time_limit(on, time_ns, subject, true);
        case EventKind::time_limit_end: return time_limit(on, time_ns, subject, false);
        case EventKind::unfinished: return unfinished(subject, argument);
        case EventKind::loop_closing: return loop_closing(time_ns, subject);
        case EventKind::orphaned: return orphaned(time_ns, subject);
        case EventKind::task_error: return task_error(on, time_ns, subject, argument, stack);
        case EventKind::error_retrieved: return error_retrieved(time_ns, subject, argument, stack);
        case EventKind::cancel_origin: return cancel_origin(subject, argument);
        case EventKind::cancel_thrown: return cancel_thrown(on, time_ns, subject, stack);
        case EventKind::cancel_swallowed: return cancel_swallowed(time_ns, subject, stack);
        case EventKind::none:
        case EventKind::gap: break;
    }
    skip_event(kind);  // a kind that this reader was built without
}

// Events of a lane without gaps in which nothing need be checked, as nearly all are, up to and including `until_ns`.
void Model::Fold::run_whole(Lane& lane, std::uint64_t until_ns) {
    ThreadEntry& on = *lane.on;
    constexpr std::size_t most_in_cache = 20'000;
    const bool ahead = tasks.size() > most_in_cache && lane.jumps();
    do {
        if (ahead) [[unlikely]]
            lane.look_ahead(tasks);
        on.last_ns = std::max(on.last_ns, lane.time_ns());
        const std::uint8_t kind = lane.kind();
        const std::uint8_t columns = kind_columns[kind];
        Event event;
        if ((columns & vocabulary::subject_column) != 0) event.subject = lane.subject<false>();
        if ((columns & vocabulary::argument_column) != 0) event.argument = lane.argument<false>();
        if ((columns & vocabulary::stack_column) != 0) event.stack = lane.stack<false>();
        ++events;
        apply_event(on, on.last_ns, kind, event);
        lane.next<false>();
    } while (!lane.at_end() && lane.time_ns() <= until_ns);
}

// Events and gaps up to and including `until_ns`. False: the lane is over.
bool Model::Fold::run(Lane& lane, std::uint64_t until_ns) {
    ThreadEntry& on = *lane.on;
    // No event looks at what saw_event() notes, and a thread's times never go back: the first and the last will do.
    bool any = false;
    const auto leave = [&](bool more) {
        if (any) saw_event(on.last_ns);
        return more;
    };
    while (!lane.is_over()) {
        if (lane.gap_is_next()) [[unlikely]] {
            if (lane.gaps.back()->first_ns() > until_ns) return leave(true);
            apply_gap(on, *lane.gaps.back());
            lane.gaps.pop_back();
            continue;
        }
        if (lane.time_ns() > until_ns) return leave(true);
        on.last_ns = std::max(on.last_ns, lane.time_ns());
        if (!std::exchange(any, true)) saw_event(on.last_ns);
        if (lane.whole() && lane.gaps.empty()) [[likely]] {
            run_whole(lane, until_ns);
            continue;
        }
        const std::uint8_t kind = lane.kind();
        const std::uint8_t columns = kind_columns[kind];
        // A kind that nobody defined takes unknown columns: nothing after it can be read.
        if ((columns & vocabulary::unknown_kind) != 0) [[unlikely]] {
            ++anomalies;
            lane.end();
            continue;
        }
        Event event;
        if ((columns & vocabulary::subject_column) != 0) event.subject = lane.subject<true>();
        if ((columns & vocabulary::argument_column) != 0) event.argument = lane.argument<true>();
        if ((columns & vocabulary::stack_column) != 0) event.stack = lane.stack<true>();
        if (lane.short_column()) [[unlikely]] {
            lane.end();
            continue;
        }
        ++events;
        apply_event(on, on.last_ns, kind, event);
        lane.next<true>();
    }
    return leave(false);
}

}  // namespace coroscope::model
