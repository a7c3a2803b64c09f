// What standby is made of: where the socket is, how texts become JSON, memory that is gone. The whole of it is tried
// with processes in tests/e2e/attach_test.cpp.
#include "runtime/src/probe/standby.hpp"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <array>

#include "proto/address/app_sockets.hpp"
#include "runtime/src/probe/copy_memory.hpp"
#include "runtime/src/probe/json.hpp"

namespace coroscope::probe {
namespace {

TEST(Standby, ListensInAFolderOfTheUsersOwn) {
    EXPECT_EQ(app_sockets_folder("/run/user/7", 7), "/run/user/7/coroscope-apps");
    EXPECT_EQ(app_sockets_folder(nullptr, 7), "/tmp/coroscope-7-apps");
    EXPECT_EQ(app_sockets_folder("relative", 7), "/tmp/coroscope-7-apps");
    EXPECT_EQ(app_socket("/run/x", 12), "/run/x/12.sock");
}

TEST(Standby, AnyTextIsOneJsonString) {
    EXPECT_EQ(json_text("a \"b\" \\ \n\t\x01"), R"("a \"b\" \\ \u000a\u0009\u0001")");
    EXPECT_EQ(json_text("\xff"), "\"\xef\xbf\xbd\"");
}

TEST(CopyMemory, EndsWhereMemoryEnds) {
    constexpr std::size_t page = 4096;
    auto* pages =
        static_cast<char*>(::mmap(nullptr, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    ASSERT_NE(pages, MAP_FAILED);
    pages[page - 1] = 'x';
    ASSERT_EQ(::munmap(pages + page, page), 0);
    std::array<char, 2 * page> copy{};
    EXPECT_EQ(copy_memory(copy.data(), reinterpret_cast<std::uintptr_t>(pages), copy.size()), page);
    EXPECT_EQ(copy[page - 1], 'x');
    EXPECT_EQ(copy_memory(copy.data(), reinterpret_cast<std::uintptr_t>(pages + page), 8), 0u);
    EXPECT_EQ(copy_memory(copy.data(), 0, 8), 0u);
    ::munmap(pages, page);
}

}  // namespace
}  // namespace coroscope::probe
