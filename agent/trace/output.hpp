// Where an export goes: a file, a pipe or a string, through a fixed buffer. A document is never whole in memory.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace coroscope::trace {

// Thread: one at a time. After the first failure writes are no-ops and error() says why.
class Output {
public:
    explicit Output(std::string& target) : target_(&target) {}  // in memory: for tests and small things
    Output(int file, std::string name) : file_(file), name_(std::move(name)) {}  // does not close it
    ~Output() { flush(); }
    Output(const Output&) = delete;
    Output& operator=(const Output&) = delete;

    Output& operator<<(std::string_view text) {
        buffer_ += text;
        if (buffer_.size() >= buffer_bytes) flush();
        return *this;
    }
    Output& operator<<(char c) { return *this << std::string_view{&c, 1}; }
    Output& operator<<(std::uint64_t number);

    bool flush();
    const std::string& error() const { return error_; }  // "no space left on device (t.json)"; empty: all well

private:
    static constexpr std::size_t buffer_bytes = 64u << 10;
    std::string* target_ = nullptr;
    int file_ = -1;
    std::string name_, buffer_, error_;
};

}  // namespace coroscope::trace
