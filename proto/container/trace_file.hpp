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

inline constexpr std::uint32_t format_major = 1;
inline constexpr std::uint32_t format_minor = 0;

// Writes frames to a file. Every flushed block survives a crash of the writer (not of the machine: no fsync).
// Thread: one at a time. Throws nothing but bad_alloc. Memory: one block, packed and unpacked, and 2.5 MiB of index.
// After a fork() the child's copy writes nothing.
class Writer {
public:
    // Creates or truncates. error() says why not: then every call is a no-op that returns false.
    explicit Writer(const std::string& path);
    ~Writer();  // finish()
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;

    // Buffers; writes a block when 256 KiB are full. False with an empty error(): this frame is too large for any block
    // (see Reader's bounds) and was left out; the writer goes on.
    bool append(const v2::Frame& frame);
    bool append_keyframes(const std::vector<v2::Frame>& keyframes);  // a keyframe block: a place to seek to
    bool flush();                                                    // the buffered frames become a block on disk
    bool finish();                                                   // flush, index, close
    const std::string& error() const;  // empty: all well. "no space left on device (t.cst)" ...
    std::uint64_t bytes() const;       // written so far

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

    // Some consecutive blocks, as the index lists them. Times are of the events in them, 0: none.
    struct Run {
        std::uint64_t offset = 0;  // of its first block, for read()
        bool keyframe = false;     // its first block is a keyframe block: a reader may begin here
        std::uint64_t frames = 0;
        std::uint64_t first_ns = 0, last_ns = 0;
    };

    explicit Reader(const std::string& path);
    ~Reader();
    Reader(Reader&&) noexcept;

    bool ok() const;                   // the header was good
    const std::string& error() const;  // not ok(): why, and what to do
    // Calls `on_frame` for every frame until it returns false. Returns false if the file ended other than by its index;
    // then warning() says how: "cut off after 12 whole blocks (1.4 MB of 1.5 MB used)".
    // Past a damaged block it goes on at the next keyframe block, if the index tells of one.
    // `from`: 0, the beginning, or the offset of a run.
    bool read(const std::function<bool(const v2::Frame&)>& on_frame, std::uint64_t from = 0);
    const std::string& warning() const;
    std::uint64_t size() const;             // of the file in bytes when it was opened
    const std::vector<Run>& index() const;  // empty: the file has none, or a damaged one

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace coroscope::trace
