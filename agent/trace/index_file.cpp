// Copies the frames into a new file with keyframes; the new file takes the old one's place when it is whole.
#include "index_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>

#include "coroscope/v2/session.pb.h"
#include "indexed_writer.hpp"

namespace coroscope::trace {

namespace {

std::string system_text(int code) { return std::system_category().message(code); }

// A file of our own beside the old one, removed again unless it took the old one's place.
class Beside {
public:
    explicit Beside(const std::string& path) : path_(path), new_path_(path + ".indexing") {}
    ~Beside() {
        if (mine_) ::unlink(new_path_.c_str());
    }
    Beside(const Beside&) = delete;
    Beside& operator=(const Beside&) = delete;

    const std::string& path() const { return new_path_; }

    // With the old file's permissions. Fails where such a file is there: another program may be writing it.
    std::string create() {
        struct stat old{};
        if (::stat(path_.c_str(), &old) != 0) return "cannot read " + path_ + ": " + system_text(errno);
        const int file = ::open(new_path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, old.st_mode & 0777);
        if (file < 0 && errno == EEXIST)
            return new_path_ + " is there already: another coroscope indexes this file, or was killed while it did; " +
                   "remove it and try again";
        if (file < 0) return "cannot write " + new_path_ + ": " + system_text(errno);
        mine_ = true;
        ::close(file);
        return {};
    }

    std::string take_place() {
        // On the disk before the name changes: after a crash of the machine the name leads to a whole file.
        const int file = ::open(new_path_.c_str(), O_RDONLY | O_CLOEXEC);
        const bool synced = file >= 0 && ::fsync(file) == 0;
        const int code = errno;
        if (file >= 0) ::close(file);
        if (!synced) return "cannot write " + new_path_ + ": " + system_text(code);
        if (std::rename(new_path_.c_str(), path_.c_str()) != 0)
            return "cannot replace " + path_ + ": " + system_text(errno);
        mine_ = false;
        return {};
    }

private:
    const std::string path_, new_path_;
    bool mine_ = false;
};

bool has_keyframes(Reader& reader) {
    const auto& runs = reader.runs();
    return std::any_of(runs.begin(), runs.end(), [](const Reader::Run& run) { return run.keyframe; });
}

// A program that writes the file would go on with the old one, and its end would be lost with that.
bool is_being_written(const std::string& path) {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) return false;
    // The system grants a read lease only on a file that nobody has open for writing. Where it has no leases (EINVAL,
    // EACCES) nobody knows.
    const bool refused = ::fcntl(file, F_SETLEASE, F_RDLCK) != 0 && errno == EAGAIN;
    ::close(file);
    return refused;
}

// A file that ends without an index, all of it used, has no damage.
bool lost_blocks(const std::string& warning) { return warning.find("damaged") != std::string::npos; }

}  // namespace

Indexed index_file(const std::string& given_path, bool accept_damage, bool again) {
    Indexed result;
    std::error_code none;
    const auto real = std::filesystem::canonical(given_path, none);  // a link stays a link
    const std::string path = real.empty() ? given_path : real.string();
    Reader reader(path);
    if (!reader.ok()) {
        result.error = reader.error();
        return result;
    }
    result.bytes_before = result.bytes_after = reader.size();
    if (reader.has_index() && has_keyframes(reader) && !again) {
        result.had_index = true;
        return result;
    }
    if (is_being_written(path)) {
        result.error = path + " is still being written; index it when the program that writes it has ended";
        return result;
    }
    Beside beside(path);
    result.error = beside.create();
    if (!result.error.empty()) return result;
    IndexedWriter writer(beside.path());
    bool written = writer.error().empty();
    const bool whole = reader.read([&](const v2::Frame& frame) { return written = writer.append(frame); });
    written = written && writer.finish();
    if (!written) {
        result.error =
            "cannot index " + path + ": " + (writer.error().empty() ? "a frame is too large" : writer.error());
        return result;
    }
    if (!whole) result.warning = path + ": " + reader.warning();
    if (lost_blocks(result.warning) && !accept_damage) {
        result.error = result.warning + "; an indexed file would lack what is damaged: --accept-damage does it anyway";
        result.warning.clear();
        return result;
    }
    result.error = beside.take_place();
    if (!result.error.empty()) return result;
    result.bytes_after = writer.bytes();
    result.keyframe_blocks = writer.keyframe_blocks();
    return result;
}

}  // namespace coroscope::trace
