// Into a trace file: no agent at all.
#include <spdlog/spdlog.h>

#include "coroscope/v1/session.pb.h"
#include "local_log.hpp"
#include "proto/container/trace_file.hpp"
#include "sink.hpp"

namespace coroscope::debug {

namespace {

using Clock = std::chrono::steady_clock;
constexpr auto flush_interval = std::chrono::milliseconds(500);  // a killed app loses no more than this

class FileSink final : public Sink {
public:
    FileSink(const std::string& path, const v1::Hello& hello) : writer_(path) {
        v1::Frame frame;
        frame.set_app(1);
        *frame.mutable_hello() = hello;
        writer_.append(frame);
        writer_.flush();
    }
    const std::string& error() const { return writer_.error(); }

    bool offer(EncodedBatch&& batch) override {
        v1::Frame frame;
        frame.set_app(1);
        frame.set_batch(std::move(batch.bytes));
        if (!writer_.append(frame)) {
            ++batches_lost_;
            events_lost_ += batch.events;
            complain();
        }
        dirty_ = true;
        return true;
    }
    bool wants_complete_definitions() override { return false; }
    void tick() override {
        if (!dirty_ || Clock::now() - last_flush_ < flush_interval) return;
        last_flush_ = Clock::now();
        dirty_ = false;
        if (!writer_.flush()) complain();
    }
    void finish(std::chrono::milliseconds) override {
        v1::Frame frame;
        frame.set_app(1);
        frame.mutable_disconnected()->set_reason("ended");
        frame.mutable_disconnected()->set_orderly(true);
        writer_.append(frame);
        if (!writer_.finish()) complain();
    }
    std::uint64_t batches_lost() const override { return batches_lost_; }
    std::uint64_t events_lost() const override { return events_lost_; }

private:
    void complain() {
        if (complained_ || writer_.error().empty()) return;
        complained_ = true;
        log().error("the trace file cannot be written any more: {}; the app runs on", writer_.error());
    }

    trace::Writer writer_;
    bool dirty_ = false;
    bool complained_ = false;
    Clock::time_point last_flush_ = Clock::now();
    std::uint64_t batches_lost_ = 0;
    std::uint64_t events_lost_ = 0;
};

}  // namespace

std::unique_ptr<Sink> make_file_sink(const std::string& path, const v1::Hello& hello, std::string& error) {
    auto sink = std::make_unique<FileSink>(path, hello);
    error = sink->error();
    if (!error.empty()) return nullptr;
    return sink;
}

}  // namespace coroscope::debug
