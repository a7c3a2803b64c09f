// Files that were cut or that lost bits: a damaged block costs its own frames, and the reader says so.
#include "files.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace coroscope::trace::test {
namespace {

struct Sample {
    std::vector<std::string> frames;
    std::vector<std::pair<std::uint64_t, std::size_t>> blocks;  // where each ends, and the frames up to there
    std::size_t keyframe = 0;                                   // index of the keyframe's frame, alone in its block
    std::string bytes;

    // What reading in sequence gives without the frames `from` to `to`.
    std::vector<std::string> without(std::size_t from, std::size_t to) const {
        std::vector<std::string> out;
        for (std::size_t i = 0; i < frames.size(); ++i) {
            const bool is_missing = i >= from && i < to;
            const bool is_needed = i != keyframe || (from < to && to <= keyframe);
            if (!is_missing && is_needed) out.push_back(frames[i]);
        }
        return out;
    }
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
    TemporaryDirectory directory;
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
        std::vector<std::string> whole(sample.frames.begin(), sample.frames.begin() + static_cast<long>(expected));
        if (whole.size() > sample.keyframe) whole.erase(whole.begin() + static_cast<long>(sample.keyframe));
        ASSERT_EQ(contents.frames, whole);
    }
}

// What is left with one byte damaged: the frames of the block that holds it are gone.
std::vector<std::string> expected(const Sample& sample, std::size_t damaged_byte) {
    std::size_t first_frame = 0;
    for (const auto& [end, frames] : sample.blocks) {
        if (damaged_byte < end) return sample.without(first_frame, frames);
        first_frame = frames;
    }
    return sample.without(0, 0);  // in the index or behind it
}

TEST(Damage, AFlippedBitIsNoticedAndCostsOneBlock) {
    TemporaryDirectory directory;
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
            ASSERT_EQ(contents.frames, contents.ok ? expected(sample, at) : std::vector<std::string>{});
        }
    }
}

TEST(Damage, WithoutAnIndexReadingGoesOnWhereTheDamagedBlockSaysThatItEnds) {
    TemporaryDirectory directory;
    const auto path = directory.file("t.cst");
    Sample sample = write_sample(path);
    sample.bytes.resize(sample.blocks.back().first);
    sample.bytes[sample.blocks[0].first + 30] ^= 1;  // inside the second block
    spill(path, sample.bytes);
    const auto contents = read_all(path);
    EXPECT_EQ(contents.frames, sample.without(2, 3));
    EXPECT_EQ(contents.warning,
              "1 damaged block left out, at byte " + std::to_string(sample.blocks[0].first) +
                  "; then not finished: ends without an index after 3 whole blocks, all of them used");
}

TEST(Damage, TheKeyframesBehindTheDamageAreHandedOn) {
    TemporaryDirectory directory;
    const auto path = directory.file("t.cst");
    Sample sample = write_sample(path);
    sample.bytes[sample.blocks[0].first + 30] ^= 1;  // inside the second block
    spill(path, sample.bytes);
    const auto contents = read_all(path);
    EXPECT_FALSE(contents.whole);
    EXPECT_EQ(contents.warning, "1 damaged block left out, at byte " + std::to_string(sample.blocks[0].first));
    const std::vector<std::string> expected{sample.frames[0], sample.frames[1], sample.frames[3], sample.frames[4]};
    EXPECT_EQ(contents.frames, expected);
}

TEST(Damage, SeveralDamagedBlocksAreCounted) {
    TemporaryDirectory directory;
    const auto path = directory.file("t.cst");
    Sample sample = write_sample(path);
    sample.bytes[sample.blocks[0].first - 1] ^= 1;
    sample.bytes[sample.blocks[3].first - 1] ^= 1;
    spill(path, sample.bytes);
    const auto contents = read_all(path);
    EXPECT_EQ(contents.warning, "2 damaged blocks left out, the first at byte 32");
    EXPECT_EQ(contents.frames, (std::vector<std::string>{sample.frames[2], sample.frames[3]}));
}

TEST(Damage, ARunThatIsDamagedSaysSoAndGivesTheRest) {
    TemporaryDirectory directory;
    const auto path = directory.file("t.cst");
    Sample sample = write_sample(path);
    sample.bytes[sample.blocks[0].first + 30] ^= 1;
    spill(path, sample.bytes);
    Reader reader(path);
    ASSERT_EQ(reader.runs().size(), 4u);
    const auto none = [](const v2::Frame&, bool) { return true; };
    EXPECT_TRUE(reader.read_run(0, none));
    EXPECT_FALSE(reader.read_run(1, none));
    EXPECT_TRUE(reader.read_run(2, none));
    EXPECT_FALSE(reader.read_run(4, none)) << "there is none";
}

TEST(Damage, CutSaysHowMuchIsUsed) {
    TemporaryDirectory directory;
    const auto path = directory.file("t.cst");
    const Sample sample = write_sample(path);
    spill(path, sample.bytes.substr(0, sample.blocks[1].first + 5));
    const auto contents = read_all(path);
    EXPECT_EQ(contents.warning, "cut off after 2 whole blocks (" + std::to_string(sample.blocks[1].first) + " B of " +
                                    std::to_string(sample.blocks[1].first + 5) + " B used)");
}

TEST(Damage, RandomBytesBehindAGoodHeaderAreSafe) {
    TemporaryDirectory directory;
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
