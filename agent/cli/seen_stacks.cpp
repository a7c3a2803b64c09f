#include "seen_stacks.hpp"

#include <tuple>
#include <utility>

#include "coroscope/v2/events.pb.h"
#include "coroscope/vocabulary.hpp"
#include "proto/words/place.hpp"

namespace coroscope::cli {

namespace {

using vocabulary::EventKind;
using vocabulary::NodeKind;

// The batch that the process would have sent.
class Listing {
public:
    v2::Batch& batch() { return batch_; }

    model::NodeId node(model::NodeId parent, NodeKind kind, const std::string& function, const std::string& file,
                       std::uint32_t line) {
        const std::uint32_t site = this->site(function, file, line);
        const auto [found, is_new] =
            nodes_.try_emplace(std::tuple(parent, kind, site), static_cast<model::NodeId>(nodes_.size() + 1));
        if (is_new) {
            v2::StackNode& out = *batch_.add_stacks();
            out.set_id(found->second);
            out.set_parent(parent);
            out.set_site(site);
            out.set_kind(static_cast<std::uint32_t>(kind));
        }
        return found->second;
    }

    void begin_lane(std::uint32_t thread) {
        lane_ = batch_.add_lanes();
        lane_->set_thread(thread);
        lane_->set_start_ns(1);
        last_subject_ = 0;
    }

    void event(EventKind kind, std::uint64_t subject, std::uint64_t argument = 0, model::NodeId stack = 0) {
        const auto& row = vocabulary::row(kind);
        lane_->mutable_kinds()->push_back(static_cast<char>(kind));
        lane_->add_time_deltas(0);
        if (row.subject != vocabulary::Subject::nothing) {
            lane_->add_subject_deltas(static_cast<std::int64_t>(subject - last_subject_));
            last_subject_ = subject;
        }
        if (row.argument != vocabulary::Argument::nothing) lane_->add_arguments(argument);
        if (row.stack) lane_->add_stacks(stack);
    }

    void name(model::TaskId task, const std::string& text) {
        const auto [found, is_new] = names_.try_emplace(text, static_cast<std::uint32_t>(names_.size() + 1));
        if (is_new) {
            v2::Name& out = *batch_.add_names();
            out.set_id(found->second);
            out.set_text(text);
        }
        event(EventKind::task_named, task, found->second);
    }

    void resource(model::ResourceId id, const Json& about) {
        if (!about.is_object() || !resources_.insert({id, true}).second) return;
        v2::Resource& out = *batch_.add_resources();
        out.set_id(id);
        out.set_type(about.at("type").get<std::uint32_t>());
        out.set_name(about.at("name").get<std::string>());
    }

private:
    std::uint32_t site(const std::string& function, const std::string& file, std::uint32_t line) {
        const auto [found, is_new] =
            sites_.try_emplace(std::tuple(function, file, line), static_cast<std::uint32_t>(sites_.size() + 1));
        if (is_new) {
            v2::Site& out = *batch_.add_sites();
            out.set_id(found->second);
            out.set_function(function);
            out.set_file(file);
            out.set_line(line);
            if (words::is_coroscope(function, file)) out.set_flags(vocabulary::site_is_library);
        }
        return found->second;
    }

    v2::Batch batch_;
    v2::Lane* lane_ = nullptr;
    std::uint64_t last_subject_ = 0;
    std::map<std::tuple<std::string, std::string, std::uint32_t>, std::uint32_t> sites_;
    std::map<std::tuple<model::NodeId, NodeKind, std::uint32_t>, model::NodeId> nodes_;
    std::map<std::string, std::uint32_t> names_;
    std::map<model::ResourceId, bool> resources_;
};

struct Stack {
    model::NodeId root = 0, innermost = 0;  // innermost: the coroutine
    model::NodeId at = 0;                   // where that awaits, or did last; 0: nowhere yet
    std::string await_place;
};

Stack add_stack(Listing& listing, const Json& task) {
    Stack stack;
    model::NodeId above = 0;
    for (const Json& each : task.at("created")) {
        const Json& site = each.at(1);
        above = listing.node(above, static_cast<NodeKind>(each.at(0).get<int>()), site.at(0).get<std::string>(),
                             site.at(1).get<std::string>(), site.at(2).get<std::uint32_t>());
    }
    for (const Json& frame : task.at("frames")) {
        const auto function = frame.at(0).get<std::string>();
        const bool is_first = stack.root == 0;
        stack.innermost = listing.node(is_first ? above : stack.at, is_first ? NodeKind::task : NodeKind::frame,
                                       function, frame.at(1).get<std::string>(), frame.at(2).get<std::uint32_t>());
        if (is_first) stack.root = stack.innermost;
        const auto file = frame.at(3).get<std::string>();
        const auto line = frame.at(4).get<std::uint32_t>();
        stack.await_place = words::place(file, line);
        stack.at = line == 0 ? 0 : listing.node(stack.innermost, NodeKind::call, function, file, line);
    }
    return stack;
}

SeenTask add_task(Listing& listing, const Json& task) {
    SeenTask out;
    out.id = task.at("id").get<std::uint64_t>();
    const auto parent = task.at("parent").get<std::uint64_t>();
    const auto state = task.at("state").get<std::string>();
    const auto verb = static_cast<vocabulary::Verb>(task.at("verb").get<std::uint8_t>());
    const auto operand = task.at("operand").get<std::uint64_t>();
    const auto holder = task.at("holder").get<std::uint64_t>();
    const Stack stack = add_stack(listing, task);
    listing.resource(operand, task.at("resource"));
    out.wait_is_known = verb != vocabulary::Verb::unknown;
    out.at = stack.at != 0 ? stack.at : stack.innermost;
    if (state == "created") {
        out.at = stack.root;
        listing.event(EventKind::task_created, out.id, parent, stack.root);
    } else {
        listing.event(EventKind::snapshot_task, out.id, parent, stack.root);
    }
    if (state == "running") {
        out.at = stack.innermost;
        out.last_await = stack.await_place;
        listing.event(EventKind::step_begin, out.id);
    } else if (state == "ready") {
        listing.event(EventKind::snapshot_state, out.id);
    } else if (state == "suspended") {
        if (holder != 0) listing.event(EventKind::wait_holder, out.id, holder);
        listing.event(EventKind::snapshot_state, out.id, vocabulary::pack_wait(verb, operand), out.at);
    }
    if (const auto name = task.at("name").get<std::string>(); !name.empty()) listing.name(out.id, name);
    return out;
}

}  // namespace

SeenStacks seen_stacks(const Json& answer) {
    SeenStacks out;
    Listing listing;
    for (const Json& runtime : answer.at("runtimes")) {
        const auto runtime_name = runtime.at("name").get<std::string>();
        if (!runtime.at("loops").is_array()) {
            out.silent_runtimes.push_back(runtime_name);
            continue;
        }
        for (const Json& each : runtime.at("loops")) {
            SeenLoop loop;
            loop.id = each.at("id").get<std::uint64_t>();
            loop.thread = each.at("tid").get<std::uint64_t>();
            loop.how = each.at("how").get<std::string>();
            loop.runtime = runtime_name;
            loop.changing = each.at("changing").get<bool>();
            loop.left_out = each.at("left_out").get<std::uint64_t>();
            loop.thread_now = each.at("thread");
            listing.begin_lane(static_cast<std::uint32_t>(out.loops.size() + 1));
            listing.event(EventKind::loop_started, loop.id);
            for (const Json& task : each.at("tasks")) loop.tasks.push_back(add_task(listing, task));
            out.loops.push_back(std::move(loop));
        }
    }
    out.model.apply(listing.batch());
    return out;
}

}  // namespace coroscope::cli
