#include "app_threads.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>
#include <string_view>

namespace coroscope::debug {

namespace {

// A thread has the name of the thread that made it until it takes another: what gRPC makes is called "coroscope", or
// one of these. The system keeps 15 characters.
constexpr std::array grpc_names{std::string_view("grpc"),           std::string_view("event_engine"),
                                std::string_view("default-execut"), std::string_view("resolver-execu"),
                                std::string_view("timer_manager"),  std::string_view("lifeguard"),
                                std::string_view("iomgr")};

bool is_ours(std::string_view name) {
    return (name.starts_with("coroscope") && !name.starts_with("coroscope-job")) ||
           std::ranges::any_of(grpc_names, [&](std::string_view prefix) { return name.starts_with(prefix); });
}

// The name of a thread of this process; empty: it has ended.
std::string_view name_of(const char* tid, std::array<char, 32>& room) noexcept {
    std::array<char, 320> path;  // a name of a directory entry has up to 255 characters
    std::snprintf(path.data(), path.size(), "/proc/self/task/%s/comm", tid);
    const int file = ::open(path.data(), O_RDONLY | O_CLOEXEC);
    if (file < 0) return {};
    const ssize_t length = ::read(file, room.data(), room.size());
    ::close(file);
    return length > 0 ? std::string_view(room.data(), static_cast<std::size_t>(length)) : std::string_view();
}

struct CloseDirectory {
    void operator()(DIR* directory) const noexcept { ::closedir(directory); }
};

}  // namespace

std::uint32_t count_app_threads() noexcept {
    constexpr std::uint32_t enough = 1'000;
    const std::unique_ptr<DIR, CloseDirectory> directory(::opendir("/proc/self/task"));
    if (!directory) return 0;
    std::uint32_t count = 0;
    std::array<char, 32> room;
    while (const dirent* entry = count < enough ? ::readdir(directory.get()) : nullptr) {
        if (entry->d_name[0] == '.') continue;
        const std::string_view name = name_of(entry->d_name, room);
        if (!name.empty() && !is_ours(name)) ++count;
    }
    return count;
}

}  // namespace coroscope::debug
