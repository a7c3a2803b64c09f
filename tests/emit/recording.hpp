// A trace file as lists, decoded by the columns that the file itself defines.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "coroscope/v2/events.pb.h"
#include "coroscope/v2/session.pb.h"
#include "coroscope/vocabulary.hpp"
#include "proto/container/trace_file.hpp"

namespace coroscope::test {

struct Event {
    std::string kind;  // its name
    std::uint32_t thread = 0;
    std::uint64_t subject = 0, argument = 0;
    std::uint32_t stack = 0;
};

class Recording {
public:
    explicit Recording(const std::string& path) {
        trace::Reader reader(path);
        EXPECT_TRUE(reader.ok()) << reader.error();
        EXPECT_TRUE(reader.read([this](const v2::Frame& frame) {
            if (frame.has_hello()) hellos.push_back(frame.hello());
            ended = ended || (frame.has_disconnected() && frame.disconnected().orderly());
            v2::Batch batch;
            if (frame.frame_case() == v2::Frame::kBatch && batch.ParseFromString(frame.batch())) take(batch);
            return true;
        })) << reader.warning();
    }

    // The events of a kind about `subject` (0: any), in order of time on each thread.
    std::vector<Event> find(std::string_view kind, std::uint64_t subject = 0) const {
        std::vector<Event> found;
        for (const Event& event : events)
            if (event.kind == kind && (subject == 0 || event.subject == subject)) found.push_back(event);
        return found;
    }
    // "work worker.c:22 < work worker.c:20 < serve server.c:14 ...", innermost first.
    std::string stack_text(std::uint32_t node) const {
        std::string text;
        for (; node != 0; node = stacks.at(node).parent()) {
            const v2::Site& site = sites.at(stacks.at(node).site());
            if (!text.empty()) text += " < ";
            text += site.function() + " " + site.file() + ":" + std::to_string(site.line());
        }
        return text;
    }
    std::uint64_t task_named(const std::string& name) const {
        for (const Event& event : find("task_named"))
            if (names.at(static_cast<std::uint32_t>(event.argument)) == name) return event.subject;
        return 0;
    }

    std::vector<v2::Hello> hellos;
    bool ended = false;
    std::map<std::uint32_t, v2::KindDefinition> kinds;
    std::map<std::uint32_t, v2::Site> sites;
    std::map<std::uint32_t, v2::StackNode> stacks;
    std::map<std::uint32_t, std::string> names;
    std::map<std::uint32_t, v2::Value> values;
    std::map<std::uint32_t, v2::Runtime> runtimes;
    std::map<std::uint64_t, v2::Resource> resources;
    std::vector<v2::ClosedResource> closed;
    std::vector<v2::Term> terms;
    std::vector<v2::Report> reports;
    std::vector<Event> events;

private:
    void take(const v2::Batch& batch) {
        for (const auto& each : batch.kinds()) kinds[each.id()] = each;
        for (const auto& each : batch.sites()) sites[each.id()] = each;
        for (const auto& each : batch.stacks()) stacks[each.id()] = each;
        for (const auto& each : batch.names()) names[each.id()] = each.text();
        for (const auto& each : batch.values()) values[each.id()] = each;
        for (const auto& each : batch.runtimes()) runtimes[each.id()] = each;
        for (const auto& each : batch.resources()) resources[each.id()] = each;
        closed.insert(closed.end(), batch.closed_resources().begin(), batch.closed_resources().end());
        terms.insert(terms.end(), batch.terms().begin(), batch.terms().end());
        reports.insert(reports.end(), batch.reports().begin(), batch.reports().end());
        for (const v2::Lane& lane : batch.lanes()) take(lane);
    }
    void take(const v2::Lane& lane) {
        int subjects = 0, arguments = 0, nodes = 0;
        std::uint64_t subject = 0;
        for (const char byte : lane.kinds()) {
            const v2::KindDefinition& kind = kinds.at(static_cast<unsigned char>(byte));
            Event event;
            event.kind = kind.name();
            event.thread = lane.thread();
            if (kind.subject() != 0)
                event.subject = subject += static_cast<std::uint64_t>(lane.subject_deltas(subjects++));
            if (kind.argument() != 0) event.argument = lane.arguments(arguments++);
            if (kind.stack()) event.stack = lane.stacks(nodes++);
            events.push_back(event);
        }
    }
};

}  // namespace coroscope::test
