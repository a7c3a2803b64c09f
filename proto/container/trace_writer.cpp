// Writes a trace file: gathers frames into blocks, each one write(2), and the index at the end.
#include "format.hpp"
#include "trace_file.hpp"

#include "coroscope/v2/session.pb.h"

#include <fcntl.h>
#include <unistd.h>
#include <zstd.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace coroscope::trace {

namespace {

constexpr std::size_t block_bytes = 256u << 10;   // unpacked; a fuller block is written
constexpr std::size_t max_index_rows = 1u << 16;  // past it neighbours are joined: 2.5 MiB, coarser, never more
constexpr int compression_level = 1;              // an app writes its own file: its CPU is dear

struct IndexRow {
    std::uint64_t offset = 0;
    format::BlockType type = format::BlockType::frames;
    std::uint32_t blocks = 1;
    std::uint64_t frames = 0;
    format::Times times;

    void join(const IndexRow& next) {
        blocks += next.blocks;
        frames += next.frames;
        times.add(next.times);
    }
};

// Joins neighbours so that the index stays within its bound. Rows that begin with a keyframe are where readers begin:
// they are kept as long as there are others to join.
void thin_out(std::vector<IndexRow>& rows) {
    std::vector<IndexRow> kept;
    bool may_join = false;  // the last kept row is still a single one
    for (const IndexRow& row : rows) {
        if (may_join && row.type != format::BlockType::keyframes) {
            kept.back().join(row);
            may_join = false;
        } else {
            kept.push_back(row);
            may_join = true;
        }
    }
    if (kept.size() > max_index_rows / 4 * 3) {
        rows.clear();
        for (std::size_t i = 0; i < kept.size(); ++i) {
            if (i % 2 == 0)
                rows.push_back(kept[i]);
            else
                rows.back().join(kept[i]);
        }
    } else {
        rows = std::move(kept);
    }
}

}  // namespace

struct Writer::State {
    std::string path;
    std::string error;
    int file = -1;
    std::int64_t written_by = 0;
    pid_t owner = ::getpid();
    std::uint64_t bytes = 0;
    std::uint64_t keyframe_bytes = 0;
    std::uint64_t last_keyframe_bytes = 0;
    std::string pending;  // length-delimited frames of the block to come
    std::uint32_t pending_frames = 0;
    format::Times pending_times;
    std::string block;  // the block as it goes to the file; kept for its memory
    std::vector<IndexRow> index;
    ZSTD_CCtx* compressor = nullptr;

    ~State() {
        ZSTD_freeCCtx(compressor);
        if (file >= 0) ::close(file);
    }

    bool fail(int code) {
        if (!error.empty()) return false;
        std::string what = std::system_category().message(code);
        if (!what.empty() && what[0] >= 'A' && what[0] <= 'Z') what[0] = static_cast<char>(what[0] - 'A' + 'a');
        error = what + " (" + path + ")";
        return false;
    }

    // For this process, as long as the file is open. False: another one writes it. A record lock, because children do
    // not inherit those: a child that outlives the app keeps nobody from the file.
    bool claim() {
        struct flock whole{};
        whole.l_type = F_WRLCK;
        whole.l_whence = SEEK_SET;
        if (::fcntl(file, F_SETLK, &whole) == 0 || (errno != EACCES && errno != EAGAIN)) return true;
        written_by = ::fcntl(file, F_GETLK, &whole) == 0 && whole.l_type != F_UNLCK ? whole.l_pid : -1;
        error = "another process" + (written_by > 0 ? " (" + std::to_string(written_by) + ")" : "") +
                " is writing this file (" + path + ")";
        return false;
    }

    bool usable() const { return file >= 0 && error.empty() && ::getpid() == owner; }

    bool write_all(std::string_view data) {
        while (!data.empty()) {
            const ssize_t count = ::write(file, data.data(), data.size());
            if (count < 0 && errno == EINTR) continue;
            if (count < 0) return fail(errno);
            if (count == 0) return fail(EIO);
            data.remove_prefix(static_cast<std::size_t>(count));
            bytes += static_cast<std::uint64_t>(count);
        }
        return true;
    }

    // Into `block`.
    bool pack(format::BlockType type, std::string_view payload, std::uint32_t frames) {
        const std::size_t bound = ZSTD_compressBound(payload.size());
        block.resize(format::block_header_size + bound);
        char* const packed = block.data() + format::block_header_size;
        const std::size_t stored =
            ZSTD_compressCCtx(compressor, packed, bound, payload.data(), payload.size(), compression_level);
        if (ZSTD_isError(stored)) return fail(ENOMEM);  // the one way compression into a large enough buffer can fail
        block.resize(format::block_header_size + stored);
        format::BlockHeader header{0, type, static_cast<std::uint32_t>(stored),
                                   static_cast<std::uint32_t>(payload.size()), frames};
        format::put_block_header(block.data(), header);
        header.checksum = format::checksum(std::string_view{block}.substr(8));
        format::put_block_header(block.data(), header);
        return true;
    }

    // False with an empty error: the block would take more than `most_bytes`; what was pending is dropped.
    bool write_pending(format::BlockType type, std::uint64_t most_bytes = ~std::uint64_t{0}) {
        if (pending_frames == 0) return true;
        const std::uint64_t offset = bytes;
        bool written = pack(type, pending, pending_frames);
        if (type == format::BlockType::keyframes) last_keyframe_bytes = block.size();
        written = written && block.size() <= most_bytes && write_all(block);
        if (written) {
            index.push_back({offset, type, 1, pending_frames, pending_times});
            if (index.size() == max_index_rows) thin_out(index);
            if (type == format::BlockType::keyframes) keyframe_bytes += block.size();
        }
        clear_pending();
        return written;
    }

    void clear_pending() {
        pending.clear();
        if (pending.capacity() > 8 * block_bytes)
            pending.shrink_to_fit();  // one large keyframe is no reason to keep it
        pending_frames = 0;
        pending_times = {};
    }

    // False: no block takes this frame.
    bool buffer(const v2::Frame& frame) {
        const std::size_t size = frame.ByteSizeLong();
        format::put_varint(pending, size);
        const std::size_t begin = pending.size();
        if (!frame.AppendToString(&pending)) return false;
        if (!format::within_bounds(std::string_view{pending}.substr(begin))) return false;
        ++pending_frames;
        if (frame.has_batch()) pending_times.add(format::batch_times(frame.batch()));
        return true;
    }

    bool add(const v2::Frame& frame, format::BlockType& type) {
        constexpr std::size_t length_bytes = 10;
        const std::size_t size = frame.ByteSizeLong();
        if (size + length_bytes > Reader::max_block) return false;
        if (pending.size() + size + length_bytes > Reader::max_block) {
            if (!write_pending(type)) return false;
            type = format::BlockType::frames;  // what follows in a second block is no place to begin
        }
        const std::size_t before = pending.size();
        if (buffer(frame)) return true;
        pending.resize(before);
        return false;
    }
};

Writer::Writer(const std::string& path) : state_(std::make_unique<State>()) {
    State& s = *state_;
    s.path = path;
    s.compressor = ZSTD_createCCtx();
    if (s.compressor == nullptr) {
        s.fail(ENOMEM);
        return;
    }
    s.file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (s.file < 0) {
        s.fail(errno);
        return;
    }
    if (!s.claim()) return;
    // A device or a pipe has no length.
    if (::ftruncate(s.file, 0) != 0 && errno != EINVAL)
        s.fail(errno);
    else
        s.write_all(format::encode_header(format_major, format_minor));
}

Writer::~Writer() { finish(); }

bool Writer::append(const v2::Frame& frame) {
    State& s = *state_;
    if (!s.usable()) return false;
    auto type = format::BlockType::frames;
    if (!s.add(frame, type)) return false;
    return s.pending.size() < block_bytes || flush();
}

bool Writer::append_keyframes(const std::vector<v2::Frame>& keyframes, std::uint64_t most_bytes) {
    State& s = *state_;
    if (!s.usable()) return false;
    std::uint64_t unpacked = 0;
    for (const v2::Frame& frame : keyframes) unpacked += frame.ByteSizeLong();
    if (unpacked > Reader::max_block / 2 && most_bytes < unpacked) {  // perhaps several blocks: no size to compare
        s.last_keyframe_bytes = unpacked;
        return false;
    }
    if (!flush()) return false;
    auto type = format::BlockType::keyframes;
    bool all = true;
    for (const v2::Frame& frame : keyframes) all = s.add(frame, type) && all;
    // With one left out it is no state of everything: its frames still count, but nobody may begin here.
    if (!all) type = format::BlockType::frames;
    return s.write_pending(type, most_bytes) && all;
}

bool Writer::flush() { return state_->usable() && state_->write_pending(format::BlockType::frames); }

bool Writer::finish() {
    State& s = *state_;
    if (s.file < 0) return s.error.empty();
    bool done = flush();
    if (done) {
        const std::uint64_t offset = s.bytes;
        std::string rows;
        for (const IndexRow& row : s.index) {
            format::put_u64(rows, row.offset);
            format::put_u32(rows, static_cast<std::uint32_t>(row.type));
            format::put_u32(rows, row.blocks);
            format::put_u64(rows, row.frames);
            format::put_u64(rows, row.times.first_ns);
            format::put_u64(rows, row.times.last_ns);
        }
        done = s.pack(format::BlockType::index, rows, 0) && s.write_all(s.block) &&
               s.write_all(format::encode_footer({offset, s.bytes + format::footer_size}));
    }
    const int file = std::exchange(s.file, -1);
    if (::close(file) != 0 && errno != EINTR && done) done = s.fail(errno);
    return done;
}

std::int64_t Writer::written_by() const { return state_->written_by; }
const std::string& Writer::error() const { return state_->error; }
std::uint64_t Writer::bytes() const { return state_->bytes; }
std::uint64_t Writer::keyframe_bytes() const { return state_->keyframe_bytes; }
std::uint64_t Writer::last_keyframe_bytes() const { return state_->last_keyframe_bytes; }

}  // namespace coroscope::trace
