#include "coroscope/to_thread.hpp"

#include "runtime/src/probe/hooks.hpp"

namespace coroscope::detail {

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
    job_.loop->run_in_executor([job = job_.shared_from_this()]() mutable {
        probe::emit(probe::EventKind::job_begin, job->task_id);
        {
            const WithContext with(job->context);
            job->execute();
        }
        probe::emit(probe::EventKind::job_end, job->task_id);
        ThreadJob& back = *job;
        back.self = std::move(job);  // the loop's thread takes it over with the post
        back.loop->post(back);
    });
    suspend(wait_bits(WaitKind::thread), [](Suspension& base) noexcept {
        auto& self = static_cast<ThreadAwaiter&>(base);
        self.job_.waiter = nullptr;
        self.wake_cancelled();
    });
}

}  // namespace coroscope::detail
