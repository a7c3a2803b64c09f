// What every coroutine frame of ours carries: who awaits it, where it is defined, where it awaits. The async stack of a
// task is the chain of `parent` from its innermost frame; the sites are stored always, so stacks are there with debug
// mode off, too.
#pragma once

#include <bit>
#include <coroutine>
#include <cstdint>
#include <exception>
#include <memory>
#include <source_location>
#include <type_traits>
#include <utility>

#include "coroscope/detail/debug_switch.hpp"
#include "coroscope/detail/frames.hpp"

namespace coroscope::detail {

class TaskControl;
struct PromiseBase;

// What a std::source_location holds. Promises take this as their default argument, because g++ keeps one of a class in
// the frame: 8 bytes for every co_await of a coroutine, as long as it lives.
using SitePointer = const void*;
static_assert(sizeof(std::source_location) == sizeof(SitePointer));
inline std::source_location to_site(SitePointer where) noexcept { return std::bit_cast<std::source_location>(where); }

// Native return addresses of the place that made a coroutine object. Only with debug mode on.
struct CreationFrames {
    static constexpr std::size_t most = 8;
    std::size_t count = 0;
    void* addresses[most];
};

// The task whose step runs on this thread and its innermost running frame; nullptr between steps. Written by the loop
// and, as control moves between frames, by the awaiters below. Frames never change threads, so nothing can go stale
// across a suspension.
extern thread_local constinit TaskControl* current_task;
extern thread_local constinit PromiseBase* current_frame;
extern thread_local constinit PromiseBase* next_frame;  // for the loop's driver, see transfer_to()

void remember_creation(PromiseBase& promise) noexcept;
void report_never_awaited(PromiseBase& promise) noexcept;
void forget_creation(PromiseBase& promise) noexcept;

extern thread_local constinit std::uintptr_t stack_floor;  // set by the loop before each batch of steps
// What goes from frame to frame or from task to task by calls goes on by other means where this is true.
[[gnu::always_inline]] inline bool stack_is_deep() noexcept {
    return reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0)) < stack_floor;
}

inline std::coroutine_handle<> transfer_to(PromiseBase& frame) noexcept;

struct PromiseBase {
    enum class Holds : std::uint8_t { nothing, creation, error };  // creation: until it is started; error: at its end
    union {
        PromiseBase* parent = nullptr;  // the frame that awaits this one; nullptr: a task's first
        CreationFrames* creation;       // if it holds one
    };
    std::source_location own_site;
    union {
        std::source_location await_site{};
        std::exception_ptr thrown;  // if it holds an error
    };
    std::uint32_t node = 0;  // in the calling-context tree; 0: not asked for yet
    Holds holds = Holds::nothing;
    // Where the awaiter that owns this frame lies in the parent's frame: bytes behind the parent's promise, the lowest
    // 16 bits of that number. 0: it is no CoroAwaiter.
    std::uint16_t owner_at = 0;

    PromiseBase() noexcept {}
    PromiseBase(const PromiseBase&) = delete;
    PromiseBase& operator=(const PromiseBase&) = delete;
    ~PromiseBase() {
        if (holds != Holds::nothing) [[unlikely]]
            let_go();
    }

    // Somebody will run it: where it was made does not matter any more.
    void start() noexcept {
        if (holds == Holds::creation) [[unlikely]]
            forget_creation(*this);
    }
    bool failed() const noexcept { return holds == Holds::error; }

    static void* operator new(std::size_t size) { return allocate_frame(size); }
    static void operator delete(void* memory, std::size_t size) noexcept { free_frame(memory, size); }

    // A frame begins with the addresses of two functions, which resume and destroy it; then comes the promise. But g++
    // 12 puts the value of a condition in front of all that, in a coroutine that awaits in one and has no variable, and
    // std::coroutine_handle knows nothing of it: such a frame is `shifted`. So frames are resumed and destroyed here,
    // and no handle is stored.
    bool shifted() const noexcept {
#if defined(__clang__)
        return false;
#else
        return reinterpret_cast<std::uintptr_t>(this) % frame_alignment != 0;
#endif
    }
    std::coroutine_handle<> handle() noexcept { return std::coroutine_handle<>::from_address(frame()); }  // not shifted
#if defined(__clang__)
    void resume() { handle().resume(); }
    void destroy() noexcept { handle().destroy(); }
    bool finished() noexcept { return handle().done(); }
#else
    void resume() { functions()[0](frame()); }
    void destroy() noexcept { functions()[1](frame()); }
    bool finished() noexcept { return functions()[0] == nullptr; }
#endif

    std::suspend_always initial_suspend(SitePointer where = __builtin_source_location()) noexcept {
        own_site = to_site(where);
        if (debug_enabled()) [[unlikely]]
            remember_creation(*this);
        return {};
    }

    struct FinalAwaiter {
        FinalAwaiter() = default;
        bool await_ready() const noexcept { return false; }
        std::coroutine_handle<> await_suspend(std::coroutine_handle<>) const noexcept {
            PromiseBase* awaiting = current_frame->parent;
            if (awaiting == nullptr) return std::noop_coroutine();  // a task's first frame: back to the loop
            current_frame = awaiting;
            return transfer_to(*awaiting);
        }
        void await_resume() const noexcept {}
    };
    FinalAwaiter final_suspend() noexcept { return {}; }
    void unhandled_exception() noexcept;  // runtime/src/core/task_error.cpp
    std::exception_ptr error() const noexcept { return failed() ? thrown : std::exception_ptr(); }
    void rethrow_error_once() {
        if (!failed()) return;
        const std::exception_ptr error = std::move(thrown);
        let_go();
        std::rethrow_exception(error);
    }
    // Inlined, as each frame that an exception passes costs a tenth of the throw.
    [[gnu::always_inline]] void rethrow_error() const {
        if (failed()) [[unlikely]]
            std::rethrow_exception(thrown);
    }

private:
    [[gnu::noinline]] void let_go() noexcept {
        if (holds == Holds::creation) return forget_creation(*this);
        std::destroy_at(&thrown);
        std::construct_at(&await_site);
        holds = Holds::nothing;
    }

    static constexpr std::uintptr_t frame_alignment = 2 * sizeof(void*);  // that of a frame, as of all allocations

    using FrameFunction = void (*)(void*);
    FrameFunction* functions() noexcept { return reinterpret_cast<FrameFunction*>(this) - 2; }
    void* frame() noexcept {
        const std::uintptr_t rounded = reinterpret_cast<std::uintptr_t>(this) & ~(frame_alignment - 1);
        return reinterpret_cast<void*>(rounded - frame_alignment);
    }
};

// Symmetric transfer is a tail call only in well optimised code (g++: from -O2 on, and not under sanitizers). Elsewhere
// every synchronous child makes the stack grow. So each transfer looks how deep it is: past the floor the frame is left
// to the loop's driver, and all calls on the stack, which stand in tail position, return to it. So is a shifted frame,
// which no handle can name.
inline std::coroutine_handle<> transfer_to(PromiseBase& frame) noexcept {
    if (stack_is_deep() || frame.shifted()) [[unlikely]] {
        next_frame = &frame;
        return std::noop_coroutine();
    }
    return frame.handle();
}

template <class>
inline constexpr bool always_false = false;

// The base of all awaiters. Awaiters have await_ready() and await_resume(), and start() in the place of
// await_suspend(): it makes the running task wait, or returns the coroutine that runs now. await_transform() calls it,
// so only coroutines of ours reach it; others find this await_suspend(), which says so.
struct OurAwaiter {
    template <class P>
    void await_suspend(std::coroutine_handle<P>) const noexcept {
        static_assert(always_false<P>,
                      "only a coroutine of coroscope can co_await this: a function that returns coroscope::Coro or "
                      "coroscope::AsyncGenerator");
    }
};

}  // namespace coroscope::detail
