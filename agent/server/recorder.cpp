#include "recorder.hpp"

#include <algorithm>

#include "log.hpp"

namespace coroscope::server {

Recorder::Recorder(Hub& hub, const std::string& path, std::size_t queue_bytes) : hub_(hub), path_(path), writer_(path) {
    error_ = writer_.error();
    if (!error_.empty()) return;
    subscription_ = hub_.subscribe(true, queue_bytes, true);
    recording_.store(true, std::memory_order_relaxed);
    thread_ = std::thread([this] { run(); });
}

Recorder::~Recorder() { stop(); }

void Recorder::stop() {
    if (!thread_.joinable()) return;
    subscription_->close(false);
    thread_.join();
}

void Recorder::run() {
    bool ok = true;
    while (ok) {
        const Update update = hub_.next(*subscription_, unflushed_ ? flush_after : Hub::forever);
        if (!update) break;
        const bool pause = update->update_case() == v2::WatchUpdate::UPDATE_NOT_SET;
        ok = pause ? writer_.flush() : write(*update);
        unflushed_ = !pause;
    }
    hub_.unsubscribe(subscription_);
    if (ok) {
        for (const v2::Frame& frame : held_back_) ok = ok && writer_.append(frame);
        ok = ok && writer_.finish();
    }
    recording_.store(false, std::memory_order_relaxed);
    if (ok) {
        spdlog::info("recorded {} bytes to {}", writer_.bytes(), path_);
    } else {
        spdlog::error("recording stopped: {}; the agent goes on, the file holds what came before", writer_.error());
    }
}

bool Recorder::write(const v2::WatchUpdate& update) {
    if (update.has_cut_back()) {
        spdlog::warn("the disk is too slow for the recording: {} frames so far were replaced by keyframes",
                     update.cut_back().frames_dropped());
        gathering_ = false;
        keyframes_.clear();
        held_back_.clear();
        return true;
    }
    if (gathering_) return gather(update);
    if (!update.has_frame()) return true;
    if (!write_frame(update.frame())) return false;
    if (bytes_since_keyframe_ < std::max(keyframe_every_bytes, keyframe_spacing * last_keyframe_bytes_)) return true;
    gathering_ = true;
    hub_.repeat_keyframes(*subscription_);
    return true;
}

bool Recorder::write_frame(const v2::Frame& frame) {
    bytes_since_keyframe_ += frame.ByteSizeLong();
    return writer_.append(frame);
}

// Between the request for keyframes and their last: an app's frames go before the block until its keyframe comes, then
// behind it.
bool Recorder::gather(const v2::WatchUpdate& update) {
    if (update.has_frame()) {
        const v2::Frame& frame = update.frame();
        const auto same_app = [&](const v2::Frame& other) { return other.app() == frame.app(); };
        if (frame.has_keyframe()) {
            keyframes_.push_back(frame);
        } else if (std::any_of(keyframes_.begin(), keyframes_.end(), same_app)) {
            held_back_.push_back(frame);
        } else {
            return write_frame(frame);
        }
        return true;
    }
    gathering_ = false;
    bytes_since_keyframe_ = 0;
    last_keyframe_bytes_ = 0;
    for (const v2::Frame& keyframe : keyframes_) last_keyframe_bytes_ += keyframe.ByteSizeLong();
    bool ok = writer_.append_keyframes(keyframes_);
    for (const v2::Frame& frame : held_back_) ok = ok && write_frame(frame);
    keyframes_.clear();
    held_back_.clear();
    return ok;
}

}  // namespace coroscope::server
