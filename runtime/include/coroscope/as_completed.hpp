// as_completed(): tasks in the order in which they end. asyncio.as_completed.
//
//     auto completed = as_completed(std::move(tasks), 5s);      // tasks, or coroutines
//     while (Task<int> task = co_await completed.next()) {      // the original task, done
//         use(task.result());                                   // throws what it threw
//     }
//
// next() is a cancellation point; being cancelled there cancels no task. It gives an empty task after the last. With a
// timeout, counted from the call of as_completed(), next() throws TimeoutError as soon as nothing more had ended when
// the time was over, and then always. Tasks that are left when the object goes run on. A task given twice comes once.
// O(1) for each; one allocation for all. Thread: the loop's. Keep the object where it is, in the task that made it.
#pragma once

#include <chrono>
#include <coroutine>
#include <cstddef>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "coroscope/gather.hpp"
#include "coroscope/loop.hpp"

namespace coroscope {

namespace detail {

// The part that does not know the type.
class Completions : CallbackTimer {
public:
    Completions(std::span<TaskControl* const> tasks, std::optional<std::chrono::nanoseconds> timeout);
    ~Completions();
    Completions(const Completions&) = delete;
    Completions& operator=(const Completions&) = delete;

    class [[nodiscard("co_await it")]] NextBase : public Suspension {
    public:
        explicit NextBase(Completions& owner) noexcept : owner_(owner) {}
        // std::logic_error if somebody waits already.
        bool await_ready() const;
        void start() noexcept;
        void wake_up() noexcept { wake(); }

    protected:
        ~NextBase() {
            if (owner_.waiter_ == this) owner_.waiter_ = nullptr;
        }
        TaskControl* take();  // nullptr: there is none any more; throws TimeoutError, Cancelled

    private:
        friend Suspension;
        void on_cancel() noexcept;
        std::uint64_t waits_for() const noexcept;
        Completions& owner_;
    };

private:
    struct Hook : DoneHook {
        Completions* owner = nullptr;
        TaskControl* target = nullptr;
        Hook* next_done = nullptr;
    };
    void put(Hook& hook) noexcept;
    void wake_waiter() noexcept;

    EventLoop& loop_;
    std::vector<Hook> hooks_;
    Hook* first_done_ = nullptr;
    Hook* last_done_ = nullptr;
    std::size_t left_ = 0;  // to be given
    NextBase* waiter_ = nullptr;
    bool timed_out_ = false;
    Resource resource_;
};

}  // namespace detail

template <std::derived_from<AnyTask> H>
class [[nodiscard]] AsCompleted {
public:
    AsCompleted(const std::vector<H>& tasks, std::optional<std::chrono::nanoseconds> timeout)
        : completions_(detail::controls_of(tasks), timeout) {}

    class Next final : public detail::Completions::NextBase {
    public:
        using NextBase::NextBase;
        H await_resume() { return H(AnyTask::share(take())); }
    };
    Next next() noexcept { return Next(completions_); }

private:
    detail::Completions completions_;
};

template <std::derived_from<AnyTask> H>
AsCompleted<H> as_completed(const std::vector<H>& tasks,
                            std::optional<std::chrono::nanoseconds> timeout = std::nullopt) {
    return AsCompleted<H>(tasks, timeout);
}
template <class T>
AsCompleted<Task<T>> as_completed(std::vector<Coro<T>> coros,
                                  std::optional<std::chrono::nanoseconds> timeout = std::nullopt) {
    return AsCompleted<Task<T>>(detail::as_tasks(std::move(coros)), timeout);
}

}  // namespace coroscope
