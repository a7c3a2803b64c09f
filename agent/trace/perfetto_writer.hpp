// One packet sequence of a Perfetto trace: descriptors, events and interned strings in the order that Perfetto's rules
// ask for. Private to the exporter.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "output.hpp"
#include "perfetto/trace_subset.pb.h"

namespace coroscope::trace {

// Its first packet clears the incremental state, says that it is the first, and sets the clock of all that follow.
class PacketSequence {
public:
    PacketSequence(Output& out, std::uint32_t id) : out_(out), id_(id) {}

    // The packet to fill, empty. Valid until send().
    perfetto::protos::TracePacket& packet() { return packet_; }
    // After a loss: what was interned so far is void for readers. The next packet says so, and begins anew.
    void lose();
    perfetto::protos::TrackEvent& event(perfetto::protos::TrackEvent::Type type, std::uint64_t track,
                                        std::uint64_t time_ns);
    void send();

    // Filling an event. A string that is new goes into the same packet as its definition; past the bound of a table
    // strings are written in place.
    void set_name(perfetto::protos::TrackEvent& event, std::string_view name);
    void add_category(perfetto::protos::TrackEvent& event, std::string_view name);
    perfetto::protos::DebugAnnotation& annotate(perfetto::protos::TrackEvent& event, std::string_view name);
    void annotate(perfetto::protos::TrackEvent& event, std::string_view name, std::string_view text);
    void annotate(perfetto::protos::TrackEvent& event, std::string_view name, std::uint64_t number);

private:
    using Table = std::unordered_map<std::string, std::uint64_t>;
    static constexpr std::size_t max_interned = 1u << 16;  // strings of one table
    // The id, and whether it is new; 0: the table is full.
    static std::pair<std::uint64_t, bool> intern(Table& table, std::string_view text);

    Output& out_;
    std::uint32_t id_;
    bool first_ = true;  // nothing sent yet
    bool fresh_ = true;  // the next packet clears the state
    Table names_, categories_, annotation_names_, annotation_texts_;
    perfetto::protos::TracePacket packet_;
    std::string bytes_;
};

}  // namespace coroscope::trace
