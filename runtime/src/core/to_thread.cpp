#include "coroscope/to_thread.hpp"

#include <mutex>

#include "runtime/src/probe/hooks.hpp"

namespace coroscope::detail {

namespace {

// To the loop's thread, which takes the job over with the post.
void post_back(std::shared_ptr<ThreadJob> job) {
    ThreadJob& back = *job;
    const std::shared_ptr<LoopLink> link = back.link;
    std::unique_lock<std::mutex> lock;
    if (link) {
        lock = std::unique_lock(link->mutex);
        if (link->loop == nullptr) return;
    }
    back.self = std::move(job);
    back.loop->post(back);
}

}  // namespace

void ThreadAwaiter::start() {
    job_.loop = current_task->loop;
    job_.task_id = current_task->id;
    job_.waiter = this;
    job_.context = current_context();
    job_.run = [](RemoteCall& call) noexcept {  // back on the loop's thread
        auto& job = static_cast<ThreadJob&>(call);
        const std::shared_ptr<ThreadJob> self = std::move(job.self);
        if (job.waiter != nullptr) std::exchange(job.waiter, nullptr)->wake_up();
    };
    job_.resource.made_by_wait(
        {.type = ResourceType::job,
         .parent = job_.executor != nullptr ? job_.executor->resource_id() : job_.loop->pool_resource_id()});
    auto run = [job = job_.shared_from_this()]() mutable {
        if (!job->abandoned.load(std::memory_order_relaxed)) {
            probe::emit(probe::EventKind::job_begin, job->resource.id(), job->task_id);
            const WithContext with(job->context);
            job->execute();
            probe::emit(probe::EventKind::job_end, job->resource.id(), job->task_id);
        }
        post_back(std::move(job));
    };
    if (job_.executor != nullptr) {
        job_.link = job_.loop->link_to_loop();
        job_.executor->submit(std::move(run));
    } else {
        job_.loop->run_on_pool(std::move(run));
    }
    suspend(*this);
}

std::uint64_t ThreadAwaiter::waits_for() const noexcept { return pack_wait(Verb::job, job_.resource.id()); }

}  // namespace coroscope::detail
