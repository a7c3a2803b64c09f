// Certificates to try TLS with, made by the openssl command.
#pragma once

#include <stdlib.h>

#include <coroscope/net.hpp>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

struct Certificate {
    explicit Certificate(const std::filesystem::path& directory)
        : file((directory / "certificate.pem").string()), key((directory / "key.pem").string()) {}
    std::string file, key;
};

// One for localhost that is signed by itself, made if it is not there.
inline coroscope::Coro<Certificate> certificate_in(std::filesystem::path directory) {
    Certificate certificate(directory);
    if (std::filesystem::exists(certificate.file)) co_return certificate;
    coroscope::ProcessOptions options;
    options.in = coroscope::subprocess::DEVNULL;
    options.err = coroscope::subprocess::PIPE;
    std::vector<std::string> arguments =
        coroscope::args("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
                        "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout", certificate.key,
                        "-out", certificate.file);
    coroscope::Process openssl = co_await coroscope::create_subprocess_exec("openssl", std::move(arguments), options);
    const coroscope::Process::Output output = co_await openssl.communicate();
    if (openssl.returncode() != 0) throw std::runtime_error("openssl cannot make a certificate: " + output.err);
    co_return certificate;
}

class TemporaryDirectory {
public:
    TemporaryDirectory() {
        std::string name = (std::filesystem::temp_directory_path() / "rpc-XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make " + name);
        path = name;
    }
    ~TemporaryDirectory() {
        std::error_code ignored;
        std::filesystem::remove_all(path, ignored);
    }
    TemporaryDirectory(const TemporaryDirectory&) = delete;
    TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;
    std::filesystem::path path;
};
