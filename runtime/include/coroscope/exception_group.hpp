// ExceptionGroup: several errors at once, as a TaskGroup raises them. Python's ExceptionGroup.
//
//     try {
//         co_await with_task_group(fetch_all);
//     } catch (const ExceptionGroup& errors) {
//         auto [network, rest] = errors.split<std::system_error>();
//         if (network) log(network->what());
//         if (rest) throw *rest;
//     }
//
// Groups nest, and split() and subgroup() keep the nesting and the messages. A condition is asked for the group itself
// first, then for what it holds, as in Python: split<std::exception>() matches the whole group. Copies share what they
// hold and do not throw. Cost: one throw and catch for each exception that is looked at. Any thread.
//
// Python's two kinds, for errors and for base errors (KeyboardInterrupt, SystemExit), are one here: C++ has no such
// hierarchy.
#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace coroscope {

namespace detail {

// Whether the exception is an E, as a handler `catch (const E&)` sees it.
template <class E>
bool is_exception(const std::exception_ptr& error) {
    try {
        std::rethrow_exception(error);
    } catch (const E&) {
        return true;
    } catch (...) {
        return false;
    }
}

}  // namespace detail

class ExceptionGroup : public std::exception {
public:
    using Condition = std::function<bool(const std::exception_ptr&)>;
    // What matched a condition and what did not; an empty side: nothing.
    using Parts = std::pair<std::optional<ExceptionGroup>, std::optional<ExceptionGroup>>;

    // Throws std::invalid_argument if there is no exception, or a null one.
    ExceptionGroup(std::string message, std::vector<std::exception_ptr> exceptions);

    // The message and what each error says: who logs it reads the causes. Python's str() says only how many there are.
    const char* what() const noexcept override { return text_->c_str(); }
    const std::string& message() const noexcept { return *message_; }
    const std::vector<std::exception_ptr>& exceptions() const noexcept { return *exceptions_; }

    // The exceptions that are no groups, of this group and of those in it, in order.
    std::vector<std::exception_ptr> leaves() const;

    // Whether it, or a group in it, holds an exception of type E.
    template <class E>
    bool contains() const {
        return contains(&detail::is_exception<E>);
    }
    bool contains(const Condition& matches) const;

    template <class E>
    Parts split() const {
        return split(&detail::is_exception<E>);
    }
    Parts split(const Condition& matches) const;

    template <class E>
    std::optional<ExceptionGroup> subgroup() const {
        return split<E>().first;
    }
    std::optional<ExceptionGroup> subgroup(const Condition& matches) const { return split(matches).first; }

private:
    // Shared: exceptions are copied while they fly, and a copy must not throw.
    std::shared_ptr<const std::string> message_, text_;
    std::shared_ptr<const std::vector<std::exception_ptr>> exceptions_;
};

// Python's `except*`: each handler gets the part of the error that is an E, what no handler took is thrown at the end.
//
//     catch (...) {
//         ExceptStar()
//             .except<std::system_error>([](const ExceptionGroup& group) { ... })
//             .except<ParseError>([](const ExceptionGroup& group) { ... })
//             .finish();
//     }
//
// Call it in a handler. An error that is no group comes to its handler in a group of its own, with an empty message.
// What handlers throw is collected, and thrown by finish() in one group with the rest. Not a cancellation point: a
// handler that has to await keeps the group and awaits after the catch.
class ExceptStar {
public:
    // The exception being handled; throws std::logic_error if there is none.
    ExceptStar() : ExceptStar(std::current_exception()) {}
    explicit ExceptStar(const std::exception_ptr& error);

    template <class E, class Handler>
    [[nodiscard("call finish() at the end")]] ExceptStar& except(Handler&& handler) {
        if (std::optional<ExceptionGroup> taken = take(&detail::is_exception<E>)) {
            try {
                std::forward<Handler>(handler)(std::as_const(*taken));
            } catch (...) {
                raised_.push_back(std::current_exception());
            }
        }
        return *this;
    }
    // Throws what is left: an error that nobody took as it came.
    void finish();

private:
    std::optional<ExceptionGroup> take(const ExceptionGroup::Condition& matches);

    std::exception_ptr alone_;            // an error that is no group and that nobody took
    std::optional<ExceptionGroup> rest_;  // of a group
    std::vector<std::exception_ptr> raised_;
};

}  // namespace coroscope
