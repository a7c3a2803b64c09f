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

// The group that an exception is; nothing if it is none.
std::optional<ExceptionGroup> as_group(const std::exception_ptr& error) {
    try {
        std::rethrow_exception(error);
    } catch (const ExceptionGroup& group) {
        return group;
    } catch (...) {
        return std::nullopt;
    }
}

const std::vector<std::exception_ptr>& checked(const std::vector<std::exception_ptr>& exceptions) {
    if (exceptions.empty()) throw std::invalid_argument("ExceptionGroup: it needs at least one exception");
    for (const std::exception_ptr& error : exceptions)
        if (!error) throw std::invalid_argument("ExceptionGroup: an exception is null");
    return exceptions;
}

}  // namespace

ExceptionGroup::ExceptionGroup(std::string message, std::vector<std::exception_ptr> exceptions)
    : message_(std::make_shared<const std::string>(std::move(message))),
      text_(std::make_shared<const std::string>(text_of(*message_, checked(exceptions)))),
      exceptions_(std::make_shared<const std::vector<std::exception_ptr>>(std::move(exceptions))) {}

std::vector<std::exception_ptr> ExceptionGroup::leaves() const {
    std::vector<std::exception_ptr> all;
    for (const std::exception_ptr& error : *exceptions_) {
        if (const auto group = as_group(error)) {
            for (std::exception_ptr& leaf : group->leaves()) all.push_back(std::move(leaf));
        } else {
            all.push_back(error);
        }
    }
    return all;
}

bool ExceptionGroup::contains(const Condition& matches) const {
    for (const std::exception_ptr& error : *exceptions_) {
        if (matches(error)) return true;
        const auto group = as_group(error);
        if (group && group->contains(matches)) return true;
    }
    return false;
}

ExceptionGroup::Parts ExceptionGroup::split(const Condition& matches) const {
    if (matches(std::make_exception_ptr(*this))) return {*this, std::nullopt};
    std::vector<std::exception_ptr> matching, rest;
    for (const std::exception_ptr& error : *exceptions_) {
        if (const auto group = as_group(error)) {
            Parts parts = group->split(matches);
            // A group that stays whole is kept as it is, with its own type.
            if (parts.first) matching.push_back(parts.second ? std::make_exception_ptr(*parts.first) : error);
            if (parts.second) rest.push_back(parts.first ? std::make_exception_ptr(*parts.second) : error);
        } else {
            (matches(error) ? matching : rest).push_back(error);
        }
    }
    Parts parts;
    if (!matching.empty()) parts.first = ExceptionGroup(*message_, std::move(matching));
    if (!rest.empty()) parts.second = ExceptionGroup(*message_, std::move(rest));
    return parts;
}

ExceptStar::ExceptStar(const std::exception_ptr& error) {
    if (!error) throw std::logic_error("ExceptStar: no exception is being handled");
    rest_ = as_group(error);
    if (!rest_) alone_ = error;
}

std::optional<ExceptionGroup> ExceptStar::take(const ExceptionGroup::Condition& matches) {
    if (alone_) {
        if (!matches(alone_)) return std::nullopt;
        return ExceptionGroup("", {std::exchange(alone_, nullptr)});
    }
    if (!rest_) return std::nullopt;
    ExceptionGroup::Parts parts = rest_->split(matches);
    rest_ = std::move(parts.second);
    return std::move(parts.first);
}

void ExceptStar::finish() {
    if (raised_.empty()) {
        if (alone_) std::rethrow_exception(alone_);
        if (rest_) throw *rest_;
        return;
    }
    std::vector<std::exception_ptr> all = std::move(raised_);
    if (alone_) all.push_back(alone_);
    if (rest_) all.push_back(std::make_exception_ptr(*rest_));
    throw ExceptionGroup("", std::move(all));
}

}  // namespace coroscope
