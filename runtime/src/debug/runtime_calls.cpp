#include "runtime_calls.hpp"

#include <pthread.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <system_error>
#include <utility>

#include "app_signals.hpp"
#include "own_thread.hpp"

namespace coroscope::debug {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t most_sites = 64;
constexpr auto answer_patience = 100ms;

std::vector<probe::SiteId> stack_of(probe::Registry& registry, std::uint64_t tid) {
    std::array<cs_site, most_sites> sites{};
    for (const probe::Runtime* runtime : registry.all_runtimes()) {
        if (runtime->stack_of == nullptr) continue;
        const std::size_t count = runtime->stack_of(runtime->self, tid, sites.data(), sites.size());
        if (count != 0) return {sites.data(), sites.data() + std::min(count, sites.size())};
    }
    return {};
}

}  // namespace

struct RuntimeCalls::Shared {
    Shared(probe::Registry& the_registry, std::function<void()> on_answer)
        : registry(the_registry), answered(std::move(on_answer)) {}
    void run();

    probe::Registry& registry;
    std::mutex mutex;
    std::condition_variable changed;
    std::function<void()> answered;  // under mutex, as all below; empty: nobody waits any more
    bool wants_list = false;
    bool asked = false;     // and not answered yet
    std::uint64_t tid = 0;  // not 0: not yet being answered
    std::uint64_t question = 0;
    std::optional<std::vector<probe::SiteId>> answer;
    bool ending = false;
    bool ended = false;
};

void RuntimeCalls::Shared::run() {
    begin_own_thread("coroscope-calls");
    std::unique_lock lock(mutex);
    for (;;) {
        changed.wait(lock, [this] { return ending || wants_list || tid != 0; });
        if (ending) break;
        if (std::exchange(wants_list, false)) {
            lock.unlock();
            for (const probe::Runtime* runtime : registry.all_runtimes())
                if (runtime->list_tasks != nullptr) runtime->list_tasks(runtime->self);
            lock.lock();
            continue;
        }
        const std::uint64_t about = std::exchange(tid, 0), number = question;
        lock.unlock();
        std::vector<probe::SiteId> sites = stack_of(registry, about);
        lock.lock();
        asked = false;
        if (number == question) answer = std::move(sites);
        if (answered) answered();
    }
    ended = true;
    changed.notify_all();
}

RuntimeCalls::RuntimeCalls(probe::Registry& registry, std::function<void()> answered)
    : shared_(std::make_shared<Shared>(registry, std::move(answered))) {}

RuntimeCalls::~RuntimeCalls() {
    if (!thread_.joinable()) return;
    std::unique_lock lock(shared_->mutex);
    shared_->ending = true;
    shared_->answered = nullptr;
    shared_->changed.notify_all();
    const bool ended = shared_->changed.wait_for(lock, answer_patience, [this] { return shared_->ended; });
    lock.unlock();
    if (ended) {
        thread_.join();
    } else {
        thread_.detach();
    }
}

void RuntimeCalls::start_thread() {
    if (thread_.joinable()) return;
    try {
        const AppSignalsBlocked blocked;
        thread_ = std::thread([shared = shared_] { shared->run(); });
    } catch (const std::system_error&) {  // no more threads: nobody is called
    }
}

void RuntimeCalls::list_tasks() {
    {
        const std::scoped_lock lock(shared_->mutex);
        shared_->wants_list = true;
        shared_->changed.notify_all();
    }
    start_thread();
}

bool RuntimeCalls::ask_stack(std::uint64_t tid) {
    bool can = false;
    for (const probe::Runtime* runtime : shared_->registry.all_runtimes()) can = can || runtime->stack_of != nullptr;
    if (!can || tid == 0) return false;
    start_thread();
    const std::scoped_lock lock(shared_->mutex);
    if (shared_->asked || !thread_.joinable()) return false;
    shared_->asked = true;
    shared_->tid = tid;
    shared_->answer.reset();
    ++shared_->question;
    shared_->changed.notify_all();
    return true;
}

std::optional<std::vector<probe::SiteId>> RuntimeCalls::take_answer() {
    const std::scoped_lock lock(shared_->mutex);
    return std::exchange(shared_->answer, std::nullopt);
}

void RuntimeCalls::give_up() {
    const std::scoped_lock lock(shared_->mutex);
    ++shared_->question;
    shared_->answer.reset();
}

}  // namespace coroscope::debug
