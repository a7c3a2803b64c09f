// A stack for signal handlers. A thread whose own stack has overflowed has none for the handler that tells its crash.
#pragma once

#include <signal.h>
#include <sys/mman.h>

#include <cstddef>

namespace coroscope::probe {

// The calling thread's alternate stack, while it lives, unless the app has set one. Its pages take no memory before
// they are used.
class AlternateStack {
public:
    AlternateStack() noexcept {
        stack_t now{};
        if (::sigaltstack(nullptr, &now) != 0 || (now.ss_flags & SS_DISABLE) == 0) return;
        void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
        if (memory == MAP_FAILED) return;
        stack_t own{};
        own.ss_sp = memory;
        own.ss_size = bytes;
        if (::sigaltstack(&own, nullptr) == 0) {
            memory_ = memory;
        } else {
            ::munmap(memory, bytes);
        }
    }
    ~AlternateStack() {
        if (memory_ == nullptr) return;
        stack_t now{};
        if (::sigaltstack(nullptr, &now) == 0 && now.ss_sp == memory_) {
            now.ss_flags = SS_DISABLE;
            if (::sigaltstack(&now, nullptr) != 0) return;
        }
        ::munmap(memory_, bytes);
    }
    AlternateStack(const AlternateStack&) = delete;
    AlternateStack& operator=(const AlternateStack&) = delete;

private:
    static constexpr std::size_t bytes = 64 * 1024;
    void* memory_ = nullptr;
};

}  // namespace coroscope::probe
