// Fixed-size parts of a trace file to and from bytes; checksums; a glance at a batch's times.
#include "format.hpp"

#include "trace_file.hpp"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

#include <algorithm>
#include <limits>

#define XXH_INLINE_ALL
#include <xxhash.h>

namespace coroscope::trace::format {

namespace {

void set_u32(char* at, std::uint32_t value) {
    for (int i = 0; i < 4; ++i) at[i] = static_cast<char>(static_cast<unsigned char>(value >> (8 * i)));
}

void set_u64(char* at, std::uint64_t value) {
    for (int i = 0; i < 8; ++i) at[i] = static_cast<char>(static_cast<unsigned char>(value >> (8 * i)));
}

std::string_view view_of(const std::array<unsigned char, 8>& bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

void put_u32(std::string& out, std::uint32_t value) {
    char bytes[4];
    set_u32(bytes, value);
    out.append(bytes, sizeof bytes);
}

void put_u64(std::string& out, std::uint64_t value) {
    char bytes[8];
    set_u64(bytes, value);
    out.append(bytes, sizeof bytes);
}

void put_varint(std::string& out, std::uint64_t value) {
    while (value >= 0x80) {
        out.push_back(static_cast<char>(static_cast<unsigned char>(value | 0x80)));
        value >>= 7;
    }
    out.push_back(static_cast<char>(static_cast<unsigned char>(value)));
}

std::uint32_t get_u32(const char* at) {
    std::uint32_t value = 0;
    for (int i = 0; i < 4; ++i) value |= static_cast<std::uint32_t>(static_cast<unsigned char>(at[i])) << (8 * i);
    return value;
}

std::uint64_t get_u64(const char* at) {
    return static_cast<std::uint64_t>(get_u32(at)) | static_cast<std::uint64_t>(get_u32(at + 4)) << 32;
}

std::optional<std::uint64_t> take_varint(std::string_view& bytes) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < bytes.size() && i < 10; ++i) {
        const auto byte = static_cast<unsigned char>(bytes[i]);
        value |= static_cast<std::uint64_t>(byte & 0x7f) << (7 * i);
        if (byte < 0x80) {
            bytes.remove_prefix(i + 1);
            return value;
        }
    }
    return std::nullopt;
}

std::uint64_t checksum(std::string_view bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

std::string encode_header(std::uint32_t major, std::uint32_t minor) {
    std::string out{view_of(magic)};
    put_u32(out, major);
    put_u32(out, minor);
    put_u64(out, 0);
    put_u64(out, checksum(out));
    return out;
}

void put_block_header(char* at, const BlockHeader& header) {
    set_u64(at, header.checksum);
    set_u32(at + 8, static_cast<std::uint32_t>(header.type));
    set_u32(at + 12, header.stored);
    set_u32(at + 16, header.unpacked);
    set_u32(at + 20, header.frames);
}

BlockHeader get_block_header(const char* at) {
    return {get_u64(at), static_cast<BlockType>(get_u32(at + 8)), get_u32(at + 12), get_u32(at + 16), get_u32(at + 20)};
}

std::string encode_footer(const Footer& footer) {
    std::string out;
    put_u64(out, footer.index_offset);
    put_u64(out, footer.file_size);
    put_u64(out, checksum(out));
    out += view_of(end_magic);
    return out;
}

std::optional<Footer> decode_footer(std::string_view bytes) {
    if (bytes.size() != footer_size || bytes.substr(24) != view_of(end_magic)) return std::nullopt;
    if (checksum(bytes.substr(0, 16)) != get_u64(bytes.data() + 16)) return std::nullopt;
    return Footer{get_u64(bytes.data()), get_u64(bytes.data() + 8)};
}

void Times::add(const Times& other) {
    if (other.first_ns != 0 && (first_ns == 0 || other.first_ns < first_ns)) first_ns = other.first_ns;
    last_ns = std::max(last_ns, other.last_ns);
}

Times batch_times(std::string_view batch) {
    using google::protobuf::internal::WireFormatLite;
    constexpr std::uint32_t lane_tag = 8u << 3 | 2u;      // Batch.lanes
    constexpr std::uint32_t start_ns_tag = 2u << 3 | 0u;  // Lane.start_ns
    constexpr std::uint32_t time_ns_tag = 17u << 3 | 0u;  // Batch.time_ns
    Times times;
    if (batch.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) return times;
    google::protobuf::io::CodedInputStream input{reinterpret_cast<const std::uint8_t*>(batch.data()),
                                                 static_cast<int>(batch.size())};
    while (const std::uint32_t tag = input.ReadTag()) {
        if (tag == time_ns_tag) {
            std::uint64_t time_ns = 0;
            if (!input.ReadVarint64(&time_ns)) return times;
            times.add({0, time_ns});
            continue;
        }
        if (tag != lane_tag) {
            if (!WireFormatLite::SkipField(&input, tag)) return times;
            continue;
        }
        int length = 0;
        if (!input.ReadVarintSizeAsInt(&length)) return times;
        const auto limit = input.PushLimit(length);
        while (const std::uint32_t field = input.ReadTag()) {
            std::uint64_t start_ns = 0;
            if (field == start_ns_tag) {
                if (!input.ReadVarint64(&start_ns)) return times;
                times.add({start_ns, start_ns});
                break;  // written in order of number: the columns come after it
            }
            if (!WireFormatLite::SkipField(&input, field)) return times;
        }
        input.Skip(input.BytesUntilLimit());
        input.PopLimit(limit);
    }
    return times;
}

bool within_bounds(std::string_view frame) {
    using google::protobuf::internal::WireFormatLite;
    constexpr std::uint32_t hello_tag = 2u << 3 | 2u, batch_tag = 3u << 3 | 2u, disconnected_tag = 5u << 3 | 2u;
    constexpr int max_fields = 64;  // far more than a Frame of any minor version needs
    if (frame.size() > Reader::max_block) return false;
    google::protobuf::io::CodedInputStream input{reinterpret_cast<const std::uint8_t*>(frame.data()),
                                                 static_cast<int>(frame.size())};
    std::uint64_t note_bytes = 0;  // all of them: protobuf merges a message that comes twice
    for (int fields = 0; const std::uint32_t tag = input.ReadTag(); ++fields) {
        if (fields == max_fields) return false;
        if (tag != hello_tag && tag != batch_tag && tag != disconnected_tag) {
            if (!WireFormatLite::SkipField(&input, tag)) return false;
            continue;
        }
        int length = 0;
        if (!input.ReadVarintSizeAsInt(&length)) return false;
        if (tag == batch_tag && static_cast<std::uint64_t>(length) > Reader::max_batch) return false;
        if (tag != batch_tag) note_bytes += static_cast<std::uint64_t>(length);
        if (note_bytes > Reader::max_note || !input.Skip(length)) return false;
    }
    return true;
}

}  // namespace coroscope::trace::format
