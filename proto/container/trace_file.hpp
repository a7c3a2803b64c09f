// The trace file: a header, then blocks of compressed frames, then an index. Format: proto/container/FORMAT.md.
// Both ends use this: an app that writes its own file, and the agent, viewer and commands.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace coroscope::v1 {
class Frame;
}

namespace coroscope::trace {

inline constexpr std::uint32_t format_major = 1;
inline constexpr std::uint32_t format_minor = 0;

// Writes frames to a file. Every flushed block survives a crash of the writer. Thread: one at a time.
class Writer {
public:
    // Creates or truncates. error() says why not: then every call is a no-op that returns false.
    explicit Writer(const std::string& path);
    ~Writer();  // finish()
    Writer(const Writer&) = delete;
    Writer& operator=(const Writer&) = delete;

    bool append(const v1::Frame& frame);        // buffers; writes a block when 256 KiB are full
    bool append_keyframes(const std::vector<v1::Frame>& keyframes);  // a keyframe block: a place to seek to
    bool flush();                               // the buffered frames become a block on disk
    bool finish();                              // flush, index, close
    const std::string& error() const;           // empty: all well. "no space left on device (t.cst)" ...
    std::uint64_t bytes() const;                // written so far

private:
    struct State;
    std::unique_ptr<State> state_;
};

// Reads a trace file, whole or cut, of any content: every read is bounded, nothing is trusted.
class Reader {
public:
    static constexpr std::uint64_t max_block = 64u << 20;  // bytes, unpacked

    explicit Reader(const std::string& path);
    ~Reader();
    Reader(Reader&&) noexcept;

    bool ok() const;                    // the header was good
    const std::string& error() const;   // not ok(): why, and what to do
    // Calls `on_frame` for every frame until it returns false. Returns false if the file ended other than by its index;
    // then warning() says how: "cut off after 12 whole blocks (1.4 MB of 1.5 MB used)".
    bool read(const std::function<bool(const v1::Frame&)>& on_frame);
    const std::string& warning() const;
    std::uint64_t size() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace coroscope::trace
