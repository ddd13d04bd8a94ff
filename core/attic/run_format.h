// The bytes of a run: the records of rows that left a shard's state in one epoch, sorted by hash, to be looked up one
// chunk at a time (docs/decisions/0012, section 3). A run is the payload of a sealed file (core/log/sealed_file.h),
// whose table vouches for each chunk; the head stands in the sealed header's meta. What a record holds is the caller's.
// Pure functions; decoders take arbitrary bytes.
//
//   payload   := row_chunk{row_chunks} tail
//   row_chunk := (hash u64 | content content_size bytes)* zero*        chunk_size bytes; as many records as fit, in the
//                                                                      last one what remains; ascending by hash,
//                                                                      records of one hash in the order of their places
//   tail      := filter_words u32 {8 * filter_blocks} (core/attic/filter.h)
//                | fences u64 {row_chunks}                             the hash of the first record of each row chunk
//                | end "END1" u32                                      so that no payload is empty
//   head      := magic "CFA1" u32 | version u16 = 1 | content_size u16 | first u64 | end u64 | chunk_size u32
//                | row_chunks u32 | filter_blocks u32
//
// Places count the rows that have left a shard from 0 on; a run holds those in [first, end), which may be none.
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/result.h"

namespace coffer::attic {

inline constexpr std::uint32_t head_magic = 0x31414643;  ///< "CFA1" in file order
inline constexpr std::uint32_t tail_end = 0x31444E45;    ///< "END1"
inline constexpr std::size_t head_bytes = 4 + 2 + 2 + 8 + 8 + 4 + 4 + 4;
inline constexpr std::size_t hash_bytes = 8;
inline constexpr std::uint64_t places_max = std::uint64_t{1} << 48;       ///< `end` is at most this
inline constexpr std::uint64_t run_records_max = std::uint64_t{1} << 30;  ///< end - first is at most this

struct RunHead {
  std::uint64_t first = 0;          ///< place of the first record
  std::uint64_t end = 0;            ///< one past the place of the last
  std::uint16_t content_size = 0;   ///< bytes of a record behind its hash; at least 1
  std::uint32_t chunk_size = 0;     ///< bytes; at least one record fits
  std::uint32_t row_chunks = 0;     ///< follows from the rest; 0 without records
  std::uint32_t filter_blocks = 0;  ///< follows from the rest (blocks_for()); 0 without records

  std::uint64_t records() const { return end - first; }
  std::uint64_t record_bytes() const { return hash_bytes + content_size; }
  std::uint64_t records_per_chunk() const { return chunk_size / record_bytes(); }
  bool operator==(const RunHead&) const = default;
};

/// The head of a run of these rows, with the counts that follow. Requires: first <= end <= places_max, at most
/// run_records_max records, content_size > 0, a record fits in a chunk (all checked).
RunHead head_of(std::uint64_t first, std::uint64_t end, std::uint16_t content_size, std::uint32_t chunk_size);

/// Exactly head_bytes.
Bytes encode(const RunHead& head);
/// Errors: unsupported (a later version), malformed (any other length, magic, fields out of range, or counts that do
/// not follow from the others). Never checks: what it is given may come from a peer.
Result<RunHead> decode_head(ByteView meta);

/// Bytes of the tail, and of the whole payload: row_chunks * chunk_size + tail_size(head).
std::uint64_t tail_size(const RunHead& head);
std::uint64_t payload_size(const RunHead& head);
/// The tail begins with a chunk of its own and is cut into chunks of chunk_size too, the last one shorter: their
/// number.
std::uint32_t tail_chunks(const RunHead& head);

/// The contents of the records with this hash in row chunk number `chunk`, in the order they stand. The views point
/// into `bytes`. Errors: malformed (the bytes have not the length of a row chunk, `chunk` is none of the head's row
/// chunks, records are not ascending by hash, or what is behind them is not zero).
Result<std::vector<ByteView>> find_in_chunk(const RunHead& head, std::uint32_t chunk, ByteView bytes,
                                            std::uint64_t hash);

}  // namespace coffer::attic
