// What is written is read: any frames, in order, with any flushing; and the index leads to the keyframes.
#include "files.hpp"

#include <gtest/gtest.h>

namespace coroscope::trace::test {
namespace {

TEST(RoundTrip, EmptyTraceIsWholeAndHasNoFrames) {
    Directory directory;
    const auto path = directory.file("t.cst");
    Writer writer(path);
    ASSERT_TRUE(writer.finish()) << writer.error();
    EXPECT_EQ(writer.bytes(), std::filesystem::file_size(path));
    const auto contents = read_all(path);
    EXPECT_TRUE(contents.ok && contents.whole) << contents.warning;
    EXPECT_TRUE(contents.frames.empty());
}

TEST(RoundTrip, DestructorFinishes) {
    Directory directory;
    const auto path = directory.file("t.cst");
    {
        Writer(path).append(hello_frame(1));
    }
    const auto contents = read_all(path);
    EXPECT_TRUE(contents.whole) << contents.warning;
    EXPECT_EQ(contents.frames, as_bytes({hello_frame(1)}));
}

TEST(RoundTrip, AnyFramesComeBackInOrder) {
    Directory directory;
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
        SCOPED_TRACE(seed);
        std::mt19937_64 random(seed);
        const auto path = directory.file(std::to_string(seed));
        std::vector<v2::Frame> written;
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
        EXPECT_EQ(contents.frames, as_bytes(written));
    }
}

TEST(RoundTrip, IndexCoversEveryFrameAndLeadsToTheKeyframes) {
    Directory directory;
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
    std::uint64_t frames = 0, keyframes = 0;
    for (const auto& run : reader.index()) {
        if (run.keyframe) {
            ++keyframes;
            const auto from_here = read_all(path, run.offset);
            EXPECT_TRUE(from_here.whole) << from_here.warning;
            EXPECT_EQ(from_here.frames.front(), keyframe_frame(1).SerializeAsString());
            EXPECT_EQ(from_here.frames.size(), 34 - frames);
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
    Directory directory;
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
    for (const auto& run : reader.index()) {
        frames += run.frames;
        keyframes += run.keyframe;
    }
    EXPECT_LE(reader.index().size(), 65'536u);
    EXPECT_EQ(frames, blocks);
    EXPECT_EQ(keyframes, blocks / 1000) << "a place to begin at was joined away while there were others";
    EXPECT_TRUE(reader.read([](const v2::Frame&) { return true; })) << reader.warning();
}

TEST(RoundTrip, CallerMayStopEarly) {
    Directory directory;
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
    Directory directory;
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
    Directory directory;
    const auto path = directory.file("t.cst");
    const std::vector<v2::Frame> keyframes{keyframe_frame(1, 30u << 20), keyframe_frame(2, 30u << 20),
                                           keyframe_frame(3, 30u << 20)};
    {
        Writer writer(path);
        ASSERT_TRUE(writer.append_keyframes(keyframes)) << writer.error();
    }
    Reader reader(path);
    ASSERT_EQ(reader.index().size(), 2u);
    EXPECT_TRUE(reader.index()[0].keyframe);
    EXPECT_FALSE(reader.index()[1].keyframe);
    EXPECT_EQ(read_all(path).frames, as_bytes(keyframes));
}

}  // namespace
}  // namespace coroscope::trace::test
