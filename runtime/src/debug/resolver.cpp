#include "resolver.hpp"

#include <pthread.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <system_error>
#include <utility>

#include "app_signals.hpp"
#include "own_thread.hpp"

namespace coroscope::debug {

namespace {

constexpr auto end_patience = std::chrono::milliseconds(100);

}  // namespace

struct Resolver::Question {
    std::vector<void*> addresses;  // return addresses; or
    StackCopy stack;               // to be unwound. Neither: refused, but answers come in order
};

struct Resolver::Shared {
    explicit Shared(std::function<void()> on_answer) : answered(std::move(on_answer)) {}
    void run();

    std::mutex mutex;
    std::condition_variable changed;
    std::function<void()> answered;  // under mutex, as all below; empty: nobody waits any more
    std::deque<Question> questions;
    std::deque<std::vector<NativeFrame>> answers;
    bool ending = false;
    bool ended = false;
};

void Resolver::Shared::run() {
    begin_own_thread("coroscope-names");
    NativeFrames native;
    std::unique_lock lock(mutex);
    for (;;) {
        changed.wait(lock, [this] { return ending || !questions.empty(); });
        if (ending) break;
        const Question question = std::move(questions.front());
        questions.pop_front();
        lock.unlock();
        std::vector<NativeFrame> answer =
            question.stack.empty() ? native.resolve(question.addresses, false) : native.resolve(question.stack);
        lock.lock();
        answers.push_back(std::move(answer));
        changed.notify_all();
        if (answered) answered();
    }
    ended = true;
    changed.notify_all();
}

Resolver::Resolver(std::function<void()> answered) : shared_(std::make_shared<Shared>(std::move(answered))) {}

Resolver::~Resolver() {
    if (!thread_.joinable()) return;
    std::unique_lock lock(shared_->mutex);
    shared_->ending = true;
    shared_->answered = nullptr;
    shared_->changed.notify_all();
    const bool ended = shared_->changed.wait_for(lock, end_patience, [this] { return shared_->ended; });
    lock.unlock();
    if (ended) {
        thread_.join();
    } else {
        thread_.detach();
    }
}

void Resolver::ask(std::vector<void*> return_addresses) {
    const std::scoped_lock lock(shared_->mutex);
    add(Question{std::move(return_addresses), {}}, false);
}

void Resolver::ask_stack(StackCopy stack) {
    const std::scoped_lock lock(shared_->mutex);
    const auto waiting =
        std::ranges::count_if(shared_->questions, [](const Question& each) { return !each.stack.empty(); });
    add(Question{{}, std::move(stack)}, static_cast<std::size_t>(waiting) >= most_stacks_waiting);
}

void Resolver::add(Question&& question, bool refuse) {
    if (refuse || shared_->questions.size() >= most_waiting) {
        ++refused_;
        question = {};
    }
    shared_->questions.push_back(std::move(question));
    shared_->changed.notify_all();
    if (thread_.joinable()) return;
    try {
        const AppSignalsBlocked blocked;
        thread_ = std::thread([shared = shared_] { shared->run(); });
    } catch (const std::system_error&) {  // no more threads: no places
        ++refused_;
        shared_->questions.pop_back();
        shared_->answers.emplace_back();
    }
}

std::optional<std::vector<NativeFrame>> Resolver::take_answer() {
    const std::scoped_lock lock(shared_->mutex);
    if (shared_->answers.empty()) return std::nullopt;
    std::vector<NativeFrame> answer = std::move(shared_->answers.front());
    shared_->answers.pop_front();
    return answer;
}

bool Resolver::wait_for_answer(std::chrono::milliseconds most) {
    std::unique_lock lock(shared_->mutex);
    return shared_->changed.wait_for(lock, most, [this] { return !shared_->answers.empty(); });
}

}  // namespace coroscope::debug
