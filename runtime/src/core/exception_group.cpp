#include "coroscope/exception_group.hpp"

#include <stdexcept>

#include "coroscope/error.hpp"

namespace coroscope {

namespace {

std::string text_of(const std::string& message, const std::vector<std::exception_ptr>& exceptions) {
    std::string text = message + " (" + std::to_string(exceptions.size()) +
                       (exceptions.size() == 1 ? " sub-exception" : " sub-exceptions");
    const char* before = ": ";
    for (const std::exception_ptr& error : exceptions) {
        text += before + describe(error);
        before = "; ";
    }
    return text + ")";
}

// Nothing: it is no group.
std::optional<ExceptionGroup> as_group(const std::exception_ptr& error) {
    try {
        std::rethrow_exception(error);
    } catch (const ExceptionGroup& group) {
        return group;
    } catch (...) {
        return std::nullopt;
    }
}

std::optional<ExceptionGroup> group_of(const std::string& message, std::vector<std::exception_ptr> exceptions) {
    if (exceptions.empty()) return std::nullopt;
    return ExceptionGroup(message, std::move(exceptions));
}

}  // namespace

ExceptionGroup::ExceptionGroup(std::string message, std::vector<std::exception_ptr> exceptions)
    : message_(std::make_shared<const std::string>(message)),
      text_(std::make_shared<const std::string>(text_of(message, exceptions))),
      exceptions_(std::make_shared<const std::vector<std::exception_ptr>>(std::move(exceptions))) {
    if (exceptions_->empty()) throw std::invalid_argument("ExceptionGroup: needs at least one exception");
}

std::pair<std::optional<ExceptionGroup>, std::optional<ExceptionGroup>> ExceptionGroup::split(
    const Predicate& matches) const {
    std::vector<std::exception_ptr> matching, rest;
    for (const std::exception_ptr& error : *exceptions_) {
        if (matches(error)) {
            matching.push_back(error);
            continue;
        }
        const std::optional<ExceptionGroup> inner = as_group(error);
        if (!inner) {
            rest.push_back(error);
            continue;
        }
        auto [inner_matching, inner_rest] = inner->split(matches);
        if (inner_matching) matching.push_back(std::make_exception_ptr(*inner_matching));
        if (inner_rest) rest.push_back(inner_matching ? std::make_exception_ptr(*inner_rest) : error);
    }
    return {group_of(*message_, std::move(matching)), group_of(*message_, std::move(rest))};
}

std::vector<std::exception_ptr> ExceptionGroup::leaves() const {
    std::vector<std::exception_ptr> all;
    for (const std::exception_ptr& error : *exceptions_) {
        if (const std::optional<ExceptionGroup> inner = as_group(error)) {
            const std::vector<std::exception_ptr> within = inner->leaves();
            all.insert(all.end(), within.begin(), within.end());
        } else {
            all.push_back(error);
        }
    }
    return all;
}

}  // namespace coroscope
