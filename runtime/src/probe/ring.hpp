// A bounded single-producer single-consumer ring of records: one per thread that emits. std only.
//
// Bound: `capacity` records. Overflow policy: drop the newest, detail before lifecycle, never block.
// Visible counter: a gap record (how many, from when to when) ahead of the next record that fits, and lost().
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <span>

#include "record.hpp"

namespace coroscope::probe {

// Wakes the drainer while it sleeps long because nothing happened. A ring rings it when half full, once per sleep.
struct DrainerBell {
    std::atomic<bool> asleep{false};  // set by the drainer before it sleeps; whoever clears it writes the eventfd
    int event_fd = -1;                // -1: no drainer yet
    void ring() noexcept;
};

class Ring {
public:
    explicit Ring(std::size_t capacity_power_of_two, DrainerBell* bell = nullptr)
        : slots_(allocate(capacity_power_of_two)),
          mask_(capacity_power_of_two - 1),
          attention_(capacity_power_of_two / 2),
          detail_limit_(capacity_power_of_two - capacity_power_of_two / 4),
          bell_(bell) {}
    Ring(const Ring&) = delete;
    Ring& operator=(const Ring&) = delete;

    // Producer thread only. About 1 ns beside the stamp. The fields go straight into the slot: a Record on the stack,
    // written by field and copied by vector register, would stall on store forwarding for longer than all the rest.
    void push(std::uint64_t stamp, EventKind kind, std::uint64_t subject, std::uint64_t argument,
              std::uint32_t stack) noexcept {
        const std::uint64_t head = head_.load(std::memory_order_relaxed);  // own index
        if (head - known_tail_ >= attention_ || gap_count_ != 0) [[unlikely]] {
            push_slowly(stamp, kind, subject, argument, stack);
            return;
        }
        write(head, stamp, kind, subject, argument, stack);
    }
    void push(const Record& record) noexcept {
        push(record.stamp, record.kind, record.subject, record.argument, record.stack);
    }

    // Producer thread only: true when records were lost and their gap has not been written yet.
    bool has_gap() const noexcept { return gap_count_ != 0; }
    // Producer thread only: how many records are in the ring at most (the consumer may have taken some meanwhile).
    std::size_t backlog() noexcept {
        known_tail_ = tail_.load(std::memory_order_acquire);  // pairs with the release in consume()
        return static_cast<std::size_t>(head_.load(std::memory_order_relaxed) - known_tail_);
    }
    std::size_t capacity() const noexcept { return mask_ + 1; }
    // Any thread: records lost since the start.
    std::uint64_t lost() const noexcept { return lost_.load(std::memory_order_relaxed); }

    // Consumer thread only: the oldest records, contiguous (call again after consume() for those behind the wrap).
    std::span<const Record> readable() const noexcept {
        const std::uint64_t tail = tail_.load(std::memory_order_relaxed);  // own index
        const std::uint64_t head = head_.load(std::memory_order_acquire);  // pairs with the release in push()
        const std::size_t at = tail & mask_;
        const std::size_t until_wrap = capacity() - at;
        const std::size_t count = static_cast<std::size_t>(head - tail);
        return {&slots_[at], count < until_wrap ? count : until_wrap};
    }
    void consume(std::size_t count) noexcept {
        tail_.store(tail_.load(std::memory_order_relaxed) + count,
                    std::memory_order_release);  // pairs with the acquire in push_slowly() and backlog()
    }

    // Set by the producer's thread when it ends; the consumer frees the ring once it is retired and empty.
    std::atomic<bool> retired{false};

private:
    void write(std::uint64_t head, std::uint64_t stamp, EventKind kind, std::uint64_t subject, std::uint64_t argument,
               std::uint32_t stack) noexcept {
        Record& slot = slots_[head & mask_];
        slot.stamp = stamp;
        slot.subject = subject;
        slot.argument = argument;
        slot.stack = stack;
        slot.kind = kind;
        head_.store(head + 1, std::memory_order_release);  // pairs with the acquire in readable()
    }
    // Slow path: learns the consumer's position, writes a due gap record, or counts the record as lost. In ring.cpp.
    void push_slowly(std::uint64_t stamp, EventKind kind, std::uint64_t subject, std::uint64_t argument,
                     std::uint32_t stack) noexcept;

    // Not initialised: a thread that tells little (a worker of a pool) touches, and so occupies, few of its pages.
    struct Free {
        void operator()(Record* slots) const noexcept { std::free(slots); }
    };
    static Record* allocate(std::size_t count) {
        void* memory = std::malloc(count * sizeof(Record));
        if (memory == nullptr) throw std::bad_alloc();
        return static_cast<Record*>(memory);
    }

    std::unique_ptr<Record[], Free> slots_;
    std::size_t mask_;
    std::size_t attention_;  // from here on the slow path looks closer
    std::size_t detail_limit_;
    DrainerBell* bell_;

    alignas(64) std::atomic<std::uint64_t> head_{0};  // written by the producer
    std::uint64_t known_tail_ = 0;                    // the producer's copy of tail_
    std::uint64_t gap_count_ = 0;                     // lost since the last gap record
    std::uint64_t gap_first_ = 0;
    std::uint64_t gap_last_ = 0;
    std::atomic<std::uint64_t> lost_{0};

    alignas(64) std::atomic<std::uint64_t> tail_{0};  // written by the consumer
};

}  // namespace coroscope::probe
