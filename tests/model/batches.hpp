// Batches written by hand, event by event with absolute times; a lane a thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "agent/model/model.hpp"
#include "coroscope/v2/events.pb.h"
#include "coroscope/v2/session.pb.h"

namespace coroscope::model::test {

class BatchBuilder {
public:
    explicit BatchBuilder(std::uint64_t sequence = 0) { batch_.set_sequence(sequence); }

    BatchBuilder& site(std::uint32_t id, const std::string& function, const std::string& file, std::uint32_t line) {
        v2::Site& site = *batch_.add_sites();
        site.set_id(id);
        site.set_function(function);
        site.set_file(file);
        site.set_line(line);
        return *this;
    }
    BatchBuilder& node(std::uint32_t id, std::uint32_t parent, std::uint32_t site, v2::StackNode::Kind kind) {
        v2::StackNode& node = *batch_.add_stacks();
        node.set_id(id);
        node.set_parent(parent);
        node.set_site(site);
        node.set_kind(kind);
        return *this;
    }
    BatchBuilder& name(std::uint32_t id, const std::string& text) {
        v2::Name& name = *batch_.add_names();
        name.set_id(id);
        name.set_text(text);
        return *this;
    }
    BatchBuilder& define_thread(std::uint32_t id, std::uint64_t tid, const std::string& name) {
        v2::Thread& thread = *batch_.add_threads();
        thread.set_id(id);
        thread.set_tid(tid);
        thread.set_name(name);
        return *this;
    }
    BatchBuilder& gap(std::uint32_t thread, std::uint64_t count, std::uint64_t first_ns, std::uint64_t last_ns) {
        v2::Gap& gap = *batch_.add_gaps();
        gap.set_thread(thread);
        gap.set_count(count);
        gap.set_first_ns(first_ns);
        gap.set_last_ns(last_ns);
        return *this;
    }
    v2::Report& report(v2::Report::Kind kind, std::uint64_t time_ns, std::uint64_t task) {
        v2::Report& report = *batch_.add_reports();
        report.set_kind(kind);
        report.set_time_ns(time_ns);
        report.set_task(task);
        return report;
    }

    // Events that follow are of this thread. The first is 1.
    BatchBuilder& thread(std::uint32_t id) {
        thread_ = id;
        return *this;
    }
    BatchBuilder& loop_started(std::uint64_t t, std::uint64_t loop) { return event(t, v2::LOOP_STARTED).arg(loop); }
    BatchBuilder& loop_stopped(std::uint64_t t, std::uint64_t loop) { return event(t, v2::LOOP_STOPPED).arg(loop); }
    BatchBuilder& poll_begin(std::uint64_t t) { return event(t, v2::POLL_BEGIN); }
    BatchBuilder& poll_end(std::uint64_t t, std::uint64_t found) { return event(t, v2::POLL_END).arg(found); }
    BatchBuilder& created(std::uint64_t t, std::uint64_t task, std::uint64_t parent = 0, std::uint32_t root = 0) {
        return event(t, v2::TASK_CREATED).task(task).arg(parent).stack(root);
    }
    BatchBuilder& named(std::uint64_t t, std::uint64_t task, std::uint64_t name) {
        return event(t, v2::TASK_NAMED).task(task).arg(name);
    }
    BatchBuilder& ready(std::uint64_t t, std::uint64_t task, std::uint64_t waker = 0) {
        return event(t, v2::TASK_READY).task(task).arg(waker);
    }
    BatchBuilder& begin(std::uint64_t t, std::uint64_t task) { return event(t, v2::STEP_BEGIN).task(task); }
    BatchBuilder& end(std::uint64_t t, std::uint64_t task, v2::WaitKind wait, std::uint64_t operand,
                      std::uint32_t stack) {
        return event(t, v2::STEP_END).task(task).arg(operand << 4 | static_cast<std::uint64_t>(wait)).stack(stack);
    }
    BatchBuilder& finish(std::uint64_t t, std::uint64_t task) {
        return event(t, v2::STEP_END).task(task).arg(0).stack(0);
    }
    BatchBuilder& done(std::uint64_t t, std::uint64_t task, std::uint64_t outcome = v2::OUTCOME_OK) {
        return event(t, v2::TASK_DONE).task(task).arg(outcome);
    }
    BatchBuilder& cancel(std::uint64_t t, std::uint64_t task, std::uint64_t by, std::uint32_t at = 0) {
        return event(t, v2::CANCEL_REQUESTED).task(task).arg(by).stack(at);
    }
    BatchBuilder& callback_begin(std::uint64_t t, std::uint32_t at) { return event(t, v2::CALLBACK_BEGIN).stack(at); }
    BatchBuilder& callback_end(std::uint64_t t) { return event(t, v2::CALLBACK_END); }
    BatchBuilder& job(std::uint64_t begin, std::uint64_t end, std::uint64_t task_id) {
        return event(begin, v2::JOB_BEGIN).task(task_id).event(end, v2::JOB_END).task(task_id);
    }
    BatchBuilder& snapshot_begin(std::uint64_t t, std::uint64_t loop) { return event(t, v2::SNAPSHOT_BEGIN).arg(loop); }
    BatchBuilder& snapshot(std::uint64_t t, std::uint64_t id, std::uint64_t parent, std::uint32_t root,
                           v2::WaitKind wait, std::uint64_t operand, std::uint32_t at) {
        event(t, v2::SNAPSHOT_TASK).task(id).arg(parent).stack(root);
        return event(t, v2::SNAPSHOT_STATE).task(id).arg(operand << 4 | static_cast<std::uint64_t>(wait)).stack(at);
    }
    BatchBuilder& snapshot_end(std::uint64_t t, std::uint64_t loop) { return event(t, v2::SNAPSHOT_END).arg(loop); }

    v2::Batch& batch() { return batch_; }
    operator const v2::Batch&() const { return batch_; }  // NOLINT: so that a builder can be applied

    BatchBuilder& event(std::uint64_t time_ns, int kind) {
        Lane& at = lane();
        at.message->mutable_kinds()->push_back(static_cast<char>(kind));
        at.message->add_time_deltas(time_ns - at.time_ns);
        at.time_ns = time_ns;
        return *this;
    }
    BatchBuilder& task(std::uint64_t id) {
        Lane& at = lane();
        at.message->add_task_deltas(static_cast<std::int64_t>(id - at.task));
        at.task = id;
        return *this;
    }
    BatchBuilder& arg(std::uint64_t value) {
        lane().message->add_args(value);
        return *this;
    }
    BatchBuilder& stack(std::uint32_t id) {
        lane().message->add_stacks(id);
        return *this;
    }

private:
    struct Lane {
        v2::Lane* message = nullptr;
        std::uint64_t time_ns = 0, task = 0;
    };
    Lane& lane() {
        Lane& at = lanes_[thread_];
        if (at.message == nullptr) {
            at.message = batch_.add_lanes();
            at.message->set_thread(thread_);
        }
        return at;
    }

    v2::Batch batch_;
    std::uint32_t thread_ = 1;
    std::map<std::uint32_t, Lane> lanes_;
};

// Sites and nodes that most tests use. main (task root 1) creates worker (task root 3) at main.cpp:11 and awaits at
// :12; worker awaits helper (frame 6) at worker.cpp:22 (call 5), which awaits at :33 (call 7).
inline void define_program(BatchBuilder& b) {
    b.define_thread(1, 1001, "main").define_thread(2, 1002, "pool").name(1, "first").name(2, "second");
    b.site(1, "app_main", "main.cpp", 10).site(2, "app_main", "main.cpp", 11).site(3, "app_main", "main.cpp", 12);
    b.site(4, "worker", "worker.cpp", 20).site(5, "worker", "worker.cpp", 22);
    b.site(6, "helper", "worker.cpp", 30).site(7, "helper", "worker.cpp", 33);
    b.node(1, 0, 1, v2::StackNode::TASK).node(2, 1, 2, v2::StackNode::CALL).node(3, 2, 4, v2::StackNode::TASK);
    b.node(4, 1, 3, v2::StackNode::CALL).node(5, 3, 5, v2::StackNode::CALL);
    b.node(6, 5, 6, v2::StackNode::FRAME).node(7, 6, 7, v2::StackNode::CALL);
}

}  // namespace coroscope::model::test
