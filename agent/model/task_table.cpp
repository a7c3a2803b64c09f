// The index and the entries' memory.
#include "task_table.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <memory>
#include <new>

namespace coroscope::model {

void TaskList::push_front(TaskEntry& task) {
    task.previous = nullptr;
    task.next = first;
    (first != nullptr ? first->previous : last) = &task;
    first = &task;
}

void TaskList::push_back(TaskEntry& task) {
    task.previous = last;
    task.next = nullptr;
    (last != nullptr ? last->next : first) = &task;
    last = &task;
}

void TaskList::remove(TaskEntry& task) {
    (task.previous != nullptr ? task.previous->next : first) = task.next;
    (task.next != nullptr ? task.next->previous : last) = task.previous;
    task.previous = task.next = nullptr;
}

// The seed is an address, which differs from process to process.
std::size_t SeededHash::operator()(std::uint64_t number) const noexcept {
    static const std::uint64_t seed = reinterpret_cast<std::uintptr_t>(&seed) * 0xbf58476d1ce4e5b9u;
    std::uint64_t x = (number ^ seed) * 0x9e3779b97f4a7c15u;
    x ^= x >> 32;
    return static_cast<std::size_t>(x * 0xd6e8feb86659fd93u);
}

TaskTable::TaskTable() : cache_(least_cached), last_cached_(least_cached - 1) {}

const TaskTable::Page* TaskTable::find_page(std::uint64_t number) const {
    const auto found = pages_.find(number);
    if (found == pages_.end()) return nullptr;
    // The cache hands out pages for writing, too: const is the caller's promise.
    remember(number, const_cast<Page&>(found->second));
    return &found->second;
}

TaskTable::Page& TaskTable::page_of(std::uint64_t number) {
    const Cached& cached = cache_[number & last_cached_];
    if (cached.number == number) return *cached.page;
    Page& page = pages_[number];
    if (pages_.size() > cache_.size() / 2) {  // what is forgotten is found again
        const std::size_t larger = cache_.size() * 4;
        cache_.clear();
        cache_.resize(larger);
        last_cached_ = larger - 1;
    }
    remember(number, page);
    return page;
}

TaskTable::Chunk::Chunk(std::size_t entries) : entries_(entries) {
    const std::size_t bytes = entries * sizeof(TaskEntry);
    const bool huge = bytes > huge_page / 2;
    const std::align_val_t alignment{huge ? huge_page : alignof(TaskEntry)};
    void* const memory = ::operator new(huge ? huge_page : bytes, alignment);
    if (huge) ::madvise(memory, huge_page, MADV_HUGEPAGE);  // refused: small pages do, too
    first_ = static_cast<TaskEntry*>(memory);
    std::uninitialized_value_construct_n(first_, entries);  // does not throw
}

TaskTable::Chunk::~Chunk() {
    if (first_ == nullptr) return;
    const bool huge = entries_ * sizeof(TaskEntry) > huge_page / 2;
    std::destroy_n(first_, entries_);
    ::operator delete(first_, std::align_val_t{huge ? huge_page : alignof(TaskEntry)});
}

TaskEntry& TaskTable::add(TaskId id) {
    if (free_ == nullptr) {
        const std::size_t twice = chunks_.empty() ? first_chunk : chunks_.back().size() * 2;
        chunks_.emplace_back(std::min(twice, huge_page / sizeof(TaskEntry)));
        for (std::size_t i = chunks_.back().size(); i-- > 0;) {
            chunks_.back()[i].next = free_;
            free_ = &chunks_.back()[i];
        }
    }
    Page& page = page_of(id / page_size);
    TaskEntry& task = *free_;
    free_ = task.next;
    task.next = nullptr;
    task.id = id;
    page.tasks[id % page_size] = &task;
    ++page.used;
    ++size_;
    return task;
}

void TaskTable::remove(TaskEntry& task) {
    const std::uint64_t number = task.id / page_size;
    Page& page = page_of(number);
    page.tasks[task.id % page_size] = nullptr;
    if (--page.used == 0) {
        cache_[number & last_cached_] = {};
        pages_.erase(number);
    }
    task = TaskEntry{};
    task.next = free_;
    free_ = &task;
    --size_;
}

std::vector<TaskEntry*> TaskTable::sorted() const {
    std::vector<std::uint64_t> numbers;
    numbers.reserve(pages_.size());
    for (const auto& [number, page] : pages_) numbers.push_back(number);
    std::sort(numbers.begin(), numbers.end());
    std::vector<TaskEntry*> all;
    all.reserve(size_);
    for (const std::uint64_t number : numbers)
        for (TaskEntry* task : pages_.find(number)->second.tasks)
            if (task != nullptr) all.push_back(task);
    return all;
}

}  // namespace coroscope::model
