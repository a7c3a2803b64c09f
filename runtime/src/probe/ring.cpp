#include "ring.hpp"

#include <unistd.h>

#include <utility>

namespace coroscope::probe {

void DrainerBell::ring() noexcept {
    // Only one of all producers pays for the write. Relaxed: the drainer reads the rings' heads after it woke, with
    // acquire.
    if (!asleep.load(std::memory_order_relaxed) || !asleep.exchange(false, std::memory_order_relaxed)) return;
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = ::write(event_fd, &one, sizeof one);
}

void Ring::write(std::uint64_t stamp, EventKind kind, std::uint64_t subject, std::uint64_t argument,
                 std::uint32_t stack) noexcept {
    COROSCOPE_ASSERT(producer_.head - producer_.known_tail < capacity(), "a record is written only to a free slot");
    producer_.attention = ~std::uint64_t{0};  // there is room: no closer look
    cs_try_push(&producer_, stamp, static_cast<std::uint8_t>(kind), subject, argument, stack);
    producer_.attention = attention();
}

void Ring::push_slowly(std::uint64_t stamp, EventKind kind, std::uint64_t subject, std::uint64_t argument,
                       std::uint32_t stack) noexcept {
    const std::size_t used = backlog();
    if (used >= attention() && bell_ != nullptr) bell_->ring();
    const std::size_t needed = gap_count_ != 0 ? 2 : 1;
    const std::size_t detail_limit = capacity() - capacity() / 4;
    if (used + needed > (vocabulary::is_lifecycle(kind) ? capacity() : detail_limit)) {
        if (gap_count_++ == 0) gap_first_ = stamp;
        gap_last_ = stamp;
        producer_.attention = 0;  // until the gap is written, each record comes here
        lost_.store(lost_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);  // one writer
        return;
    }
    if (gap_count_ != 0) write(gap_last_, EventKind::gap, gap_first_, std::exchange(gap_count_, 0), 0);
    write(stamp, kind, subject, argument, stack);
}

}  // namespace coroscope::probe
