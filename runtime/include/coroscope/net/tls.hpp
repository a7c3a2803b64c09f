// TLS by OpenSSL, for the same streams: what asyncio does with ssl=. Link coroscope_tls.
//
//     Connection c = co_await open_tls_connection("example.com", 443);        // verified against the system's CAs
//     TlsContext context = TlsContext::server("cert.pem", "key.pem");
//     Server server = co_await start_tls_server(handle, "localhost", 8443, context);
//
// A client verifies the server's certificate and its name; a certificate that does not hold is a TlsError before any
// byte of yours is sent. TLS 1.2 is the least; no renegotiation. The end of the stream is the peer's close_notify: a
// connection that ends without one was cut off, which is a TlsError at the read. close() sends ours. write_eof() sends
// it too and reading goes on. Cancellation points: what is a Coro. Thread: the loop's; a TlsContext may be shared by
// threads once it is set up.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "coroscope/net/server.hpp"
#include "coroscope/net/stream.hpp"

namespace coroscope {

namespace detail {
struct TlsContextState;
}

enum class TlsVersion { tls_1_2, tls_1_3 };

// Certificates, what is trusted, and how to speak; for many connections. Copies share it. Its functions throw TlsError
// that says which file, and what is wrong with it.
class TlsContext {
public:
    static TlsContext client();  // verifies the server against the system's certificate authorities
    // PEM files: the certificate followed by those that signed it, and its key.
    static TlsContext server(const std::string& certificate_file, const std::string& key_file);

    // Trusts the authorities in this PEM file, and no others.
    TlsContext& trust(const std::string& ca_file);
    // A client's own certificate.
    TlsContext& certificate(const std::string& certificate_file, const std::string& key_file);
    // A server lets only those in who show a certificate signed by an authority in this PEM file.
    TlsContext& require_client_certificate(const std::string& ca_file);
    // Protocols in order of preference: "h2, http/1.1". Without one in common the handshake fails.
    TlsContext& alpn(std::string_view protocols);
    TlsContext& minimum_version(TlsVersion version);
    // Takes any certificate from anybody: whoever sits in between reads and changes everything. For tests only.
    TlsContext& disable_verification_and_accept_anybody();

    detail::TlsContextState& state() const noexcept { return *state_; }

private:
    explicit TlsContext(std::shared_ptr<detail::TlsContextState> state) : state_(std::move(state)) {}
    std::shared_ptr<detail::TlsContextState> state_;
};

inline constexpr std::chrono::seconds tls_handshake_timeout{60};  // as asyncio's

// Throw as open_connection(), and TlsError (also for a handshake that takes too long). The host's name is what the
// certificate must be for.
Coro<Connection> open_tls_connection(std::string host, std::uint16_t port, TlsContext context = TlsContext::client(),
                                     StreamOptions options = {});
Coro<Server> start_tls_server(ConnectionHandler handler, std::string host, std::uint16_t port, TlsContext context,
                              ServerOptions options = {});
// A handler that speaks TLS first, for start_server() and its kin. A client whose handshake fails never reaches it.
ConnectionHandler tls_handler(ConnectionHandler handler, TlsContext context,
                              std::chrono::nanoseconds handshake_timeout = tls_handshake_timeout);

// Upgrades an open connection (STARTTLS). What was read ahead belongs to the handshake.
Coro<> start_tls_as_client(StreamWriter& writer, TlsContext context, std::string server_name,
                           std::chrono::nanoseconds handshake_timeout = tls_handshake_timeout);
Coro<> start_tls_as_server(StreamWriter& writer, TlsContext context,
                           std::chrono::nanoseconds handshake_timeout = tls_handshake_timeout);

// What was agreed on.
class TlsInfo {
public:
    TlsInfo() {}
    std::string version;       // "TLSv1.3"
    std::string cipher;        // "TLS_AES_256_GCM_SHA384"
    std::string alpn;          // ""; none
    std::string peer_subject;  // of its certificate: "CN=example.com"; "": it showed none
};
std::optional<TlsInfo> tls_info(const StreamWriter& writer);  // nothing: the connection speaks no TLS

}  // namespace coroscope
