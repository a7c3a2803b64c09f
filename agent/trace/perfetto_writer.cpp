// Packets of one sequence.
#include "perfetto_writer.hpp"

#include <utility>

#include "proto/words/utf8.hpp"

namespace coroscope::trace {

namespace pf = perfetto::protos;

pf::TrackEvent& PacketSequence::event(pf::TrackEvent::Type type, std::uint64_t track, std::uint64_t time_ns) {
    packet_.set_timestamp(time_ns);
    pf::TrackEvent& event = *packet_.mutable_track_event();
    event.set_type(type);
    event.set_track_uuid(track);
    return event;
}

void PacketSequence::lose() {
    packet_.set_previous_packet_dropped(true);
    fresh_ = true;
    for (Table* table : {&names_, &categories_, &annotation_names_, &annotation_texts_}) table->clear();
}

void PacketSequence::send() {
    packet_.set_trusted_packet_sequence_id(id_);
    if (std::exchange(first_, false)) packet_.set_first_packet_on_sequence(true);
    if (std::exchange(fresh_, false)) {
        packet_.set_sequence_flags(pf::TracePacket::SEQ_INCREMENTAL_STATE_CLEARED);
        packet_.mutable_trace_packet_defaults()->set_timestamp_clock_id(pf::BUILTIN_CLOCK_MONOTONIC);
    } else {
        packet_.set_sequence_flags(pf::TracePacket::SEQ_NEEDS_INCREMENTAL_STATE);
    }
    bytes_.clear();
    packet_.AppendToString(&bytes_);
    char head[11];
    std::size_t size = 0;
    head[size++] = 1 << 3 | 2;  // Trace.packet, a message
    for (std::uint64_t length = bytes_.size(); true; length >>= 7) {
        head[size++] = static_cast<char>((length & 0x7f) | (length > 0x7f ? 0x80 : 0));
        if (length <= 0x7f) break;
    }
    out_ << std::string_view{head, size} << bytes_;
    packet_.Clear();
}

std::pair<std::uint64_t, bool> PacketSequence::intern(Table& table, std::string_view text) {
    std::string key{text};
    if (table.size() >= max_interned) {
        const auto found = table.find(key);
        return {found == table.end() ? 0 : found->second, false};
    }
    const auto [at, added] = table.try_emplace(std::move(key), table.size() + 1);
    return {at->second, added};
}

void PacketSequence::set_name(pf::TrackEvent& event, std::string_view name) {
    const auto [id, added] = intern(names_, name);
    if (added) {
        pf::EventName& entry = *packet_.mutable_interned_data()->add_event_names();
        entry.set_iid(id);
        entry.set_name(words::valid_utf8(name));
    }
    if (id != 0)
        event.set_name_iid(id);
    else
        event.set_name(words::valid_utf8(name));
}

void PacketSequence::add_category(pf::TrackEvent& event, std::string_view name) {
    const auto [id, added] = intern(categories_, name);
    if (added) {
        pf::EventCategory& entry = *packet_.mutable_interned_data()->add_event_categories();
        entry.set_iid(id);
        entry.set_name(words::valid_utf8(name));
    }
    if (id != 0)
        event.add_category_iids(id);
    else
        event.add_categories(words::valid_utf8(name));
}

pf::DebugAnnotation& PacketSequence::annotate(pf::TrackEvent& event, std::string_view name) {
    pf::DebugAnnotation& annotation = *event.add_debug_annotations();
    const auto [id, added] = intern(annotation_names_, name);
    if (added) {
        pf::DebugAnnotationName& entry = *packet_.mutable_interned_data()->add_debug_annotation_names();
        entry.set_iid(id);
        entry.set_name(words::valid_utf8(name));
    }
    if (id != 0)
        annotation.set_name_iid(id);
    else
        annotation.set_name(words::valid_utf8(name));
    return annotation;
}

void PacketSequence::annotate(pf::TrackEvent& event, std::string_view name, std::string_view text) {
    if (text.empty()) return;
    pf::DebugAnnotation& annotation = annotate(event, name);
    const auto [id, added] = intern(annotation_texts_, text);
    if (added) {
        pf::InternedString& entry = *packet_.mutable_interned_data()->add_debug_annotation_string_values();
        entry.set_iid(id);
        entry.set_str(words::valid_utf8(text));
    }
    if (id != 0)
        annotation.set_string_value_iid(id);
    else
        annotation.set_string_value(words::valid_utf8(text));
}

void PacketSequence::annotate(pf::TrackEvent& event, std::string_view name, std::uint64_t number) {
    annotate(event, name).set_uint_value(number);
}

}  // namespace coroscope::trace
