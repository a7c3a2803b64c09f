// Reads a trace file block by block. Nothing in it is trusted: a length is checked against the file's size and the
// format's bounds before memory is taken for it, a checksum before its bytes are unpacked.
#include "format.hpp"
#include "trace_file.hpp"

#include "coroscope/v2/session.pb.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <system_error>
#include <utility>

namespace coroscope::trace {

namespace {

// A buffer that grows but is never filled with zeros first.
class Buffer {
public:
    char* at_least(std::size_t size) {
        if (size > size_) {
            data_ = std::make_unique_for_overwrite<char[]>(size);
            size_ = size;
        }
        return data_.get();
    }

private:
    std::unique_ptr<char[]> data_;
    std::size_t size_ = 0;
};

std::string amount(std::uint64_t bytes) {
    char text[32];
    if (bytes < 1000)
        std::snprintf(text, sizeof text, "%llu B", static_cast<unsigned long long>(bytes));
    else if (bytes < 1'000'000)
        std::snprintf(text, sizeof text, "%.1f kB", static_cast<double>(bytes) / 1e3);
    else
        std::snprintf(text, sizeof text, "%.1f MB", static_cast<double>(bytes) / 1e6);
    return text;
}

std::string blocks_text(std::uint64_t count, const std::string& adjective) {
    return std::to_string(count) + " " + adjective + (count == 1 ? " block" : " blocks");
}

constexpr std::uint64_t max_walked_runs = 1u << 16;  // of a file without an index: 2.5 MiB

}  // namespace

struct Reader::State {
    std::string path, error, warning;
    int file = -1;
    std::uint64_t size = 0;
    bool header_good = false;
    std::vector<Run> runs;
    std::uint64_t index_offset = 0;  // 0: no good index, and runs are those of the walk
    bool walked = false;
    Buffer stored, unpacked;
    ZSTD_DCtx* decompressor = nullptr;

    ~State() {
        ZSTD_freeDCtx(decompressor);
        if (file >= 0) ::close(file);
    }

    enum class Found { block, index, cut, damaged, unreadable };

    struct Block {
        Found found = Found::damaged;
        format::BlockHeader header;
        std::string_view payload;  // unpacked; valid until the next block
        std::uint64_t end = 0;     // offset of what follows, if its length is right; 0: it cannot be
    };

    bool read_at(std::uint64_t offset, char* to, std::size_t count) {
        while (count > 0) {
            const ssize_t got = ::pread(file, to, count, static_cast<off_t>(offset));
            if (got < 0 && errno == EINTR) continue;
            if (got <= 0) return false;  // an error, or the file was shortened meanwhile
            to += got;
            offset += static_cast<std::uint64_t>(got);
            count -= static_cast<std::size_t>(got);
        }
        return true;
    }

    void open();
    void check_header();
    void load_index();
    Block read_block(std::uint64_t offset);
    // True: all frames were handed on. Stopped: the caller had enough.
    enum class Handed { all, stopped, bad };
    template <typename OnFrame>
    static Handed hand_on(const Block& block, const OnFrame& on_frame);
    // Where to go on behind a damaged block; 0: nobody knows.
    std::uint64_t after_damage(std::uint64_t at, const Block& damaged);
    void walk();
    std::string end_text(std::uint64_t at, Found found, std::uint64_t blocks) const;
};

void Reader::State::open() {
    file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);  // a FIFO must not hang us
    if (file < 0) {
        const int code = errno;
        error = "cannot open " + path + ": " + std::system_category().message(code);
        return;
    }
    struct stat status{};
    if (::fstat(file, &status) != 0 || !S_ISREG(status.st_mode)) {
        error = path + " is not a regular file; give the path of a trace file";
        return;
    }
    size = static_cast<std::uint64_t>(status.st_size);
    decompressor = ZSTD_createDCtx();
    if (decompressor == nullptr) {
        error = "cannot open " + path + ": out of memory";
        return;
    }
    check_header();
    if (header_good) load_index();
}

void Reader::State::check_header() {
    char bytes[format::header_size] = {};
    const std::size_t have = static_cast<std::size_t>(std::min<std::uint64_t>(size, sizeof bytes));
    if (have == 0) {
        error = path + " is empty: the program that was to write it recorded nothing; record again";
        return;
    }
    if (!read_at(0, bytes, have)) {
        error = "cannot read " + path + ": " + std::system_category().message(errno);
        return;
    }
    const std::size_t magic_size = std::min(have, format::magic.size());
    if (!std::equal(bytes, bytes + magic_size, format::magic.begin(),
                    [](char a, unsigned char b) { return static_cast<unsigned char>(a) == b; })) {
        error = path + " is not a coroscope trace file; record one with COROSCOPE=file:t.cst PROGRAM or " +
                "coroscope run --record t.cst -- PROGRAM";
        return;
    }
    if (have < format::header_size) {
        error = path + " is cut off inside its header and holds no events; record again";
        return;
    }
    const std::uint32_t major = format::get_u32(bytes + 8), minor = format::get_u32(bytes + 12);
    const bool sound = format::checksum({bytes, 24}) == format::get_u64(bytes + 24);
    if (sound && major != format_major) {
        error = path + " has trace format " + std::to_string(major) + "." + std::to_string(minor) +
                ", this program reads " + std::to_string(format_major) + ".x; open it with " +
                (major > format_major ? "a newer coroscope" : "the coroscope that wrote it");
        return;
    }
    if (!sound) {
        error = path + " has a damaged header; copy it again from where it was recorded, or record again";
        return;
    }
    header_good = true;
}

void Reader::State::load_index() {
    if (size < format::header_size + format::block_header_size + format::footer_size) return;
    char bytes[format::footer_size];
    if (!read_at(size - sizeof bytes, bytes, sizeof bytes)) return;
    const auto footer = format::decode_footer({bytes, sizeof bytes});
    if (!footer || footer->file_size != size || footer->index_offset < format::header_size) return;
    const Block block = read_block(footer->index_offset);
    if (block.found != Found::index || block.end != size - format::footer_size) return;
    if (block.payload.size() % format::index_row_size != 0) return;
    runs.reserve(block.payload.size() / format::index_row_size);
    for (std::size_t at = 0; at < block.payload.size(); at += format::index_row_size) {
        const char* const row = block.payload.data() + at;
        Run run;
        run.offset = format::get_u64(row);
        run.keyframe = format::get_u32(row + 8) == static_cast<std::uint32_t>(format::BlockType::keyframes);
        run.frames = format::get_u64(row + 16);
        run.first_ns = format::get_u64(row + 24);
        run.last_ns = format::get_u64(row + 32);
        const std::uint64_t above = runs.empty() ? format::header_size : runs.back().offset + 1;
        if (run.offset < above || run.offset >= footer->index_offset) {
            runs.clear();  // it makes no sense: no index
            return;
        }
        runs.push_back(run);
    }
    index_offset = footer->index_offset;
}

Reader::State::Block Reader::State::read_block(std::uint64_t offset) {
    Block block;
    if (offset > size || size - offset < format::block_header_size) {
        block.found = Found::cut;
        return block;
    }
    char head[format::block_header_size];
    if (!read_at(offset, head, sizeof head)) {
        block.found = Found::unreadable;
        return block;
    }
    block.header = format::get_block_header(head);
    const std::uint64_t left = size - offset - sizeof head;
    if (block.header.unpacked > max_block || block.header.stored > ZSTD_compressBound(max_block)) return block;
    if (block.header.stored > left) {
        block.found = Found::cut;
        return block;
    }
    block.end = offset + sizeof head + block.header.stored;
    // The header's own bytes before the payload: the checksum covers both in one piece.
    const std::size_t head_covered = sizeof head - 8;
    char* const covered = stored.at_least(head_covered + block.header.stored);
    std::copy(head + 8, head + sizeof head, covered);
    char* const packed = covered + head_covered;
    if (!read_at(offset + sizeof head, packed, block.header.stored)) {
        block.found = Found::unreadable;
        return block;
    }
    if (format::checksum({covered, head_covered + block.header.stored}) != block.header.checksum) return block;
    char* const out = unpacked.at_least(block.header.unpacked);
    const std::size_t got = ZSTD_decompressDCtx(decompressor, out, block.header.unpacked, packed, block.header.stored);
    if (ZSTD_isError(got) || got != block.header.unpacked) return block;
    block.payload = {out, got};
    block.found = block.header.type == format::BlockType::index ? Found::index : Found::block;
    return block;
}

template <typename OnFrame>
Reader::State::Handed Reader::State::hand_on(const Block& block, const OnFrame& on_frame) {
    if (block.header.type != format::BlockType::frames && block.header.type != format::BlockType::keyframes)
        return Handed::all;  // a newer minor version's: not for us
    v2::Frame frame;
    for (std::string_view rest = block.payload; !rest.empty();) {
        const auto length = format::take_varint(rest);
        if (!length || *length > rest.size()) return Handed::bad;
        const std::string_view bytes = rest.substr(0, static_cast<std::size_t>(*length));
        rest.remove_prefix(bytes.size());
        if (!format::within_bounds(bytes)) return Handed::bad;
        if (!frame.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return Handed::bad;
        if (!on_frame(frame)) return Handed::stopped;
    }
    return Handed::all;
}

// Right behind it if its length leads to a sound block, else where the index has a run.
std::uint64_t Reader::State::after_damage(std::uint64_t at, const Block& damaged) {
    if (damaged.end != 0) {
        if (damaged.end == index_offset) return damaged.end;
        const Found behind = read_block(damaged.end).found;
        if (behind == Found::block || behind == Found::index) return damaged.end;
    }
    if (index_offset == 0) return 0;
    for (const Run& run : runs)
        if (run.offset > at) return run.offset;
    return index_offset;
}

// Reads the headers of the blocks only. Small blocks are joined, so that a hostile file costs no memory.
void Reader::State::walk() {
    walked = true;
    const std::uint64_t least_bytes = size / max_walked_runs;
    for (std::uint64_t at = format::header_size; size - at >= format::block_header_size;) {
        char head[format::block_header_size];
        if (!read_at(at, head, sizeof head)) return;
        const format::BlockHeader header = format::get_block_header(head);
        if (header.type == format::BlockType::index || header.stored > size - at - sizeof head) return;
        if (runs.empty() || at - runs.back().offset >= least_bytes)
            runs.push_back({at, header.type == format::BlockType::keyframes, 0, 0, 0});
        runs.back().frames += header.frames;
        at += sizeof head + header.stored;
    }
}

Reader::Reader(const std::string& path) : state_(std::make_unique<State>()) {
    state_->path = path;
    state_->open();
}
Reader::~Reader() = default;
Reader::Reader(Reader&&) noexcept = default;

bool Reader::ok() const { return state_->header_good; }
const std::string& Reader::error() const { return state_->error; }
const std::string& Reader::warning() const { return state_->warning; }
std::uint64_t Reader::size() const { return state_->size; }
bool Reader::has_index() const { return state_->index_offset != 0; }

const std::vector<Reader::Run>& Reader::runs() {
    if (state_->header_good && state_->index_offset == 0 && !state_->walked) state_->walk();
    return state_->runs;
}

bool Reader::read_run(std::size_t number,
                      const std::function<bool(const v2::Frame&, bool in_keyframe_block)>& on_frame) {
    State& s = *state_;
    if (number >= runs().size()) return false;
    const std::uint64_t all_end = s.index_offset != 0 ? s.index_offset : s.size;
    const std::uint64_t end = number + 1 < s.runs.size() ? s.runs[number + 1].offset : all_end;
    bool sound = true;
    for (std::uint64_t at = s.runs[number].offset; at < end;) {
        const State::Block block = s.read_block(at);
        State::Handed handed = State::Handed::bad;
        if (block.found == State::Found::index) return sound;  // of a file without a sound end
        if (block.found == State::Found::block) {
            const bool is_keyframe = block.header.type == format::BlockType::keyframes;
            handed = State::hand_on(block, [&](const v2::Frame& frame) { return on_frame(frame, is_keyframe); });
        }
        if (handed == State::Handed::stopped) return sound;
        at = block.end;
        if (handed == State::Handed::all) continue;
        sound = false;
        if (at == 0) return false;
    }
    return sound;
}

std::string Reader::State::end_text(std::uint64_t at, Found found, std::uint64_t blocks) const {
    const std::string used = " (" + amount(at) + " of " + amount(size) + " used)";
    const std::string whole = blocks_text(blocks, "whole");
    if (found == Found::index) return "its index or end is damaged; all " + whole + " before it are used";
    if (at == size) return "not finished: ends without an index after " + whole + ", all of them used";
    if (found == Found::cut) return "cut off after " + whole + used;
    if (found == Found::unreadable) return "cannot be read after " + whole + used;
    return "damaged after " + whole + ", at byte " + std::to_string(at) + used;
}

bool Reader::read(const std::function<bool(const v2::Frame&)>& on_frame) {
    State& s = *state_;
    s.warning.clear();
    if (!s.header_good) {
        s.warning = "nothing was read: " + s.error;
        return false;
    }
    std::uint64_t blocks = 0, damaged = 0, first_damaged_at = 0;
    std::string end;
    bool lost = false;  // frames since the last keyframes
    for (std::uint64_t at = format::header_size; s.index_offset == 0 || at != s.index_offset;) {
        const State::Block block = s.read_block(at);
        State::Handed handed = State::Handed::bad;
        if (block.found == State::Found::block) {
            const bool is_keyframe = block.header.type == format::BlockType::keyframes;
            handed = is_keyframe && !lost ? State::Handed::all : State::hand_on(block, on_frame);
            if (is_keyframe && handed == State::Handed::all) lost = false;
        }
        if (handed == State::Handed::stopped) break;
        if (handed == State::Handed::all) {
            ++blocks;
            at = block.end;
            continue;
        }
        const std::uint64_t next = block.found == State::Found::index ? 0 : s.after_damage(at, block);
        if (next == 0) {
            end = s.end_text(at, block.found, blocks);
            break;
        }
        lost = true;
        if (damaged++ == 0) first_damaged_at = at;
        at = next;
    }
    if (damaged != 0)
        s.warning = blocks_text(damaged, "damaged") + " left out, " + (damaged == 1 ? "at" : "the first at") +
                    " byte " + std::to_string(first_damaged_at);
    if (!end.empty()) s.warning += (s.warning.empty() ? "" : "; then ") + end;
    return s.warning.empty();
}

}  // namespace coroscope::trace
