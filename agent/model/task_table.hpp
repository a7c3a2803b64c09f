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
        const Cached& cached = cache_[number % cache_size];
        const Page* page = cached.number == number ? cached.page : find_page(number);
        return page == nullptr ? nullptr : page->tasks[id % page_size];
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
    static constexpr std::size_t cache_size = 1024;
    static constexpr std::size_t chunk_size = 256;

    struct Page {
        std::array<TaskEntry*, page_size> tasks{};
        std::uint32_t used = 0;
    };
    struct Cached {
        std::uint64_t number = ~std::uint64_t{0};  // no id has this page
        Page* page = nullptr;
    };
    const Page* find_page(std::uint64_t number) const;

    std::unordered_map<std::uint64_t, Page, SeededHash> pages_;
    mutable std::vector<Cached> cache_;
    std::vector<std::unique_ptr<TaskEntry[]>> chunks_;
    TaskEntry* free_ = nullptr;
    std::size_t size_ = 0;
};

}  // namespace coroscope::model
