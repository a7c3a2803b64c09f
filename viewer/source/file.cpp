// A trace file as a source.
#include <atomic>
#include <mutex>
#include <thread>

#include "proto/container/trace_file.hpp"
#include "source.hpp"

namespace coroscope::viewer {

namespace {

class FileSource final : public Source {
public:
    FileSource(const std::string& path, std::function<void()> wake) : items_(std::move(wake)), reader_(path) {
        status_.name = path;
        status_.bytes = reader_.size();
        if (!reader_.ok()) {
            status_.phase = SourceStatus::Phase::failed;
            status_.message = reader_.error();
            return;
        }
        status_.phase = SourceStatus::Phase::loading;
        for (const trace::Reader::Run& run : reader_.runs()) total_frames_ += run.frames;
        thread_ = std::thread([this] { read(); });
    }

    ~FileSource() override {
        items_.close();
        if (thread_.joinable()) thread_.join();
    }

    SourceStatus status() const override {
        const std::lock_guard lock(mutex_);
        SourceStatus status = status_;
        // relaxed: a number to show, it publishes nothing.
        status.frames = frames_.load(std::memory_order_relaxed);
        if (status.phase != SourceStatus::Phase::loading) {
            status.progress = 1;
        } else if (total_frames_ > 0) {
            status.progress = std::min(1.0, static_cast<double>(status.frames) / static_cast<double>(total_frames_));
        }
        return status;
    }

    HandOver& items() override { return items_; }

private:
    void read() {
        const bool whole = reader_.read([this](const v2::Frame& frame) {
            frames_.fetch_add(1, std::memory_order_relaxed);
            return items_.push({Item::Kind::frame, frame});
        });
        {
            const std::lock_guard lock(mutex_);
            status_.phase = whole ? SourceStatus::Phase::complete : SourceStatus::Phase::cut_off;
            if (!whole) status_.message = reader_.warning();
        }
        items_.push({Item::Kind::caught_up, {}});
    }

    HandOver items_;
    trace::Reader reader_;  // its thread's, once that runs
    std::uint64_t total_frames_ = 0;
    std::atomic<std::uint64_t> frames_{0};
    mutable std::mutex mutex_;
    SourceStatus status_;
    std::thread thread_;
};

}  // namespace

std::unique_ptr<Source> open_file(const std::string& path, std::function<void()> wake) {
    return std::make_unique<FileSource>(path, std::move(wake));
}

}  // namespace coroscope::viewer
