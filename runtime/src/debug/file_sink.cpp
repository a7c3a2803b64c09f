// Into a trace file: no agent at all. An own thread compresses and writes, so that a disk that is slow for a while
// holds up neither the drain nor the end of the app.
//
// The queue: bound queue_bytes; overflow policy: the new batch is dropped, and the next has complete definitions and is
// followed by a list of the live tasks; counters: batches_lost(), events_lost().
#include <spdlog/spdlog.h>
#include <sys/stat.h>

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

#include "coroscope/v2/session.pb.h"
#include "local_log.hpp"
#include "own_thread.hpp"
#include "proto/address/trace_path.hpp"
#include "proto/container/trace_file.hpp"
#include "proto/words/ending.hpp"
#include "sink.hpp"

namespace coroscope::debug {

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t queue_bytes = 16u << 20;
constexpr auto flush_interval = std::chrono::milliseconds(500);  // a killed app loses no more than this

class FileSink final : public Sink {
public:
    FileSink(const std::string& path, const v2::Hello& hello) : shared_(std::make_shared<Shared>(path)) {
        v2::Frame frame;
        frame.set_app(1);
        *frame.mutable_hello() = hello;
        shared_->writer.append(frame);
        shared_->writer.flush();
    }
    ~FileSink() override { FileSink::finish(std::chrono::milliseconds(0), ""); }

    const std::string& error() const { return shared_->writer.error(); }
    std::int64_t written_by() const { return shared_->writer.written_by(); }
    void start() {
        thread_ = std::thread([shared = shared_] { shared->run(); });
    }

    bool offer(EncodedBatch&& batch) override {
        Shared& s = *shared_;
        const std::scoped_lock lock(s.mutex);
        if (s.queued_bytes + batch.bytes.size() > queue_bytes || (s.hole && !batch.complete_definitions)) {
            ++s.batches_lost;
            s.events_lost += batch.events;
            s.hole = true;
            return false;
        }
        s.hole = false;
        s.queued_bytes += batch.bytes.size();
        s.queue.push_back(std::move(batch));
        s.changed.notify_all();
        return true;
    }
    // After a hole, as soon as the disk has caught up with half of what it was behind.
    bool wants_complete_definitions() override {
        const std::scoped_lock lock(shared_->mutex);
        return shared_->hole && shared_->queued_bytes <= queue_bytes / 2;
    }
    bool wants_batches() override {
        const std::scoped_lock lock(shared_->mutex);
        return !shared_->failed && (!shared_->hole || shared_->queued_bytes <= queue_bytes / 2);
    }
    void count_unsent(std::uint64_t events) override {
        const std::scoped_lock lock(shared_->mutex);
        shared_->events_lost += events;
    }
    void finish(std::chrono::milliseconds most, const std::string& crashed) override;
    std::uint64_t batches_lost() const override {
        const std::scoped_lock lock(shared_->mutex);
        return shared_->batches_lost;
    }
    std::uint64_t events_lost() const override {
        const std::scoped_lock lock(shared_->mutex);
        return shared_->events_lost;
    }

private:
    // The thread's and ours: where a write hangs for ever, the thread is left behind with it.
    struct Shared {
        explicit Shared(const std::string& path) : writer(path) {}
        void run();
        void write(EncodedBatch&& batch);
        void fail();

        trace::Writer writer;  // the thread's, once it runs
        std::mutex mutex;
        std::condition_variable changed;
        std::deque<EncodedBatch> queue;  // under mutex, as all below
        std::size_t queued_bytes = 0;    // with the batch that is being written
        bool hole = false;               // something was dropped: complete definitions must come next
        bool failed = false;             // the file takes nothing any more
        bool ending = false;
        bool app_ends = true;
        bool ended = false;
        std::string crashed;  // by what; "": the app ends in order
        std::uint64_t batches_lost = 0;
        std::uint64_t events_lost = 0;
    };

    std::shared_ptr<Shared> shared_;
    std::thread thread_;
};

void FileSink::Shared::run() {
    begin_own_thread("coroscope-file");
    auto next_flush = Clock::now() + flush_interval;
    bool dirty = false;
    std::unique_lock lock(mutex);
    while (!ending || !queue.empty()) {
        const auto due = [&] { return ending || !queue.empty(); };
        if (dirty) {
            changed.wait_until(lock, next_flush, due);
        } else {
            changed.wait(lock, due);
        }
        EncodedBatch batch;
        const bool taken = !queue.empty();
        if (taken) {
            batch = std::move(queue.front());
            queue.pop_front();
        }
        const std::size_t size = batch.bytes.size();
        lock.unlock();
        if (taken) {
            if (!dirty) next_flush = Clock::now() + flush_interval;
            dirty = true;
            write(std::move(batch));
        }
        if (dirty && Clock::now() >= next_flush) {
            dirty = false;
            if (!writer.flush()) fail();
        }
        lock.lock();
        queued_bytes -= size;
    }
    v2::Frame frame;
    frame.set_app(1);
    const std::string in_order = app_ends ? words::app_ended : words::app_detached;
    frame.mutable_disconnected()->set_reason(crashed.empty() ? in_order : "crashed: " + crashed);
    frame.mutable_disconnected()->set_orderly(crashed.empty() && app_ends);
    lock.unlock();
    writer.append(frame);
    if (!writer.finish()) fail();
    lock.lock();
    ended = true;
    changed.notify_all();
}

void FileSink::Shared::write(EncodedBatch&& batch) {
    v2::Frame frame;
    frame.set_app(1);
    frame.set_batch(std::move(batch.bytes));
    if (writer.append(frame)) return;
    {
        const std::scoped_lock lock(mutex);
        ++batches_lost;
        events_lost += batch.events;
    }
    fail();
}

void FileSink::Shared::fail() {
    if (writer.error().empty()) return;  // one frame was too large: the writer goes on
    const std::scoped_lock lock(mutex);
    if (std::exchange(failed, true)) return;
    log().error("the trace file cannot be written any more: {}; the app runs on", writer.error());
}

void FileSink::finish(std::chrono::milliseconds most, const std::string& crashed) {
    if (!thread_.joinable()) return;
    {
        std::unique_lock lock(shared_->mutex);
        shared_->ending = true;
        shared_->app_ends = app_ends;
        shared_->crashed = crashed;
        shared_->changed.notify_all();
        if (!shared_->changed.wait_for(lock, most, [this] { return shared_->ended; })) {
            lock.unlock();
            log().warn("the trace file is written too slowly: its end is missing");
            thread_.detach();
            return;
        }
    }
    thread_.join();
}

}  // namespace

std::unique_ptr<Sink> make_file_sink(const std::string& path, const v2::Hello& hello, std::string& error) {
    struct stat info{};
    if (::stat(path.c_str(), &info) == 0 && (S_ISFIFO(info.st_mode) || S_ISSOCK(info.st_mode))) {
        error = "it is a pipe or a socket, and a trace is a file (" + path + ")";  // opening it could wait for ever
        return nullptr;
    }
    auto sink = std::make_unique<FileSink>(path, hello);
    if (sink->written_by() != 0) {  // a parent's, as a rule: both have its environment
        const std::string own = path_with_pid(path);
        log().warn("{}; this process writes {}", sink->error(), own);
        sink = std::make_unique<FileSink>(own, hello);
    }
    error = sink->error();
    if (!error.empty()) return nullptr;
    sink->start();
    return sink;
}

}  // namespace coroscope::debug
