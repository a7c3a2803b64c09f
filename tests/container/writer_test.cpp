// The writer when things go wrong: no space, a limit, death, fork.
#include "files.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <csignal>

namespace coroscope::trace::test {
namespace {

TEST(WriterFailure, NoSpaceIsToldInWords) {
    Writer writer("/dev/full");
    EXPECT_EQ(writer.error(), "no space left on device (/dev/full)");
    EXPECT_FALSE(writer.append(hello_frame(1)));
    EXPECT_FALSE(writer.append_keyframes({keyframe_frame(1)}));
    EXPECT_FALSE(writer.flush());
    EXPECT_FALSE(writer.finish());
    EXPECT_EQ(writer.bytes(), 0u);
}

TEST(WriterFailure, NoSuchDirectoryIsToldInWords) {
    TemporaryDirectory directory;
    const auto path = directory.file("absent/t.cst");
    Writer writer(path);
    EXPECT_EQ(writer.error(), "no such file or directory (" + path + ")");
    EXPECT_FALSE(writer.append(hello_frame(1)));
    EXPECT_FALSE(writer.finish());
}

// Runs in a child of its own, since the limit would hold for the whole process.
TEST(WriterFailure, FileThatStopsGrowingKeepsItsWholeBlocks) {
    TemporaryDirectory directory;
    const auto path = directory.file("t.cst");
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        std::signal(SIGXFSZ, SIG_IGN);
        const rlimit limit{4096, 4096};
        if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) ::_exit(2);
        Writer writer(path);
        std::mt19937_64 random(1);
        bool wrote = true;
        for (int i = 0; i < 1000 && wrote; ++i) wrote = writer.append(random_frame(random)) && writer.flush();
        const bool said = writer.error() == "file too large (" + path + ")";
        ::_exit(!wrote && said && !writer.finish() ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
    EXPECT_EQ(std::filesystem::file_size(path), 4096u);
    const auto contents = read_all(path);
    EXPECT_TRUE(contents.ok);
    EXPECT_FALSE(contents.frames.empty());
    EXPECT_NE(contents.warning.find("cut off after"), std::string::npos) << contents.warning;
}

TEST(WriterFailure, KilledWriterLosesOnlyWhatItHadNotFlushed) {
    TemporaryDirectory directory;
    const auto path = directory.file("t.cst");
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        Writer writer(path);
        for (std::uint64_t i = 1; i <= 10; ++i) writer.append(batch_frame(1, i)), writer.flush();
        writer.append(batch_frame(1, 11));
        ::raise(SIGKILL);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFSIGNALED(status));
    EXPECT_EQ(read_all(path).frames.size(), 10u);
}

TEST(WriterFailure, ForkedCopyWritesNothing) {
    TemporaryDirectory directory;
    const auto path = directory.file("t.cst");
    Writer writer(path);
    writer.append(batch_frame(1, 1));
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        const bool quiet = !writer.append(batch_frame(1, 2)) && !writer.flush() && !writer.finish();
        ::_exit(quiet ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
    writer.append(batch_frame(1, 3));
    ASSERT_TRUE(writer.finish()) << writer.error();
    const auto contents = read_all(path);
    EXPECT_TRUE(contents.whole) << contents.warning;
    EXPECT_EQ(contents.frames, as_bytes({batch_frame(1, 1), batch_frame(1, 3)}));
}

TEST(WriterFailure, AFileThatAnotherProcessWritesIsLeftAlone) {
    TemporaryDirectory directory;
    const auto path = directory.file("t.cst");
    Writer writer(path);
    ASSERT_TRUE(writer.append(hello_frame(1)));
    ASSERT_TRUE(writer.flush());
    const auto size = std::filesystem::file_size(path);
    const pid_t parent = ::getpid();
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
        Writer second(path);
        const std::string expected =
            "another process (" + std::to_string(parent) + ") is writing this file (" + path + ")";
        ::_exit(second.written_by() == parent && second.error() == expected && !second.append(hello_frame(2)) ? 0 : 1);
    }
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    EXPECT_EQ(std::filesystem::file_size(path), size);
    EXPECT_TRUE(writer.finish());
    EXPECT_EQ(Writer(path).written_by(), 0) << "nobody writes it any more";
}

TEST(WriterFailure, FrameTooLargeIsLeftOutAndTheRestGoesOn) {
    TemporaryDirectory directory;
    const auto path = directory.file("t.cst");
    v2::Frame batch;
    batch.set_batch(std::string(Reader::max_batch + 1, 'b'));
    {
        Writer writer(path);
        EXPECT_TRUE(writer.append(hello_frame(1)));
        EXPECT_FALSE(writer.append(batch));
        EXPECT_FALSE(writer.append_keyframes({keyframe_frame(1), keyframe_frame(2, Reader::max_block)}));
        EXPECT_EQ(writer.error(), "");
        EXPECT_TRUE(writer.append(batch_frame(1, 1)));
        EXPECT_TRUE(writer.finish());
    }
    EXPECT_EQ(read_all(path).frames, as_bytes({hello_frame(1), keyframe_frame(1), batch_frame(1, 1)}));
    Reader reader(path);
    for (const auto& run : reader.runs()) EXPECT_FALSE(run.keyframe) << "not all keyframes are there";
}

TEST(WriterFailure, FullBlocksGoOutWithoutAFlush) {
    TemporaryDirectory directory;
    const auto path = directory.file("t.cst");
    Writer writer(path);
    std::mt19937_64 random(3);
    std::size_t written = 0;
    while (writer.bytes() <= 32) {
        ASSERT_LT(++written, 1000u);
        ASSERT_TRUE(writer.append(random_frame(random)));
    }
    EXPECT_EQ(read_all(path).frames.size(), written);
}

}  // namespace
}  // namespace coroscope::trace::test
