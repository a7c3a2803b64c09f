#include "coroscope/error.hpp"

#include <cxxabi.h>

#include <cstdlib>
#include <typeinfo>

namespace coroscope {

namespace {

std::string demangled(const char* name) {
    int status = 0;
    char* text = abi::__cxa_demangle(name, nullptr, nullptr, &status);
    std::string result = status == 0 && text != nullptr ? text : name;
    std::free(text);
    return result;
}

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

}  // namespace

std::string describe(const std::exception_ptr& error) {
    if (!error) return "none";
    const std::type_info* type = error.__cxa_exception_type();
    std::string text = type != nullptr ? demangled(type->name()) : "unknown exception";
    try {
        std::rethrow_exception(error);
    } catch (const std::exception& exception) {
        text += std::string(": ") + exception.what();
    } catch (const Cancelled& cancelled) {
        if (!cancelled.message().empty()) text += ": " + cancelled.message();
    } catch (...) {
    }
    return text;
}

ExceptionGroup::ExceptionGroup(std::string message, std::vector<std::exception_ptr> exceptions)
    : message_(std::make_shared<const std::string>(message)),
      text_(std::make_shared<const std::string>(text_of(message, exceptions))),
      exceptions_(std::make_shared<const std::vector<std::exception_ptr>>(std::move(exceptions))) {}

bool ExceptionGroup::contains_if(const std::function<bool(const std::exception_ptr&)>& matches) const {
    for (const std::exception_ptr& error : *exceptions_) {
        if (matches(error)) return true;
        try {
            std::rethrow_exception(error);
        } catch (const ExceptionGroup& group) {
            if (group.contains_if(matches)) return true;
        } catch (...) {
        }
    }
    return false;
}

}  // namespace coroscope
