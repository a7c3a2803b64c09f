// The trace file: a header, then blocks of compressed frames, then an index. Format: proto/container/FORMAT.md.
// Both ends use this: an app that writes its own file, and the agent, viewer and commands.
//
//     trace::Writer writer("t.cst");
//     writer.append(hello);
//     writer.append(batch);
//     if (!writer.finish()) std::cerr << writer.error() << '\n';
//
//     trace::Reader reader("t.cst");
//     if (!reader.ok()) return fail(reader.error());
//     if (!reader.read([&](const v2::Frame& frame) { return session.apply(frame), true; })) warn(reader.warning());
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace coroscope::v2 {
class Frame;
}

namespace coroscope::trace {

inline constexpr std::uint32_t format_major = 2;
inline constexpr std::uint32_t format_minor = 0;

// Writes frames to a file. Every flushed block survives a crash of the writer (not of the machine: no fsync).
// Thread: one at a time. Throws nothing but bad_alloc. Memory: one block, packed and unpacked, and 2.5 MiB of index.
// After a fork() the child's copy writes nothing.
class Writer {
public:
    // Creates or truncates, but not what another Writer, of any process, writes at the time. error() says why not: then
    // every call is a no-op that returns false.
    explicit Writer(const std::string& path);
    ~Writer();  // finish()
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;

    // Buffers; writes a block when 256 KiB are full. False with an empty error(): this frame is too large for any block
    // (see Reader's bounds) and was left out; the writer goes on.
    bool append(const v2::Frame& frame);
    // A keyframe block, a place to seek to: the states of all apps here. Not written, false and an empty error(): it
    // would take more than `most_bytes` of the file, or a keyframe is too large for any block.
    bool append_keyframes(const std::vector<v2::Frame>& keyframes, std::uint64_t most_bytes = ~std::uint64_t{0});
    bool flush();                               // the buffered frames become a block on disk
    bool finish();                              // flush, index, close
    const std::string& error() const;           // empty: all well. "no space left on device (t.cst)" ...
    std::int64_t written_by() const;            // the process that writes this file, which is the error; 0: none does
    std::uint64_t bytes() const;                // written so far
    std::uint64_t keyframe_bytes() const;       // of them, in keyframe blocks
    std::uint64_t last_keyframe_bytes() const;  // of the file that the last keyframes take, or would have taken

private:
    struct State;
    std::unique_ptr<State> state_;
};

// Reads a trace file, whole or cut, of any content: every read is bounded, nothing is trusted.
// A file that is still being written is read up to its last whole block. Thread: one at a time.
class Reader {
public:
    static constexpr std::uint64_t max_block = 64u << 20;  // bytes, unpacked
    static constexpr std::uint64_t max_batch = 16u << 20;  // bytes of one serialised Batch
    static constexpr std::uint64_t max_note = 1u << 20;    // bytes of one Hello or Disconnected

    // Some consecutive blocks. Times are of the batches in them, 0: none, or the file has no index.
    struct Run {
        std::uint64_t offset = 0;  // of its first block
        bool keyframe = false;     // its first block is a keyframe block: a reader may begin here
        std::uint64_t frames = 0;
        std::uint64_t first_ns = 0, last_ns = 0;
    };

    explicit Reader(const std::string& path);
    ~Reader();
    Reader(Reader&&) noexcept;

    bool ok() const;                   // the header was good
    const std::string& error() const;  // not ok(): why, and what to do
    // Calls `on_frame` for every frame until it returns false. Keyframe blocks say nothing new and are left out, but
    // for the first one after a damaged block. Returns false if not all of the file was used; then warning() says how:
    // "cut off after 12 whole blocks (1.4 MB of 1.5 MB used)". A damaged block costs its own frames only.
    bool read(const std::function<bool(const v2::Frame&)>& on_frame);
    const std::string& warning() const;
    std::uint64_t size() const;  // of the file in bytes when it was opened
    bool has_index() const;      // a sound one

    // For seeking: all of the file as runs. From its index, or by a walk over its blocks where it has none.
    const std::vector<Run>& runs();
    // Calls `on_frame` for every frame of one run, keyframe blocks included, until it returns false. False: damaged,
    // and some frames are missing.
    bool read_run(std::size_t run, const std::function<bool(const v2::Frame&, bool in_keyframe_block)>& on_frame);

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace coroscope::trace
