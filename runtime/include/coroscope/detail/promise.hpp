// What every coroutine frame of ours carries: who awaits it, where it is defined, where it awaits. The async stack of a
// task is the chain of `parent` from its innermost frame; the sites are stored always, so stacks are there with debug
// mode off, too.
#pragma once

#include <coroutine>
#include <cstdint>
#include <exception>
#include <source_location>
#include <type_traits>
#include <utility>

#include "coroscope/detail/debug_switch.hpp"
#include "coroscope/detail/frames.hpp"

namespace coroscope::detail {

class TaskControl;
struct PromiseBase;

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
extern thread_local constinit void* next_frame;  // for the driver; a coroutine_handle's address

void remember_creation(PromiseBase& promise) noexcept;
void report_never_awaited(PromiseBase& promise) noexcept;
void forget_creation(PromiseBase& promise) noexcept;
[[noreturn]] void fail_misplaced_promise(const std::source_location& where) noexcept;

// Symmetric transfer is a tail call only in well optimised code (g++: from -O2 on, and not under sanitizers). Elsewhere
// every synchronous child makes the stack grow. So each transfer looks how deep it is: past the floor the frame is left
// to the loop's driver, and all calls on the stack, which stand in tail position, return to it.
extern thread_local constinit std::uintptr_t stack_floor;  // set by the loop before each batch of steps

inline std::coroutine_handle<> transfer_to(std::coroutine_handle<> frame) noexcept {
    if (reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0)) < stack_floor) [[unlikely]] {
        next_frame = frame.address();
        return std::noop_coroutine();
    }
    return frame;
}

struct PromiseBase {
    PromiseBase* parent = nullptr;  // the frame that awaits this one; nullptr: a task's first, or not started
    std::source_location own_site;
    std::source_location await_site;
    CreationFrames* creation = nullptr;
    std::uint32_t node = 0;  // in the calling-context tree; 0: not asked for yet
    bool started = false;

    PromiseBase() = default;
    PromiseBase(const PromiseBase&) = delete;
    PromiseBase& operator=(const PromiseBase&) = delete;
    ~PromiseBase() {
        if (creation != nullptr) [[unlikely]]
            forget_creation(*this);
    }

    static void* operator new(std::size_t size) { return allocate_frame(size); }
    static void operator delete(void* memory, std::size_t size) noexcept { free_frame(memory, size); }

    // The address of a frame follows from that of its promise: no handle needs storing. Holds for any promise type
    // whose alignment is at most that of the frame's head (asserted in Promise).
    std::coroutine_handle<> handle() noexcept { return std::coroutine_handle<PromiseBase>::from_promise(*this); }

    std::suspend_always initial_suspend(std::source_location where = std::source_location::current()) noexcept {
        own_site = where;
        // g++ 12 shifts the promise by 8 bytes in a coroutine that has no variable and awaits in a condition: nothing
        // would work.
        if (reinterpret_cast<std::uintptr_t>(this) % 16 != 0) [[unlikely]]
            fail_misplaced_promise(where);
        if (debug_enabled()) [[unlikely]]
            remember_creation(*this);
        return {};
    }

    struct FinalAwaiter {
        FinalAwaiter() = default;
        bool await_ready() const noexcept { return false; }
        template <class P>
        std::coroutine_handle<> await_suspend(std::coroutine_handle<P> self) const noexcept {
            PromiseBase* awaiting = self.promise().parent;
            if (awaiting == nullptr) return std::noop_coroutine();  // a task's first frame: back to the loop
            current_frame = awaiting;
            return transfer_to(awaiting->handle());
        }
        void await_resume() const noexcept {}
    };
    FinalAwaiter final_suspend() noexcept { return {}; }
};

}  // namespace coroscope::detail
