#include "log.hpp"

#include <atomic>
#include <cstdio>
#include <memory>
#include <new>

#include "coroscope/emit.h"

namespace coroscope::probe {

namespace {

struct Handler {
    cs_log_handler call = nullptr;
    void* context = nullptr;
    const Handler* before = nullptr;
};

std::atomic<const Handler*> the_handler{nullptr};
// All there ever were, newest first. They are never freed: a thread may be about to call an old one.
std::atomic<const Handler*> all_handlers{nullptr};

thread_local constinit bool in_handler = false;

}  // namespace

bool has_log_handler() noexcept { return the_handler.load(std::memory_order_relaxed) != nullptr; }

bool tell_log_handler(int level, const char* text) noexcept {
    const Handler* handler = the_handler.load(std::memory_order_acquire);
    if (handler == nullptr || in_handler) return false;
    in_handler = true;
    handler->call(handler->context, level, text);
    in_handler = false;
    return true;
}

}  // namespace coroscope::probe

extern "C" {

void cs_set_log_handler(cs_log_handler handler, void* context) {
    using coroscope::probe::all_handlers;
    using coroscope::probe::Handler;
    if (handler == nullptr) return coroscope::probe::the_handler.store(nullptr, std::memory_order_release);
    auto* made = new (std::nothrow) Handler{handler, context, all_handlers.load(std::memory_order_relaxed)};
    if (made == nullptr) return;  // the one before stays
    while (!all_handlers.compare_exchange_weak(made->before, made, std::memory_order_relaxed)) {
    }
    coroscope::probe::the_handler.store(made, std::memory_order_release);
}

void cs_log(int level, const char* text) {
    if (text == nullptr) return;
    if (!coroscope::probe::tell_log_handler(level, text)) std::fprintf(stderr, "coroscope: %s\n", text);
}

}  // extern "C"
