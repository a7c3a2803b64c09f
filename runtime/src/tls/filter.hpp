// One connection's TLS: OpenSSL between two memory buffers, so that it never touches the socket. Thread: the loop's.
#pragma once

#include <memory>
#include <string>

#include "context.hpp"

namespace coroscope::detail {

struct FreeSsl {
    void operator()(SSL* ssl) const noexcept { ::SSL_free(ssl); }
};

class TlsFilter final : public StreamFilter {
public:
    // `server_name`: for a client, the name that the certificate must be for.
    TlsFilter(const TlsContext& context, const std::string& server_name);

    // A step of the handshake. True: it is done. False: it needs more from the peer. Throws TlsError.
    bool handshake(StreamState& stream);
    // Feeds it with bytes from the peer.
    void feed(std::string_view bytes);

    IoResult receive(StreamState& stream) override;
    void write(StreamState& stream, std::span<const std::byte> data) override;
    void end_of_writing(StreamState& stream) noexcept override;
    std::string error() const override { return error_; }
    TlsInfo info() const;
    void fail(std::string why) { error_ = std::move(why); }

private:
    void send_output(StreamState& stream);
    std::size_t decrypt_into(ByteBuffer& in);  // what is there
    std::string handshake_error() const;

    const TlsContext context_;  // keeps OpenSSL's alive
    std::unique_ptr<SSL, FreeSsl> ssl_;
    BIO* from_peer_ = nullptr;  // ssl_'s
    BIO* to_peer_ = nullptr;
    std::string error_;
    bool ended_ = false;  // the peer's close_notify has come
};

}  // namespace coroscope::detail
