// The inside of a TlsContext, and OpenSSL's errors in words.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>

#include "coroscope/net/tls.hpp"

namespace coroscope::detail {

struct FreeContext {
    void operator()(SSL_CTX* context) const noexcept { ::SSL_CTX_free(context); }
};

struct TlsContextState {
    std::unique_ptr<SSL_CTX, FreeContext> context;
    bool is_server = false;
    bool verifies = true;   // a client: the server's certificate
    std::string protocols;  // ALPN, as on the wire
};

// The oldest error of this thread's queue in words, and the queue emptied; "" if there is none.
std::string openssl_error();

}  // namespace coroscope::detail
