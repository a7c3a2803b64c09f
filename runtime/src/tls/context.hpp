// The inside of a TlsContext, and OpenSSL's errors in words.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <mutex>
#include <string>

#include "coroscope/net/tls.hpp"

namespace coroscope::detail {

struct FreeContext {
    void operator()(SSL_CTX* context) const noexcept { ::SSL_CTX_free(context); }
};

struct TlsContextState {
    // Before each connection. The system's authorities are loaded when the process needs them first, and all contexts
    // share them: to load them takes some tens of milliseconds. Any thread.
    void prepare();

    std::unique_ptr<SSL_CTX, FreeContext> context;
    bool is_server = false;
    bool verifies = true;        // a client: the server's certificate
    bool trusts_system = false;  // its certificate authorities, and not others
    std::string protocols;       // ALPN, as on the wire

private:
    std::once_flag prepared_;
};

// The oldest error of this thread's queue in words, and the queue emptied; "" if there is none.
std::string openssl_error();

}  // namespace coroscope::detail
