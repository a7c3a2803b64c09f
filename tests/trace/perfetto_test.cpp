// The Perfetto export, decoded again: Perfetto's rules for any app, and what it shows of a known one.
#include "agent/trace/perfetto_export.hpp"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "app_builder.hpp"
#include "perfetto/trace_subset.pb.h"

namespace coroscope::trace::test {
namespace {

namespace pf = perfetto::protos;

std::string exported_bytes(const model::Session& session, std::span<const Marker> markers = {}) {
    std::string text;
    Output out(text);
    export_perfetto(session, markers, out);
    return text;
}

// Interned ids of one sequence.
struct Tables {
    std::map<std::uint64_t, std::string> names, categories, annotation_names, annotation_texts;
};

struct Event {
    pf::TrackEvent raw;
    std::uint64_t time_ns = 0;
    std::string name, category;
    std::map<std::string, std::string> annotations;
};

// Reads a trace as Perfetto does, and fails where Perfetto would drop or misread something.
class Decoder {
public:
    void decode(const std::string& bytes) {
        pf::Trace trace;
        ASSERT_TRUE(trace.ParseFromString(bytes));
        for (const auto& packet : trace.packet()) {
            take(packet);
            if (::testing::Test::HasFatalFailure()) return;
        }
        ASSERT_TRUE(trace.packet_size() == 0 || snapshots_ == 1);
        match_slices();
        match_flows();
    }

    const pf::TrackDescriptor* track(const std::string& name) const {
        for (const auto& [uuid, descriptor] : tracks)
            if (descriptor.name() == name || descriptor.thread().thread_name() == name) return &descriptor;
        return nullptr;
    }
    std::vector<Event> on(const std::string& track_name) const {
        const auto* descriptor = track(track_name);
        if (descriptor == nullptr) return {};
        const auto at = events.find(descriptor->uuid());
        return at == events.end() ? std::vector<Event>{} : at->second;
    }

    std::map<std::uint64_t, pf::TrackDescriptor> tracks;
    std::map<std::uint64_t, std::vector<Event>> events;  // by track, in file order
    int losses = 0;

private:
    template <class Entries>
    static void define(std::map<std::uint64_t, std::string>& table, const Entries& entries, auto text) {
        for (const auto& entry : entries) {
            ASSERT_GE(entry.iid(), 1u);
            ASSERT_TRUE(table.emplace(entry.iid(), text(entry)).second) << "defined twice";
        }
    }
    static std::string look_up(const std::map<std::uint64_t, std::string>& table, std::uint64_t id) {
        const auto at = table.find(id);
        EXPECT_NE(at, table.end()) << "used before it was interned: " << id;
        return at == table.end() ? "" : at->second;
    }

    void take(const pf::TracePacket& packet) {
        ASSERT_TRUE(packet.has_trusted_packet_sequence_id());
        const std::uint32_t sequence = packet.trusted_packet_sequence_id();
        ASSERT_NE(sequence, 0u);
        const bool first = tables_.find(sequence) == tables_.end();
        Tables& tables = tables_[sequence];
        ASSERT_EQ(packet.first_packet_on_sequence(), first);
        losses += packet.previous_packet_dropped();
        if (first || packet.previous_packet_dropped()) {
            ASSERT_EQ(packet.sequence_flags(), std::uint32_t{pf::TracePacket::SEQ_INCREMENTAL_STATE_CLEARED});
            ASSERT_EQ(packet.trace_packet_defaults().timestamp_clock_id(), std::uint32_t{pf::BUILTIN_CLOCK_MONOTONIC});
            tables = {};
        } else {
            ASSERT_EQ(packet.sequence_flags(), std::uint32_t{pf::TracePacket::SEQ_NEEDS_INCREMENTAL_STATE});
        }
        const auto name = [](const auto& entry) { return entry.name(); };
        define(tables.names, packet.interned_data().event_names(), name);
        define(tables.categories, packet.interned_data().event_categories(), name);
        define(tables.annotation_names, packet.interned_data().debug_annotation_names(), name);
        define(tables.annotation_texts, packet.interned_data().debug_annotation_string_values(),
               [](const auto& entry) { return entry.str(); });
        if (packet.has_clock_snapshot()) {
            ++snapshots_;
            ASSERT_EQ(packet.clock_snapshot().primary_trace_clock(), pf::BUILTIN_CLOCK_MONOTONIC);
            ASSERT_TRUE(tracks.empty() && events.empty()) << "before anything it applies to";
        }
        if (packet.has_track_descriptor()) take(packet.track_descriptor());
        if (packet.has_track_event()) take(packet, tables);
    }
    void take(const pf::TrackDescriptor& descriptor) {
        ASSERT_NE(descriptor.uuid(), 0u);
        ASSERT_TRUE(tracks.emplace(descriptor.uuid(), descriptor).second) << "described twice";
        if (descriptor.has_parent_uuid()) {
            ASSERT_TRUE(tracks.contains(descriptor.parent_uuid()));
        }
    }
    void take(const pf::TracePacket& packet, const Tables& tables) {
        const pf::TrackEvent& raw = packet.track_event();
        ASSERT_TRUE(packet.has_timestamp());
        ASSERT_TRUE(tracks.contains(raw.track_uuid())) << "an event before its track's descriptor";
        Event event{raw, packet.timestamp(), raw.name(), {}, {}};
        if (raw.has_name_iid()) event.name = look_up(tables.names, raw.name_iid());
        for (const auto id : raw.category_iids()) event.category = look_up(tables.categories, id);
        for (const auto& annotation : raw.debug_annotations()) {
            std::string& text = event.annotations[look_up(tables.annotation_names, annotation.name_iid())];
            if (annotation.has_string_value_iid())
                text = look_up(tables.annotation_texts, annotation.string_value_iid());
            else
                text =
                    annotation.has_uint_value() ? std::to_string(annotation.uint_value()) : annotation.string_value();
        }
        const bool counter = tracks[raw.track_uuid()].has_counter();
        ASSERT_EQ(raw.type() == pf::TrackEvent::TYPE_COUNTER, counter);
        ASSERT_EQ(raw.has_counter_value() || raw.has_double_counter_value(), counter);
        events[raw.track_uuid()].push_back(event);
    }

    void match_slices() {
        for (const auto& [track, list] : events) {
            int depth = 0;
            std::uint64_t last_ns = 0;
            for (const Event& event : list) {
                if (event.raw.type() == pf::TrackEvent::TYPE_INSTANT) continue;
                ASSERT_GE(event.time_ns, last_ns) << "END closes the newest slice: order matters on a track";
                last_ns = event.time_ns;
                if (event.raw.type() == pf::TrackEvent::TYPE_SLICE_END) --depth;
                ASSERT_GE(depth, 0);
                if (event.raw.type() != pf::TrackEvent::TYPE_SLICE_BEGIN) continue;
                ASSERT_LE(++depth, 512);
                ASSERT_FALSE(event.name.empty());
                ASSERT_FALSE(event.category.empty());
            }
        }
    }
    void match_flows() {
        std::map<std::uint64_t, std::uint64_t> begun, ended;
        for (const auto& [track, list] : events) {
            for (const Event& event : list) {
                for (const auto id : event.raw.flow_ids()) ASSERT_TRUE(begun.emplace(id, event.time_ns).second);
                for (const auto id : event.raw.terminating_flow_ids())
                    ASSERT_TRUE(ended.emplace(id, event.time_ns).second);
            }
        }
        ASSERT_EQ(begun.size(), ended.size());
        for (const auto& [id, time_ns] : begun) {
            ASSERT_TRUE(ended.contains(id));
            ASSERT_LE(time_ns, ended[id]);
        }
    }

    std::map<std::uint32_t, Tables> tables_;
    int snapshots_ = 0;
};

Decoder decoded(const model::Session& session, std::span<const Marker> markers = {}) {
    Decoder decoder;
    decoder.decode(exported_bytes(session, markers));
    return decoder;
}

std::vector<std::string> told(const std::vector<Event>& events) {
    std::vector<std::string> lines;
    for (const Event& event : events) {
        const bool end = event.raw.type() == pf::TrackEvent::TYPE_SLICE_END;
        lines.push_back((end ? "end" : event.name) + " " + std::to_string(event.time_ns));
    }
    return lines;
}

TEST(Perfetto, StepsAreSlicesOfTheLoopsThread) {
    model::Session session;
    fold(session, small_app());
    const Decoder trace = decoded(session);
    const auto events = trace.on("main (loop 1)");
    EXPECT_EQ(told(events),
              (std::vector<std::string>{"Task-1 app_main 1300", "end 1500", "Task-2 ns::worker 1600", "end 1700",
                                        "Task-2 ns::worker 5200", "end 5400", "Task-1 app_main 5500", "end 6500",
                                        "callback app_main 6600", "end 6700", "Task-3 ns::worker 7001"}));
    ASSERT_FALSE(events.empty());
    EXPECT_EQ(events[0].category, "step");
    EXPECT_EQ(events[0].annotations.at("task"), "1");
    EXPECT_EQ(events[0].annotations.at("ended at"), "src/main.cpp:12");
    EXPECT_EQ(events[4].annotations.at("began at"), "src/worker.cpp:22");
    EXPECT_EQ(events[4].annotations.at("ended at"), "finished");
    EXPECT_EQ(events[2].raw.correlation_id(), events[4].raw.correlation_id());
    EXPECT_NE(events[0].raw.correlation_id(), events[2].raw.correlation_id());
    const auto& thread = trace.track("main (loop 1)")->thread();
    EXPECT_EQ(thread.pid(), 4242);
    EXPECT_EQ(thread.tid(), 4243);
}

TEST(Perfetto, TasksNestBelowTheProcess) {
    model::Session session;
    fold(session, small_app());
    const Decoder trace = decoded(session);
    const auto* group = trace.track("Tasks");
    const auto* task = trace.track("Task-2 ns::worker");
    ASSERT_TRUE(group != nullptr && task != nullptr);
    EXPECT_EQ(task->parent_uuid(), group->uuid());
    EXPECT_EQ(task->sibling_merge_behavior(), pf::TrackDescriptor::SIBLING_MERGE_BEHAVIOR_NONE);
    EXPECT_EQ(trace.tracks.at(group->parent_uuid()).process().process_name(), "small");
    EXPECT_EQ(told(trace.on("Task-2 ns::worker")),
              (std::vector<std::string>{"Task-2 ns::worker 1400", "ready 1400", "end 1600", "await worker.cpp:22 1700",
                                        "end 5100", "ready 5100", "end 5200", "end 5300"}));
    EXPECT_EQ(trace.on("Task-2 ns::worker").at(3).annotations.at("stack"), "ns::worker (src/worker.cpp:22)");
    const auto life = trace.on("Task-2 ns::worker").at(0);
    EXPECT_EQ(life.annotations.at("parent"), "1");
    EXPECT_EQ(life.annotations.at("outcome"), "ok");
    EXPECT_EQ(life.annotations.at("created at"), "src/main.cpp:11");
    EXPECT_EQ(life.annotations.at("steps"), "2");
}

TEST(Perfetto, WhatStillLastsHasNoEnd) {
    model::Session session;
    fold(session, small_app());
    const Decoder trace = decoded(session);
    const auto waits = trace.on("Task-1 app_main");
    ASSERT_FALSE(waits.empty());
    EXPECT_EQ(waits.back().raw.type(), pf::TrackEvent::TYPE_SLICE_BEGIN);
    EXPECT_EQ(waits.back().annotations.at("waits for"), "Task-3");
    EXPECT_EQ(waits.back().time_ns, 6500u);
    ASSERT_GT(waits.back().raw.callstack().frames_size(), 0);
    EXPECT_EQ(waits.back().raw.callstack().frames().rbegin()->line_number(), 12u);
    EXPECT_EQ(trace.on("Task-3 ns::worker").size(), 3u);  // life, ready, end of ready; it runs
}

TEST(Perfetto, FlowsLeadFromSpawnerAndWaker) {
    model::Session session;
    fold(session, small_app());
    const auto events = decoded(session).on("main (loop 1)");
    ASSERT_EQ(events.size(), 11u);
    EXPECT_EQ(events[0].raw.flow_ids(0), events[2].raw.terminating_flow_ids(0));   // 1 created 2
    EXPECT_EQ(events[4].raw.flow_ids(0), events[6].raw.terminating_flow_ids(0));   // 2 woke 1
    EXPECT_EQ(events[6].raw.flow_ids(0), events[10].raw.terminating_flow_ids(0));  // 1 created 3
}

TEST(Perfetto, CountersOfTasksAndLag) {
    model::Session session;
    fold(session, small_app());
    const Decoder trace = decoded(session);
    std::vector<std::pair<std::uint64_t, std::int64_t>> live;
    for (const Event& event : trace.on("live tasks")) live.emplace_back(event.time_ns, event.raw.counter_value());
    EXPECT_EQ(live, (std::vector<std::pair<std::uint64_t, std::int64_t>>{{1100, 1}, {1400, 2}, {5300, 1}, {5600, 2}}));
    EXPECT_EQ(trace.track("loop 1 lag")->counter().unit(), pf::CounterDescriptor::UNIT_TIME_NS);
    ASSERT_EQ(trace.on("loop 1 lag").size(), 4u);
    EXPECT_EQ(trace.on("loop 1 lag")[2].raw.counter_value(), 600);
    EXPECT_FALSE(trace.on("loop 1 ready").empty());
}

TEST(Perfetto, WhatTheAppSaysIsShown) {
    model::Session session;
    fold(session, telling_app());
    Decoder trace;
    trace.decode(exported_bytes(session));
    const std::vector<Event> life = trace.on("Task-3 ns::worker");
    ASSERT_FALSE(life.empty());
    EXPECT_EQ(life[0].annotations.at("attributes.user"), "ann");
    EXPECT_TRUE(std::any_of(life.begin(), life.end(), [](const Event& event) {
        return event.raw.type() == pf::TrackEvent::TYPE_INSTANT && event.name == "cold cache" && event.time_ns == 7600;
    }));
    // Spans that overlap are on tracks of their own, below the task's; one within another is on its track.
    std::vector<std::vector<std::string>> rows;
    for (const auto& [uuid, track] : trace.tracks) {
        if (track.name() != "spans") continue;
        EXPECT_EQ(trace.tracks.at(track.parent_uuid()).name(), "Task-3 ns::worker");
        std::vector<std::string> row;
        for (const Event& event : trace.events.at(uuid)) row.push_back(event.name);
        rows.push_back(row);
    }
    EXPECT_EQ(rows, (std::vector<std::vector<std::string>>{{"price", "inner", "", ""}, {"charge"}}));
    std::vector<double> values;
    for (const Event& event : trace.on("orders")) values.push_back(event.raw.double_counter_value());
    EXPECT_EQ(values, (std::vector<double>{2.5, -1}));
}

TEST(Perfetto, MarkersAreInstantsWithTheirStack) {
    model::Session session;
    fold(session, small_app());
    const std::vector<Marker> markers{{1,
                                       2,
                                       5200,
                                       200,
                                       "slow_step",
                                       "warning",
                                       "slow",
                                       {{"advice", "move it"}},
                                       {{"f", "a.cpp", 1}, {"g", "b.cpp", 2}}},
                                      {1, 0, 5300, 0, "never_awaited", "warning", "forgotten", {}, {}}};
    const Decoder trace = decoded(session, markers);
    Event found;
    for (const Event& event : trace.on("main (loop 1)"))
        if (event.raw.type() == pf::TrackEvent::TYPE_INSTANT) found = event;
    EXPECT_EQ(found.name, "slow");
    EXPECT_EQ(found.category, "problem");
    EXPECT_EQ(found.annotations.at("severity"), "warning");
    EXPECT_EQ(found.annotations.at("advice"), "move it");
    ASSERT_EQ(found.raw.callstack().frames_size(), 2);
    EXPECT_EQ(found.raw.callstack().frames(1).function_name(), "g");
    ASSERT_EQ(trace.on("Problems").size(), 1u);
    EXPECT_EQ(trace.on("Problems")[0].name, "forgotten");
}

TEST(Perfetto, LossIsShownByDroppedPackets) {
    model::Session session;
    fold(session, random_app(1, 5, true));
    const Decoder trace = decoded(session);
    EXPECT_GE(trace.losses, 2);
    bool gap = false;
    for (const Event& event : trace.on("main (loop 1)"))
        gap |= event.category == "loss" && event.name == "7 events lost";
    EXPECT_TRUE(gap);
    ASSERT_FALSE(trace.on("Problems").empty());
    EXPECT_NE(trace.on("Problems").back().name.find("lost"), std::string::npos);
}

TEST(Perfetto, RulesHoldForAnyApp) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        SCOPED_TRACE(seed);
        model::Limits limits;
        if (seed % 5 == 0) limits.slices = 30, limits.done_tasks = 3;
        model::Session session(limits);
        fold(session, random_app(1, seed, seed % 2 == 0));
        fold(session, random_app(2, seed + 100, seed % 3 == 0));
        const Decoder trace = decoded(session);
        EXPECT_GT(trace.on("main (loop 1)").size(), 20u);
        if (HasFatalFailure()) return;
    }
}

TEST(Perfetto, MoreStringsThanATableHoldsAreWrittenInPlace) {
    model::Session session;
    std::vector<v2::Frame> frames{hello(1, "many", 5)};
    BatchBuilder b(1, 1, 10);
    define_small_app(b);
    b.loop_started(10, 1);
    std::uint64_t t = 20;
    constexpr std::uint64_t tasks = 70'000;  // each with a name of its own
    for (std::uint64_t id = 1; id <= tasks; ++id, t += 4)
        b.created(t, id, 0, 3)
            .begin(t + 1, id)
            .done(t + 2, id, vocabulary::Outcome::ok)
            .end(t + 3, id, vocabulary::Verb::unknown, 0, 0);
    frames.push_back(b.frame(1));
    fold(session, frames);
    const Decoder trace = decoded(session);
    const auto events = trace.on("main (loop 1)");
    ASSERT_EQ(events.size(), 2 * tasks);
    EXPECT_EQ(events[2 * tasks - 2].name, "Task-70000 ns::worker");
    EXPECT_TRUE(events[2 * tasks - 2].raw.has_name());
    EXPECT_TRUE(events[0].raw.has_name_iid());
}

// Perfetto takes these two only unpacked, so on the wire each must be a fixed64 of its own.
TEST(Perfetto, FlowIdsAreUnpacked) {
    using google::protobuf::internal::WireFormatLite;
    model::Session session;
    fold(session, small_app());
    pf::Trace trace;
    ASSERT_TRUE(trace.ParseFromString(exported_bytes(session)));
    int flows = 0;
    for (const auto& packet : trace.packet()) {
        const std::string bytes = packet.track_event().SerializeAsString();
        google::protobuf::io::CodedInputStream in(reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                                  static_cast<int>(bytes.size()));
        while (const std::uint32_t tag = in.ReadTag()) {
            const int field = WireFormatLite::GetTagFieldNumber(tag);
            if (field == 47 || field == 48) {
                ++flows;
                ASSERT_EQ(WireFormatLite::GetTagWireType(tag), WireFormatLite::WIRETYPE_FIXED64);
            }
            ASSERT_TRUE(WireFormatLite::SkipField(&in, tag));
        }
    }
    EXPECT_EQ(flows, 6);
}

}  // namespace
}  // namespace coroscope::trace::test
