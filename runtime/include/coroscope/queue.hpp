// Queue<T>, PriorityQueue<T>, LifoQueue<T>: asyncio's. Bounded if maxsize > 0.
//
//     Queue<int> queue(10);
//     co_await queue.put(7);            // waits while it is full
//     int item = co_await queue.get();  // waits while it is empty
//     queue.shutdown();                 // no more items: tasks that wait, now or later, get QueueShutDown
//
// put(), get(), join(): cancellation points; a cancelled get() loses no item, and no order. Waiting tasks are served in
// the order in which they came. Unlike asyncio's, an item goes straight to the task that waits for it: no other task
// can take it before that task runs. So does room: the item of the first task that waits in put() is in the queue at
// once, also if that task is cancelled before it runs. Thread: the loop's. The queue must outlive the tasks that wait
// on it. No allocation per operation beyond the items' own. Complexity: constant; PriorityQueue: logarithmic.
#pragma once

#include <algorithm>
#include <concepts>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <source_location>
#include <stdexcept>
#include <string_view>
#include <utility>
#include <vector>

#include "coroscope/detail/resource.hpp"
#include "coroscope/detail/ring_buffer.hpp"
#include "coroscope/detail/task_control.hpp"
#include "coroscope/detail/temporary.hpp"
#include "coroscope/error.hpp"

namespace coroscope {

namespace detail {

// The order in which a queue gives its items. take(): it must not be empty. give_back(): an item that was handed to a
// task while there was none here, and that the task did not take. goes_before(): whether that one is given rather than
// one that was handed to another task later.
template <class T>
class FifoItems {
public:
    static bool goes_before(const T&, const T&) noexcept { return true; }
    bool empty() const noexcept { return items_.empty(); }
    std::size_t size() const noexcept { return items_.size(); }
    void add(T&& item) { items_.push_back(std::move(item)); }
    void give_back(T&& item) { items_.push_front(std::move(item)); }
    T take() { return items_.take_front(); }

private:
    RingBuffer<T> items_;
};

template <class T>
class LifoItems {
public:
    static bool goes_before(const T&, const T&) noexcept { return false; }
    bool empty() const noexcept { return items_.empty(); }
    std::size_t size() const noexcept { return items_.size(); }
    void add(T&& item) { items_.push_back(std::move(item)); }
    // All that are here came later, but for those that were given back before.
    void give_back(T&& item) {
        items_.insert(items_.begin() + static_cast<std::ptrdiff_t>(given_back_), std::move(item));
        ++given_back_;
    }
    T take() {
        T item = std::move(items_.back());
        items_.pop_back();
        given_back_ = std::min(given_back_, items_.size());
        return item;
    }

private:
    std::vector<T> items_;
    std::size_t given_back_ = 0;  // at the beginning
};

template <class T, class Less>
class PriorityItems {
public:
    static bool goes_before(const T& one, const T& other) { return later(other, one); }
    bool empty() const noexcept { return heap_.empty(); }
    std::size_t size() const noexcept { return heap_.size(); }
    void add(T&& item) {
        heap_.push_back(std::move(item));
        std::push_heap(heap_.begin(), heap_.end(), later);
    }
    void give_back(T&& item) { add(std::move(item)); }
    T take() {
        std::pop_heap(heap_.begin(), heap_.end(), later);
        T item = std::move(heap_.back());
        heap_.pop_back();
        return item;
    }

private:
    static bool later(const T& one, const T& other) { return Less()(other, one); }
    std::vector<T> heap_;
};

}  // namespace detail

// What the three have in common.
template <class T, class Items>
class BasicQueue {
public:
    // Derived classes' constructors: `where` is the place of the construction, for the debugger; leave it to its
    // default.
    BasicQueue(std::size_t maxsize, const std::source_location& where)
        : maxsize_(maxsize), most_(maxsize != 0 ? maxsize : unlimited) {
        resource_.constructed(traits(), where);
    }
    BasicQueue(const BasicQueue&) = delete;
    BasicQueue& operator=(const BasicQueue&) = delete;
    ~BasicQueue() {
        while (served_.pop() != nullptr) {
        }
    }

    class [[nodiscard("co_await it")]] GetAwaiter final : public detail::Waiter {
    public:
        explicit GetAwaiter(BasicQueue& queue) noexcept : queue_(queue) {}
        GetAwaiter(GetAwaiter&& other) noexcept : detail::Waiter(std::move(other)), queue_(other.queue_) {}
        ~GetAwaiter() {
            if (this->task() != nullptr) std::destroy_at(&item_);
        }
        bool await_ready() const {
            if (!queue_.items_.empty()) return true;
            queue_.require_open();
            return false;
        }
        void start() noexcept {
            std::construct_at(&item_);
            this->wait_in(queue_.getters_, *this);
        }
        T await_resume() {
            if (this->task() == nullptr) return queue_.take(true);  // it did not wait
            require_item();
            return std::move(*item_);
        }

    private:
        friend BasicQueue;
        [[gnu::noinline]] void require_item() {  // after a wait
            if (this->cancelled()) {
                if (item_) give_back();  // handed over, then cancelled: others shall have it
                this->check_cancelled();
            }
            if (!item_) throw QueueShutDown();
            this->leave_list();
        }
        // Those who were handed an item later, and have not taken it yet, each get the one before theirs, if that is
        // the queue's order: as if the items had stayed in the queue until now.
        void give_back() {
            if (this->list == nullptr) return;  // the queue is gone
            for (detail::WaiterLinks* later = this->next; later != nullptr; later = later->next) {
                GetAwaiter& other = static_cast<GetAwaiter&>(*later);
                if (Items::goes_before(*item_, *other.item_)) std::swap(*item_, *other.item_);
            }
            this->leave_list();
            queue_.give_back(std::move(*item_));
        }
        friend detail::Suspension;
        std::uint64_t waits_for() const noexcept {
            return queue_.resource_.wait(detail::Verb::get, *this->task(), queue_.traits());
        }
        BasicQueue& queue_;
        union {
            std::optional<T> item_;  // handed over while it waits
        };
    };

    class [[nodiscard("co_await it")]] PutAwaiter final : public detail::Waiter {
    public:
        PutAwaiter(BasicQueue& queue, T&& item) : queue_(queue), item_(std::move(item)) {}
        [[gnu::always_inline]] bool await_ready() {
            if (!queue_.has_room()) {
                queue_.require_open();
                return false;
            }
            queue_.add(std::move(item_), true);
            return true;
        }
        void start() noexcept {
            added_ = false;
            this->wait_in(queue_.putters_, *this);
        }
        // Once the item is in the queue the put has happened: a cancellation that comes later is thrown at the next
        // await.
        void await_resume() {
            if (this->task() == nullptr || added_) return;
            this->check_cancelled();
            throw QueueShutDown();
        }

    private:
        friend BasicQueue;
        friend detail::Suspension;
        std::uint64_t waits_for() const noexcept {
            return queue_.resource_.wait(detail::Verb::put, *this->task(), queue_.traits());
        }
        BasicQueue& queue_;
        T item_;
        bool added_;  // known once it waited
    };

    GetAwaiter get() noexcept { return GetAwaiter(*this); }
    template <class U = T>
        requires std::convertible_to<U&&, T>
    PutAwaiter put(U&& item) {
        COROSCOPE_REFUSE_TEMPORARY_AGGREGATES("co_await queue.put(item)", U);
        return PutAwaiter(*this, T(std::forward<U>(item)));
    }
    // Throw QueueEmpty, QueueFull, QueueShutDown.
    T get_nowait() {
        if (items_.empty()) {
            require_open();
            throw QueueEmpty();
        }
        return take(false);
    }
    void put_nowait(T item) {
        if (!has_room()) {
            require_open();
            throw QueueFull();
        }
        add(std::move(item), false);
    }
    // No more items (3.13's): put() throws QueueShutDown from now on, also where it waits; get() gives what is there
    // and then throws it. `immediate`: what is there is thrown away, and counts as done for join(). Idempotent.
    void shutdown(bool immediate = false) {
        shut_down_ = true;
        most_ = 0;
        while (immediate && !items_.empty()) {
            items_.take();
            if (unfinished_ != 0) --unfinished_;
        }
        if (!joiners_.empty()) unfinished_changed();
        resource_.used(detail::Role::close, false);
        putters_.wake_all();
        if (items_.empty()) getters_.wake_all();
    }
    bool is_shut_down() const noexcept { return shut_down_; }

    std::size_t qsize() const noexcept { return items_.size(); }
    std::size_t maxsize() const noexcept { return maxsize_; }
    bool empty() const noexcept { return items_.empty(); }
    bool full() const noexcept { return maxsize_ != 0 && items_.size() >= maxsize_; }

    // One call for every item that was got and dealt with; more calls than items: std::logic_error.
    void task_done() {
        if (unfinished_ == 0) throw std::logic_error("task_done() called too many times");
        resource_.used(detail::Role::item_done, false);
        --unfinished_;
        if (!joiners_.empty()) unfinished_changed();
    }

    class [[nodiscard("co_await it")]] JoinWaiter final : public detail::Waiter {
    public:
        explicit JoinWaiter(BasicQueue& queue) noexcept : queue_(queue) {}
        bool await_ready() const noexcept { return queue_.unfinished_ == 0; }
        void start() noexcept { this->wait_in(queue_.joiners_, *this); }
        void await_resume() { this->check_cancelled(); }

    private:
        friend BasicQueue;
        friend detail::Suspension;
        std::uint64_t waits_for() const noexcept {
            const std::uint64_t wait = queue_.resource_.wait(detail::Verb::all_done, *this->task(), queue_.traits());
            queue_.resource_.unfinished_is(queue_.unfinished_);
            return wait;
        }
        BasicQueue& queue_;
    };
    // Waits until task_done() was called for every item ever put.
    JoinWaiter join() noexcept { return JoinWaiter(*this); }
    // For the debugger, which shows the name beside the type. Any time; costs an allocation.
    void set_name(std::string_view name) noexcept { resource_.set_name(name, traits()); }

private:
    detail::ResourceTraits traits() const noexcept {
        return {.type = detail::ResourceType::queue,
                .capacity = static_cast<std::int64_t>(maxsize_),
                .level_of = [](const void* queue) noexcept -> std::uint64_t {
                    return static_cast<const BasicQueue*>(queue)->items_.size();
                },
                .owner = this};
    }
    bool has_room() const noexcept { return items_.size() < most_; }
    void require_open() const {  // it is empty, or has no room: something may change
        if (shut_down_) [[unlikely]]
            throw QueueShutDown();
    }
    // There is an item. Room comes free: the first that waits to put has its turn.
    T take(bool awaited) {
        T item = items_.take();
        if (!putters_.empty()) admit_putter();
        resource_.used(detail::Role::get, awaited);
        return item;
    }
    [[gnu::noinline]] void admit_putter() {
        PutAwaiter* putter = putters_.pop();
        putter->added_ = true;
        items_.add(std::move(putter->item_));
        ++unfinished_;
        resource_.used_by(*putter->task(), detail::Role::put);
        putter->wake_up();
    }
    // There is room. A task that waits for an item is handed this one.
    void add(T&& item, bool awaited) {
        if (getters_.empty()) {
            items_.add(std::move(item));
        } else {
            hand_over(std::move(item));
        }
        ++unfinished_;
        if (!joiners_.empty()) unfinished_changed();
        resource_.used(detail::Role::put, awaited);
    }
    [[gnu::noinline]] void unfinished_changed() noexcept {  // and a task waits in join()
        resource_.unfinished_is(unfinished_);
        if (unfinished_ == 0) joiners_.wake_all();
    }
    void give_back(T&& item) {
        if (!getters_.empty()) return hand_over(std::move(item));
        items_.give_back(std::move(item));
        resource_.level_changed();
    }
    [[gnu::noinline]] void hand_over(T&& item) {
        GetAwaiter* getter = getters_.pop();
        getter->item_.emplace(std::move(item));
        resource_.used_by(*getter->task(), detail::Role::get);
        served_.push(*getter);
        getter->wake_up();
    }

    static constexpr std::size_t unlimited = static_cast<std::size_t>(-1);
    std::size_t maxsize_;
    std::size_t most_;  // items that it takes now; 0: it is shut down
    Items items_;
    bool shut_down_ = false;
    std::size_t unfinished_ = 0;
    detail::WaiterList<GetAwaiter> getters_;
    detail::WaiterList<PutAwaiter> putters_;
    detail::WaiterList<JoinWaiter> joiners_;
    detail::Resource resource_;
    detail::WaiterList<GetAwaiter> served_;  // have been handed an item, and have not run since
};

// First in, first out.
template <class T>
class Queue : public BasicQueue<T, detail::FifoItems<T>> {
public:
    Queue(const std::source_location& where = std::source_location::current()) : Queue(0, where) {}
    explicit Queue(std::size_t maxsize, const std::source_location& where = std::source_location::current())
        : BasicQueue<T, detail::FifoItems<T>>(maxsize, where) {}
};

// Last in, first out.
template <class T>
class LifoQueue : public BasicQueue<T, detail::LifoItems<T>> {
public:
    LifoQueue(const std::source_location& where = std::source_location::current()) : LifoQueue(0, where) {}
    explicit LifoQueue(std::size_t maxsize, const std::source_location& where = std::source_location::current())
        : BasicQueue<T, detail::LifoItems<T>>(maxsize, where) {}
};

// The least item first, by Less; among equal ones in no particular order.
template <class T, class Less = std::less<T>>
class PriorityQueue : public BasicQueue<T, detail::PriorityItems<T, Less>> {
public:
    PriorityQueue(const std::source_location& where = std::source_location::current()) : PriorityQueue(0, where) {}
    explicit PriorityQueue(std::size_t maxsize, const std::source_location& where = std::source_location::current())
        : BasicQueue<T, detail::PriorityItems<T, Less>>(maxsize, where) {}
};

}  // namespace coroscope
