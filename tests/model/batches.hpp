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
    BatchBuilder& node(std::uint32_t id, std::uint32_t parent, std::uint32_t site, vocabulary::NodeKind kind) {
        v2::StackNode& node = *batch_.add_stacks();
        node.set_id(id);
        node.set_parent(parent);
        node.set_site(site);
        node.set_kind(static_cast<std::uint32_t>(kind));
        return *this;
    }
    BatchBuilder& name(std::uint32_t id, const std::string& text) {
        v2::Name& name = *batch_.add_names();
        name.set_id(id);
        name.set_text(text);
        return *this;
    }
    BatchBuilder& value(std::uint32_t id, const std::string& text) {
        v2::Value& value = *batch_.add_values();
        value.set_id(id);
        value.set_text(text);
        return *this;
    }
    BatchBuilder& resource(std::uint64_t id, vocabulary::ResourceType type, std::uint64_t created_by) {
        v2::Resource& resource = *batch_.add_resources();
        resource.set_id(id);
        resource.set_type(static_cast<std::uint32_t>(type));
        resource.set_created_by(created_by);
        return *this;
    }
    BatchBuilder& member(std::uint64_t t, std::uint64_t resource, std::uint64_t task) {
        return event(t, vocabulary::EventKind::member).subject(resource).argument(task);
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
    v2::Report& report(vocabulary::ReportKind kind, std::uint64_t time_ns, std::uint64_t task) {
        v2::Report& report = *batch_.add_reports();
        report.set_kind(static_cast<std::uint32_t>(kind));
        report.set_time_ns(time_ns);
        report.set_task(task);
        return report;
    }

    // Events that follow are of this thread. The first is 1.
    BatchBuilder& thread(std::uint32_t id) {
        thread_ = id;
        return *this;
    }
    BatchBuilder& loop_started(std::uint64_t t, std::uint64_t loop) {
        return event(t, vocabulary::EventKind::loop_started).subject(loop);
    }
    BatchBuilder& loop_stopped(std::uint64_t t, std::uint64_t loop) {
        return event(t, vocabulary::EventKind::loop_stopped).subject(loop);
    }
    BatchBuilder& poll_begin(std::uint64_t t) { return event(t, vocabulary::EventKind::poll_begin); }
    BatchBuilder& poll_end(std::uint64_t t, std::uint64_t found) {
        return event(t, vocabulary::EventKind::poll_end).argument(found);
    }
    BatchBuilder& created(std::uint64_t t, std::uint64_t task, std::uint64_t parent = 0, std::uint32_t root = 0) {
        return event(t, vocabulary::EventKind::task_created).subject(task).argument(parent).stack(root);
    }
    BatchBuilder& named(std::uint64_t t, std::uint64_t task, std::uint64_t name) {
        return event(t, vocabulary::EventKind::task_named).subject(task).argument(name);
    }
    BatchBuilder& ready(std::uint64_t t, std::uint64_t task, std::uint64_t waker = 0) {
        return event(t, vocabulary::EventKind::task_ready).subject(task).argument(waker);
    }
    BatchBuilder& begin(std::uint64_t t, std::uint64_t task) {
        return event(t, vocabulary::EventKind::step_begin).subject(task);
    }
    BatchBuilder& end(std::uint64_t t, std::uint64_t task, vocabulary::Verb wait, std::uint64_t operand,
                      std::uint32_t stack) {
        return event(t, vocabulary::EventKind::step_end)
            .subject(task)
            .argument(vocabulary::pack_wait(wait, operand))
            .stack(stack);
    }
    BatchBuilder& finish(std::uint64_t t, std::uint64_t task) {
        return event(t, vocabulary::EventKind::step_end)
            .subject(task)
            .argument(vocabulary::pack_wait(vocabulary::Verb::finished))
            .stack(0);
    }
    BatchBuilder& done(std::uint64_t t, std::uint64_t task, vocabulary::Outcome outcome = vocabulary::Outcome::ok) {
        return event(t, vocabulary::EventKind::task_done).subject(task).argument(static_cast<std::uint64_t>(outcome));
    }
    BatchBuilder& cancel(std::uint64_t t, std::uint64_t task, std::uint64_t by, std::uint32_t at = 0) {
        return event(t, vocabulary::EventKind::cancel_requested).subject(task).argument(by).stack(at);
    }
    BatchBuilder& uncancelled(std::uint64_t t, std::uint64_t task, std::uint64_t remaining) {
        return event(t, vocabulary::EventKind::uncancelled).subject(task).argument(remaining);
    }
    BatchBuilder& cancel_origin(std::uint64_t t, std::uint64_t task, vocabulary::CancelOrigin origin,
                                std::uint32_t message = 0) {
        return event(t, vocabulary::EventKind::cancel_origin)
            .subject(task)
            .argument(vocabulary::pack_cancel(origin, message));
    }
    BatchBuilder& cancel_thrown(std::uint64_t t, std::uint64_t task, std::uint32_t at) {
        return event(t, vocabulary::EventKind::cancel_thrown).subject(task).stack(at);
    }
    BatchBuilder& cancel_swallowed(std::uint64_t t, std::uint64_t task, std::uint32_t at) {
        return event(t, vocabulary::EventKind::cancel_swallowed).subject(task).stack(at);
    }
    BatchBuilder& task_error(std::uint64_t t, std::uint64_t task, std::uint32_t value, std::uint32_t at) {
        return event(t, vocabulary::EventKind::task_error).subject(task).argument(value).stack(at);
    }
    BatchBuilder& error_retrieved(std::uint64_t t, std::uint64_t task, std::uint64_t by, std::uint32_t at) {
        return event(t, vocabulary::EventKind::error_retrieved).subject(task).argument(by).stack(at);
    }
    // The task ends with the error whose text is the value, at once.
    BatchBuilder& fail(std::uint64_t t, std::uint64_t task, std::uint32_t value, std::uint32_t at) {
        return task_error(t, task, value, at).done(t, task, vocabulary::Outcome::error).finish(t, task);
    }
    BatchBuilder& callback_begin(std::uint64_t t, std::uint32_t at) {
        return event(t, vocabulary::EventKind::callback_begin).argument(0).stack(at);
    }
    BatchBuilder& callback_end(std::uint64_t t) { return event(t, vocabulary::EventKind::callback_end); }
    BatchBuilder& job(std::uint64_t begin, std::uint64_t end, std::uint64_t job_id, std::uint64_t task_id = 0) {
        return event(begin, vocabulary::EventKind::job_begin)
            .subject(job_id)
            .argument(task_id)
            .event(end, vocabulary::EventKind::job_end)
            .subject(job_id)
            .argument(task_id);
    }
    BatchBuilder& snapshot_begin(std::uint64_t t, std::uint64_t loop) {
        return event(t, vocabulary::EventKind::snapshot_begin).subject(loop);
    }
    BatchBuilder& snapshot(std::uint64_t t, std::uint64_t id, std::uint64_t parent, std::uint32_t root,
                           vocabulary::Verb wait, std::uint64_t operand, std::uint32_t at) {
        event(t, vocabulary::EventKind::snapshot_task).subject(id).argument(parent).stack(root);
        return event(t, vocabulary::EventKind::snapshot_state)
            .subject(id)
            .argument(vocabulary::pack_wait(wait, operand))
            .stack(at);
    }
    BatchBuilder& snapshot_end(std::uint64_t t, std::uint64_t loop) {
        return event(t, vocabulary::EventKind::snapshot_end).subject(loop);
    }

    v2::Batch& batch() { return batch_; }
    operator const v2::Batch&() const { return batch_; }  // NOLINT: so that a builder can be applied

    BatchBuilder& event(std::uint64_t time_ns, vocabulary::EventKind kind) {
        Lane& at = lane();
        at.message->mutable_kinds()->push_back(static_cast<char>(kind));
        at.message->add_time_deltas(time_ns - at.time_ns);
        at.time_ns = time_ns;
        return *this;
    }
    BatchBuilder& subject(std::uint64_t id) {
        Lane& at = lane();
        at.message->add_subject_deltas(static_cast<std::int64_t>(id - at.subject));
        at.subject = id;
        return *this;
    }
    BatchBuilder& argument(std::uint64_t value) {
        lane().message->add_arguments(value);
        return *this;
    }
    BatchBuilder& stack(std::uint32_t id) {
        lane().message->add_stacks(id);
        return *this;
    }

private:
    struct Lane {
        v2::Lane* message = nullptr;
        std::uint64_t time_ns = 0, subject = 0;
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
    b.node(1, 0, 1, vocabulary::NodeKind::task)
        .node(2, 1, 2, vocabulary::NodeKind::call)
        .node(3, 2, 4, vocabulary::NodeKind::task);
    b.node(4, 1, 3, vocabulary::NodeKind::call).node(5, 3, 5, vocabulary::NodeKind::call);
    b.node(6, 5, 6, vocabulary::NodeKind::frame).node(7, 6, 7, vocabulary::NodeKind::call);
}

}  // namespace coroscope::model::test
