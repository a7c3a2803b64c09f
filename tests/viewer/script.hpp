// Writes an app's stream by hand: definitions and events in, frames out. For tests of what shows them.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "coroscope/v2/events.pb.h"
#include "coroscope/v2/session.pb.h"
#include "coroscope/vocabulary.hpp"

namespace coroscope::test {

class Script {
public:
    explicit Script(std::uint64_t app = 1, const std::string& name = "service",
                    std::uint64_t start_ns = 1'000'000'000'000)
        : app_(app), name_(name), now_(start_ns) {
        new_batch();
        auto& thread = *batch_.add_threads();
        thread.set_id(1);
        thread.set_tid(4242);
        thread.set_name("main");
    }

    v2::Frame hello() const {
        v2::Frame frame;
        frame.set_app(app_);
        v2::Hello& hello = *frame.mutable_hello();
        hello.mutable_version()->set_major(1);
        hello.set_name(name_);
        hello.set_pid(1000 + app_);
        hello.set_instance("0123456789abcde" + std::to_string(app_ % 10));
        hello.set_host("server-1");
        hello.set_wall_unix_ns(1'767'225'600'000'000'000);
        hello.set_wall_at_ns(now_);
        hello.set_slow_step_ns(100'000'000);
        hello.set_library("coroscope 0.1.0");
        hello.set_compiler("g++ 12.2.0");
        return frame;
    }

    std::uint64_t now() const { return now_; }
    void at(std::uint64_t time_ns) { now_ = time_ns; }
    void pass(std::uint64_t ns) { now_ += ns; }

    std::uint32_t site(const std::string& function, const std::string& file, std::uint32_t line) {
        const std::string key = function + "|" + file + "|" + std::to_string(line);
        const auto [known, fresh] = sites_.try_emplace(key, static_cast<std::uint32_t>(sites_.size() + 1));
        if (fresh) {
            v2::Site& site = *batch_.add_sites();
            site.set_id(known->second);
            site.set_function(function);
            site.set_file(file);
            site.set_line(line);
        }
        return known->second;
    }

    std::uint32_t node(vocabulary::NodeKind kind, std::uint32_t parent, std::uint32_t site) {
        const std::string key =
            std::to_string(static_cast<int>(kind)) + "|" + std::to_string(parent) + "|" + std::to_string(site);
        const auto [known, fresh] = nodes_.try_emplace(key, static_cast<std::uint32_t>(nodes_.size() + 1));
        if (fresh) {
            v2::StackNode& node = *batch_.add_stacks();
            node.set_id(known->second);
            node.set_parent(parent);
            node.set_site(site);
            node.set_kind(static_cast<std::uint32_t>(kind));
        }
        return known->second;
    }
    // A call at `line` of the frame `parent`, and the frame it enters.
    std::uint32_t call(std::uint32_t parent, const std::string& function, const std::string& file, std::uint32_t line) {
        return node(vocabulary::NodeKind::call, parent, site(function, file, line));
    }
    std::uint32_t frame(std::uint32_t parent, const std::string& function, const std::string& file,
                        std::uint32_t line) {
        return node(vocabulary::NodeKind::frame, parent, site(function, file, line));
    }
    std::uint32_t task_node(std::uint32_t created_at, const std::string& function, const std::string& file,
                            std::uint32_t line) {
        return node(vocabulary::NodeKind::task, created_at, site(function, file, line));
    }

    // Before the first task waits on it.
    void resource(std::uint64_t id, vocabulary::ResourceType type) {
        v2::Resource& resource = *batch_.add_resources();
        resource.set_id(id);
        resource.set_type(static_cast<std::uint32_t>(type));
    }

    void loop_started(std::uint64_t loop) { event(vocabulary::EventKind::loop_started), task(loop); }
    void loop_stopped(std::uint64_t loop) { event(vocabulary::EventKind::loop_stopped), task(loop); }
    void poll_begin() { event(vocabulary::EventKind::poll_begin); }
    void poll_end(std::uint64_t events) { event(vocabulary::EventKind::poll_end), arg(events); }
    void created(std::uint64_t id, std::uint64_t parent, std::uint32_t root) {
        event(vocabulary::EventKind::task_created), task(id), arg(parent), stack(root);
    }
    void named(std::uint64_t id, const std::string& text) {
        const auto [known, fresh] = names_.try_emplace(text, static_cast<std::uint32_t>(names_.size() + 1));
        if (fresh) {
            v2::Name& name = *batch_.add_names();
            name.set_id(known->second);
            name.set_text(text);
        }
        event(vocabulary::EventKind::task_named), task(id), arg(known->second);
    }
    void ready(std::uint64_t id, std::uint64_t waker) {
        event(vocabulary::EventKind::task_ready), task(id), arg(waker);
    }
    void step_begin(std::uint64_t id) { event(vocabulary::EventKind::step_begin), task(id); }
    void step_end(std::uint64_t id, std::uint64_t wait, std::uint32_t at) {
        event(vocabulary::EventKind::step_end), task(id), arg(wait), stack(at);
    }
    void done(std::uint64_t id, vocabulary::Outcome outcome) {
        event(vocabulary::EventKind::task_done), task(id), arg(static_cast<std::uint64_t>(outcome));
    }
    void cancel(std::uint64_t id, std::uint64_t by, std::uint32_t at) {
        event(vocabulary::EventKind::cancel_requested), task(id), arg(by), stack(at);
    }
    v2::Report& report(vocabulary::ReportKind kind) {
        v2::Report& report = *batch_.add_reports();
        report.set_kind(static_cast<std::uint32_t>(kind));
        report.set_time_ns(now_);
        report.set_thread(1);
        return report;
    }
    void dropped(std::uint64_t count, std::uint64_t first_ns, std::uint64_t last_ns) {
        dropped_ += count;
        v2::Gap& gap = *batch_.add_gaps();
        gap.set_thread(1);
        gap.set_count(count);
        gap.set_first_ns(first_ns);
        gap.set_last_ns(last_ns);
    }

    // What was written since the last take, as a frame.
    v2::Frame take() {
        batch_.set_sequence(++sequence_);
        batch_.set_dropped_total(dropped_);
        v2::Frame frame;
        frame.set_app(app_);
        *frame.mutable_batch() = batch_.SerializeAsString();
        new_batch();
        return frame;
    }
    std::size_t pending() const { return lane_->kinds().size(); }

private:
    void new_batch() {
        batch_.Clear();
        lane_ = batch_.add_lanes();
        lane_->set_thread(1);
        lane_->set_start_ns(now_);
        last_event_ = now_;
        last_task_ = 0;
    }
    void event(vocabulary::EventKind kind) {
        lane_->mutable_kinds()->push_back(static_cast<char>(kind));
        lane_->add_time_deltas(now_ - last_event_);
        last_event_ = now_;
    }
    void task(std::uint64_t id) {
        lane_->add_subject_deltas(static_cast<std::int64_t>(id) - static_cast<std::int64_t>(last_task_));
        last_task_ = id;
    }
    void arg(std::uint64_t value) { lane_->add_arguments(value); }
    void stack(std::uint32_t node) { lane_->add_stacks(node); }

    std::uint64_t app_;
    std::string name_;
    std::uint64_t now_;
    std::uint64_t sequence_ = 0, dropped_ = 0, last_event_ = 0, last_task_ = 0;
    std::map<std::string, std::uint32_t> sites_, nodes_, names_;
    v2::Batch batch_;
    v2::Lane* lane_ = nullptr;
};

}  // namespace coroscope::test
