// The stream's bytes: segments and the frames in them. Not to be confused with the frames on the wire
// (core/base/frame.h). Pure functions; decoders take arbitrary bytes, never read past their end and never allocate by a
// length they found.
//
//   segment := segment_header frame* zero*                              one file, "stream-000001", "stream-000002", …
//   segment_header := magic u32 | version u16 | zero u16 | identity 36 | zero u32 | salt u64 | number u64
//                     | first_frame u64 | previous u64 | reserved u64 | zero{4000} | checksum u64           (one block)
//   frame  := header payload zero*                                                  (up to the next block boundary)
//   header := magic u32 | version u16 | zero u16 | salt u64 | number u64 | length u32 | hard_state u32 | previous u64
//             | mark u64 | payload_checksum u64 | header_checksum u64                                     (64 bytes)
//
// Invariants of a sound stream:
//   F1 numbers are contiguous over all segments; a frame lies in one segment. The first is 1, or after a quarantine
//      (opening.h) one that was never used.
//   F2 `previous` is the header checksum of the frame before (0 for the first), and a header checksum covers the
//      payload's: each frame vouches for the whole stream before it.
//   F3 a payload's checksum is bound to (salt, number) and covers the padding: bytes of another place never fit.
//   F4 `mark` < `number`: that frame and all before it were durable when this one was written.
//   F5 `hard_state` is the sequence of the hard state that was durable before this frame: an older one is a lost disk.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/bytes.h"
#include "core/log/block.h"
#include "core/log/stream.h"

namespace coffer::log {

inline constexpr std::uint32_t stream_frame_magic = 0x31534643;    // "CFS1"
inline constexpr std::uint32_t segment_header_magic = 0x31474643;  // "CFG1"
inline constexpr std::size_t stream_frame_header_size = 64;
/// Bytes of one frame's records. More is a broken limit of the caller, never written and never believed.
inline constexpr std::uint32_t stream_frame_payload_max = 1u << 30;

/// Where a frame stands: what its writer knows and its reader expects.
struct FramePlace {
  std::uint64_t salt = 0;
  std::uint64_t number = 0;
  std::uint64_t previous = 0;
};

struct FrameHeader {
  std::uint16_t version = 0;
  FramePlace place;
  std::uint32_t length = 0;      ///< bytes of payload, without padding
  std::uint32_t hard_state = 0;  ///< rule F5
  std::uint64_t mark = 0;
  std::uint64_t payload_checksum = 0;
  std::uint64_t checksum = 0;
};

/// Bytes on disk of a frame with `length` bytes of payload.
constexpr std::uint64_t frame_size_on_disk(std::uint64_t length) {
  return round_up_to_block(stream_frame_header_size + length);
}

/// `frame` holds room for the header, then the payload: pads it and fills in the header. Returns the header checksum.
/// Requires: mark < number, at most stream_frame_payload_max bytes of payload (checked).
std::uint64_t seal_stream_frame(Bytes& frame, const FramePlace& place, std::uint64_t mark,
                                std::uint32_t hard_state = 0);

/// The header at the start of `bytes` if its own checksum holds, whatever its version and place. For searches.
std::optional<FrameHeader> read_frame_header(ByteView bytes);

struct OpenedFrame {
  FrameHeader header;
  ByteView payload;
  std::uint64_t size = 0;  ///< bytes on disk, padding included
};
/// The frame at the start of `bytes` if it is sound, whole, of this version, and the one that `place` expects.
std::optional<OpenedFrame> open_stream_frame(ByteView bytes, const FramePlace& place);

struct SegmentHeader {
  std::uint16_t version = format_version;
  FileIdentity identity;
  std::uint64_t salt = 0;
  std::uint64_t number = 0;
  std::uint64_t first_frame = 0;  ///< number of the first frame in this segment
  std::uint64_t previous = 0;     ///< header checksum of the last frame before this segment
  std::uint64_t reserved = 0;     ///< bytes the file had, durably, before this was written: a shorter one is damaged
};

Bytes encode_segment_header(const SegmentHeader& header);
/// The header at the start of `bytes` if its checksum holds, whatever its version and identity.
std::optional<SegmentHeader> read_segment_header(ByteView bytes);

/// Follows from identity and number alone: the core has no entropy, and a search knows it without the segment's header.
std::uint64_t segment_salt(const FileIdentity& identity, std::uint64_t segment);
/// "stream-000001"
std::string segment_file(std::uint64_t segment);
/// The number in the name of a segment; nothing for any other name.
std::optional<std::uint64_t> segment_of_file(std::string_view file);
/// "damaged-stream-000001": a segment that was set aside, for the operator.
std::string damaged_file(std::uint64_t segment);

}  // namespace coffer::log
