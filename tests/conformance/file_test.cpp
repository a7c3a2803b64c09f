// Files by the thread pool.
#include "coroscope/file.hpp"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <system_error>

#include "support.hpp"
#include "tests/support/temporary_directory.hpp"

namespace coroscope::test {
namespace {

class FileTest : public testing::Test {
protected:
    std::filesystem::path path(const char* name) const { return directory_.path(name); }
    std::filesystem::path holding(const char* name, const std::string& text) const {
        std::ofstream(path(name)) << text;
        return path(name);
    }
    static std::string content(const std::filesystem::path& path) {
        std::ifstream file(path);
        return {std::istreambuf_iterator<char>(file), {}};
    }

private:
    const TemporaryDirectory directory_;
};

TEST_F(FileTest, AWholeFileIsReadAndWritten) {
    const std::string big(3'000'000, 'x');
    const auto text = run(read_file(holding("in", big)));
    EXPECT_EQ(text, big);
    run(write_file(path("out"), "first, and longer"));
    run(write_file(path("out"), "second"));
    EXPECT_EQ(content(path("out")), "second");
}

TEST_F(FileTest, AFileThatKnowsNoSizeIsReadWhole) {
    EXPECT_NE(run(read_file("/proc/self/status")).find("VmRSS"), std::string::npos);
}

TEST_F(FileTest, ReadGivesAsMuchAsIsAskedForAndNothingAtTheEnd) {
    run([](std::filesystem::path file_path) -> Coro<> {
        File file = co_await File::open(file_path);
        EXPECT_EQ(co_await file.read(4), "abcd");
        EXPECT_EQ(co_await file.read(4), "ef");
        EXPECT_EQ(co_await file.read(4), "");
        co_await file.seek(1);
        EXPECT_EQ(co_await file.read(), "bcdef");
        EXPECT_EQ(co_await file.read(0), "");
        co_await file.aclose();
    }(holding("in", "abcdef")));
}

TEST_F(FileTest, ModesArePythons) {
    const auto path = holding("file", "old");
    run([](std::filesystem::path file_path, std::filesystem::path fresh) -> Coro<> {
        {
            File file = co_await File::open(file_path, "a");
            co_await file.write(" new");
        }
        File both = co_await File::open(file_path, "r+");
        EXPECT_EQ(co_await both.read(), "old new");
        co_await both.seek(0);
        co_await both.write("OLD");
        co_await both.sync();
        EXPECT_EQ(content(file_path), "OLD new");
        File emptied = co_await File::open(file_path, "w+");
        EXPECT_EQ(co_await emptied.read(), "");
        EXPECT_TRUE(co_await thrown<std::system_error>(File::open(file_path, "x")));
        File made = co_await File::open(fresh, "x");
        EXPECT_TRUE(made);
        EXPECT_THROW((void)File::open(file_path, "rb"), std::invalid_argument);
        EXPECT_TRUE(co_await thrown<std::system_error>(made.read()));  // open for writing only
    }(path, this->path("fresh")));
}

TEST_F(FileTest, AnErrorNamesTheFile) {
    const auto missing = path("missing");
    try {
        run(read_file(missing));
        FAIL();
    } catch (const std::system_error& error) {
        EXPECT_EQ(error.code(), std::errc::no_such_file_or_directory);
        EXPECT_NE(std::string(error.what()).find(missing.string()), std::string::npos);
    }
}

TEST_F(FileTest, AClosedFileAndNoFileAreRefused) {
    run([](std::filesystem::path file_path) -> Coro<> {
        File file = co_await File::open(file_path);
        co_await file.aclose();
        co_await file.aclose();
        EXPECT_TRUE(co_await thrown<std::logic_error>(file.read()));
        EXPECT_THROW((void)File().read(), std::logic_error);
    }(holding("in", "text")));
}

Coro<std::string> read_ten(File& file) { co_return co_await file.read(10); }

TEST_F(FileTest, AsyncWithClosesIt) { EXPECT_EQ(run(async_with(File::open(holding("in", "text")), read_ten)), "text"); }

// A pipe that nobody writes to: the read blocks a thread, not the loop; the cancelled task ends at once.
TEST_F(FileTest, ACancelledReadEndsTheWaitAndTheFileOutlivesIt) {
    const auto pipe = path("pipe");
    ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
    run([](std::filesystem::path file_path) -> Coro<> {
        File both = co_await File::open(file_path, "r+");  // on Linux this does not wait for the other end
        Task<std::string> reading = create_task(both.read(1));
        co_await sleep(1ms);
        reading.cancel();
        EXPECT_TRUE(co_await thrown<Cancelled>(awaiting(reading)));
        std::ofstream(file_path) << "x";  // lets the pool's thread end: the read took the byte
    }(pipe));
}

TEST_F(FileTest, OtherTasksRunMeanwhile) {
    run([](std::filesystem::path file_path) -> Coro<> {
        int turns_of_other = 0;
        const auto count = [](int& turns) -> Coro<> {
            for (;;) {
                ++turns;
                co_await yield();
            }
        };
        Task<> other = create_task(count, std::ref(turns_of_other));
        EXPECT_EQ(co_await read_file(file_path), "text");
        EXPECT_GT(turns_of_other, 0);
        other.cancel();
        co_await other.wait();
    }(holding("in", "text")));
}

}  // namespace
}  // namespace coroscope::test
