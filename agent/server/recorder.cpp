#include "recorder.hpp"

#include "log.hpp"

namespace coroscope::server {

namespace {

trace::IndexedWriter::Settings settings(std::size_t retain_apps) {
    trace::IndexedWriter::Settings settings;
    settings.retain_apps = retain_apps;
    return settings;
}

}  // namespace

Recorder::Recorder(Hub& hub, const std::string& path, std::size_t queue_bytes, std::size_t retain_apps)
    : hub_(hub), path_(path), writer_(path, settings(retain_apps)) {
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
    if (ok) ok = writer_.finish();
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
    }
    return !update.has_frame() || writer_.append(update.frame());
}

}  // namespace coroscope::server
