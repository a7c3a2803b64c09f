#include "function_name.hpp"

#include <cstddef>
#include <vector>

namespace coroscope::probe {

namespace {

bool is_open(char c) { return c == '(' || c == '<' || c == '[' || c == '{'; }
bool is_close(char c) { return c == ')' || c == '>' || c == ']' || c == '}'; }

std::string_view without_suffix(std::string_view name, std::string_view begin) {
    const std::size_t at = name.find(begin);
    return at == std::string_view::npos ? name : name.substr(0, at);
}

// The position of the parenthesis that opens the parameters: the last at the outermost level.
std::size_t parameters_of(std::string_view name) {
    std::size_t found = std::string_view::npos;
    int depth = 0;
    for (std::size_t i = 0; i < name.size(); ++i) {
        if (name.substr(i).starts_with("operator()")) {
            i += 9;
            continue;
        }
        if (name.substr(i).starts_with("(anonymous namespace)")) {
            i += 20;
            continue;
        }
        if (name.substr(i).starts_with("->")) {
            ++i;
            continue;
        }
        if (name.substr(i).starts_with("operator<") || name.substr(i).starts_with("operator>")) {
            i += 8;
            while (i + 1 < name.size() && (name[i + 1] == '<' || name[i + 1] == '>' || name[i + 1] == '=')) ++i;
            continue;
        }
        if (is_open(name[i])) {
            if (depth == 0 && name[i] == '(') found = i;
            ++depth;
        } else if (is_close(name[i])) {
            --depth;
        }
    }
    return found;
}

// Drops what stands before the last space at the outermost level: the return type.
std::string_view without_return_type(std::string_view name) {
    int depth = 0;
    std::size_t begin = 0;
    for (std::size_t i = 0; i < name.size(); ++i) {
        if (name.substr(i).starts_with("operator")) break;
        if (name.substr(i).starts_with("(anonymous namespace)")) {
            i += 20;
            continue;
        }
        if (is_open(name[i])) ++depth;
        if (is_close(name[i])) --depth;
        if (depth == 0 && name[i] == ' ') begin = i + 1;
    }
    name.remove_prefix(begin);
    while (!name.empty() && (name.front() == '*' || name.front() == '&')) name.remove_prefix(1);
    return name;
}

std::string without_template_arguments(std::string_view name) {
    std::string result;
    int depth = 0;
    for (std::size_t i = 0; i < name.size(); ++i) {
        if (depth == 0 && name.substr(i).starts_with("operator")) return result + std::string(name.substr(i));
        if (name[i] == '<' && !name.substr(i).starts_with("<lambda")) {
            ++depth;
        } else if (name.substr(i).starts_with("<lambda")) {
            const std::size_t end = name.find('>', i);
            result += "lambda";
            if (end == std::string_view::npos) return result;
            i = end;
        } else if (name[i] == '>' && depth > 0) {
            --depth;
        } else if (depth == 0) {
            result += name[i];
        }
    }
    return result;
}

}  // namespace

std::string readable_function(std::string_view name) {
    std::string_view rest = without_suffix(name, " [clone");
    rest = without_suffix(rest, " [with ");
    // g++ gives the actor's signature, "void f(f(int)::_Z1fi.Frame*)": the function itself is what the frame's type is
    // nested in.
    if (const std::size_t frame = rest.find(".Frame*)"); frame != std::string_view::npos) {
        const std::size_t open = rest.find('(');
        const std::size_t nested = rest.rfind("::_Z", frame);
        if (open != std::string_view::npos && nested != std::string_view::npos && nested > open)
            rest = rest.substr(open + 1, nested - open - 1);
    }
    const std::string_view signature = rest;
    if (const std::size_t parameters = parameters_of(rest); parameters != std::string_view::npos && parameters > 0)
        rest = rest.substr(0, parameters);
    rest = without_return_type(rest);
    std::string result = without_template_arguments(rest);
    if (result.empty() || result.find_first_not_of(" :*&") == std::string::npos) return std::string(signature);
    return result;
}

bool is_library_file(std::string_view file) noexcept {
    // This file's own place says what is in front of the sources' names.
    constexpr std::string_view own = __FILE__;
    constexpr std::string_view root = own.substr(0, own.rfind("runtime/src/probe/"));
    if (file.find("include/coroscope/") != std::string_view::npos) return true;  // in the sources, or installed
    return file.starts_with(root) && file.substr(root.size()).starts_with("runtime/src/");
}

}  // namespace coroscope::probe
