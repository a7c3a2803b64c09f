// Apps for the trace tests, made by hand or by chance: real batches, folded by the real model.
#pragma once

#include "agent/model/session.hpp"
#include "coroscope/v2/events.pb.h"
#include "coroscope/v2/session.pb.h"

#include <bit>
#include <cstdint>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace coroscope::trace::test {

// Events of one thread with absolute times, as the columns of a batch.
class BatchBuilder {
public:
    explicit BatchBuilder(std::uint64_t sequence, std::uint32_t thread = 1, std::uint64_t start_ns = 0) {
        batch_.set_sequence(sequence);
        lane_ = batch_.add_lanes();
        lane_->set_thread(thread);
        lane_->set_start_ns(start_ns);
        time_ns_ = start_ns;
    }

    BatchBuilder& site(std::uint32_t id, const std::string& function, const std::string& file, std::uint32_t line) {
        auto& site = *batch_.add_sites();
        site.set_id(id);
        site.set_function(function);
        site.set_file(file);
        site.set_line(line);
        return *this;
    }
    BatchBuilder& node(std::uint32_t id, std::uint32_t parent, std::uint32_t site, vocabulary::NodeKind kind) {
        auto& node = *batch_.add_stacks();
        node.set_id(id);
        node.set_parent(parent);
        node.set_site(site);
        node.set_kind(static_cast<std::uint32_t>(kind));
        return *this;
    }
    BatchBuilder& thread(std::uint32_t id, std::uint64_t tid, const std::string& name) {
        auto& thread = *batch_.add_threads();
        thread.set_id(id);
        thread.set_tid(tid);
        thread.set_name(name);
        return *this;
    }
    BatchBuilder& name(std::uint32_t id, const std::string& text) {
        auto& name = *batch_.add_names();
        name.set_id(id);
        name.set_text(text);
        return *this;
    }
    BatchBuilder& value(std::uint32_t id, const std::string& text) {
        auto& value = *batch_.add_values();
        value.set_id(id);
        value.set_text(text);
        return *this;
    }
    BatchBuilder& value(std::uint32_t id, double real) {
        auto& value = *batch_.add_values();
        value.set_id(id);
        value.set_real(real);
        return *this;
    }
    BatchBuilder& gap(std::uint32_t thread, std::uint64_t count, std::uint64_t first_ns, std::uint64_t last_ns) {
        auto& gap = *batch_.add_gaps();
        gap.set_thread(thread);
        gap.set_count(count);
        gap.set_first_ns(first_ns);
        gap.set_last_ns(last_ns);
        batch_.set_dropped_total(batch_.dropped_total() + count);
        return *this;
    }

    BatchBuilder& loop_started(std::uint64_t t, std::uint64_t loop) {
        return event(t, vocabulary::EventKind::loop_started).task(loop);
    }
    BatchBuilder& poll(std::uint64_t begin, std::uint64_t end, std::uint64_t found) {
        return event(begin, vocabulary::EventKind::poll_begin).event(end, vocabulary::EventKind::poll_end).arg(found);
    }
    BatchBuilder& created(std::uint64_t t, std::uint64_t task, std::uint64_t parent, std::uint32_t root) {
        return event(t, vocabulary::EventKind::task_created).task(task).arg(parent).stack(root);
    }
    BatchBuilder& named(std::uint64_t t, std::uint64_t task, std::uint32_t name) {
        return event(t, vocabulary::EventKind::task_named).task(task).arg(name);
    }
    BatchBuilder& ready(std::uint64_t t, std::uint64_t task, std::uint64_t waker) {
        return event(t, vocabulary::EventKind::task_ready).task(task).arg(waker);
    }
    BatchBuilder& begin(std::uint64_t t, std::uint64_t task) {
        return event(t, vocabulary::EventKind::step_begin).task(task);
    }
    BatchBuilder& end(std::uint64_t t, std::uint64_t task, vocabulary::Verb wait, std::uint64_t operand,
                      std::uint32_t stack_id) {
        return event(t, vocabulary::EventKind::step_end)
            .task(task)
            .arg(vocabulary::pack_wait(wait, operand))
            .stack(stack_id);
    }
    BatchBuilder& done(std::uint64_t t, std::uint64_t task, vocabulary::Outcome outcome) {
        return event(t, vocabulary::EventKind::task_done).task(task).arg(static_cast<std::uint64_t>(outcome));
    }
    BatchBuilder& callback(std::uint64_t begin, std::uint64_t end, std::uint32_t scheduled_at) {
        return event(begin, vocabulary::EventKind::callback_begin)
            .arg(0)
            .stack(scheduled_at)
            .event(end, vocabulary::EventKind::callback_end);
    }

    BatchBuilder& attribute(std::uint64_t t, std::uint64_t task, std::uint32_t key, std::uint32_t value) {
        return event(t, vocabulary::EventKind::task_attribute).task(task).arg(vocabulary::pack_attribute(key, value));
    }
    BatchBuilder& span_attribute(std::uint64_t t, std::uint64_t span, std::uint32_t key, std::uint32_t value) {
        return event(t, vocabulary::EventKind::span_attribute).task(span).arg(vocabulary::pack_attribute(key, value));
    }
    BatchBuilder& span_begin(std::uint64_t t, std::uint64_t span, std::uint32_t name, std::uint32_t at) {
        return event(t, vocabulary::EventKind::span_begin).task(span).arg(name).stack(at);
    }
    BatchBuilder& span_end(std::uint64_t t, std::uint64_t span) {
        return event(t, vocabulary::EventKind::span_end).task(span);
    }
    BatchBuilder& mark(std::uint64_t t, std::uint64_t id, std::uint32_t text, std::uint32_t at) {
        return event(t, vocabulary::EventKind::mark).task(id).arg(text).stack(at);
    }
    BatchBuilder& counter(std::uint64_t t, std::uint32_t name, double value) {
        return event(t, vocabulary::EventKind::counter).task(name).arg(std::bit_cast<std::uint64_t>(value));
    }

    const v2::Batch& batch() const { return batch_; }
    v2::Frame frame(std::uint64_t app) const {
        v2::Frame frame;
        frame.set_app(app);
        frame.set_batch(batch_.SerializeAsString());
        return frame;
    }

private:
    BatchBuilder& event(std::uint64_t time_ns, vocabulary::EventKind kind) {
        lane_->mutable_kinds()->push_back(static_cast<char>(kind));
        lane_->add_time_deltas(time_ns - time_ns_);
        time_ns_ = time_ns;
        return *this;
    }
    BatchBuilder& task(std::uint64_t id) {
        lane_->add_subject_deltas(static_cast<std::int64_t>(id - task_));
        task_ = id;
        return *this;
    }
    BatchBuilder& arg(std::uint64_t value) { return lane_->add_arguments(value), *this; }
    BatchBuilder& stack(std::uint32_t id) { return lane_->add_stacks(id), *this; }

    v2::Batch batch_;
    v2::Lane* lane_ = nullptr;
    std::uint64_t time_ns_ = 0, task_ = 0;
};

inline v2::Frame hello(std::uint64_t app, const std::string& name, std::uint64_t pid,
                       std::uint64_t wall_offset_ns = 0) {
    v2::Frame frame;
    frame.set_app(app);
    auto& hello = *frame.mutable_hello();
    hello.mutable_version()->set_major(1);
    hello.set_name(name);
    hello.set_pid(pid);
    hello.set_slow_step_ns(100'000'000);
    if (wall_offset_ns != 0) {
        hello.set_wall_unix_ns(wall_offset_ns + 1000);
        hello.set_wall_at_ns(1000);
    }
    return frame;
}

inline void define_small_app(BatchBuilder& b) {
    b.thread(1, 4243, "main");
    b.site(1, "coroscope::Coro<void> app_main()", "src/main.cpp", 10).site(2, "app_main", "src/main.cpp", 12);
    b.site(3, "app_main", "src/main.cpp", 11).site(4, "coroscope::Coro<int> ns::worker(int)", "src/worker.cpp", 20);
    b.site(5, "worker", "src/worker.cpp", 22);
    b.node(1, 0, 1, vocabulary::NodeKind::task)
        .node(2, 1, 3, vocabulary::NodeKind::call)
        .node(3, 2, 4, vocabulary::NodeKind::task);
    b.node(4, 1, 2, vocabulary::NodeKind::call).node(5, 3, 5, vocabulary::NodeKind::call);
}

// app_main (task 1) creates a worker (task 2) and awaits it; the worker sleeps, ends, and wakes task 1, which creates
// another worker (task 3), which runs still.
inline std::vector<v2::Frame> small_app(std::uint64_t app = 1, std::uint64_t pid = 4242) {
    BatchBuilder b(1, 1, 1000);
    define_small_app(b);
    b.loop_started(1000, 1).created(1100, 1, 0, 1).poll(1150, 1200, 0);
    b.begin(1300, 1).created(1400, 2, 1, 3).end(1500, 1, vocabulary::Verb::join, 2, 4);
    b.begin(1600, 2).end(1700, 2, vocabulary::Verb::timer, 0, 5);
    b.poll(1800, 5000, 1).ready(5100, 2, 0);
    b.begin(5200, 2)
        .done(5300, 2, vocabulary::Outcome::ok)
        .ready(5350, 1, 2)
        .end(5400, 2, vocabulary::Verb::unknown, 0, 0);
    b.begin(5500, 1).created(5600, 3, 1, 3).end(6500, 1, vocabulary::Verb::join, 3, 4);
    b.callback(6600, 6700, 4).begin(7001, 3);
    return {hello(app, "small", pid), b.frame(app)};
}

// The small app, with what it says about itself: task 3 has an attribute, two spans that overlap and one within the
// first, of which one lasts, and a mark; the process has a counter.
inline std::vector<v2::Frame> telling_app() {
    std::vector<v2::Frame> frames = small_app();
    BatchBuilder b(2, 1, 7100);
    b.name(1, "user").name(2, "price").name(3, "charge").name(4, "cold cache").name(5, "orders").name(6, "amount");
    b.name(7, "inner").value(1, "ann").value(2, 9.5);
    b.attribute(7100, 3, 1, 1).span_begin(7200, 1, 2, 5).span_begin(7300, 2, 7, 5).span_end(7350, 2);
    b.span_begin(7400, 3, 3, 5).span_attribute(7450, 3, 6, 2).span_end(7500, 1);
    b.mark(7600, 4, 4, 5).counter(7700, 5, 2.5).counter(7800, 5, -1).counter(7900, 5, 1.0 / 0.0);
    frames.push_back(b.frame(1));
    return frames;
}

// A loop with tasks that create, wake, wait and end as chance wills, but as a loop could do it. With `gaps` some events
// are lost on the way.
inline std::vector<v2::Frame> random_app(std::uint64_t app, std::uint64_t seed, bool gaps = false) {
    std::mt19937_64 random(seed);
    std::vector<v2::Frame> frames{hello(app, "random", 100 + app)};
    std::uint64_t t = 1000 + random() % 1000, next_task = 2, sequence = 1;
    std::vector<std::uint64_t> ready{1}, waiting, spans;
    std::uint64_t next_span = 1;
    const auto tick = [&] { return t += random() % 50; };
    const auto take = [&](std::vector<std::uint64_t>& from) {
        const std::size_t i = random() % from.size();
        const std::uint64_t id = from[i];
        from.erase(from.begin() + static_cast<long>(i));
        return id;
    };
    for (; sequence <= 6; ++sequence) {
        BatchBuilder b(sequence, 1, t);
        if (sequence == 1) {
            define_small_app(b);
            b.name(1, "na\"me \\ \x01 ;").value(1, "va\"lue");
            b.loop_started(tick(), 1).created(tick(), 1, 0, 1);
        }
        for (int round = 0; round < 60; ++round) {
            if (ready.empty() || random() % 8 == 0) {
                const std::uint64_t from = tick();
                b.poll(from, tick(), 1);
                if (!waiting.empty()) ready.push_back(take(waiting)), b.ready(tick(), ready.back(), 0);
                continue;
            }
            const std::uint64_t task = take(ready);
            b.begin(tick(), task);
            while (random() % 3 == 0) {
                b.created(tick(), next_task, task, 3);
                if (random() % 4 == 0) b.named(tick(), next_task, 1);
                ready.push_back(next_task++);
            }
            if (!waiting.empty() && random() % 2 == 0)
                ready.push_back(take(waiting)), b.ready(tick(), ready.back(), task);
            if (random() % 5 == 0) b.span_begin(tick(), next_span, 1, 4), spans.push_back(next_span++);
            if (random() % 5 == 0 && !spans.empty()) b.span_end(tick(), take(spans));
            if (random() % 9 == 0) b.mark(tick(), next_span++, 1, 4).attribute(tick(), task, 1, 1);
            if (random() % 9 == 0) b.counter(tick(), 1, static_cast<double>(random() % 100) / 8);
            const auto fate = random() % 6;
            if (fate == 0 && task != 1) {
                b.done(tick(), task, vocabulary::Outcome::ok).end(tick(), task, vocabulary::Verb::unknown, 0, 0);
            } else if (fate == 1) {
                b.ready(tick(), task, task).end(tick(), task, vocabulary::Verb::turn, 0, task == 1 ? 4 : 5);
                ready.push_back(task);
            } else {
                b.end(tick(), task, vocabulary::Verb::timer, 0, task == 1 ? 4 : 5);
                waiting.push_back(task);
            }
            if (random() % 10 == 0) b.callback(t + 1, t + 5, 4), t += 5;
        }
        if (gaps && sequence % 2 == 0) b.gap(1, 7, t - 100, t - 50);
        if (gaps && sequence == 4) continue;  // a batch that never arrives
        frames.push_back(b.frame(app));
    }
    return frames;
}

inline void fold(model::Session& session, const std::vector<v2::Frame>& frames) {
    for (const auto& frame : frames) session.apply(frame);
}

}  // namespace coroscope::trace::test
