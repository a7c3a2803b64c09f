// The bytes of a response.
#pragma once

#include <string>

#include "coroscope/http/message.hpp"

namespace coroscope::http {

class Framing {
public:
    Framing() noexcept {}
    bool keep_alive = true;
    bool without_body = false;  // the answer to HEAD: the header says how long it would be
    int version = 11;           // of the request
};

// Appends to `out`. Content-Length, Date, Server and Connection are added; those that the handler set itself are left
// out, except Server, and except "Connection: close", which the caller must have turned into the framing.
void serialize(const Response& response, const Framing& framing, std::string& out);

}  // namespace coroscope::http
