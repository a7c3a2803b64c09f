#include "coroscope/file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <mutex>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "coroscope/to_thread.hpp"

namespace coroscope {

namespace detail {

// Its operations run on threads of the pool. An abandoned one may still be at work when the next begins.
class OpenFile {
public:
    OpenFile(const std::filesystem::path& path, int flags) : name_(path.string()) {
        constexpr mode_t permissions = 0666;  // less the umask
        do {
            fd_ = ::open(name_.c_str(), flags | O_CLOEXEC, permissions);
        } while (fd_ < 0 && errno == EINTR);
        if (fd_ < 0) fail("open");
    }
    ~OpenFile() {
        if (fd_ >= 0) ::close(fd_);
    }
    OpenFile(const OpenFile&) = delete;
    OpenFile& operator=(const OpenFile&) = delete;

    std::string read(std::size_t most) {
        const std::scoped_lock lock(mutex_);
        require_open();
        std::string data;
        while (data.size() < most) {
            const std::size_t begin = data.size();
            data.resize(begin + std::min(most - begin, next_piece(begin)));
            const ssize_t count = ::read(fd_, data.data() + begin, data.size() - begin);
            data.resize(begin + static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
            if (count == 0) break;
            if (count < 0 && errno != EINTR) fail("read");
        }
        return data;
    }
    void write(std::string_view data) {
        const std::scoped_lock lock(mutex_);
        require_open();
        while (!data.empty()) {
            const ssize_t count = ::write(fd_, data.data(), data.size());
            if (count < 0 && errno != EINTR) fail("write");
            data.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
        }
    }
    void seek(std::uint64_t position) {
        const std::scoped_lock lock(mutex_);
        require_open();
        if (::lseek(fd_, static_cast<off_t>(position), SEEK_SET) < 0) fail("seek in");
    }
    void sync() {
        const std::scoped_lock lock(mutex_);
        require_open();
        if (::fdatasync(fd_) != 0) fail("sync");
    }
    void close() {
        const std::scoped_lock lock(mutex_);
        const int fd = std::exchange(fd_, -1);
        if (fd >= 0 && ::close(fd) != 0 && errno != EINTR) fail("close");  // closed also if it says EINTR
    }

private:
    // What is left of a regular file and one byte, which finds its end; else pieces that double.
    std::size_t next_piece(std::size_t read_so_far) const {
        constexpr std::size_t least = 4096;
        struct stat status{};
        const off_t at = ::lseek(fd_, 0, SEEK_CUR);
        if (::fstat(fd_, &status) == 0 && S_ISREG(status.st_mode) && at >= 0 && status.st_size > at)
            return static_cast<std::size_t>(status.st_size - at) + 1;
        return std::max(least, read_so_far);
    }
    void require_open() const {
        if (fd_ < 0) throw std::logic_error("the file is closed: " + name_);
    }
    [[noreturn]] void fail(const char* what) const {
        throw std::system_error(errno, std::generic_category(), std::string("cannot ") + what + " " + name_);
    }

    std::mutex mutex_;
    std::string name_;
    int fd_ = -1;  // -1: closed
};

namespace {

int flags_of(std::string_view mode) {
    const bool both = mode.size() == 2 && mode[1] == '+';
    if (mode.size() == 1 || both) {
        switch (mode[0]) {
            case 'r': return both ? O_RDWR : O_RDONLY;
            case 'w': return (both ? O_RDWR : O_WRONLY) | O_CREAT | O_TRUNC;
            case 'a': return (both ? O_RDWR : O_WRONLY) | O_CREAT | O_APPEND;
            case 'x': return (both ? O_RDWR : O_WRONLY) | O_CREAT | O_EXCL;
            default: break;
        }
    }
    throw std::invalid_argument("File::open: no mode '" + std::string(mode) + "'; give r, w, a or x, perhaps with a +");
}

using FileRef = std::shared_ptr<OpenFile>;

// On a thread of the pool.
FileRef do_open(const std::filesystem::path& path, int flags) { return std::make_shared<OpenFile>(path, flags); }
std::string do_read(const FileRef& file, std::size_t most) { return file->read(most); }
void do_write(const FileRef& file, const std::string& data) { file->write(data); }
void do_seek(const FileRef& file, std::uint64_t position) { file->seek(position); }
void do_sync(const FileRef& file) { file->sync(); }
void do_close(const FileRef& file) { file->close(); }
std::string do_read_file(const std::filesystem::path& path) { return OpenFile(path, O_RDONLY).read(File::all); }
void do_write_file(const std::filesystem::path& path, const std::string& data) {
    OpenFile file(path, O_WRONLY | O_CREAT | O_TRUNC);
    file.write(data);
    file.close();
}

}  // namespace
}  // namespace detail

Coro<File> File::open(std::filesystem::path path, std::string_view mode) {
    return open_with(std::move(path), detail::flags_of(mode));
}

Coro<File> File::open_with(std::filesystem::path path, int flags) {
    detail::FileRef file = co_await to_thread(detail::do_open, std::move(path), flags);
    co_return File(std::move(file));
}

const std::shared_ptr<detail::OpenFile>& File::opened() const {
    if (file_ == nullptr) throw std::logic_error("File: refers to no file");
    return file_;
}

Coro<std::string> File::read(std::size_t most) const { return to_thread(detail::do_read, opened(), most); }
Coro<> File::write(std::string data) const { return to_thread(detail::do_write, opened(), std::move(data)); }
Coro<> File::seek(std::uint64_t position) const { return to_thread(detail::do_seek, opened(), position); }
Coro<> File::sync() const { return to_thread(detail::do_sync, opened()); }
Coro<> File::aclose() { return to_thread(detail::do_close, opened()); }

Coro<std::string> read_file(std::filesystem::path path) { return to_thread(detail::do_read_file, std::move(path)); }
Coro<> write_file(std::filesystem::path path, std::string data) {
    return to_thread(detail::do_write_file, std::move(path), std::move(data));
}

}  // namespace coroscope
