#include "core/base/frame.h"

#include "core/base/codec.h"
#include "core/base/hash.h"

namespace coffer {

namespace {

constexpr std::size_t checked_header_size = 16;

std::uint64_t checksum_of(ByteView frame) {
  const std::uint64_t seed = hash64(frame.first(checked_header_size));
  return hash64(frame.subspan(frame_header_size), seed);
}

}  // namespace

Bytes make_frame(std::uint8_t kind, ByteView payload) {
  Bytes frame(frame_header_size);
  frame.reserve(frame_header_size + payload.size());
  frame.insert(frame.end(), payload.begin(), payload.end());
  seal_frame(kind, frame);
  return frame;
}

void seal_frame(std::uint8_t kind, Bytes& frame) {
  check(frame.size() >= frame_header_size, "a frame has room for its header");
  check(frame.size() - frame_header_size <= frame_payload_max, "a frame's payload is within the limit");
  Bytes header;
  header.reserve(checked_header_size);
  ByteWriter out(header);
  out.u32(frame_magic);
  out.u8(kind);
  out.u8(frame_version);
  out.u16(0);
  out.u32(static_cast<std::uint32_t>(frame.size() - frame_header_size));
  out.u32(0);
  std::memcpy(frame.data(), header.data(), header.size());
  const std::uint64_t checksum = checksum_of(frame);
  std::memcpy(frame.data() + checked_header_size, &checksum, sizeof checksum);
}

Result<std::size_t> frame_size(ByteView header) {
  ByteReader in(header);
  const std::uint32_t magic = in.u32();
  in.u8();
  const std::uint8_t version = in.u8();
  const std::uint16_t zero16 = in.u16();
  const std::uint32_t length = in.u32();
  const std::uint32_t zero32 = in.u32();
  if (!in.ok() || magic != frame_magic || zero16 != 0 || zero32 != 0) {
    return error(ErrorCode::malformed, "not a frame header");
  }
  if (version != frame_version) {
    return error(ErrorCode::unsupported, "frame version " + std::to_string(version) + " is not known");
  }
  if (length > frame_payload_max) {
    return error(ErrorCode::malformed, "frame of " + std::to_string(length) + " bytes is over the limit");
  }
  return frame_header_size + length;
}

Result<FrameView> open_frame(ByteView frame) {
  const Result<std::size_t> size = frame_size(frame);
  if (size.has_error()) {
    return size.error();
  }
  if (*size != frame.size()) {
    return error(ErrorCode::malformed, "frame length does not match its header");
  }
  ByteReader in(frame);
  in.u32();
  const std::uint8_t kind = in.u8();
  in.raw(checked_header_size - 5);
  if (in.u64() != checksum_of(frame)) {
    return error(ErrorCode::corrupt, "frame checksum does not match");
  }
  return FrameView{kind, frame.subspan(frame_header_size)};
}

}  // namespace coffer
