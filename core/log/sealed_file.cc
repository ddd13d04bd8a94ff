#include "core/log/sealed_file.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "core/base/check.h"
#include "core/base/codec.h"
#include "core/base/hash.h"

namespace coffer::log {
namespace {

constexpr std::uint32_t sealed_magic = 0x314B4643;             // "CFK1"
constexpr std::uint64_t sealed_seed = 0x5345'414C'4544'0001u;  // "SEALED"
constexpr std::uint64_t table_seed = 0x5345'414C'4544'0002u;
constexpr std::uint16_t sealed_version = 1;
constexpr std::uint64_t entry_size_min = 21;  // core/log/history.h

std::string padded(std::uint64_t number, std::size_t digits) {
  const std::string text = std::to_string(number);
  return text.size() < digits ? std::string(digits - text.size(), '0') + text : text;
}

std::string with_place(std::string_view prefix, const SealedName& name) {
  std::string text(prefix);
  text += '-';
  text += padded(name.group.value, 6);
  text += '-';
  text += padded(name.last.value, 20);
  return text;
}

template <class Number>
bool read_number(std::string_view& text, Number& number) {
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (failed != std::errc{}) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

std::string_view kind_name(SealedKind kind) {
  switch (kind) {
    case SealedKind::snapshot:
      return "snapshot";
    case SealedKind::history:
      return "history";
    case SealedKind::attic:
      return "attic";
  }
  check_failed("a kind is one of those listed");
}

/// Every entry takes at least its own header, every event at least a byte: so an index is never larger than its
/// history.
bool history_in_range(const SealedHeader& header) {
  if (header.first_position.value == 0 || header.last_position.value < header.first_position.value - 1) return false;
  const std::uint64_t entries_before_last = header.name.last.value - header.first.value;
  const std::uint64_t positions = header.last_position.value - (header.first_position.value - 1);
  return entries_before_last < header.payload_size / entry_size_min && positions <= header.payload_size;
}

Bytes header_body(const SealedHeader& header) {
  Bytes body;
  ByteWriter out(body);
  out.u32(sealed_magic);
  out.u16(sealed_version);
  out.u8(static_cast<std::uint8_t>(header.name.kind));
  out.u8(0);
  out.uuid(header.cluster);
  out.id(header.name.group);
  out.u32(header.chunk_size);
  out.id(header.first);
  out.id(header.name.last);
  out.id(header.last_term);
  out.id(header.first_position);
  out.id(header.last_position);
  out.i64(header.last_stamp.nanos);
  out.u64(header.payload_size);
  out.raw(std::as_bytes(std::span(header.chain_before.bytes)));
  out.raw(std::as_bytes(std::span(header.chain_after.bytes)));
  out.u64(header.table_checksum);
  out.blob(header.meta);
  return body;
}

Hash256 get_hash256(ByteReader& in) {
  Hash256 hash;
  const ByteView bytes = in.raw(hash.bytes.size());
  if (in.ok()) std::memcpy(hash.bytes.data(), bytes.data(), bytes.size());
  return hash;
}

}  // namespace

std::string file_name(const SealedName& name, bool archived) {
  return with_place(archived ? "archive" : kind_name(name.kind), name);
}

std::string part_name(const SealedName& name) { return file_name(name) + ".part"; }

std::string index_file_name(const SealedName& history) { return with_place("index", history); }

std::string derived_part_name(const std::string& file) { return file + ".part"; }

std::string damaged_name(const std::string& file) { return "damaged-" + file; }

std::optional<FoundName> parse_file_name(std::string_view file) {
  FoundName found;
  const std::size_t prefix_end = file.find('-');
  if (prefix_end == std::string_view::npos) return std::nullopt;
  const std::string_view prefix = file.substr(0, prefix_end);
  found.name.kind = prefix == "snapshot" ? SealedKind::snapshot
                    : prefix == "attic"  ? SealedKind::attic
                                         : SealedKind::history;
  if (prefix == "archive") {
    found.role = FileRole::archived;
  } else if (prefix == "index") {
    found.role = FileRole::index;
  } else if (prefix != "snapshot" && prefix != "history" && prefix != "attic") {
    return std::nullopt;
  }
  std::string_view rest = file.substr(prefix_end + 1);
  if (!read_number(rest, found.name.group.value) || !rest.starts_with('-')) return std::nullopt;
  rest.remove_prefix(1);
  if (!read_number(rest, found.name.last.value)) return std::nullopt;
  // Only the one canonical spelling counts.
  std::string canonical;
  switch (found.role) {
    case FileRole::published:
    case FileRole::part:
      found.role = rest.empty() ? FileRole::published : FileRole::part;
      canonical = rest.empty() ? file_name(found.name) : part_name(found.name);
      break;
    case FileRole::archived:
      canonical = file_name(found.name, true);
      break;
    case FileRole::index:
    case FileRole::index_part:
      found.role = rest.empty() ? FileRole::index : FileRole::index_part;
      canonical = index_file_name(found.name);
      if (!rest.empty()) canonical = derived_part_name(canonical);
      break;
  }
  if (file != canonical) return std::nullopt;
  return found;
}

bool well_formed(const SealedHeader& header) {
  if (header.chunk_size == 0 || header.chunk_size > sealed_chunk_size_max) return false;
  if (header.payload_size > header.chunk_size * sealed_chunks_max) return false;
  if (header.first.value == 0 || header.first > header.name.last) return false;
  if (header.meta.size() > sealed_meta_max) return false;
  switch (header.name.kind) {
    case SealedKind::snapshot:
    case SealedKind::attic:
      return header.first == header.name.last;
    case SealedKind::history:
      return history_in_range(header);
  }
  return false;
}

Bytes encode(const SealedHeader& header) {
  check(well_formed(header), "the header of a sealed file has fields in range");
  Bytes block = header_body(header);
  seal_block(block, sealed_seed);
  return block;
}

Result<SealedHeader> decode_sealed_header(ByteView block) {
  if (!is_sealed(block, sealed_seed)) return error(ErrorCode::corrupt, "the header's checksum does not hold");
  ByteReader in(block.first(block_body_max));
  SealedHeader header;
  const std::uint32_t magic = in.u32();
  const std::uint16_t version = in.u16();
  if (magic != sealed_magic) return error(ErrorCode::malformed, "not the header of a sealed file");
  if (version != sealed_version) {
    return error(ErrorCode::unsupported, "format version " + std::to_string(version) + " is not known");
  }
  header.name.kind = static_cast<SealedKind>(in.u8());
  const bool zero = in.u8() == 0;
  header.cluster = in.uuid();
  header.name.group = in.id<ShardId>();
  header.chunk_size = in.u32();
  header.first = in.id<Index>();
  header.name.last = in.id<Index>();
  header.last_term = in.id<Term>();
  header.first_position = in.id<Position>();
  header.last_position = in.id<Position>();
  header.last_stamp = Stamp{in.i64()};
  header.payload_size = in.u64();
  header.chain_before = get_hash256(in);
  header.chain_after = get_hash256(in);
  header.table_checksum = in.u64();
  const ByteView meta = in.blob();
  header.meta.assign(meta.begin(), meta.end());
  if (!in.ok() || !zero || !well_formed(header) || !is_blank(block.subspan(in.position(), in.remaining()))) {
    return error(ErrorCode::malformed, "the header has fields out of range");
  }
  return header;
}

std::uint32_t chunk_count(const SealedHeader& header) {
  return static_cast<std::uint32_t>((header.payload_size + header.chunk_size - 1) / header.chunk_size);
}

std::uint64_t chunk_length(const SealedHeader& header, std::uint32_t chunk) {
  const std::uint64_t before = std::uint64_t{chunk} * header.chunk_size;
  return std::min<std::uint64_t>(header.chunk_size, header.payload_size - before);
}

std::uint64_t chunk_offset(const SealedHeader& header, std::uint32_t chunk) {
  return block_size + std::uint64_t{chunk} * header.chunk_size;
}

std::uint64_t table_offset(const SealedHeader& header) { return block_size + header.payload_size; }

std::uint64_t table_length(const SealedHeader& header) {
  return (std::uint64_t{chunk_count(header)} + 1) * sizeof(std::uint64_t);
}

std::uint64_t sealed_size(const SealedHeader& header) { return table_offset(header) + table_length(header); }

std::uint64_t chunk_checksum(std::uint32_t chunk, ByteView bytes) { return hash64(bytes, chunk); }

std::uint64_t checksum_of_table(const std::vector<std::uint64_t>& table) {
  return hash64(std::as_bytes(std::span(table)), table_seed);
}

Bytes encode_table(const std::vector<std::uint64_t>& table) {
  Bytes bytes;
  ByteWriter out(bytes);
  out.raw(std::as_bytes(std::span(table)));
  out.u64(checksum_of_table(table));
  return bytes;
}

Result<std::vector<std::uint64_t>> decode_table(const SealedHeader& header, ByteView bytes) {
  if (bytes.size() != table_length(header)) {
    return error(ErrorCode::corrupt, "the table of checksums is not where the file should end");
  }
  ByteReader in(bytes);
  std::vector<std::uint64_t> table(chunk_count(header));
  for (std::uint64_t& checksum : table) checksum = in.u64();
  const std::uint64_t checksum = in.u64();
  if (checksum != header.table_checksum || checksum_of_table(table) != checksum) {
    return error(ErrorCode::corrupt, "the checksum of the table of checksums does not hold");
  }
  return table;
}

}  // namespace coffer::log
