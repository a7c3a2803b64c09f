#include "stream_recorder.hpp"

#include <sys/prctl.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <fstream>

#include "command.hpp"

namespace coroscope::cli {

namespace {

// 0: there is no such process (any more).
pid_t parent_of(pid_t pid) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
    std::string text;
    std::getline(file, text);
    const std::size_t name_end = text.rfind(')');  // of the name, which may hold anything
    pid_t parent = 0;
    char state = 0;
    if (name_end == std::string::npos || std::sscanf(text.c_str() + name_end + 1, " %c %d", &state, &parent) != 2)
        return 0;
    return parent;
}

// Alive, and neither this process nor one that it, or a descendant of it, started.
bool is_known_as_stranger(pid_t pid) {
    for (pid_t each = pid; each != ::getpid(); each = parent_of(each)) {
        if (each == 0) return false;  // it, or one on the way, has ended meanwhile
        if (each == 1) return true;
    }
    return false;
}

}  // namespace

StreamRecorder::StreamRecorder(Client& client, const std::string& path) : path_(path), writer_(path) {
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);  // descendants whose parent ends stay known as ours
    if (!writer_.error().empty())
        throw Failure("cannot record: " + writer_.error() + "; choose another file with --record");
    stream_ = client.follow();
    thread_ = std::thread([this] { read(); });
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, std::chrono::milliseconds(Client::answer_deadline_ms),
                      [this] { return caught_up_ || ended_; });
    if (caught_up_) return;
    lock.unlock();
    stream_->cancel();
    thread_.join();
    throw Failure("cannot record: the agent at " + client.address() + " does not answer");
}

StreamRecorder::~StreamRecorder() {
    if (!thread_.joinable()) return;
    stream_->cancel();
    thread_.join();
}

void StreamRecorder::read() {
    bool ok = true;
    for (v2::WatchUpdate update; ok && stream_->read(update);) ok = take(update);
    const std::scoped_lock lock(mutex_);
    ended_ = true;
    if (!ok) error_ = writer_.error();
    changed_.notify_all();
}

bool StreamRecorder::take(const v2::WatchUpdate& update) {
    const std::scoped_lock lock(mutex_);
    changed_.notify_all();
    if (update.has_caught_up()) caught_up_ = true;
    if (!update.has_frame()) return true;
    const v2::Frame& frame = update.frame();
    if (!caught_up_) others_.insert(frame.app());
    if (others_.contains(frame.app())) return true;
    if (frame.has_hello()) {
        if (is_known_as_stranger(static_cast<pid_t>(frame.hello().pid()))) {
            others_.insert(frame.app());
            return true;
        }
        running_[frame.app()] = static_cast<pid_t>(frame.hello().pid());
        appeared_.insert(static_cast<pid_t>(frame.hello().pid()));
    }
    if (frame.has_disconnected()) running_.erase(frame.app());
    return writer_.append(frame);
}

void StreamRecorder::finish(pid_t pid) {
    {
        std::unique_lock lock(mutex_);
        changed_.wait_for(lock, std::chrono::milliseconds(appear_ms), [&] { return ended_ || !appeared_.empty(); });
        const auto is_over = [&] {
            for (const auto& [key, of] : running_) {
                if (of == pid) return false;
            }
            return true;
        };
        changed_.wait_for(lock, std::chrono::milliseconds(end_ms), [&] { return ended_ || is_over(); });
        if (ended_) {
            std::fprintf(stderr, "coroscope: warning: %s is incomplete: %s\n", path_.c_str(),
                         error_.empty() ? "the agent ended first" : error_.c_str());
        } else if (appeared_.empty()) {
            std::fprintf(
                stderr,
                "coroscope: warning: nothing to record: the program never connected; is it built on coroscope's "
                "runtime, with the debug library in reach?\n");
        }
    }
    stream_->cancel();
    thread_.join();
    if (!writer_.finish() && error_.empty()) {
        std::fprintf(stderr, "coroscope: warning: %s is incomplete: %s\n", path_.c_str(), writer_.error().c_str());
    }
}

}  // namespace coroscope::cli
