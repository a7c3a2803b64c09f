#include "resolver.hpp"

#include <pthread.h>

#include <system_error>
#include <utility>

#include "app_signals.hpp"
#include "give_way.hpp"

namespace coroscope::debug {

Resolver::~Resolver() {
    if (!thread_.joinable()) return;
    {
        const std::scoped_lock lock(mutex_);
        ending_ = true;
    }
    changed_.notify_all();
    thread_.join();
}

void Resolver::ask(std::vector<void*> addresses, bool first_is_exact) {
    const std::scoped_lock lock(mutex_);
    if (questions_.size() >= most_waiting) {
        ++refused_;
        addresses.clear();
    }
    questions_.push_back({std::move(addresses), first_is_exact});
    changed_.notify_all();
    if (thread_.joinable()) return;
    try {
        const AppSignalsBlocked blocked;
        thread_ = std::thread([this] { run(); });
    } catch (const std::system_error&) {  // no more threads: no places
        ++refused_;
        questions_.pop_back();
        answers_.emplace_back();
    }
}

std::optional<std::vector<NativeFrame>> Resolver::take_answer() {
    const std::scoped_lock lock(mutex_);
    if (answers_.empty()) return std::nullopt;
    std::vector<NativeFrame> answer = std::move(answers_.front());
    answers_.pop_front();
    return answer;
}

bool Resolver::wait_for_answer(std::chrono::milliseconds most) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, most, [this] { return !answers_.empty(); });
}

void Resolver::run() {
    ::pthread_setname_np(::pthread_self(), "coroscope-names");
    give_way_to_the_app();
    NativeFrames native;
    std::unique_lock lock(mutex_);
    for (;;) {
        changed_.wait(lock, [this] { return ending_ || !questions_.empty(); });
        if (ending_) return;
        const Question question = std::move(questions_.front());
        questions_.pop_front();
        lock.unlock();
        std::vector<NativeFrame> answer = native.resolve(question.addresses, question.first_is_exact);
        lock.lock();
        answers_.push_back(std::move(answer));
        changed_.notify_all();
        lock.unlock();
        answered_();
        lock.lock();
    }
}

}  // namespace coroscope::debug
