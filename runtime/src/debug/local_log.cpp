#include "local_log.hpp"

#include <spdlog/details/log_msg_buffer.h>
#include <spdlog/sinks/sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <system_error>
#include <thread>
#include <utility>

#include "app_signals.hpp"
#include "coroscope/emit.h"
#include "own_thread.hpp"
#include "runtime/src/probe/clock.hpp"
#include "runtime/src/probe/registry.hpp"

namespace coroscope::debug {

namespace {

std::atomic<const probe::Registry*> app{nullptr};

int level_of(spdlog::level::level_enum level) {
    if (level >= spdlog::level::err) return CS_LOG_ERROR;
    if (level == spdlog::level::warn) return CS_LOG_WARNING;
    return level == spdlog::level::info ? CS_LOG_INFO : CS_LOG_DEBUG;
}

constexpr const char* log_name = "coroscope";

thread_local constinit std::uint64_t waited_for_stderr_ns = 0;

// Whoever reads it may be slow: then the thread that logs waits.
class Stderr {
public:
    void log(const spdlog::details::log_msg& message) {
        const std::uint64_t before_ns = probe::monotonic_ns();
        sink_.log(message);
        waited_for_stderr_ns += probe::monotonic_ns() - before_ns;
    }
    spdlog::sinks::stderr_sink_mt& sink() { return sink_; }

private:
    spdlog::sinks::stderr_sink_mt sink_;
};

// Tells the app's log handler, message by message, on a thread that it starts with the first. Never destroyed.
class HandlerThread {
public:
    explicit HandlerThread(Stderr& otherwise) : otherwise_(otherwise) {}

    // False: there is no thread to be had. The message was not taken.
    bool add(const spdlog::details::log_msg& message) {
        const std::lock_guard lock(mutex_);
        if (!started_) {
            try {
                const AppSignalsBlocked blocked;
                std::thread([this] { run(); }).detach();
            } catch (const std::system_error&) {
                return false;
            }
            started_ = true;
        }
        if (waiting_.size() < most_waiting) {
            waiting_.emplace_back(message);
        } else {
            ++left_out_;
        }
        changed_.notify_all();
        return true;
    }

    void finish(std::chrono::milliseconds most) {
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, most, [this] { return waiting_.empty() && !calls_; });
        for (const Message& message : std::exchange(waiting_, {})) otherwise_.log(message);
        if (left_out_ != 0) otherwise_.log({log_name, spdlog::level::warn, left_out_text(std::exchange(left_out_, 0))});
    }

private:
    using Message = spdlog::details::log_msg_buffer;  // with the text in it

    [[noreturn]] void run() {
        begin_own_thread("coroscope-log");
        std::unique_lock lock(mutex_);
        for (;;) {
            changed_.wait(lock, [this] { return !waiting_.empty(); });
            const Message message = std::move(waiting_.front());
            waiting_.pop_front();
            const std::uint64_t left_out = waiting_.empty() ? std::exchange(left_out_, 0) : 0;
            calls_ = true;
            lock.unlock();
            try {
                tell(message);
                if (left_out != 0) tell({log_name, spdlog::level::warn, left_out_text(left_out)});
            } catch (const std::bad_alloc&) {  // the message is lost, not the app
            }
            lock.lock();
            calls_ = false;
            changed_.notify_all();
        }
    }

    static std::string left_out_text(std::uint64_t count) {
        return std::to_string(count) + " messages were left out: the log handler did not return from earlier ones";
    }

    void tell(const spdlog::details::log_msg& message) {
        const std::string text(message.payload.data(), message.payload.size());
        if (!app.load(std::memory_order_acquire)->tell_log_handler(level_of(message.level), text.c_str()))
            otherwise_.log(message);
    }

    static constexpr std::size_t most_waiting = 1000;

    Stderr& otherwise_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Message> waiting_;
    std::uint64_t left_out_ = 0;
    bool started_ = false, calls_ = false;
};

class AppOrStderr final : public spdlog::sinks::sink {
public:
    void log(const spdlog::details::log_msg& message) override {
        const probe::Registry* registry = app.load(std::memory_order_acquire);
        if (registry == nullptr || !registry->has_log_handler() || !handler_.add(message)) stderr_.log(message);
    }
    void flush() override { stderr_.sink().flush(); }
    void set_pattern(const std::string& pattern) override { stderr_.sink().set_pattern(pattern); }
    void set_formatter(std::unique_ptr<spdlog::formatter> formatter) override {
        stderr_.sink().set_formatter(std::move(formatter));
    }

    HandlerThread& handler() { return handler_; }

private:
    Stderr stderr_;
    HandlerThread handler_{stderr_};
};

// Not in spdlog's registry: an app that uses spdlog itself never meets it. Leaked: the emitter may log until the
// process ends.
struct Log {
    std::shared_ptr<AppOrStderr> sink = std::make_shared<AppOrStderr>();
    spdlog::logger logger{log_name, sink};

    Log() {
        logger.set_pattern("%H:%M:%S.%e coroscope %l: %v");
        logger.set_level(spdlog::level::warn);
        logger.flush_on(spdlog::level::debug);
    }
};

std::atomic<Log*>& the_log() {
    static std::atomic<Log*> log{new Log};
    return log;
}

}  // namespace

// Relaxed: the logger is replaced only while the process has one thread.
spdlog::logger& log() { return the_log().load(std::memory_order_relaxed)->logger; }

void use_log_handler_of(const probe::Registry& registry) noexcept { app.store(&registry, std::memory_order_release); }

void finish_log(std::chrono::milliseconds most) {
    the_log().load(std::memory_order_relaxed)->sink->handler().finish(most);
}

std::uint64_t log_wait_ns() noexcept { return waited_for_stderr_ns; }

void renew_log_in_child() { the_log().store(new Log, std::memory_order_relaxed); }

bool set_log_level(std::string_view level) {
    for (const auto& [name, value] : {std::pair<std::string_view, spdlog::level::level_enum>{"off", spdlog::level::off},
                                      {"error", spdlog::level::err},
                                      {"warn", spdlog::level::warn},
                                      {"info", spdlog::level::info},
                                      {"debug", spdlog::level::debug}}) {
        if (name != level) continue;
        log().set_level(value);
        return true;
    }
    return false;
}

}  // namespace coroscope::debug
