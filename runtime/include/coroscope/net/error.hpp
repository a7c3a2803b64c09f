// The errors of sockets and streams.
#pragma once

#include <cerrno>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <system_error>

namespace coroscope {

// The connection is gone: reset by the peer, broken pipe, refused, timed out. code() tells which.
class ConnectionError : public std::system_error {
public:
    ConnectionError(int error, const std::string& what) : std::system_error(error, std::generic_category(), what) {}
};

// ssl.SSLError: the handshake failed (certificates, versions), or the peer broke the protocol. what() says what to do.
class TlsError : public ConnectionError {
public:
    explicit TlsError(const std::string& what) : ConnectionError(EPROTO, what) {}
};

// socket.gaierror: a host name could not be resolved. code() is one of EAI_...; 0: none.
class LookupError : public std::runtime_error {
public:
    explicit LookupError(const std::string& what, int code = 0) : std::runtime_error(what), code_(code) {}
    int code() const noexcept { return code_; }

private:
    int code_;
};

// asyncio.IncompleteReadError: the stream ended before what was asked for was complete.
class IncompleteReadError : public std::runtime_error {
public:
    IncompleteReadError(std::string partial, std::size_t expected);  // expected 0: not known
    const std::string& partial() const noexcept { return partial_; }
    std::size_t expected() const noexcept { return expected_; }

private:
    std::string partial_;
    std::size_t expected_;
};

// asyncio.LimitOverrunError: no separator within the reader's limit. What was read stays in the reader's buffer.
class LimitOverrunError : public std::runtime_error {
public:
    explicit LimitOverrunError(std::size_t limit, std::size_t consumed = 0);
    // Bytes at the front of the buffer that are known not to begin the separator: to consume before trying again.
    std::size_t consumed() const noexcept { return consumed_; }

private:
    std::size_t consumed_;
};

}  // namespace coroscope
