// Frames on the wire, between nodes and between client and node. One header, one checksum, one length limit.
//
//   frame  := magic u32 | kind u8 | version u8 | zero u16 | length u32 | zero u32 | checksum u64 | payload[length]
//   checksum = XXH3-64 of the payload, seeded with the XXH3-64 of the 16 header bytes before it
//
// `kind` tells the listener's messages apart (peers: node/peer_frame.h, net/peer/known_peers.h; clients:
// router/protocol.h).
#pragma once

#include <cstdint>
#include <optional>

#include "core/base/bytes.h"
#include "core/base/result.h"

namespace coffer {

inline constexpr std::uint32_t frame_magic = 0x31464643;  // "CFF1"
inline constexpr std::size_t frame_header_size = 24;
inline constexpr std::uint32_t frame_payload_max = 64u << 20;  ///< bytes; larger lengths are refused before allocation
inline constexpr std::uint8_t frame_version = 1;

struct FrameView {
  std::uint8_t kind;
  ByteView payload;
};

/// Header and payload in one buffer.
Bytes make_frame(std::uint8_t kind, ByteView payload);
/// Writes the header over the first frame_header_size bytes of `frame`, whose payload already follows (no copy).
void seal_frame(std::uint8_t kind, Bytes& frame);
/// Length of the whole frame announced by a header of at least frame_header_size bytes; an error when the header is no
/// frame header (the connection is then beyond repair).
Result<std::size_t> frame_size(ByteView header);
/// Checks magic, version, length and checksum of one whole frame.
Result<FrameView> open_frame(ByteView frame);

}  // namespace coffer
