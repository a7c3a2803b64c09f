// The tasks of one app: found by id in O(1), kept in lists by what the fold must be able to walk.
//
// Ids are dense in a healthy stream, and anything at all in a hostile one: the index is a hash map of small pages, so
// that neighbours share cache lines and a lone id of 2^60 costs one page. Slots are never moved: a Slot* stays valid
// until the task is erased, and its memory for as long as the table lives (then with task.id 0, or another task in it).
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include "model.hpp"

namespace coroscope::model {

struct LoopEntry;

// Mixed with a seed of the process, so that nobody can choose ids that all fall into one bucket.
struct SeededHash {
    std::size_t operator()(std::uint64_t number) const noexcept;
};

// What the fold knows of a task beside what it shows.
struct TaskEntry : Task {
    LoopEntry* owner = nullptr;      // the loop whose list it is on while it lives; nullptr: that of tasks without one
    std::uint32_t known_losses = 0;  // LoopEntry::losses when its loop last said what it does
    bool woken_while_running = false;  // it is ready as soon as its step ends
    TaskId next_holder = 0;            // of a wait_holder event: belongs to the wait that begins next
    TaskEntry* previous = nullptr;     // in its TaskList
    TaskEntry* next = nullptr;
    std::uint32_t seen = 0;  // mark of the last snapshot that listed it, or during which it was created
};

// Doubly linked through the entries: nothing to allocate.
struct TaskList {
    TaskEntry* first = nullptr;
    TaskEntry* last = nullptr;

    void push_front(TaskEntry& task);
    void push_back(TaskEntry& task);
    void remove(TaskEntry& task);
};

class TaskTable {
public:
    TaskTable();

    TaskEntry* find(TaskId id) const {
        const std::uint64_t number = id / page_size;
        const Cached& cached = cache_[number & last_cached_];
        const Page* page = cached.number == number ? cached.page : find_page(number);
        return page == nullptr ? nullptr : page->tasks[id % page_size];
    }
    // For who knows which tasks he will ask for: the memory is fetched meanwhile. First the place of the entry's
    // address, some entries later the part of the entry that every step touches. An id that is no task's does no harm.
    [[gnu::always_inline]] void prefetch_place(TaskId id) const {
        const std::uint64_t number = id / page_size;
        const Cached& cached = cache_[number & last_cached_];
        if (cached.number == number) __builtin_prefetch(&cached.page->tasks[id % page_size]);
    }
    [[gnu::always_inline]] void prefetch(TaskId id) const {
        const std::uint64_t number = id / page_size;
        const Cached& cached = cache_[number & last_cached_];
        if (cached.number != number) return;
        const TaskEntry* const task = cached.page->tasks[id % page_size];
        if (task == nullptr) return;
        constexpr std::size_t line = 64;
        const char* const hot = reinterpret_cast<const char*>(&task->time_limits);
        const char* const end = reinterpret_cast<const char*>(&task->seen);
        for (const char* at = hot; at < end; at += line) __builtin_prefetch(at, 1);
        __builtin_prefetch(&task->cancelled_ns);
    }
    // `id` must not be 0 nor be there yet. The entry is on no list.
    TaskEntry& add(TaskId id);
    // The entry must be on no list.
    void remove(TaskEntry& task);
    std::size_t size() const { return size_; }

    // All, by id. O(n log n) in the number of pages.
    std::vector<TaskEntry*> sorted() const;

private:
    static constexpr std::size_t page_size = 64;
    static constexpr std::size_t least_cached = 1024;  // pages; a power of two
    static constexpr std::size_t first_chunk = 256;    // entries; each chunk is twice as large as the one before,
    static constexpr std::size_t huge_page = std::size_t{2} << 20;  // bytes; up to this

    struct Page {
        std::array<TaskEntry*, page_size> tasks{};
        std::uint32_t used = 0;
    };
    struct Cached {
        std::uint64_t number = ~std::uint64_t{0};  // no id has this page
        Page* page = nullptr;
    };
    const Page* find_page(std::uint64_t number) const;
    Page& page_of(std::uint64_t number);  // makes it if there is none
    void remember(std::uint64_t number, Page& page) const { cache_[number & last_cached_] = {number, &page}; }

    std::unordered_map<std::uint64_t, Page, SeededHash> pages_;
    mutable std::vector<Cached> cache_;  // grows with the number of pages
    std::uint64_t last_cached_;          // its size - 1
    // Entries that lie together. One that is as large as a huge page is one: among a million tasks nearly every event
    // would otherwise wait for the address of a small page as well as for the memory.
    class Chunk {
    public:
        explicit Chunk(std::size_t entries);
        ~Chunk();
        Chunk(Chunk&& other) noexcept : first_(std::exchange(other.first_, nullptr)), entries_(other.entries_) {}
        Chunk& operator=(Chunk&&) = delete;
        TaskEntry& operator[](std::size_t i) const { return first_[i]; }
        std::size_t size() const { return entries_; }

    private:
        TaskEntry* first_;
        std::size_t entries_;
    };
    std::vector<Chunk> chunks_;
    TaskEntry* free_ = nullptr;
    std::size_t size_ = 0;
};

}  // namespace coroscope::model
