// RequestReader: makes a Request of the bytes of a connection, as they come. The parsing is Boost.Beast's.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>

#include "coroscope/http/message.hpp"

namespace coroscope::http {

class RequestReader {
public:
    RequestReader(std::size_t most_header_bytes, std::size_t most_body_bytes);
    ~RequestReader();

    // Takes what it can use from the front of `data` and returns how much; the rest is to be given again with what
    // follows it. Takes nothing past the end of the request. Throws HttpError with the status to answer.
    std::size_t feed(std::string_view data);
    bool head_done() const noexcept;
    bool done() const noexcept;
    bool expects_continue() const noexcept;  // the client waits for "100 Continue" before it sends the body
    // The request, when it is done; then ready for the next one.
    Request take();

private:
    class Parser;
    void begin();
    void check_head() const;

    const std::size_t most_header_bytes_, most_body_bytes_;
    Request request_;
    std::unique_ptr<Parser> parser_;  // from the first byte of a request to its end: an idle connection has none
};

}  // namespace coroscope::http
