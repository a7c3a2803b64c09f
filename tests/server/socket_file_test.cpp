// Whose the socket is: one live agent a path, a dead one's file replaced, nobody else's touched.
#include "agent/server/socket_file.hpp"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>

#include "tests/support/temporary_directory.hpp"

namespace coroscope::server {
namespace {

class SocketFileTest : public testing::Test {
protected:
    // A socket bound at path_, as an agent has it. Closing it leaves the file, as a killed agent does.
    int bind_socket() const {
        const int fd = ::socket(AF_UNIX, SOCK_STREAM, 0);
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::memcpy(address.sun_path, path_.c_str(), path_.size() + 1);
        EXPECT_EQ(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
        EXPECT_EQ(::listen(fd, 1), 0);
        return fd;
    }

    std::string error_of_claim() const {
        try {
            const SocketFile file(path_);
        } catch (const ListenError& error) {
            return error.what();
        }
        return {};
    }

    const test::TemporaryDirectory directory_;
    std::string path_ = directory_.file("a.sock");
};

TEST_F(SocketFileTest, ReplacesWhatADeadAgentLeft) {
    ::close(bind_socket());
    ASSERT_TRUE(std::filesystem::exists(path_));
    const SocketFile file(path_);
    EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(SocketFileTest, RefusesWhereSomebodyListens) {
    const int fd = bind_socket();
    EXPECT_NE(error_of_claim().find("already listening"), std::string::npos);
    EXPECT_TRUE(std::filesystem::exists(path_));
    ::close(fd);
}

TEST_F(SocketFileTest, OfTwoAtOnceOneGetsIt) {
    const SocketFile first(path_);
    EXPECT_NE(error_of_claim().find("already listening"), std::string::npos);
}

TEST_F(SocketFileTest, IsFreeAgainAfterwards) {
    {
        const SocketFile file(path_);
    }
    EXPECT_EQ(error_of_claim(), "");
    EXPECT_TRUE(std::filesystem::is_empty(directory_.path()));
}

TEST_F(SocketFileTest, LeavesOtherFilesAlone) {
    std::ofstream(path_) << "precious";
    EXPECT_NE(error_of_claim().find("not a socket"), std::string::npos);
    EXPECT_EQ(std::filesystem::file_size(path_), 8u);
}

TEST_F(SocketFileTest, RefusesADirectoryThatOthersCanWrite) {
    ::chmod(directory_.path().c_str(), 0777);
    EXPECT_NE(error_of_claim().find("directory of your own"), std::string::npos);
    ::chmod(directory_.path().c_str(), 01777);  // sticky, as /tmp: nobody can remove another's file
    EXPECT_EQ(error_of_claim(), "");
}

TEST_F(SocketFileTest, SaysThatTheDirectoryIsMissing) {
    path_ = directory_.file("no/a.sock");
    EXPECT_NE(error_of_claim().find("create that directory"), std::string::npos);
}

}  // namespace
}  // namespace coroscope::server
