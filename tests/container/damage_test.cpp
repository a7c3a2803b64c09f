// Files that were cut or that lost bits: all that is whole before the damage is read, nothing else, and it is said.
#include "files.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace coroscope::trace::test {
namespace {

struct Sample {
    std::vector<std::string> frames;
    std::vector<std::pair<std::uint64_t, std::size_t>> blocks;  // where each ends, and the frames up to there
    std::size_t keyframe = 0;                                   // index of the keyframe's frame
    std::string bytes;
};

// Small enough to damage at every byte; with a keyframe behind some blocks.
Sample write_sample(const std::string& path) {
    Sample sample;
    Writer writer(path);
    std::vector<v2::Frame> frames;
    const auto block_ends = [&] { sample.blocks.emplace_back(writer.bytes(), frames.size()); };
    const auto add = [&](const v2::Frame& frame) {
        frames.push_back(frame);
        writer.append(frame);
    };
    add(hello_frame(1, "sample"));
    add(batch_frame(1, 1, 100));
    writer.flush(), block_ends();
    add(batch_frame(1, 2, 200));
    writer.flush(), block_ends();
    sample.keyframe = frames.size();
    frames.push_back(keyframe_frame(1));
    writer.append_keyframes({frames.back()});
    block_ends();
    add(batch_frame(1, 3, 300));
    writer.flush(), block_ends();
    writer.finish();
    sample.frames = as_bytes(frames);
    sample.bytes = slurp(path);
    return sample;
}

TEST(Damage, CutAtEveryByteReadsEveryWholeBlockAndSaysSo) {
    Directory directory;
    const auto path = directory.file("t.cst");
    const Sample sample = write_sample(path);
    for (std::size_t length = 0; length < sample.bytes.size(); ++length) {
        SCOPED_TRACE(length);
        spill(path, sample.bytes.substr(0, length));
        const auto contents = read_all(path);
        EXPECT_FALSE(contents.whole);
        EXPECT_NE(contents.warning, "");
        if (length < 32) {
            EXPECT_FALSE(contents.ok);
            EXPECT_NE(contents.error.find(path), std::string::npos);
            continue;
        }
        EXPECT_TRUE(contents.ok) << contents.error;
        std::size_t expected = 0;
        for (const auto& [end, frames] : sample.blocks)
            if (end <= length) expected = frames;
        ASSERT_EQ(contents.frames.size(), expected);
        EXPECT_TRUE(std::equal(contents.frames.begin(), contents.frames.end(), sample.frames.begin()));
    }
}

TEST(Damage, EveryFlippedBitIsNoticedAndNoWrongFrameComesOut) {
    Directory directory;
    const auto path = directory.file("t.cst");
    const Sample sample = write_sample(path);
    for (std::size_t at = 0; at < sample.bytes.size(); ++at) {
        for (int bit = 0; bit < 8; ++bit) {
            SCOPED_TRACE(std::to_string(at) + " bit " + std::to_string(bit));
            std::string bytes = sample.bytes;
            bytes[at] = static_cast<char>(static_cast<unsigned char>(bytes[at]) ^ (1u << bit));
            spill(path, bytes);
            const auto contents = read_all(path);
            ASSERT_FALSE(contents.ok && contents.whole);
            ASSERT_NE(contents.warning, "");
            // What came out: a beginning of the frames, then perhaps those from the keyframe on.
            const auto& out = contents.frames;
            const auto first_wrong = std::mismatch(out.begin(), out.end(), sample.frames.begin(), sample.frames.end());
            const auto rest = static_cast<std::size_t>(out.end() - first_wrong.first);
            if (rest != 0) {
                ASSERT_EQ(rest, sample.frames.size() - sample.keyframe);
                ASSERT_TRUE(std::equal(first_wrong.first, out.end(), sample.frames.end() - static_cast<long>(rest)));
            }
        }
    }
}

TEST(Damage, ReadingGoesOnAtTheKeyframeBehindTheDamage) {
    Directory directory;
    const auto path = directory.file("t.cst");
    Sample sample = write_sample(path);
    sample.bytes[sample.blocks[0].first + 30] ^= 1;  // inside the second block
    spill(path, sample.bytes);
    const auto contents = read_all(path);
    EXPECT_FALSE(contents.whole);
    const std::string keyframe_at = std::to_string(sample.blocks[1].first);
    EXPECT_EQ(contents.warning, "damaged after 1 whole block, at byte " + std::to_string(sample.blocks[0].first) +
                                    "; went on at the keyframe at byte " + keyframe_at);
    const std::vector<std::string> expected{sample.frames[0], sample.frames[1], sample.frames[3], sample.frames[4]};
    EXPECT_EQ(contents.frames, expected);
}

TEST(Damage, CutSaysHowMuchIsUsed) {
    Directory directory;
    const auto path = directory.file("t.cst");
    const Sample sample = write_sample(path);
    spill(path, sample.bytes.substr(0, sample.blocks[1].first + 5));
    const auto contents = read_all(path);
    EXPECT_EQ(contents.warning, "cut off after 2 whole blocks (" + std::to_string(sample.blocks[1].first) + " B of " +
                                    std::to_string(sample.blocks[1].first + 5) + " B used)");
}

TEST(Damage, RandomBytesBehindAGoodHeaderAreSafe) {
    Directory directory;
    const auto path = directory.file("t.cst");
    {
        Writer writer(path);
    }
    const std::string header = slurp(path).substr(0, 32);
    for (std::uint64_t seed = 1; seed <= 300; ++seed) {
        std::mt19937_64 random(seed);
        std::string bytes(random() % 400, '\0');
        for (char& c : bytes) c = static_cast<char>(random());
        spill(path, header + bytes);
        const auto contents = read_all(path);
        EXPECT_TRUE(contents.ok);
        EXPECT_FALSE(contents.whole);
        EXPECT_TRUE(contents.frames.empty());
    }
}

}  // namespace
}  // namespace coroscope::trace::test
