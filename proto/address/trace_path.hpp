// Where a process writes its trace file, of what COROSCOPE=file:PATH says. std and POSIX only: probe and debug use it.
#pragma once

#include <unistd.h>

#include <string>
#include <string_view>

namespace coroscope {

// "logs/t.cst", "2" -> "logs/t.2.cst".
inline std::string path_with(std::string_view path, std::string_view text) {
    const std::size_t slash = path.rfind('/');
    const std::size_t name = slash == std::string_view::npos ? 0 : slash + 1;
    std::size_t dot = path.rfind('.');
    if (dot == std::string_view::npos || dot <= name) dot = path.size();
    return std::string(path.substr(0, dot)) + '.' + std::string(text) + std::string(path.substr(dot));
}

// The same path, for this process alone: "logs/t.123.cst".
inline std::string path_with_pid(std::string_view path) { return path_with(path, std::to_string(::getpid())); }

// With %p for the process id, and %% for a per cent sign. A forked child whose path has no %p gets one of its own.
inline std::string expand_trace_path(std::string_view path, bool in_child) {
    std::string expanded;
    bool has_pid = false;
    for (std::size_t at = 0; at < path.size(); ++at) {
        const char next = path[at] == '%' && at + 1 < path.size() ? path[at + 1] : '\0';
        if (next == 'p') {
            expanded += std::to_string(::getpid());
            has_pid = true;
        } else if (next == '%') {
            expanded += '%';
        } else {
            expanded += path[at];
            continue;
        }
        ++at;
    }
    return in_child && !has_pid ? path_with_pid(expanded) : expanded;
}

}  // namespace coroscope
