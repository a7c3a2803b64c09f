// Event, Lock, Semaphore, BoundedSemaphore, Condition: asyncio's, for tasks of one loop.
//
//     Lock lock;
//     {
//         auto held = co_await lock.acquire();   // released at the end of the scope
//     }
//
// Thread: the loop's. Waiting is a cancellation point; everything else is not. Waiting tasks are served in the order in
// which they came, and what is released goes straight to the first of them: no other task can take it in between.
// Nothing allocates, unless debug mode is on. Each object must outlive the tasks that wait on it, and what acquire()
// returned. `where`, everywhere: the place of the construction, for the debugger; leave it to its default.
#pragma once

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <source_location>
#include <stdexcept>
#include <string_view>
#include <utility>

#include "coroscope/coro.hpp"
#include "coroscope/detail/resource.hpp"
#include "coroscope/detail/task_control.hpp"
#include "coroscope/error.hpp"

namespace coroscope {

// A flag that tasks can wait for.
class Event {
public:
    Event(const std::source_location& where = std::source_location::current()) noexcept {
        resource_.constructed(traits(), where);
    }
    // For the runtime: an event of something else, whose type and verb are shown in its place.
    Event(detail::ResourceType type, detail::Verb verb) noexcept : type_(type), verb_(verb) {}
    void constructed(const detail::ResourceTraits& traits) noexcept { resource_.constructed(traits); }
    std::uint64_t resource_id() const noexcept { return resource_.id(); }
    Event(const Event&) = delete;
    Event& operator=(const Event&) = delete;

    class [[nodiscard("co_await it")]] Awaiter final : public detail::Waiter {
    public:
        explicit Awaiter(Event& event) noexcept : event_(event) {}
        bool await_ready() const noexcept { return event_.set_; }
        void start() noexcept { wait_in(event_.waiters_, *this); }
        void await_resume() { check_cancelled(); }

    private:
        friend Event;
        friend detail::Suspension;
        std::uint64_t waits_for() const noexcept {
            return event_.resource_.wait(event_.verb_, *task(), event_.traits());
        }
        Event& event_;
    };

    // Until the flag is set; not at all if it is.
    Awaiter wait() noexcept { return Awaiter(*this); }
    // Sets the flag and wakes all tasks that wait; they run at their next turn, also if the flag is cleared meanwhile.
    void set() noexcept {
        set_and_wake();
        // Not the last thing that the caller does: else a call from the wrong thread is reported without its place.
        asm volatile("");
    }
    void clear() noexcept {
        set_ = false;
        resource_.used(detail::Role::clear, false);
    }
    bool is_set() const noexcept { return set_; }
    // For the debugger, which shows the name beside the type. Any time; costs an allocation.
    void set_name(std::string_view name) noexcept { resource_.set_name(name, traits()); }

private:
    void set_and_wake() noexcept;
    detail::ResourceTraits traits() const noexcept { return {.type = type_}; }

    bool set_ = false;
    detail::ResourceType type_ = detail::ResourceType::event;
    detail::Verb verb_ = detail::Verb::until_set;
    detail::WaiterList<Awaiter> waiters_;
    detail::Resource resource_;
};

namespace detail {

// What acquire() of a lock or a semaphore returns: gives it back at the end of its scope. Movable, also to another
// task.
template <class S>
class [[nodiscard("it is given back at once")]] Held {
public:
    explicit Held(S& acquired) noexcept : acquired_(&acquired) {}
    Held(Held&& other) noexcept : acquired_(std::exchange(other.acquired_, nullptr)) {}
    Held& operator=(Held&& other) noexcept {
        std::swap(acquired_, other.acquired_);
        return *this;
    }
    ~Held() { release(); }
    // Gives it back before the end of the scope. Idempotent.
    void release() noexcept {
        if (acquired_ != nullptr) std::exchange(acquired_, nullptr)->give_back();
    }
    bool holds(const S& one) const noexcept { return acquired_ == &one; }

private:
    S* acquired_;
};

}  // namespace detail

// A number of permits. acquire() takes one, and waits while there is none.
class Semaphore {
public:
    explicit Semaphore(std::size_t value = 1,
                       const std::source_location& where = std::source_location::current()) noexcept
        : Semaphore(value, std::numeric_limits<std::size_t>::max(), where) {}
    Semaphore(const Semaphore&) = delete;
    Semaphore& operator=(const Semaphore&) = delete;

    using Held = detail::Held<Semaphore>;

    class [[nodiscard("co_await it")]] Awaiter final : public detail::Waiter {
    public:
        explicit Awaiter(Semaphore& semaphore) noexcept : semaphore_(semaphore) {}
        Awaiter(Awaiter&&) noexcept = default;
        ~Awaiter();
        bool await_ready() noexcept { return semaphore_.take(true); }
        void start() noexcept { wait_in(semaphore_.waiters_, *this); }
        [[nodiscard("what it gives is released at once: auto held = co_await ...")]] Held await_resume();

    private:
        friend Semaphore;
        friend detail::Suspension;
        std::uint64_t waits_for() const noexcept {
            return semaphore_.resource_.wait(detail::Verb::acquire, *task(), semaphore_.traits());
        }
        Semaphore& semaphore_;
        bool granted_ = false;
    };

    // co_await gives a Held, which gives the permit back at the end of its scope.
    Awaiter acquire() noexcept { return Awaiter(*this); }
    // Takes a permit if there is one. The caller gives it back with release().
    bool try_acquire() noexcept { return take(false); }
    // Adds a permit, or hands it to the first task that waits. Any task may do it. Of a BoundedSemaphore:
    // std::logic_error if all its permits are there.
    void release() {
        if (value_ >= bound_) [[unlikely]]
            throw_released_too_often();
        give_back();
    }
    bool locked() const noexcept { return value_ == 0; }   // no permit is there
    std::size_t value() const noexcept { return value_; }  // permits that are free
    // For the debugger, which shows the name beside the type. Any time; costs an allocation.
    void set_name(std::string_view name) noexcept { resource_.set_name(name, traits()); }

protected:
    Semaphore(std::size_t value, std::size_t bound, const std::source_location& where) noexcept
        : value_(value), bound_(bound), first_value_(value) {
        resource_.constructed(traits(), where);
    }

private:
    friend Held;
    bool take(bool awaited) noexcept {
        if (value_ == 0) return false;
        --value_;
        resource_.used(detail::Role::acquire, awaited);
        return true;
    }
    void give_back() noexcept {
        resource_.used(detail::Role::release, false);
        if (!waiters_.empty()) return hand_over();
        if (value_ < bound_) ++value_;  // at the bound only if release() was called for a permit of a Held
    }
    void hand_over() noexcept;
    detail::ResourceTraits traits() const noexcept {
        return {
            .type = bound_ == first_value_ ? detail::ResourceType::bounded_semaphore : detail::ResourceType::semaphore,
            .capacity = static_cast<std::int64_t>(first_value_),
            .level_of = [](const void* semaphore) noexcept -> std::uint64_t {
                return static_cast<const Semaphore*>(semaphore)->value_;
            },
            .owner = this};
    }
    [[noreturn]] static void throw_released_too_often();

    std::size_t value_;
    const std::size_t bound_;        // permits that there can be
    const std::size_t first_value_;  // permits that there were
    detail::WaiterList<Awaiter> waiters_;
    detail::Resource resource_;
};

// A semaphore whose release() throws std::logic_error where it was not acquired before: asyncio.BoundedSemaphore.
class BoundedSemaphore : public Semaphore {
public:
    explicit BoundedSemaphore(std::size_t value = 1,
                              const std::source_location& where = std::source_location::current()) noexcept
        : Semaphore(value, value, where) {}
};

// Held by one task at a time, which it knows.
class Lock {
public:
    Lock(const std::source_location& where = std::source_location::current()) noexcept {
        resource_.constructed(traits(), where);
    }
    Lock(const Lock&) = delete;
    Lock& operator=(const Lock&) = delete;

    using Held = detail::Held<Lock>;

    class [[nodiscard("co_await it")]] Awaiter final : public detail::Waiter {
    public:
        explicit Awaiter(Lock& lock) noexcept : lock_(lock) {}
        Awaiter(Awaiter&&) noexcept = default;
        ~Awaiter();
        bool await_ready() noexcept { return lock_.take(true); }
        void start() noexcept { wait_in(lock_.waiters_, *this); }
        [[nodiscard("what it gives is released at once: auto held = co_await ...")]] Held await_resume();

    private:
        friend Lock;
        friend detail::Suspension;
        std::uint64_t waits_for() const noexcept {
            return lock_.resource_.wait(detail::Verb::acquire, *task(), traits());
        }
        std::uint64_t holder() const noexcept { return lock_.owner(); }
        Lock& lock_;
        bool granted_ = false;
    };

    // co_await gives a Held, which releases the lock at the end of its scope. A task that holds the lock already waits
    // for itself, for ever: locks are not recursive.
    Awaiter acquire() noexcept { return Awaiter(*this); }
    // Takes the lock if it is free. The caller gives it back with release().
    bool try_acquire() noexcept { return take(false); }
    // For a task without a Held. Errors: std::logic_error if the running task does not hold the lock (asyncio:
    // RuntimeError, but there any task may release a lock that is held).
    void release() {
        if (!held_by_running_task()) [[unlikely]]
            throw_not_held();
        give_back();
    }
    // Also while it is handed over: release() gives it to the task that has waited longest, so that no other one gets
    // in between. (asyncio's is not locked until that task runs.)
    bool locked() const noexcept { return locked_; }
    std::size_t value() const noexcept { return locked_ ? 0 : 1; }  // as a Semaphore's
    // The id of the task that acquired it (AnyTask::id()); 0: it is free, or was acquired outside of tasks.
    std::uint64_t owner() const noexcept { return locked_ ? owner_ : 0; }
    bool held_by_running_task() const noexcept { return locked_ && owner_ == running_task(); }
    // For the debugger, which shows the name beside the type. Any time; costs an allocation.
    void set_name(std::string_view name) noexcept { resource_.set_name(name, traits()); }

private:
    friend Held;
    friend class Condition;
    struct Unused {};
    explicit Lock(Unused) noexcept {}  // of a Condition that uses another
    static constexpr detail::ResourceTraits traits() noexcept { return {.type = detail::ResourceType::lock}; }
    bool take(bool awaited) noexcept {
        if (locked_) return false;
        locked_ = true;
        owner_ = running_task();
        resource_.used(detail::Role::acquire, awaited);
        return true;
    }
    static std::uint64_t running_task() noexcept {
        return detail::current_task != nullptr ? detail::current_task->id : 0;
    }
    void give_back() noexcept;
    [[noreturn]] static void throw_not_held();

    bool locked_ = false;
    std::uint64_t owner_ = 0;  // if locked_
    detail::WaiterList<Awaiter> waiters_;
    detail::Resource resource_;
};

// Waits, with a lock given up meanwhile, until another task notifies. It has a lock of its own, or shares one.
//
//     auto held = co_await condition.acquire();
//     co_await condition.wait_for(held, [&] { return !items.empty(); });
//
// Errors: std::logic_error if wait() is given another lock, or the task that calls notify() does not hold the lock.
class Condition {
public:
    Condition(const std::source_location& where = std::source_location::current()) noexcept
        : own_lock_(where), lock_(own_lock_) {
        resource_.constructed(traits(), where);
    }
    // `lock` must outlive the condition.
    explicit Condition(Lock& lock, const std::source_location& where = std::source_location::current()) noexcept
        : own_lock_(Lock::Unused()), lock_(lock) {
        resource_.constructed(traits(), where);
    }
    Condition(const Condition&) = delete;
    Condition& operator=(const Condition&) = delete;
    Lock& lock() noexcept { return lock_; }
    Lock::Awaiter acquire() noexcept { return lock_.acquire(); }

    // `held` must be this condition's lock. It is released while waiting and held again afterwards, also when
    // cancelled.
    Coro<> wait(Lock::Held& held);
    template <class Predicate>
    Coro<> wait_for(Lock::Held& held, Predicate predicate) {
        while (!predicate()) co_await wait(held);
    }
    // Wakes up to `count` tasks that wait. They run once they have the lock again. One that is cancelled before passes
    // its notification on, as in Python 3.13; in 3.11 it is lost.
    void notify(std::size_t count = 1);
    void notify_all() { notify(std::numeric_limits<std::size_t>::max()); }
    // For the debugger, which shows the name beside the type. Any time; costs an allocation.
    void set_name(std::string_view name) noexcept { resource_.set_name(name, traits()); }

private:
    static constexpr detail::ResourceTraits traits() noexcept { return {.type = detail::ResourceType::condition}; }
    class [[nodiscard("co_await it")]] Awaiter final : public detail::Waiter {
    public:
        explicit Awaiter(Condition& condition) noexcept : condition_(condition) {}
        ~Awaiter();
        bool await_ready() const noexcept { return false; }
        void start() noexcept { wait_in(condition_.waiters_, *this); }
        void await_resume();

    private:
        friend Condition;
        friend detail::Suspension;
        std::uint64_t waits_for() const noexcept {
            return condition_.resource_.wait(detail::Verb::notification, *task(), traits());
        }
        Condition& condition_;
        bool notified_ = false;
    };

    void wake(std::size_t count) noexcept;

    Lock own_lock_;
    Lock& lock_;
    detail::WaiterList<Awaiter> waiters_;
    detail::Resource resource_;
};

}  // namespace coroscope
