// ResponseReader: makes a response's head and the parts of its body of the bytes of a connection, as they come. The
// parsing is Boost.Beast's.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "coroscope/http/message.hpp"

namespace coroscope::http {

class ResponseReader {
public:
    // `without_body`: the answer to HEAD.
    ResponseReader(std::size_t most_header_bytes, bool without_body);
    ~ResponseReader();
    ResponseReader(const ResponseReader&) = delete;
    ResponseReader& operator=(const ResponseReader&) = delete;

    // Takes what it can use from the front of `data` and returns how much. Throws ClientError.
    std::size_t feed(std::string_view data);
    void feed_end();  // the connection has ended
    bool begun() const noexcept { return begun_; }
    bool head_done() const noexcept;
    bool done() const noexcept;
    bool keep_alive() const noexcept;
    std::string take_body() noexcept { return std::exchange(body_, std::string()); }  // what has come of it

    int status() const noexcept { return status_; }
    const Headers& headers() const noexcept { return headers_; }

private:
    class Parser;
    void begin();

    const std::size_t most_header_bytes_;
    const bool without_body_;
    int status_ = 0;
    Headers headers_;
    std::string body_;
    bool begun_ = false;
    std::unique_ptr<Parser> parser_;
};

}  // namespace coroscope::http
