#include "core/log/manifest.h"

#include <cstring>
#include <string>

#include "core/base/check.h"
#include "core/base/codec.h"
#include "core/base/hash.h"

namespace coffer::log {
namespace {

constexpr std::uint32_t manifest_magic = 0x314D4643;             // "CFM1"
constexpr std::uint64_t manifest_seed = 0x4D41'4E49'4645'0001u;  // "MANIFE"
constexpr std::uint16_t manifest_version = 1;
constexpr std::size_t row_size = 88;

void put_row(ByteWriter& out, const SealedName& name, const ManifestRow& row) {
  out.u8(static_cast<std::uint8_t>(name.kind));
  out.u8(0);
  out.u16(0);
  out.id(name.group);
  out.id(row.first);
  out.id(name.last);
  out.id(row.last_term);
  out.id(row.last_position);
  out.u64(row.payload_size);
  out.u64(row.table_checksum);
  out.raw(std::as_bytes(std::span(row.chain_after.bytes)));
}

/// False for a row no writer writes.
bool get_row(ByteReader& in, SealedName& name, ManifestRow& row) {
  const std::uint8_t kind = in.u8();
  const bool zero = in.u8() == 0 && in.u16() == 0;
  name.kind = static_cast<SealedKind>(kind);
  name.group = in.id<ShardId>();
  row.first = in.id<Index>();
  name.last = in.id<Index>();
  row.last_term = in.id<Term>();
  row.last_position = in.id<Position>();
  row.payload_size = in.u64();
  row.table_checksum = in.u64();
  const ByteView chain = in.raw(row.chain_after.bytes.size());
  if (in.ok()) std::memcpy(row.chain_after.bytes.data(), chain.data(), chain.size());
  return in.ok() && zero && kind >= 1 && kind <= 3;
}

}  // namespace

ManifestRow manifest_row(const SealedHeader& header) {
  return {header.first,        header.last_term,      header.last_position,
          header.payload_size, header.table_checksum, header.chain_after};
}

Bytes encode(const Manifest& manifest, Uuid cluster) {
  Bytes bytes;
  ByteWriter out(bytes);
  out.u32(manifest_magic);
  out.u16(manifest_version);
  out.u16(0);
  out.uuid(cluster);
  check(manifest.size() <= UINT32_MAX, "a manifest's rows fit 32 bits");
  out.u32(static_cast<std::uint32_t>(manifest.size()));
  out.u32(0);
  for (const auto& [name, row] : manifest) put_row(out, name, row);
  out.u64(hash64(bytes, manifest_seed));
  return bytes;
}

Result<DecodedManifest> decode_manifest(ByteView bytes) {
  constexpr std::size_t checksum_size = sizeof(std::uint64_t);
  if (bytes.size() < checksum_size) return error(ErrorCode::corrupt, "the manifest is cut short");
  const ByteView body = bytes.first(bytes.size() - checksum_size);
  if (ByteReader(bytes.subspan(body.size())).u64() != hash64(body, manifest_seed)) {
    return error(ErrorCode::corrupt, "the manifest's checksum does not hold");
  }
  ByteReader in(body);
  const std::uint32_t magic = in.u32();
  const std::uint16_t version = in.u16();
  if (magic == manifest_magic && version != manifest_version) {
    return error(ErrorCode::unsupported, "format version " + std::to_string(version) + " is not known");
  }
  DecodedManifest manifest;
  bool sound = magic == manifest_magic && in.u16() == 0;
  manifest.cluster = in.uuid();
  const std::uint32_t count = in.u32();
  sound = sound && in.u32() == 0 && in.remaining() == std::uint64_t{count} * row_size;
  for (std::uint32_t i = 0; sound && i < count; ++i) {
    SealedName name;
    ManifestRow row;
    sound = get_row(in, name, row) && (manifest.rows.empty() || manifest.rows.rbegin()->first < name);
    if (sound) manifest.rows.emplace_hint(manifest.rows.end(), name, row);
  }
  if (!sound || !in.done()) return error(ErrorCode::malformed, "the manifest does not follow its grammar");
  return manifest;
}

}  // namespace coffer::log
