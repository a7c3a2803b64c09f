#include "coroscope/context.hpp"

#include "coroscope/detail/task_control.hpp"

namespace coroscope::detail {

namespace {

thread_local constinit ContextRef* t_context = nullptr;  // of a callback, or of Context::run()

}  // namespace

std::uint64_t next_variable_id() noexcept {
    static std::atomic<std::uint64_t> last{0};
    return last.fetch_add(1, std::memory_order_relaxed) + 1;  // only unique, orders nothing
}

std::shared_ptr<const void> ContextRef::find(std::uint64_t variable) const {
    if (data_ == nullptr) return nullptr;
    const auto found = data_->values.find(variable);
    return found == data_->values.end() ? nullptr : found->second;
}

void ContextRef::set(std::uint64_t variable, std::shared_ptr<const void> value) {
    auto changed = std::make_unique<ContextData>();
    if (data_ != nullptr) changed->values = data_->values;
    if (value == nullptr) {
        changed->values.erase(variable);
    } else {
        changed->values[variable] = std::move(value);
    }
    ContextRef fresh;
    fresh.data_ = changed.release();
    std::swap(data_, fresh.data_);
}

void ContextRef::release(ContextData* data) noexcept {
    // Release: what this thread did with the values; acquire: what the others did, before they are destroyed.
    if (data->references.fetch_sub(1, std::memory_order_acq_rel) == 1) delete data;
}

ContextRef& current_context() noexcept {
    static thread_local ContextRef of_thread;
    if (t_context != nullptr) return *t_context;
    if (current_task != nullptr) return current_task->context;
    return of_thread;
}

WithContext::WithContext(ContextRef& context) noexcept : before_(std::exchange(t_context, &context)) {}
WithContext::~WithContext() { t_context = before_; }

}  // namespace coroscope::detail
