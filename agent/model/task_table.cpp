// The index and the entries' memory.
#include "task_table.hpp"

#include <algorithm>

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

TaskTable::TaskTable() : cache_(cache_size) {}

const TaskTable::Page* TaskTable::find_page(std::uint64_t number) const {
    const auto found = pages_.find(number);
    if (found == pages_.end()) return nullptr;
    // The cache hands out pages for writing, too: const is the caller's promise.
    cache_[number % cache_size] = {number, const_cast<Page*>(&found->second)};
    return &found->second;
}

TaskEntry& TaskTable::add(TaskId id) {
    if (free_ == nullptr) {
        chunks_.push_back(std::make_unique<TaskEntry[]>(chunk_size));
        for (std::size_t i = chunk_size; i-- > 0;) {
            chunks_.back()[i].next = free_;
            free_ = &chunks_.back()[i];
        }
    }
    const std::uint64_t number = id / page_size;
    Cached& cached = cache_[number % cache_size];
    if (cached.number != number) cached = {number, &pages_[number]};
    TaskEntry& task = *free_;
    free_ = task.next;
    task.next = nullptr;
    task.id = id;
    cached.page->tasks[id % page_size] = &task;
    ++cached.page->used;
    ++size_;
    return task;
}

void TaskTable::remove(TaskEntry& task) {
    const std::uint64_t number = task.id / page_size;
    Cached& cached = cache_[number % cache_size];
    if (cached.number != number) cached = {number, &pages_[number]};
    cached.page->tasks[task.id % page_size] = nullptr;
    if (--cached.page->used == 0) {
        cached = {};
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
