// A certificate authority of the test's own: makes certificates, good and bad, in a directory that goes with it.
#pragma once

#include <string>
#include <vector>

#include "coroscope/net/tls.hpp"
#include "tests/support/temporary_directory.hpp"

namespace coroscope::test {

struct CertificateFiles {
    std::string certificate, key;
};

class Authority {
public:
    explicit Authority(const std::string& name = "Test Authority");
    ~Authority();
    Authority(const Authority&) = delete;
    Authority& operator=(const Authority&) = delete;

    const std::string& file() const { return file_; }  // its own certificate, PEM
    // `names`: "DNS:localhost", "IP:127.0.0.1". Valid from `begin` to `end`, in seconds from now.
    CertificateFiles issue(const std::string& common_name, const std::vector<std::string>& names, long begin = -3600,
                           long end = 3600);

private:
    struct State;
    State* state_;
    TemporaryDirectory directory_;
    std::string file_;
    int issued_ = 0;
};

// One for all tests of a program; what it gave localhost; and a server that shows that.
Authority& authority();
const CertificateFiles& localhost();
TlsContext server_context();

}  // namespace coroscope::test
