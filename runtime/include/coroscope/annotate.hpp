// What the app says about itself, for the debugger: names and attributes of tasks, spans, marks, counters.
//
//     Coro<> serve(Request request) {
//         name_task("order " + request.id);
//         set_attribute("user", request.user);
//         {
//             const Span whole = span("price", {{"items", request.items.size()}});
//             co_await ask_for_prices(request);
//         }                                             // the span ends here
//         mark("priced");
//         counter("orders in work", double(in_work));
//     }
//
// Debug mode shows them in every view and export, beside what the runtime reports by itself. While it is off, each is a
// branch, and what was said then is not known later; names of tasks are. It begins with the first loop.
// Thread: any; what is about the running task belongs to none where no task runs. Never a cancellation point. Nothing
// throws but name_task(), for want of memory. Complexity: constant; with debug mode on, about 0.1 us for an event and
// as much for a text that was not used before. Texts and keys are cut off at 256 bytes, texts of values at 1,024. An
// app can have 65,536 names and as many values: what comes then is not shown. Take names and keys from a small set, and
// let the values of attributes say what differs.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <source_location>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "coroscope/detail/debug_switch.hpp"
#include "coroscope/task.hpp"

namespace coroscope {

// A text, an integer, a real number or a truth value. It refers to a text, which must outlive it.
class AttributeValue {
public:
    AttributeValue(std::string_view text) noexcept : value_(text) {}
    AttributeValue(const std::string& text) noexcept : value_(std::string_view(text)) {}
    AttributeValue(const char* text) noexcept : value_(std::string_view(text == nullptr ? "" : text)) {}
    AttributeValue(bool truth) noexcept : value_(truth) {}
    // One that a signed integer of 64 bits cannot hold is kept as a real number.
    template <std::integral Integer>
    AttributeValue(Integer number) noexcept {
        if (std::in_range<std::int64_t>(number))
            value_ = static_cast<std::int64_t>(number);
        else
            value_ = static_cast<double>(number);
    }
    template <std::floating_point Real>
    AttributeValue(Real number) noexcept : value_(static_cast<double>(number)) {}

    const std::variant<std::string_view, std::int64_t, double, bool>& get() const noexcept { return value_; }

private:
    std::variant<std::string_view, std::int64_t, double, bool> value_;
};

struct Attribute {
    std::string_view key;
    AttributeValue value;
};

namespace detail {

std::uint64_t begin_span(std::string_view name, std::initializer_list<Attribute> attributes,
                         const std::source_location& where) noexcept;
void end_span(std::uint64_t span) noexcept;
void set_span_attribute(std::uint64_t span, std::string_view key, const AttributeValue& value) noexcept;
void set_task_attribute(const TaskControl* task, std::string_view key, const AttributeValue& value) noexcept;
void add_mark(std::string_view text, std::initializer_list<Attribute> attributes,
              const std::source_location& where) noexcept;
void add_counter(std::string_view name, double value) noexcept;

}  // namespace detail

// Names the running task, as Task::set_name(). Outside of tasks it does nothing.
inline void name_task(std::string_view name) {
    if (detail::current_task != nullptr) detail::current_task->set_name(name);
}

// Gives the running task, or another, an attribute. A key has one value: the newest. Up to 64 keys are kept for a task.
inline void set_attribute(std::string_view key, const AttributeValue& value) noexcept {
    if (detail::debug_enabled()) [[unlikely]]
        detail::set_task_attribute(detail::current_task, key, value);
}
inline void set_attribute(const AnyTask& task, std::string_view key, const AttributeValue& value) noexcept {
    if (detail::debug_enabled()) [[unlikely]]
        detail::set_task_attribute(task.control(), key, value);
}

// An instant: "the cache was cold", "leader elected".
inline void mark(std::string_view text, std::initializer_list<Attribute> attributes = {},
                 const std::source_location& where = std::source_location::current()) noexcept {
    if (detail::debug_enabled()) [[unlikely]]
        detail::add_mark(text, attributes, where);
}

// The value of a counter from now on: a gauge, as "orders in work", or a sum, as "bytes sent".
inline void counter(std::string_view name, double value) noexcept {
    if (detail::debug_enabled()) [[unlikely]]
        detail::add_counter(name, value);
}

// A part of the running task's life, from the call of span() to the end of the object's scope. It may contain co_await
// and other spans. Move-only; end it on any thread.
class [[nodiscard("a span ends with its object: keep it in a variable")]] Span {
public:
    Span() noexcept = default;  // none
    Span(Span&& other) noexcept : id_(std::exchange(other.id_, 0)) {}
    Span& operator=(Span&& other) noexcept {
        if (this != &other) {
            end();
            id_ = std::exchange(other.id_, 0);
        }
        return *this;
    }
    ~Span() { end(); }

    // Ends it now. Idempotent.
    void end() noexcept {
        if (id_ != 0) [[unlikely]]
            detail::end_span(std::exchange(id_, 0));
    }
    void set_attribute(std::string_view key, const AttributeValue& value) noexcept {
        if (id_ != 0) [[unlikely]]
            detail::set_span_attribute(id_, key, value);
    }

private:
    explicit Span(std::uint64_t id) noexcept : id_(id) {}
    friend Span span(std::string_view name, std::initializer_list<Attribute> attributes,
                     const std::source_location& where) noexcept;

    std::uint64_t id_ = 0;  // 0: debug mode was off
};

inline Span span(std::string_view name, std::initializer_list<Attribute> attributes = {},
                 const std::source_location& where = std::source_location::current()) noexcept {
    if (!detail::debug_enabled()) [[likely]]
        return Span();
    return Span(detail::begin_span(name, attributes, where));
}

}  // namespace coroscope
