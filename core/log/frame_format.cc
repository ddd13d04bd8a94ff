#include "core/log/frame_format.h"

#include <cstring>

#include "core/base/hash.h"
#include "core/base/prng.h"

namespace coffer::log {
namespace {

constexpr std::size_t header_checksum_at = stream_frame_header_size - sizeof(std::uint64_t);
constexpr std::string_view segment_prefix = "stream-";
constexpr std::uint64_t segment_block_seed = 0x5347'4D45'4E54'0001u;

/// Rule F3: `body` is everything after the header, padding included.
std::uint64_t payload_checksum(ByteView body, const FramePlace& place) {
  return hash64(body, mix64(place.salt ^ mix64(place.number)));
}

bool is_at(const FrameHeader& header, const FramePlace& place) {
  return header.place.salt == place.salt && header.place.number == place.number &&
         header.place.previous == place.previous;
}

}  // namespace

std::uint64_t seal_stream_frame(Bytes& frame, const FramePlace& place, std::uint64_t mark, std::uint32_t hard_state) {
  check(frame.size() >= stream_frame_header_size, "a frame begins with room for its header");
  check(frame.size() - stream_frame_header_size <= stream_frame_payload_max,
        "a frame's payload stays within its limit");
  check(mark < place.number, "a frame is not durable before it is written");
  const auto length = static_cast<std::uint32_t>(frame.size() - stream_frame_header_size);
  frame.resize(frame_size_on_disk(length));

  Bytes header;
  header.reserve(stream_frame_header_size);
  ByteWriter out(header);
  out.u32(stream_frame_magic);
  out.u16(format_version);
  out.u16(0);
  out.u64(place.salt);
  out.u64(place.number);
  out.u32(length);
  out.u32(hard_state);
  out.u64(place.previous);
  out.u64(mark);
  out.u64(payload_checksum(ByteView(frame).subspan(stream_frame_header_size), place));
  const std::uint64_t checksum = hash64(header);
  out.u64(checksum);
  std::memcpy(frame.data(), header.data(), header.size());
  return checksum;
}

std::optional<FrameHeader> read_frame_header(ByteView bytes) {
  ByteReader in(bytes);
  if (in.u32() != stream_frame_magic || bytes.size() < stream_frame_header_size) return std::nullopt;
  FrameHeader header;
  header.version = in.u16();
  in.u16();
  header.place.salt = in.u64();
  header.place.number = in.u64();
  header.length = in.u32();
  header.hard_state = in.u32();
  header.place.previous = in.u64();
  header.mark = in.u64();
  header.payload_checksum = in.u64();
  header.checksum = in.u64();
  if (header.checksum != hash64(bytes.first(header_checksum_at))) return std::nullopt;
  return header;
}

std::optional<OpenedFrame> open_stream_frame(ByteView bytes, const FramePlace& place) {
  const std::optional<FrameHeader> header = read_frame_header(bytes);
  if (!header || header->version != format_version || !is_at(*header, place) || header->mark >= place.number) {
    return std::nullopt;
  }
  const std::uint64_t size = frame_size_on_disk(header->length);
  if (header->length > stream_frame_payload_max || size > bytes.size()) return std::nullopt;
  const ByteView body = bytes.subspan(stream_frame_header_size, size - stream_frame_header_size);
  if (payload_checksum(body, place) != header->payload_checksum) return std::nullopt;
  return OpenedFrame{*header, body.first(header->length), size};
}

Bytes encode_segment_header(const SegmentHeader& header) {
  Bytes block;
  block.reserve(block_size);
  ByteWriter out(block);
  out.u32(segment_header_magic);
  out.u16(header.version);
  out.u16(0);
  put_identity(out, header.identity);
  out.u32(0);
  out.u64(header.salt);
  out.u64(header.number);
  out.u64(header.first_frame);
  out.u64(header.previous);
  out.u64(header.reserved);
  seal_block(block, segment_block_seed);
  return block;
}

std::optional<SegmentHeader> read_segment_header(ByteView bytes) {
  ByteReader in(bytes);
  if (in.u32() != segment_header_magic || !is_sealed(bytes, segment_block_seed)) return std::nullopt;
  SegmentHeader header;
  header.version = in.u16();
  in.u16();
  header.identity = get_identity(in);
  in.u32();
  header.salt = in.u64();
  header.number = in.u64();
  header.first_frame = in.u64();
  header.previous = in.u64();
  header.reserved = in.u64();
  return header;
}

std::uint64_t segment_salt(const FileIdentity& identity, std::uint64_t segment) {
  Bytes bytes;
  ByteWriter out(bytes);
  put_identity(out, identity);
  out.u64(segment);
  return hash64(bytes);
}

std::string segment_file(std::uint64_t segment) {
  std::string digits = std::to_string(segment);
  if (digits.size() < 6) {
    digits.insert(0, 6 - digits.size(), '0');
  }
  return std::string(segment_prefix) + digits;
}

std::optional<std::uint64_t> segment_of_file(std::string_view file) {
  if (!file.starts_with(segment_prefix)) return std::nullopt;
  const std::string_view digits = file.substr(segment_prefix.size());
  std::uint64_t segment = 0;
  for (const char digit : digits) {
    if (digit < '0' || digit > '9' || digits.size() > 18) return std::nullopt;
    segment = segment * 10 + static_cast<std::uint64_t>(digit - '0');
  }
  if (segment == 0 || segment_file(segment) != file) return std::nullopt;
  return segment;
}

std::string damaged_file(std::uint64_t segment) { return "damaged-" + segment_file(segment); }

}  // namespace coffer::log
