#include "coroscope/detail/frames.hpp"

#include <algorithm>
#include <mutex>
#include <utility>

namespace coroscope::detail {

thread_local constinit FreeFrame* free_frames[frame_classes] = {};

namespace {

constexpr std::size_t slab_bytes = 256 * 1024 - 4096;  // whole pages, with what the allocator adds to it
constexpr std::size_t refill_bytes = 4096;

thread_local constinit std::byte* slab = nullptr;  // where the next refill comes from
thread_local constinit std::size_t slab_left = 0;

// Lists of threads that ended: the next thread that needs frames takes them over.
struct Orphans {
    std::mutex mutex;
    FreeFrame* frames[frame_classes] = {};
};

Orphans& orphans() {
    static Orphans* const all = new Orphans;  // leaked on purpose: threads may end after static destructors ran
    return *all;
}

// Hands the thread's lists over when it ends.
struct HandOver {
    ~HandOver() {
        const std::scoped_lock lock(orphans().mutex);
        for (std::size_t i = 0; i < frame_classes; ++i) {
            while (FreeFrame* frame = free_frames[i]) {
                free_frames[i] = frame->next;
                frame->next = std::exchange(orphans().frames[i], frame);
            }
        }
    }
};

}  // namespace

void* allocate_frame_slowly(std::size_t frame_class) {
    thread_local HandOver hand_over;
    static_cast<void>(hand_over);
    {
        const std::scoped_lock lock(orphans().mutex);
        if (FreeFrame* frame = std::exchange(orphans().frames[frame_class], nullptr)) {
            free_frames[frame_class] = frame->next;
            return frame;
        }
    }
    const std::size_t size = (frame_class + 1) * frame_class_bytes;
    const std::size_t wanted = std::max<std::size_t>(refill_bytes / size, 1) * size;
    if (slab_left < wanted) {  // its rest, of less than two refills, is given up
        slab = static_cast<std::byte*>(::operator new(slab_bytes));
        slab_left = slab_bytes;
    }
    std::byte* const frames = std::exchange(slab, slab + wanted);
    slab_left -= wanted;
    // In order of address: frames made one after the other lie side by side.
    for (std::size_t offset = wanted; offset > size;) {
        offset -= size;
        auto* frame = reinterpret_cast<FreeFrame*>(frames + offset);
        frame->next = free_frames[frame_class];
        free_frames[frame_class] = frame;
    }
    return frames;
}

}  // namespace coroscope::detail
