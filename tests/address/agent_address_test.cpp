// Addresses: what is read, what is refused, and that the refusal says what to do.
#include "proto/address/agent_address.hpp"

#include <gtest/gtest.h>

namespace coroscope {
namespace {

std::string refusal_of(const std::string& text) {
    try {
        require_listenable(AgentAddress::parse(text));
    } catch (const AddressError& error) {
        return error.what();
    }
    return {};
}

TEST(AgentAddress, ReadsUnixAndTcp) {
    EXPECT_EQ(AgentAddress::parse("unix:/run/a.sock").path, "/run/a.sock");
    EXPECT_EQ(AgentAddress::parse("unix:///run/a.sock").path, "/run/a.sock");
    const AgentAddress tcp = AgentAddress::parse("[::1]:6670");
    EXPECT_EQ(tcp.host, "::1");
    EXPECT_EQ(tcp.port, 6670);
    EXPECT_EQ(tcp.text(), "[::1]:6670");
    EXPECT_EQ(AgentAddress::parse(":6670").text(), "localhost:6670");
}

TEST(AgentAddress, RefusesNonsenseAndSaysWhatToWrite) {
    for (const char* text : {"", "x", "unix:", "host:", "host:port", "host:99999", "::1:80", "host:-1"}) {
        EXPECT_FALSE(refusal_of(text).empty()) << text;
    }
    EXPECT_NE(refusal_of("x").find("unix:PATH or HOST:PORT"), std::string::npos);
    EXPECT_NE(refusal_of("unix:/" + std::string(200, 'x')).find("shorter"), std::string::npos);
}

TEST(AgentAddress, ListensOnThisMachineOnly) {
    for (const char* text : {"localhost:0", "127.0.0.1:1", "127.1.2.3:1", "[::1]:1", "unix:/x"}) {
        EXPECT_EQ(refusal_of(text), "") << text;
    }
    for (const char* text : {"0.0.0.0:1", "[::]:1", "192.168.1.2:1", "example.org:1", "127.evil.example:1"}) {
        EXPECT_NE(refusal_of(text).find("refusing to listen"), std::string::npos) << text;
    }
}

TEST(AgentAddress, TellsAddressesFromFiles) {
    for (const char* text : {"unix:/a", "localhost:1", "[::1]:1"}) EXPECT_TRUE(looks_like_address(text)) << text;
    for (const char* text : {"t.cst", "./a:1", "/tmp/x:80", "a:b"}) EXPECT_FALSE(looks_like_address(text)) << text;
}

}  // namespace
}  // namespace coroscope
