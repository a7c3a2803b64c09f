#include "place.hpp"

#include <algorithm>
#include <array>

#include "function_name.hpp"
#include "utf8.hpp"

namespace coroscope::words {

namespace {

// A folder of the path, wherever it lies: "/opt/include/coroscope/run.hpp" is in "include/coroscope/".
bool is_in(std::string_view path, std::string_view folder) {
    for (std::size_t at = path.find(folder); at != std::string_view::npos; at = path.find(folder, at + 1))
        if (at == 0 || path[at - 1] == '/') return true;
    return false;
}

template <class Folders>
bool is_in_any(std::string_view path, const Folders& folders) {
    return std::any_of(folders.begin(), folders.end(), [&](std::string_view folder) { return is_in(path, folder); });
}

}  // namespace

std::string_view base_name(std::string_view path) {
    const std::size_t slash = path.rfind('/');
    return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

std::string place(std::string_view file, std::uint32_t line) { return full_place(base_name(file), line); }

std::string full_place(std::string_view file, std::uint32_t line) {
    if (file.empty()) return {};
    std::string text = printable(file);
    if (line != 0) text += ':' + std::to_string(line);
    return text;
}

std::string place_in(std::string_view function, std::string_view file, std::uint32_t line) {
    const std::string where = place(file, line), name = function_name(function);
    if (where.empty()) return name;
    return name.empty() || name == "?" ? where : where + " in " + name;
}

std::string frame(std::string_view function, std::string_view where) {
    const std::string name = function_name(function);
    return where.empty() ? name : name + " (" + std::string(where) + ")";
}

bool is_coroscope(std::string_view function, std::string_view file) {
    static constexpr std::array<std::string_view, 7> folders = {
        "include/coroscope/", "runtime/src/core/",  "runtime/src/net/",  "runtime/src/tls/",
        "runtime/src/http/",  "runtime/src/probe/", "runtime/src/debug/"};
    if (is_in_any(file, folders)) return true;
    // "coroscope::Task<int> shop::run(int)" is a function of shop's.
    return function.find("coroscope::") != std::string_view::npos && function_name(function).starts_with("coroscope::");
}

bool is_library(std::string_view function, std::string_view file) {
    // The C library's own sources as its debug information names them.
    static constexpr std::array<std::string_view, 3> folders = {"sysdeps/", "csu/", "nptl/"};
    return file.starts_with("/usr/") || is_in_any(file, folders) || is_coroscope(function, file);
}

}  // namespace coroscope::words
