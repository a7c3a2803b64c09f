// When a keyframe is due, and whether the file has room for it.
#include "indexed_writer.hpp"

#include <algorithm>

#include "coroscope/v2/session.pb.h"

namespace coroscope::trace {

IndexedWriter::IndexedWriter(const std::string& path, Settings settings)
    : settings_(settings), writer_(path), session_(settings.limits) {}

bool IndexedWriter::append(const v2::Frame& frame) {
    session_.apply(frame);  // a frame that makes no sense is in the file, too: the reader counts it
    if (!writer_.append(frame)) return false;
    history_bytes_ += frame.ByteSizeLong();
    if (history_bytes_ < settings_.keyframe_every_bytes) return true;
    if (bytes_for_keyframes() < writer_.last_keyframe_bytes()) return true;  // surely too large yet
    return add_keyframes();
}

std::uint64_t IndexedWriter::bytes_for_keyframes() const {
    const std::uint64_t all = writer_.bytes() / settings_.most_part + settings_.most_beside_bytes;
    return all - std::min(all, writer_.keyframe_bytes());
}

// Their size is known when they are packed: where it is too large, the next attempt waits until there is room for it.
bool IndexedWriter::add_keyframes() {
    history_bytes_ = 0;
    session_.retain_ended(settings_.retain_apps);
    if (session_.apps().empty()) return true;
    if (writer_.append_keyframes(session_.keyframes(), bytes_for_keyframes())) ++keyframe_blocks_;
    return writer_.error().empty();
}

}  // namespace coroscope::trace
