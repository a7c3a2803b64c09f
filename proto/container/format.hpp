// The bytes of a trace file, as FORMAT.md lays them out: sizes, magics, and fixed-size parts to and from bytes.
// Private to this folder.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace coroscope::trace::format {

// The first byte is not ASCII and the line ends are mixed: a transfer in text mode shows at once.
inline constexpr std::array<unsigned char, 8> magic{0x89, 'C', 'S', 'T', '\r', '\n', 0x1a, '\n'};
inline constexpr std::array<unsigned char, 8> end_magic{'C', 'S', 'T', 'E', 'N', 'D', '\r', '\n'};

inline constexpr std::size_t header_size = 32;
inline constexpr std::size_t block_header_size = 24;
inline constexpr std::size_t index_row_size = 40;
inline constexpr std::size_t footer_size = 32;

enum class BlockType : std::uint32_t { frames = 1, keyframes = 2, index = 3 };

struct BlockHeader {
    std::uint64_t checksum = 0;  // XXH3-64 of the 16 bytes after it and the stored payload
    BlockType type = BlockType::frames;
    std::uint32_t stored = 0;    // bytes of payload in the file
    std::uint32_t unpacked = 0;  // bytes of payload after decompression
    std::uint32_t frames = 0;
};

struct Footer {
    std::uint64_t index_offset = 0;
    std::uint64_t file_size = 0;  // with the footer
};

void put_u32(std::string& out, std::uint32_t value);  // little-endian
void put_u64(std::string& out, std::uint64_t value);
void put_varint(std::string& out, std::uint64_t value);
std::uint32_t get_u32(const char* at);
std::uint64_t get_u64(const char* at);
// Takes a varint off the front of `bytes`. Nothing: it does not end there, or has more than ten bytes.
std::optional<std::uint64_t> take_varint(std::string_view& bytes);

std::uint64_t checksum(std::string_view bytes);

std::string encode_header(std::uint32_t major, std::uint32_t minor);
void put_block_header(char* at, const BlockHeader& header);  // takes block_header_size bytes; the checksum as given
BlockHeader get_block_header(const char* at);
std::string encode_footer(const Footer& footer);
std::optional<Footer> decode_footer(std::string_view bytes);

// The times of a serialised Batch: the first start of a lane, and the batch's own time. Cheap: columns are skipped.
// Any bytes are safe; what does not parse has no times.
struct Times {
    std::uint64_t first_ns = 0, last_ns = 0;  // 0: none
    void add(const Times& other);
};
Times batch_times(std::string_view batch);

// Whether a serialised Frame keeps to the bounds that keep a parsed one small: Reader::max_batch, max_note, few fields.
// Any bytes are safe.
bool within_bounds(std::string_view frame);

}  // namespace coroscope::trace::format
