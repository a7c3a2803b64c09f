#include "ring.hpp"

#include <unistd.h>

namespace coroscope::probe {

void DrainerBell::ring() noexcept {
    // Only one of all producers pays for the write. Relaxed: the drainer reads the rings' heads after it woke, with
    // acquire.
    if (!asleep.load(std::memory_order_relaxed) || !asleep.exchange(false, std::memory_order_relaxed)) return;
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = ::write(event_fd, &one, sizeof one);
}

bool Ring::make_room(const Record& record, std::uint64_t head) noexcept {
    known_tail_ = tail_.load(std::memory_order_acquire);  // pairs with the release in consume()
    const std::size_t used = static_cast<std::size_t>(head - known_tail_);
    if (used >= attention_ && bell_ != nullptr) bell_->ring();
    const std::size_t needed = gap_count_ != 0 ? 2 : 1;
    const std::size_t limit = is_lifecycle(record.kind) ? capacity() : detail_limit_;
    if (used + needed > limit) {
        if (gap_count_++ == 0) gap_first_ = record.stamp;
        gap_last_ = record.stamp;
        lost_.store(lost_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);  // one writer
        return false;
    }
    if (gap_count_ != 0) {
        Record gap;
        gap.stamp = gap_last_;
        gap.task = gap_first_;
        gap.arg = gap_count_;
        gap.kind = EventKind::gap;
        gap_count_ = 0;
        push_unchecked(gap);
    }
    return true;
}

}  // namespace coroscope::probe
