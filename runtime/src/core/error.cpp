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

}  // namespace

std::string detail::type_name(const std::exception_ptr& error) {
    const std::type_info* type = error.__cxa_exception_type();
    return type != nullptr ? demangled(type->name()) : "unknown exception";
}

std::string describe(const std::exception_ptr& error) {
    if (!error) return "none";
    std::string text = detail::type_name(error);
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

}  // namespace coroscope
