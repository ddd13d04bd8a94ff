#include "core/attic/run_format.h"

#include <algorithm>

#include "core/attic/filter.h"
#include "core/base/check.h"
#include "core/base/codec.h"

namespace coffer::attic {
namespace {

constexpr std::uint16_t head_version = 1;

// The most of both is needed where a chunk holds one record of one byte.
constexpr std::uint64_t tail_size_max = run_records_max * (bits_per_key / 8 + sizeof(std::uint64_t)) + 64;
static_assert(run_records_max + tail_size_max / (hash_bytes + 1) < UINT32_MAX, "32 bits count the chunks of a run");

/// Whether a run can be so: what head_of() requires.
bool is_possible(std::uint64_t first, std::uint64_t end, std::uint16_t content_size, std::uint32_t chunk_size) {
  return first <= end && end <= places_max && end - first <= run_records_max && content_size > 0 &&
         chunk_size >= hash_bytes + content_size;
}

bool is_zero(ByteView bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::byte byte) { return byte == std::byte{0}; });
}

}  // namespace

RunHead head_of(std::uint64_t first, std::uint64_t end, std::uint16_t content_size, std::uint32_t chunk_size) {
  check(is_possible(first, end, content_size, chunk_size), "a run's rows fit what its format can hold");
  RunHead head;
  head.first = first;
  head.end = end;
  head.content_size = content_size;
  head.chunk_size = chunk_size;
  const std::uint64_t per_chunk = head.records_per_chunk();
  head.row_chunks = static_cast<std::uint32_t>((head.records() + per_chunk - 1) / per_chunk);
  head.filter_blocks = blocks_for(head.records());
  return head;
}

Bytes encode(const RunHead& head) {
  Bytes bytes;
  bytes.reserve(head_bytes);
  ByteWriter out(bytes);
  out.u32(head_magic);
  out.u16(head_version);
  out.u16(head.content_size);
  out.u64(head.first);
  out.u64(head.end);
  out.u32(head.chunk_size);
  out.u32(head.row_chunks);
  out.u32(head.filter_blocks);
  return bytes;
}

Result<RunHead> decode_head(ByteView meta) {
  ByteReader in(meta);
  const std::uint32_t magic = in.u32();
  const std::uint16_t version = in.u16();
  if (magic == head_magic && version > head_version) {
    return error(ErrorCode::unsupported, "version " + std::to_string(version) + " of a run's format is not known");
  }
  RunHead head;
  head.content_size = in.u16();
  head.first = in.u64();
  head.end = in.u64();
  head.chunk_size = in.u32();
  head.row_chunks = in.u32();
  head.filter_blocks = in.u32();
  if (!in.done() || magic != head_magic || version != head_version ||
      !is_possible(head.first, head.end, head.content_size, head.chunk_size) ||
      head != head_of(head.first, head.end, head.content_size, head.chunk_size)) {
    return error(ErrorCode::malformed, "the head of a run does not follow its grammar");
  }
  return head;
}

std::uint64_t tail_size(const RunHead& head) {
  return std::uint64_t{head.filter_blocks} * words_per_block * sizeof(std::uint32_t) +
         std::uint64_t{head.row_chunks} * sizeof(std::uint64_t) + sizeof tail_end;
}

std::uint64_t payload_size(const RunHead& head) {
  return std::uint64_t{head.row_chunks} * head.chunk_size + tail_size(head);
}

std::uint32_t tail_chunks(const RunHead& head) {
  return static_cast<std::uint32_t>((tail_size(head) + head.chunk_size - 1) / head.chunk_size);
}

Result<std::vector<ByteView>> find_in_chunk(const RunHead& head, std::uint32_t chunk, ByteView bytes,
                                            std::uint64_t hash) {
  if (chunk >= head.row_chunks || bytes.size() != head.chunk_size) {
    return error(ErrorCode::malformed, "a run has no such row chunk");
  }
  const std::uint64_t before = chunk * head.records_per_chunk();
  const std::uint64_t records = std::min(head.records_per_chunk(), head.records() - before);
  std::vector<ByteView> found;
  ByteReader in(bytes);
  std::uint64_t previous = 0;
  for (std::uint64_t i = 0; i < records; ++i) {
    const std::uint64_t record_hash = in.u64();
    const ByteView content = in.raw(head.content_size);
    if (record_hash < previous) return error(ErrorCode::malformed, "the records of a run are out of order");
    if (record_hash == hash) found.push_back(content);
    previous = record_hash;
  }
  if (!is_zero(in.raw(in.remaining()))) {
    return error(ErrorCode::malformed, "behind the records of a run's chunk are not only zeros");
  }
  return found;
}

}  // namespace coffer::attic
