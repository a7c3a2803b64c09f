// A bounded single-producer single-consumer ring of records: one per thread that emits. std only.
//
// The producer's side is the C struct of the emit interface (cs_producer, coroscope/emit.h), so that every runtime
// writes into it inline; the consumer's side is this library's own. Bound: `capacity` records. Overflow policy: drop
// the newest, detail before lifecycle, never block. Visible counter: a gap record (how many, from when to when) ahead
// of the next record that fits, and lost().
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <span>

#include "coroscope/detail/assert.hpp"
#include "coroscope/emit.h"
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
        : memory_(allocate(capacity_power_of_two)), bell_(bell) {
        producer_.ring = this;
        producer_.size = sizeof(cs_producer);
        producer_.slots = memory_.get();
        producer_.mask = capacity_power_of_two - 1;
        producer_.attention = attention();
    }
    Ring(const Ring&) = delete;
    Ring& operator=(const Ring&) = delete;

    cs_producer& producer() noexcept { return producer_; }
    const cs_producer& producer() const noexcept { return producer_; }
    // The ring that a producer, which must be one of a ring's, belongs to.
    static Ring& of(cs_producer& producer) noexcept { return *static_cast<Producer&>(producer).ring; }

    // Producer thread only.
    void push(std::uint64_t stamp, EventKind kind, std::uint64_t subject, std::uint64_t argument,
              std::uint32_t stack) noexcept {
        if (cs_try_push(&producer_, stamp, static_cast<std::uint8_t>(kind), subject, argument, stack) == 0)
            push_slowly(stamp, kind, subject, argument, stack);
    }
    void push(const Record& record) noexcept {
        push(record.stamp, record.kind, record.subject, record.argument, record.stack);
    }
    // Producer thread only. Learns the consumer's position, writes a due gap record, or counts the record as lost.
    void push_slowly(std::uint64_t stamp, EventKind kind, std::uint64_t subject, std::uint64_t argument,
                     std::uint32_t stack) noexcept;

    // Producer thread only: true when records were lost and their gap has not been written yet.
    bool has_gap() const noexcept { return gap_count_ != 0; }
    // Producer thread only: how many records are in the ring (the consumer may have taken some meanwhile).
    std::size_t backlog() noexcept {
        producer_.known_tail = tail_.load(std::memory_order_acquire);  // pairs with the release in consume()
        return static_cast<std::size_t>(producer_.head - producer_.known_tail);
    }
    std::size_t capacity() const noexcept { return static_cast<std::size_t>(producer_.mask) + 1; }
    // Any thread: records lost since the start.
    std::uint64_t lost() const noexcept { return lost_.load(std::memory_order_relaxed); }

    // Consumer thread only: the oldest records, contiguous (call again after consume() for those behind the wrap).
    std::span<const Record> readable() const noexcept {
        const std::uint64_t tail = tail_.load(std::memory_order_relaxed);               // own index
        const std::uint64_t head = __atomic_load_n(&producer_.head, __ATOMIC_ACQUIRE);  // pairs with cs_try_push()
        const std::size_t at = static_cast<std::size_t>(tail & producer_.mask);
        const std::size_t until_wrap = capacity() - at;
        const std::size_t count = static_cast<std::size_t>(head - tail);
        return {reinterpret_cast<const Record*>(memory_.get()) + at, count < until_wrap ? count : until_wrap};
    }
    void consume(std::size_t count) noexcept {
        COROSCOPE_ASSERT(count <= readable().size(), "only what is there is consumed");
        tail_.store(tail_.load(std::memory_order_relaxed) + count,
                    std::memory_order_release);  // pairs with the acquire in push_slowly() and backlog()
    }

    // Set by the producer's thread when it ends; the consumer frees the ring once it is retired and empty.
    std::atomic<bool> retired{false};

private:
    struct Producer : cs_producer {
        Ring* ring;
    };

    std::uint64_t attention() const noexcept { return capacity() / 2; }
    void write(std::uint64_t stamp, EventKind kind, std::uint64_t subject, std::uint64_t argument,
               std::uint32_t stack) noexcept;

    // Not initialised: a thread that reports little (a worker of a pool) touches, and so occupies, few of its pages.
    struct Free {
        void operator()(cs_record* slots) const noexcept { std::free(slots); }
    };
    static cs_record* allocate(std::size_t count) {
        void* memory = std::malloc(count * sizeof(cs_record));
        if (memory == nullptr) throw std::bad_alloc();
        return static_cast<cs_record*>(memory);
    }

    std::unique_ptr<cs_record[], Free> memory_;
    DrainerBell* bell_;
    std::uint64_t gap_count_ = 0;  // lost since the last gap record; while it is not 0, producer_.attention is 0
    std::uint64_t gap_first_ = 0;
    std::uint64_t gap_last_ = 0;
    std::atomic<std::uint64_t> lost_{0};

    alignas(64) Producer producer_{};                 // written by the producer
    alignas(64) std::atomic<std::uint64_t> tail_{0};  // written by the consumer
};

}  // namespace coroscope::probe
