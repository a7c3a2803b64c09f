#include "filter.hpp"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <climits>
#include <new>

namespace coroscope::detail {

// BIO_ctrl() instead of OpenSSL's macros for it: those are C casts.
namespace {

bool is_numeric(const std::string& host) {
    in6_addr buffer;
    return ::inet_pton(AF_INET, host.c_str(), &buffer) == 1 || ::inet_pton(AF_INET6, host.c_str(), &buffer) == 1;
}

// What the user can do about it.
const char* hint(long verify_error) {
    switch (verify_error) {
        case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
        case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
        case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
            return "; if you know who signed it, give their certificate to TlsContext::trust()";
        case X509_V_ERR_CERT_HAS_EXPIRED: return "; the server needs a new certificate, or the clock here is wrong";
        case X509_V_ERR_CERT_NOT_YET_VALID: return "; is the clock here right?";
        case X509_V_ERR_HOSTNAME_MISMATCH:
        case X509_V_ERR_IP_ADDRESS_MISMATCH: return "; connect by a name that the certificate is for";
        default: return "";
    }
}

}  // namespace

TlsFilter::TlsFilter(const TlsContext& context, const std::string& server_name) : context_(context) {
    context.state().prepare();
    ssl_.reset(::SSL_new(context.state().context.get()));
    if (!ssl_) throw TlsError("TLS cannot be used: " + openssl_error());
    from_peer_ = ::BIO_new(::BIO_s_mem());
    to_peer_ = ::BIO_new(::BIO_s_mem());
    ::SSL_set_bio(ssl_.get(), from_peer_, to_peer_);
    ::BIO_ctrl(from_peer_, BIO_C_SET_BUF_MEM_EOF_RETURN, -1, nullptr);  // empty means "not yet"
    if (context.state().is_server) {
        ::SSL_set_accept_state(ssl_.get());
        return;
    }
    ::SSL_set_connect_state(ssl_.get());
    if (is_numeric(server_name)) {
        ::X509_VERIFY_PARAM_set1_ip_asc(::SSL_get0_param(ssl_.get()), server_name.c_str());
    } else {
        ::SSL_ctrl(ssl_.get(), SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                   const_cast<char*>(server_name.c_str()));
        ::SSL_set_hostflags(ssl_.get(), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
        ::SSL_set1_host(ssl_.get(), server_name.c_str());
    }
}

void TlsFilter::feed(std::string_view bytes) {
    while (!bytes.empty()) {
        const int count =
            ::BIO_write(from_peer_, bytes.data(), static_cast<int>(std::min<std::size_t>(bytes.size(), INT_MAX)));
        if (count <= 0) throw std::bad_alloc();
        bytes.remove_prefix(static_cast<std::size_t>(count));
    }
}

void TlsFilter::send_output(StreamState& stream) {
    char* data = nullptr;
    const long size = ::BIO_ctrl(to_peer_, BIO_CTRL_INFO, 0, &data);
    if (size <= 0) return;
    stream.write_raw(std::as_bytes(std::span(data, static_cast<std::size_t>(size))));
    ::BIO_ctrl(to_peer_, BIO_CTRL_RESET, 0, nullptr);
}

std::string TlsFilter::handshake_error() const {
    const long verified = ::SSL_get_verify_result(ssl_.get());
    const std::string reason = openssl_error();
    if (verified != X509_V_OK && reason.find("verify failed") != std::string::npos)
        return "the TLS handshake failed: certificate verify failed: " +
               std::string(::X509_verify_cert_error_string(verified)) + hint(verified);
    std::string text = "the TLS handshake failed: " + (reason.empty() ? "protocol error" : reason);
    if (reason == "wrong version number") text += "; does the other side speak TLS on this port?";
    return text;
}

bool TlsFilter::handshake(StreamState& stream) {
    ::ERR_clear_error();
    const int result = ::SSL_do_handshake(ssl_.get());
    if (result == 1) {
        send_output(stream);
        return true;
    }
    const int kind = ::SSL_get_error(ssl_.get(), result);
    const std::string why = kind == SSL_ERROR_WANT_READ ? "" : handshake_error();
    send_output(stream);  // also the alert that tells the peer why
    if (why.empty()) return false;
    fail(why);
    throw TlsError(stream.name() + ": " + why);
}

std::size_t TlsFilter::decrypt_into(ByteBuffer& in) {
    std::size_t total = 0;
    std::array<char, 16 * 1024> plain;
    for (;;) {
        ::ERR_clear_error();
        const int count = ::SSL_read(ssl_.get(), plain.data(), static_cast<int>(plain.size()));
        if (count > 0) {
            in.append(std::string_view(plain.data(), static_cast<std::size_t>(count)));
            total += static_cast<std::size_t>(count);
            continue;
        }
        const int kind = ::SSL_get_error(ssl_.get(), count);
        if (kind == SSL_ERROR_ZERO_RETURN) {
            ended_ = true;
        } else if (kind != SSL_ERROR_WANT_READ) {
            const std::string reason = openssl_error();
            fail("the peer broke the TLS protocol: " + (reason.empty() ? "unknown error" : reason));
        }
        return total;
    }
}

IoResult TlsFilter::receive(StreamState& stream) {
    thread_local std::array<std::byte, 64 * 1024> scratch;  // as in StreamState::receive()
    for (;;) {
        const std::size_t count = ended_ ? 0 : decrypt_into(stream.in);
        send_output(stream);
        if (count > 0) return {IoResult::Kind::done, count, 0};
        if (ended_) {
            stream.eof = true;
            return {IoResult::Kind::done, 0, 0};
        }
        if (!error_.empty()) return stream.ended_with({IoResult::Kind::failed, 0, EPROTO});
        const IoResult result = stream.try_recv(scratch);
        if (result.kind == IoResult::Kind::would_block) return result;
        if (result.kind != IoResult::Kind::done) return stream.ended_with(result);
        if (result.count == 0) {
            fail("it ended without TLS's close_notify: something may be missing");
            return stream.ended_with({IoResult::Kind::failed, 0, EPROTO});
        }
        feed(std::string_view(reinterpret_cast<const char*>(scratch.data()), result.count));
    }
}

void TlsFilter::write(StreamState& stream, std::span<const std::byte> data) {
    while (!data.empty() && stream.is_open()) {
        ::ERR_clear_error();
        const int size = static_cast<int>(std::min<std::size_t>(data.size(), 1 << 20));
        const int count = ::SSL_write(ssl_.get(), data.data(), size);
        if (count <= 0) {
            fail("cannot encrypt: " + openssl_error());
            return stream.lose(EPROTO);
        }
        data = data.subspan(static_cast<std::size_t>(count));
        send_output(stream);
    }
}

void TlsFilter::end_of_writing(StreamState& stream) noexcept {
    if (!error_.empty() || ::SSL_in_init(ssl_.get()) != 0) return;
    ::ERR_clear_error();
    ::SSL_shutdown(ssl_.get());
    try {
        send_output(stream);
    } catch (...) {  // out of memory: the peer sees a connection cut off
    }
}

TlsInfo TlsFilter::info() const {
    TlsInfo info;
    info.version = ::SSL_get_version(ssl_.get());
    info.cipher = ::SSL_get_cipher_name(ssl_.get());
    const unsigned char* protocol = nullptr;
    unsigned int size = 0;
    ::SSL_get0_alpn_selected(ssl_.get(), &protocol, &size);
    if (protocol != nullptr) info.alpn.assign(reinterpret_cast<const char*>(protocol), size);
    const X509* certificate = ::SSL_get0_peer_certificate(ssl_.get());
    if (certificate == nullptr) return info;
    BIO* text = ::BIO_new(::BIO_s_mem());
    ::X509_NAME_print_ex(text, ::X509_get_subject_name(certificate), 0, XN_FLAG_RFC2253);
    char* data = nullptr;
    const long length = ::BIO_ctrl(text, BIO_CTRL_INFO, 0, &data);
    info.peer_subject.assign(data, static_cast<std::size_t>(length));
    ::BIO_free(text);
    return info;
}

}  // namespace coroscope::detail
