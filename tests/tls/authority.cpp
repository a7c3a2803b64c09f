#include "authority.hpp"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <cstdlib>
#include <stdexcept>

namespace coroscope::test {

struct Authority::State {
    EVP_PKEY* key = nullptr;
    X509* certificate = nullptr;
};

namespace {

EVP_PKEY* new_key() { return ::EVP_EC_gen("P-256"); }

X509* new_certificate(const std::string& common_name, EVP_PKEY* key, long serial, long begin, long end) {
    X509* certificate = ::X509_new();
    ::X509_set_version(certificate, 2);
    ::ASN1_INTEGER_set(::X509_get_serialNumber(certificate), serial);
    ::X509_gmtime_adj(::X509_getm_notBefore(certificate), begin);
    ::X509_gmtime_adj(::X509_getm_notAfter(certificate), end);
    ::X509_set_pubkey(certificate, key);
    ::X509_NAME_add_entry_by_txt(::X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                                 reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1, 0);
    return certificate;
}

void add_extension(X509* certificate, X509* issuer, int kind, const std::string& value) {
    X509V3_CTX context;
    ::X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    X509_EXTENSION* extension = ::X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
    if (extension == nullptr) throw std::runtime_error("bad extension " + value);
    ::X509_add_ext(certificate, extension, -1);
    ::X509_EXTENSION_free(extension);
}

template <class Write>
void write_pem(const std::string& path, Write write) {
    std::FILE* file = std::fopen(path.c_str(), "w");
    if (file == nullptr || write(file) != 1) throw std::runtime_error("cannot write " + path);
    std::fclose(file);
}

}  // namespace

Authority::Authority(const std::string& name) : state_(new State) {
    file_ = directory_.file("ca.pem");
    state_->key = new_key();
    state_->certificate = new_certificate(name, state_->key, 1, -7200, 7200);
    X509* certificate = state_->certificate;
    ::X509_set_issuer_name(certificate, ::X509_get_subject_name(certificate));
    add_extension(certificate, certificate, NID_basic_constraints, "critical,CA:TRUE");
    add_extension(certificate, certificate, NID_key_usage, "critical,keyCertSign,cRLSign");
    add_extension(certificate, certificate, NID_subject_key_identifier, "hash");
    ::X509_sign(certificate, state_->key, ::EVP_sha256());
    write_pem(file_, [&](std::FILE* file) { return ::PEM_write_X509(file, certificate); });
}

Authority::~Authority() {
    ::X509_free(state_->certificate);
    ::EVP_PKEY_free(state_->key);
    delete state_;
}

CertificateFiles Authority::issue(const std::string& common_name, const std::vector<std::string>& names, long begin,
                                  long end) {
    const std::string base = directory_.file(std::to_string(++issued_));
    EVP_PKEY* key = new_key();
    X509* certificate = new_certificate(common_name, key, 1000 + issued_, begin, end);
    ::X509_set_issuer_name(certificate, ::X509_get_subject_name(state_->certificate));
    add_extension(certificate, state_->certificate, NID_authority_key_identifier, "keyid");
    std::string all;
    for (const std::string& name : names) all += (all.empty() ? "" : ",") + name;
    if (!all.empty()) add_extension(certificate, state_->certificate, NID_subject_alt_name, all);
    ::X509_sign(certificate, state_->key, ::EVP_sha256());
    write_pem(base + ".pem", [&](std::FILE* file) { return ::PEM_write_X509(file, certificate); });
    write_pem(base + ".key", [&](std::FILE* file) {
        return ::PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr);
    });
    ::X509_free(certificate);
    ::EVP_PKEY_free(key);
    return {base + ".pem", base + ".key"};
}

Authority& authority() {
    static Authority one;
    return one;
}

const CertificateFiles& localhost() {
    static const CertificateFiles files = authority().issue("localhost", {"DNS:localhost", "IP:127.0.0.1"});
    return files;
}

TlsContext server_context() { return TlsContext::server(localhost().certificate, localhost().key); }

}  // namespace coroscope::test
