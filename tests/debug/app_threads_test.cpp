// Which threads of a process are the app's: those that could wake a loop.
#include "runtime/src/debug/app_threads.hpp"

#include <gtest/gtest.h>
#include <pthread.h>

#include <condition_variable>
#include <mutex>
#include <thread>

namespace coroscope::debug::test {
namespace {

// A thread with this name that stays until the object goes.
class Named {
public:
    explicit Named(const char* name)
        : thread_([this, name] {
              ::pthread_setname_np(::pthread_self(), name);
              std::unique_lock lock(mutex_);
              named_ = true;
              changed_.notify_all();
              changed_.wait(lock, [this] { return over_; });
          }) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return named_; });
    }
    ~Named() {
        {
            const std::scoped_lock lock(mutex_);
            over_ = true;
        }
        changed_.notify_all();
        thread_.join();
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool named_ = false, over_ = false;
    std::thread thread_;
};

TEST(AppThreads, AreAllButOurs) {
    {
        const Named first("first");
    }  // with a process's first thread a sanitizer's may come
    const std::uint32_t before = count_app_threads();
    EXPECT_GE(before, 1u) << "this one";
    const Named app("worker");
    EXPECT_EQ(count_app_threads(), before + 1);
    const Named emitter("coroscope"), file("coroscope-file"), pool("coroscope-pool"), grpc("grpc_global_tim");
    EXPECT_EQ(count_app_threads(), before + 1);
    const Named job("coroscope-job");
    EXPECT_EQ(count_app_threads(), before + 2) << "a job can do what any thread can";
}

}  // namespace
}  // namespace coroscope::debug::test
