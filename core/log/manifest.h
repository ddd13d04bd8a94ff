// The manifest: which sealed files this directory should hold, so that one that vanished is missed and not forgotten.
// Derived from the files: rebuilt when it is missing or damaged; while it is sound, a file it names that is gone or has
// other content is damaged, and fetched again. Pure functions; decoders take arbitrary bytes.
//
//   manifest := magic "CFM1" u32 | version u16 = 1 | zero u16 | cluster 16 | count u32 | zero u32 | row{count}
//               | checksum u64                                                    XXH3-64 of everything before it
//   row      := kind u8 | zero u8 | zero u16 | group u32 | first u64 | last u64 | last_term u64 | last_position u64
//               | payload_size u64 | table_checksum u64 | chain_after 32          ascending by kind, group, last
#pragma once

#include <cstdint>
#include <map>

#include "core/base/bytes.h"
#include "core/base/ids.h"
#include "core/base/result.h"
#include "core/log/sealed_file.h"

namespace coffer::log {

inline constexpr const char* manifest_file = "manifest";

struct ManifestRow {
  Index first;
  Term last_term;
  Position last_position;
  std::uint64_t payload_size = 0;
  std::uint64_t table_checksum = 0;
  Hash256 chain_after;
  bool operator==(const ManifestRow&) const = default;
};
using Manifest = std::map<SealedName, ManifestRow>;

ManifestRow manifest_row(const SealedHeader& header);

Bytes encode(const Manifest& manifest, Uuid cluster);
struct DecodedManifest {
  Uuid cluster;
  Manifest rows;
};
/// Errors: corrupt (checksum), unsupported (a later version), malformed.
Result<DecodedManifest> decode_manifest(ByteView bytes);

}  // namespace coffer::log
