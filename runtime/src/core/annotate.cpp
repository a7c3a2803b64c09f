#include "coroscope/annotate.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "observe.hpp"

namespace coroscope::detail {

namespace {

// A text that ends with a 0, as the emit interface takes it. A longer one is cut off; the library cuts at a character.
template <std::size_t Most>
class CText {
public:
    explicit CText(std::string_view text) noexcept {
        const std::size_t size = std::min(text.size(), Most);
        std::copy_n(text.begin(), size, bytes_.begin());
        bytes_[size] = '\0';
    }
    const char* get() const noexcept { return bytes_.data(); }

private:
    std::array<char, Most + 1> bytes_;
};

constexpr std::size_t most_name_bytes = 256 + 4, most_value_bytes = 1024 + 4;  // more than is kept, by one character

cs_name name_of(std::string_view text) noexcept { return cs_name_of(CText<most_name_bytes>(text).get()); }

cs_value value_of(const AttributeValue& value) noexcept {
    struct Intern {
        cs_value operator()(std::string_view text) const noexcept {
            return cs_value_text(CText<most_value_bytes>(text).get());
        }
        cs_value operator()(std::int64_t number) const noexcept { return cs_value_integer(number); }
        cs_value operator()(double number) const noexcept { return cs_value_real(number); }
        cs_value operator()(bool truth) const noexcept { return cs_value_bool(truth ? 1 : 0); }
    };
    return std::visit(Intern(), value.get());
}

void add_attributes(std::uint64_t span, std::initializer_list<Attribute> attributes) noexcept {
    for (const Attribute& each : attributes) set_span_attribute(span, each.key, each.value);
}

}  // namespace

std::uint64_t begin_span(std::string_view name, std::initializer_list<Attribute> attributes,
                         const std::source_location& where) noexcept {
    const std::uint64_t span = cs_span_begin(name_of(name), call_node(where));
    add_attributes(span, attributes);
    return span;
}

void end_span(std::uint64_t span) noexcept { cs_span_end(span); }

void set_span_attribute(std::uint64_t span, std::string_view key, const AttributeValue& value) noexcept {
    if (span != 0) cs_span_attribute(span, name_of(key), value_of(value));
}

void set_task_attribute(const TaskControl* task, std::string_view key, const AttributeValue& value) noexcept {
    if (task != nullptr) cs_attribute(task->id, name_of(key), value_of(value));
}

void add_mark(std::string_view text, std::initializer_list<Attribute> attributes,
              const std::source_location& where) noexcept {
    add_attributes(cs_mark(name_of(text), call_node(where)), attributes);
}

void add_counter(std::string_view name, double value) noexcept { cs_counter(name_of(name), value); }

}  // namespace coroscope::detail
