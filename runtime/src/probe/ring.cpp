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

void Ring::push_slowly(std::uint64_t stamp, EventKind kind, std::uint64_t subject, std::uint64_t argument,
                       std::uint32_t stack) noexcept {
    std::uint64_t head = head_.load(std::memory_order_relaxed);  // own index
    known_tail_ = tail_.load(std::memory_order_acquire);         // pairs with the release in consume()
    const std::size_t used = static_cast<std::size_t>(head - known_tail_);
    if (used >= attention_ && bell_ != nullptr) bell_->ring();
    const std::size_t needed = gap_count_ != 0 ? 2 : 1;
    const std::size_t limit = vocabulary::is_lifecycle(kind) ? capacity() : detail_limit_;
    if (used + needed > limit) {
        if (gap_count_++ == 0) gap_first_ = stamp;
        gap_last_ = stamp;
        lost_.store(lost_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);  // one writer
        return;
    }
    if (gap_count_ != 0) write(head++, gap_last_, EventKind::gap, gap_first_, std::exchange(gap_count_, 0), 0);
    write(head, stamp, kind, subject, argument, stack);
}

}  // namespace coroscope::probe
