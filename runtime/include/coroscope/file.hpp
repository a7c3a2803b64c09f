// Files by the thread pool: reading from a disk may block for long, and no kernel says when a file is ready. asyncio
// has none; the names are Python's open() and pathlib's.
//
//     std::string text = co_await read_file("hello.txt");
//     co_await write_file("copy.txt", text);
//     File log = co_await File::open("log.txt", "a");
//     co_await log.write("one line\n");
//     co_await log.aclose();                             // throws what a late write failed with; the destructor cannot
//
// All of these are cancellation points, with to_thread()'s rule: the wait ends at once, an operation that has begun
// runs on to its end. Operations on one file happen one after the other, in the order in which they get to the pool; a
// file is closed when the last one has ended. Errors: std::system_error with the file's name in its text. Contents are
// bytes. Thread: the loop's.
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <string>
#include <string_view>

#include "coroscope/coro.hpp"

namespace coroscope {

namespace detail {
class OpenFile;
}

class File {
public:
    static constexpr std::size_t all = std::numeric_limits<std::size_t>::max();

    // Modes as Python's: "r" there is such a file; "w" made, or emptied; "a" made, written at the end; "x" made, there
    // was none. With "+" for reading and writing. Another: std::invalid_argument. Not inherited by child processes.
    static Coro<File> open(std::filesystem::path path, std::string_view mode = "r");

    File() noexcept = default;  // refers to no file: std::logic_error at its use
    explicit operator bool() const noexcept { return file_ != nullptr; }

    // From the current position: as much as is asked for, less only at the end of the file; "" there.
    Coro<std::string> read(std::size_t most = all) const;
    // All of it, at the current position.
    Coro<> write(std::string data) const;
    // The position for what comes next, from the beginning of the file.
    Coro<> seek(std::uint64_t position) const;
    // Until what was written is on the disk (fdatasync).
    Coro<> sync() const;
    // Idempotent. async_with(File::open(...), body) does it.
    Coro<> aclose();

private:
    static Coro<File> open_with(std::filesystem::path path, int flags);
    explicit File(std::shared_ptr<detail::OpenFile> file) noexcept : file_(std::move(file)) {}
    const std::shared_ptr<detail::OpenFile>& opened() const;

    std::shared_ptr<detail::OpenFile> file_;
};

// pathlib.Path.read_bytes(), write_bytes(): the whole file. write_file() makes it or replaces what is in it.
Coro<std::string> read_file(std::filesystem::path path);
Coro<> write_file(std::filesystem::path path, std::string data);

}  // namespace coroscope
