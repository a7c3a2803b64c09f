// What is written is read: any frames, in order, with any flushing; and the index leads to the keyframes.
#include "files.hpp"

#include <gtest/gtest.h>

namespace coroscope::trace::test {
namespace {

TEST(RoundTrip, EmptyTraceIsWholeAndHasNoFrames) {
    TemporaryDirectory directory;
    const auto path = directory.file("t.cst");
    Writer writer(path);
    ASSERT_TRUE(writer.finish()) << writer.error();
    EXPECT_EQ(writer.bytes(), std::filesystem::file_size(path));
    const auto contents = read_all(path);
    EXPECT_TRUE(contents.ok && contents.whole) << contents.warning;
    EXPECT_TRUE(contents.frames.empty());
}

TEST(RoundTrip, DestructorFinishes) {
    TemporaryDirectory directory;
    const auto path = directory.file("t.cst");
    {
        Writer(path).append(hello_frame(1));
    }
    const auto contents = read_all(path);
    EXPECT_TRUE(contents.whole) << contents.warning;
    EXPECT_EQ(contents.frames, as_bytes({hello_frame(1)}));
}

TEST(RoundTrip, AnyFramesComeBackInOrder) {
    TemporaryDirectory directory;
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
        SCOPED_TRACE(seed);
        std::mt19937_64 random(seed);
        const auto path = directory.file(std::to_string(seed));
        std::vector<v2::Frame> written, in_sequence;  // with and without keyframe blocks
        {
            Writer writer(path);
            for (std::uint64_t i = random() % 300; i > 0; --i) {
                if (random() % 20 == 0) {
                    std::vector<v2::Frame> keyframes;
                    for (std::uint64_t k = random() % 3; k > 0; --k) keyframes.push_back(random_frame(random));
                    ASSERT_TRUE(writer.append_keyframes(keyframes)) << writer.error();
                    written.insert(written.end(), keyframes.begin(), keyframes.end());
                } else {
                    written.push_back(random_frame(random));
                    in_sequence.push_back(written.back());
                    ASSERT_TRUE(writer.append(written.back())) << writer.error();
                }
                if (random() % 10 == 0) {
                    ASSERT_TRUE(writer.flush());
                }
            }
        }
        const auto contents = read_all(path);
        EXPECT_TRUE(contents.whole) << contents.warning;
        EXPECT_EQ(contents.warning, "");
        EXPECT_EQ(contents.frames, as_bytes(in_sequence));
        EXPECT_EQ(read_runs(path), as_bytes(written));
        // The same without the index, as of a file that is being written.
        std::filesystem::resize_file(path, std::filesystem::file_size(path) - 1);
        EXPECT_EQ(read_all(path).frames, as_bytes(in_sequence));
        EXPECT_EQ(read_runs(path), as_bytes(written));
    }
}

TEST(RoundTrip, IndexCoversEveryFrameAndLeadsToTheKeyframes) {
    TemporaryDirectory directory;
    const auto path = directory.file("t.cst");
    {
        Writer writer(path);
        writer.append(hello_frame(1));
        for (std::uint64_t i = 1; i <= 30; ++i) {
            writer.append(batch_frame(1, i, 1000 * i));
            if (i % 5 == 0) writer.flush();
            if (i % 10 == 0) writer.append_keyframes({keyframe_frame(1)});
        }
    }
    Reader reader(path);
    EXPECT_TRUE(reader.has_index());
    std::uint64_t frames = 0, keyframes = 0;
    for (std::size_t i = 0; i < reader.runs().size(); ++i) {
        const Reader::Run& run = reader.runs()[i];
        if (run.keyframe) {
            ++keyframes;
            const auto from_here = read_runs(path, i);
            EXPECT_EQ(from_here.front(), keyframe_frame(1).SerializeAsString());
            EXPECT_EQ(from_here.size(), 34 - frames);
        } else if (frames == 0) {
            EXPECT_EQ(run.first_ns, 1000u);
            EXPECT_EQ(run.last_ns, 5000u);
        }
        frames += run.frames;
    }
    EXPECT_EQ(frames, 34u);
    EXPECT_EQ(keyframes, 3u);
}

TEST(RoundTrip, IndexStaysBoundedOverManyBlocks) {
    TemporaryDirectory directory;
    const auto path = directory.file("t.cst");
    constexpr std::uint64_t blocks = 70'000;
    {
        Writer writer(path);
        for (std::uint64_t i = 1; i <= blocks; ++i) {
            if (i % 1000 == 0) {
                writer.append_keyframes({keyframe_frame(1)});
            } else {
                writer.append(batch_frame(1, i, i));
                writer.flush();
            }
        }
        ASSERT_TRUE(writer.finish()) << writer.error();
    }
    Reader reader(path);
    std::uint64_t frames = 0, keyframes = 0;
    for (const auto& run : reader.runs()) {
        frames += run.frames;
        keyframes += run.keyframe;
    }
    EXPECT_LE(reader.runs().size(), 65'536u);
    EXPECT_EQ(frames, blocks);
    EXPECT_EQ(keyframes, blocks / 1000) << "a place to begin at was joined away while there were others";
    EXPECT_TRUE(reader.read([](const v2::Frame&) { return true; })) << reader.warning();
}

TEST(RoundTrip, ABatchsOwnTimeIsInTheIndex) {
    TemporaryDirectory directory;
    const auto path = directory.file("t.cst");
    v2::Frame frame = batch_frame(1, 1, 1'000);
    frame.mutable_batch()->append("\x88\x01\x88\x27", 4);  // time_ns = 5000
    {
        Writer(path).append(frame);
    }
    Reader reader(path);
    ASSERT_EQ(reader.runs().size(), 1u);
    EXPECT_EQ(reader.runs()[0].first_ns, 1'000u);
    EXPECT_EQ(reader.runs()[0].last_ns, 5'000u);
}

TEST(RoundTrip, KeyframesPastTheirBytesAreNotWritten) {
    TemporaryDirectory directory;
    const auto path = directory.file("t.cst");
    std::mt19937_64 random(1);
    v2::Frame keyframe = keyframe_frame(1, 1000);
    for (char& c : *keyframe.mutable_keyframe()) c = static_cast<char>(random());
    Writer writer(path);
    ASSERT_TRUE(writer.append(hello_frame(1)));
    EXPECT_FALSE(writer.append_keyframes({keyframe}, 500));
    EXPECT_EQ(writer.error(), "");
    EXPECT_EQ(writer.keyframe_bytes(), 0u);
    const std::uint64_t size = writer.last_keyframe_bytes();
    EXPECT_GT(size, 1000u);
    ASSERT_TRUE(writer.append_keyframes({keyframe}, size));
    EXPECT_EQ(writer.keyframe_bytes(), size);
    ASSERT_TRUE(writer.append(batch_frame(1, 1)));
    ASSERT_TRUE(writer.finish());
    EXPECT_EQ(read_runs(path), as_bytes({hello_frame(1), keyframe, batch_frame(1, 1)}));
}

TEST(RoundTrip, CallerMayStopEarly) {
    TemporaryDirectory directory;
    const auto path = directory.file("t.cst");
    {
        Writer writer(path);
        for (std::uint64_t i = 1; i <= 100; ++i) writer.append(batch_frame(1, i));
    }
    Reader reader(path);
    int seen = 0;
    EXPECT_TRUE(reader.read([&](const v2::Frame&) { return ++seen < 3; }));
    EXPECT_EQ(seen, 3);
}

TEST(RoundTrip, FileBeingWrittenOpensUpToItsLastFlush) {
    TemporaryDirectory directory;
    const auto path = directory.file("t.cst");
    Writer writer(path);
    writer.append(hello_frame(1));
    writer.flush();
    writer.append(batch_frame(1, 1));
    const auto contents = read_all(path);
    EXPECT_TRUE(contents.ok);
    EXPECT_FALSE(contents.whole);
    EXPECT_EQ(contents.warning, "not finished: ends without an index after 1 whole block, all of them used");
    EXPECT_EQ(contents.frames, as_bytes({hello_frame(1)}));
}

TEST(RoundTrip, KeyframesTooLargeForOneBlockGoOnInTheNext) {
    TemporaryDirectory directory;
    const auto path = directory.file("t.cst");
    const std::vector<v2::Frame> keyframes{keyframe_frame(1, 30u << 20), keyframe_frame(2, 30u << 20),
                                           keyframe_frame(3, 30u << 20)};
    {
        Writer writer(path);
        ASSERT_TRUE(writer.append_keyframes(keyframes)) << writer.error();
    }
    Reader reader(path);
    ASSERT_EQ(reader.runs().size(), 2u);
    EXPECT_TRUE(reader.runs()[0].keyframe);
    EXPECT_FALSE(reader.runs()[1].keyframe);
    EXPECT_EQ(read_runs(path), as_bytes(keyframes));
}

}  // namespace
}  // namespace coroscope::trace::test
