#include "context.hpp"

#include <openssl/err.h>
#include <openssl/x509.h>

#include <algorithm>
#include <stdexcept>

namespace coroscope {

namespace detail {

std::string openssl_error() {
    const unsigned long code = ::ERR_get_error();
    ::ERR_clear_error();
    if (code == 0) return "";
    if (const char* reason = ::ERR_reason_error_string(code)) return reason;
    char text[256];
    ::ERR_error_string_n(code, text, sizeof text);
    return text;
}

namespace {

std::shared_ptr<TlsContextState> new_context(bool is_server) {
    auto state = std::make_shared<TlsContextState>();
    state->is_server = is_server;
    state->context.reset(::SSL_CTX_new(is_server ? ::TLS_server_method() : ::TLS_client_method()));
    if (!state->context) throw TlsError("TLS cannot be used: " + openssl_error());
    SSL_CTX* context = state->context.get();
    ::SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
    ::SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    ::SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);  // an idle connection holds none
    return state;
}

void load_certificate(SSL_CTX* context, const std::string& certificate_file, const std::string& key_file) {
    ::ERR_clear_error();
    if (::SSL_CTX_use_certificate_chain_file(context, certificate_file.c_str()) != 1)
        throw TlsError("cannot use the certificate in " + certificate_file + ": " + openssl_error() +
                       "; it must be a PEM file");
    if (::SSL_CTX_use_PrivateKey_file(context, key_file.c_str(), SSL_FILETYPE_PEM) != 1)
        throw TlsError("cannot use the key in " + key_file + ": " + openssl_error() +
                       "; it must be a PEM file without a passphrase, of the key of " + certificate_file);
}

void load_authorities(TlsContextState& state, const std::string& ca_file) {
    SSL_CTX* const context = state.context.get();
    state.trusts_system = false;
    ::ERR_clear_error();
    X509_STORE* store = ::X509_STORE_new();
    ::SSL_CTX_set_cert_store(context, store);  // owns it; instead of the system's
    if (::SSL_CTX_load_verify_locations(context, ca_file.c_str(), nullptr) != 1)
        throw TlsError("cannot use the certificate authorities in " + ca_file + ": " + openssl_error() +
                       "; it must be a PEM file");
}

int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* chosen_size, const unsigned char* offered,
                    unsigned int offered_size, void* argument) {
    const std::string& ours = *static_cast<const std::string*>(argument);
    unsigned char* found = nullptr;
    const int result = ::SSL_select_next_proto(&found, chosen_size, reinterpret_cast<const unsigned char*>(ours.data()),
                                               static_cast<unsigned int>(ours.size()), offered, offered_size);
    *chosen = found;
    return result == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

// Never freed: threads may use it while the process ends.
X509_STORE* system_authorities() {
    static X509_STORE* const store = [] {
        X509_STORE* const loaded = ::X509_STORE_new();
        if (loaded != nullptr) ::X509_STORE_set_default_paths(loaded);
        return loaded;
    }();
    return store;
}

}  // namespace

void TlsContextState::prepare() {
    std::call_once(prepared_, [this] {
        if (!trusts_system || !verifies) return;
        if (X509_STORE* const store = system_authorities()) ::SSL_CTX_set1_cert_store(context.get(), store);
    });
}

}  // namespace detail

TlsContext TlsContext::client() {
    TlsContext client(detail::new_context(false));
    SSL_CTX* context = client.state().context.get();
    ::SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
    client.state().trusts_system = true;
    return client;
}

TlsContext TlsContext::server(const std::string& certificate_file, const std::string& key_file) {
    TlsContext server(detail::new_context(true));
    detail::load_certificate(server.state().context.get(), certificate_file, key_file);
    static const unsigned char name[] = "coroscope";  // sessions are resumed within one server only
    ::SSL_CTX_set_session_id_context(server.state().context.get(), name, sizeof name - 1);
    return server;
}

TlsContext& TlsContext::trust(const std::string& ca_file) {
    detail::load_authorities(*state_, ca_file);
    return *this;
}

TlsContext& TlsContext::certificate(const std::string& certificate_file, const std::string& key_file) {
    detail::load_certificate(state_->context.get(), certificate_file, key_file);
    return *this;
}

TlsContext& TlsContext::require_client_certificate(const std::string& ca_file) {
    detail::load_authorities(*state_, ca_file);
    ::SSL_CTX_set_verify(state_->context.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    ::SSL_CTX_set_client_CA_list(state_->context.get(), ::SSL_load_client_CA_file(ca_file.c_str()));
    return *this;
}

TlsContext& TlsContext::alpn(std::string_view protocols) {
    std::string wire;
    while (!protocols.empty()) {
        const std::size_t comma = std::min(protocols.find(','), protocols.size());
        std::string_view protocol = protocols.substr(0, comma);
        protocols.remove_prefix(std::min(comma + 1, protocols.size()));
        while (protocol.starts_with(' ')) protocol.remove_prefix(1);
        while (protocol.ends_with(' ')) protocol.remove_suffix(1);
        if (protocol.empty() || protocol.size() > 255)
            throw std::invalid_argument("TlsContext::alpn: a protocol's name has 1 to 255 bytes");
        wire += static_cast<char>(static_cast<unsigned char>(protocol.size()));
        wire += protocol;
    }
    state_->protocols = wire;
    SSL_CTX* context = state_->context.get();
    ::SSL_CTX_set_alpn_protos(context, reinterpret_cast<const unsigned char*>(wire.data()),
                              static_cast<unsigned int>(wire.size()));
    if (state_->is_server) ::SSL_CTX_set_alpn_select_cb(context, detail::choose_protocol, &state_->protocols);
    return *this;
}

TlsContext& TlsContext::minimum_version(TlsVersion version) {
    ::SSL_CTX_set_min_proto_version(state_->context.get(),
                                    version == TlsVersion::tls_1_3 ? TLS1_3_VERSION : TLS1_2_VERSION);
    return *this;
}

TlsContext& TlsContext::disable_verification_and_accept_anybody() {
    state_->verifies = false;
    ::SSL_CTX_set_verify(state_->context.get(), SSL_VERIFY_NONE, nullptr);
    return *this;
}

}  // namespace coroscope
