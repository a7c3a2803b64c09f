// Files with good checksums and evil contents: lengths that lie, bombs, versions from the future. Nothing may cost
// memory that the format does not allow.
#include "files.hpp"
#include "proto/container/format.hpp"

#include <gtest/gtest.h>
#include <zstd.h>

#include <functional>
#include <sstream>

namespace coroscope::trace::test {
namespace {

using format::BlockType;

std::string pack(const std::string& payload) {
    std::string packed(ZSTD_compressBound(payload.size()), '\0');
    packed.resize(ZSTD_compress(packed.data(), packed.size(), payload.data(), payload.size(), 1));
    return packed;
}

std::string block(BlockType type, const std::string& stored, std::uint64_t unpacked, std::uint64_t claimed_stored) {
    std::string out(format::block_header_size, '\0');
    out += stored;
    format::BlockHeader header{0, type, static_cast<std::uint32_t>(claimed_stored),
                               static_cast<std::uint32_t>(unpacked), 1};
    format::put_block_header(out.data(), header);
    header.checksum = format::checksum(std::string_view{out}.substr(8));
    format::put_block_header(out.data(), header);
    return out;
}

std::string block(BlockType type, const std::string& payload) {
    const std::string packed = pack(payload);
    return block(type, packed, payload.size(), packed.size());
}

std::string delimited(const std::string& bytes) {
    std::string out;
    format::put_varint(out, bytes.size());
    return out + bytes;
}

std::string header() { return format::encode_header(format_major, format_minor); }

std::string file_of(const std::vector<std::string>& blocks, const std::string& index_rows = {}) {
    std::string out = header();
    for (const auto& each : blocks) out += each;
    const std::uint64_t offset = out.size();
    out += block(BlockType::index, index_rows);
    return out + format::encode_footer({offset, out.size() + format::footer_size});
}

std::uint64_t peak_kib() {
    std::istringstream status(slurp("/proc/self/status"));
    for (std::string line; std::getline(status, line);)
        if (line.starts_with("VmHWM:")) return std::stoull(line.substr(6));
    return 0;
}

class Hostile : public ::testing::Test {
protected:
    Contents open(const std::string& bytes) {
        spill(path, bytes);
        return read_all(path);
    }
    TemporaryDirectory directory;
    std::string path = directory.file("t.cst");
};

TEST_F(Hostile, TheHandMadeFileIsGoodToBeginWith) {
    const auto frame = hello_frame(1).SerializeAsString();
    const auto contents = open(file_of({block(BlockType::frames, delimited(frame))}));
    EXPECT_TRUE(contents.ok && contents.whole) << contents.warning;
    EXPECT_EQ(contents.frames, std::vector{frame});
}

TEST_F(Hostile, UnknownBlockTypesOfANewerMinorVersionAreSkipped) {
    const auto frame = hello_frame(1).SerializeAsString();
    std::string bytes =
        file_of({block(static_cast<BlockType>(77), "news"), block(BlockType::frames, delimited(frame))});
    bytes.replace(0, format::header_size, format::encode_header(format_major, format_minor + 5));
    const auto contents = open(bytes);
    EXPECT_TRUE(contents.ok && contents.whole) << contents.warning;
    EXPECT_EQ(contents.frames, std::vector{frame});
}

TEST_F(Hostile, ANewerMajorVersionIsRefusedByName) {
    const auto contents = open(format::encode_header(format_major + 1, 3));
    EXPECT_FALSE(contents.ok);
    EXPECT_EQ(contents.error, path + " has trace format 3.3, this program reads 2.x; open it with a newer coroscope");
}

TEST_F(Hostile, AnotherFileIsRefusedWithWhatToDo) {
    for (const std::string& bytes :
         {std::string("{\"traceEvents\":[]}"), std::string(1000, '\0'), std::string("\x89PNG")}) {
        const auto contents = open(bytes);
        EXPECT_FALSE(contents.ok);
        EXPECT_NE(contents.error.find(path + " is not a coroscope trace file; record one with"), std::string::npos)
            << contents.error;
    }
}

TEST_F(Hostile, WhatIsNoFileIsRefused) {
    EXPECT_NE(read_all(directory.file("absent")).error.find("No such file"), std::string::npos);
    EXPECT_NE(read_all(directory.file("")).error.find("not a regular file"), std::string::npos);
    EXPECT_FALSE(read_all("/dev/zero").ok);
    EXPECT_NE(open("").error.find("is empty"), std::string::npos);
}

TEST_F(Hostile, StoredLengthPastTheFileIsACut) {
    const auto good = block(BlockType::frames, delimited(hello_frame(1).SerializeAsString()));
    const auto contents = open(header() + good + block(BlockType::frames, "short", 100, 50'000'000));
    EXPECT_EQ(contents.frames.size(), 1u);
    EXPECT_NE(contents.warning.find("cut off after 1 whole block"), std::string::npos) << contents.warning;
}

TEST_F(Hostile, LengthsPastTheBoundsAreDamage) {
    for (const auto& evil :
         {block(BlockType::frames, "x", Reader::max_block + 1, 1), block(BlockType::frames, "x", 0xffffffff, 1),
          block(BlockType::frames, "x", 1, 0xffffffff)}) {
        const auto contents = open(header() + evil);
        EXPECT_FALSE(contents.whole);
        EXPECT_NE(contents.warning.find("damaged after 0 whole blocks"), std::string::npos) << contents.warning;
    }
}

TEST_F(Hostile, UnpackedLengthsThatLieAreDamage) {
    const std::string payload = delimited(hello_frame(1).SerializeAsString());
    const std::string packed = pack(payload);
    for (const std::uint64_t claimed : {std::uint64_t{0}, payload.size() - 1, payload.size() + 1, Reader::max_block}) {
        const auto contents = open(header() + block(BlockType::frames, packed, claimed, packed.size()));
        EXPECT_TRUE(contents.frames.empty()) << claimed;
        EXPECT_FALSE(contents.whole);
    }
}

TEST_F(Hostile, BombsStayWithinTheBound) {
    const std::string mebibyte = pack(std::string(std::size_t{1} << 20, '\0'));
    std::string bomb;  // 1 GiB in some 50 kB, made without ever holding it: Zstandard frames may follow one another
    for (int i = 0; i < 1024; ++i) bomb += mebibyte;
    const std::uint64_t before = peak_kib();
    ASSERT_GT(before, 0u);
    for (const std::uint64_t claimed :
         {std::uint64_t{100}, Reader::max_block, Reader::max_block + 1, (std::uint64_t{1} << 30)}) {
        const auto contents = open(header() + block(BlockType::frames, bomb, claimed, bomb.size()));
        EXPECT_FALSE(contents.whole);
        EXPECT_TRUE(contents.frames.empty());
    }
    EXPECT_LE(peak_kib(), before + (200u << 10));
}

TEST_F(Hostile, FrameLengthsThatLieAreDamage) {
    std::string huge, endless(12, '\xff');
    format::put_varint(huge, ~std::uint64_t{0});
    for (const std::string& payload : {huge, endless,
                                       std::string("\x05"
                                                   "abc"),
                                       std::string("\x03"
                                                   "\xff\xff\xff")}) {
        const auto contents = open(file_of({block(BlockType::frames, payload)}));
        EXPECT_FALSE(contents.whole);
        EXPECT_TRUE(contents.frames.empty());
        EXPECT_NE(contents.warning.find("damaged"), std::string::npos);
    }
}

TEST_F(Hostile, FramesThatWouldGrowInMemoryAreRefused) {
    v2::Frame hello = hello_frame(1);
    for (int i = 0; i < 600'000; ++i)
        hello.mutable_hello()->add_arguments();  // two bytes each here, a string each there
    v2::Frame batch;
    batch.set_batch(std::string(Reader::max_batch + 1, 'b'));
    std::string many_hellos, many_fields;
    const std::string one = hello_frame(1, std::string(1000, 'n')).SerializeAsString();
    for (int i = 0; i < 1100; ++i) many_hellos += one;
    for (int i = 0; i < 100; ++i) many_fields += "\x78\x01";  // field 15, a varint
    for (const std::string& frame : {hello.SerializeAsString(), batch.SerializeAsString(), many_hellos, many_fields}) {
        const auto contents = open(file_of({block(BlockType::frames, delimited(frame))}));
        EXPECT_FALSE(contents.whole);
        EXPECT_TRUE(contents.frames.empty());
    }
}

std::string row(std::uint64_t offset, BlockType type) {
    std::string out;
    format::put_u64(out, offset);
    format::put_u32(out, static_cast<std::uint32_t>(type));
    format::put_u32(out, 1);
    for (int i = 0; i < 3; ++i) format::put_u64(out, 1);
    return out;
}

TEST_F(Hostile, IndexesThatLieAreNoIndex) {
    const auto good = block(BlockType::frames, delimited(hello_frame(1).SerializeAsString()));
    const std::uint64_t first = format::header_size, second = first + good.size();
    for (const std::string& rows :
         {row(0, BlockType::keyframes), row(~std::uint64_t{0}, BlockType::keyframes),
          row(second, BlockType::frames) + row(first, BlockType::frames), std::string("no rows"),
          row(first, BlockType::frames) + row(first, BlockType::frames)}) {
        spill(path, file_of({good, good}, rows));
        Reader reader(path);
        EXPECT_TRUE(reader.ok());
        EXPECT_FALSE(reader.has_index());
        EXPECT_EQ(reader.runs().size(), 2u) << "found by a walk over the blocks";
        EXPECT_EQ(read_all(path).frames.size(), 2u);
    }
}

TEST_F(Hostile, AKeyframeOffsetIntoTheMiddleOfABlockIsDamageNotACrash) {
    const auto good = block(BlockType::frames, delimited(hello_frame(1).SerializeAsString()));
    auto broken = good;
    broken.back() ^= 1;
    const auto rows =
        row(format::header_size, BlockType::frames) + row(format::header_size + good.size() + 3, BlockType::keyframes);
    const auto contents = open(file_of({broken, good}, rows));
    EXPECT_FALSE(contents.whole);
    EXPECT_EQ(contents.frames, std::vector{hello_frame(1).SerializeAsString()}) << "the second block is sound";
    EXPECT_EQ(read_runs(path), contents.frames);
}

TEST_F(Hostile, AnyOffsetsInAnIndexAreSafeToReadFrom) {
    const auto good = block(BlockType::frames, delimited(hello_frame(1).SerializeAsString()));
    for (std::uint64_t from = format::header_size + 1; from < format::header_size + good.size(); ++from) {
        spill(path, file_of({good}, row(from, BlockType::keyframes)));
        EXPECT_TRUE(read_runs(path).empty()) << from;
    }
}

TEST_F(Hostile, AWalkOverManyEmptyBlocksTakesLittleMemory) {
    std::string bytes = header();
    const std::string empty = block(BlockType::keyframes, "");
    while (bytes.size() < 3u << 20) bytes += empty;
    spill(path, bytes);
    Reader reader(path);
    EXPECT_LE(reader.runs().size(), (1u << 16) + 1);
    EXPECT_TRUE(read_runs(path).empty());
}

}  // namespace
}  // namespace coroscope::trace::test
