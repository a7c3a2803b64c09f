// ExceptionGroup: Python's. Several errors at once, as a TaskGroup raises them; groups nest.
//
//     try {
//         co_await group.join();
//     } catch (const ExceptionGroup& errors) {
//         auto [timeouts, others] = errors.split<TimeoutError>();      // what `except* TimeoutError` does in Python
//         if (timeouts) log_timeouts(*timeouts);
//         if (others) throw *others;
//     }
//
// Not derived from what it holds: `catch (const TimeoutError&)` does not see a TimeoutError within. Copies share their
// contents. Thread: any.
#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace coroscope {

class ExceptionGroup : public std::exception {
public:
    using Predicate = std::function<bool(const std::exception_ptr&)>;

    // Throws std::invalid_argument if there are no exceptions.
    ExceptionGroup(std::string message, std::vector<std::exception_ptr> exceptions);

    const char* what() const noexcept override { return text_->c_str(); }  // the message, and what each one says
    const std::string& message() const noexcept { return *message_; }
    const std::vector<std::exception_ptr>& exceptions() const noexcept { return *exceptions_; }

    // Those that match and those that do not, each with the nesting and the messages of this group; empty groups are
    // left out. A group that matches as a whole goes over whole. The predicate sees groups too.
    std::pair<std::optional<ExceptionGroup>, std::optional<ExceptionGroup>> split(const Predicate& matches) const;
    template <class E>
    std::pair<std::optional<ExceptionGroup>, std::optional<ExceptionGroup>> split() const {
        return split(is<E>);
    }
    // The first half of split().
    std::optional<ExceptionGroup> subgroup(const Predicate& matches) const { return split(matches).first; }
    template <class E>
    std::optional<ExceptionGroup> subgroup() const {
        return subgroup(is<E>);
    }
    // Whether it, or a group in it, holds an exception of type E.
    template <class E>
    bool contains() const {
        return subgroup<E>().has_value();
    }
    // All exceptions that are no groups, in order, out of all nesting.
    std::vector<std::exception_ptr> leaves() const;

private:
    template <class E>
    static bool is(const std::exception_ptr& error) {
        try {
            std::rethrow_exception(error);
        } catch (const E&) {
            return true;
        } catch (...) {
            return false;
        }
    }

    // Shared: exceptions are copied while they fly, and a copy must not throw.
    std::shared_ptr<const std::string> message_, text_;
    std::shared_ptr<const std::vector<std::exception_ptr>> exceptions_;
};

}  // namespace coroscope
