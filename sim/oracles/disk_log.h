// One shard's log as a node's stream holds it, folded from the records that became durable (docs/FORMATS.md), and how
// much of what has committed it holds.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/entry.h"
#include "core/base/hash.h"
#include "core/base/ids.h"
#include "sim/oracles/stream_decode.h"

namespace coffer::sim::oracles {

struct StoredEntry {
  Term term;
  EntryKind kind = EntryKind::state;
  Hash128 payload;
  bool operator==(const StoredEntry&) const = default;
};

/// Entries up to the base are a snapshot's. Where reading began in the midst of the stream, the first entries behind
/// the base may be missing until a later base reaches over them.
class DiskLog {
 public:
  // Each returns what cannot be, if anything.
  std::optional<std::string> append(const EntryOnDisk& entry);
  std::optional<std::string> cut(const CutOnDisk& cut);
  std::optional<std::string> restore(const BaseOnDisk& base);
  std::optional<std::string> stands(const StandingOnDisk& standing);

  const LogPlace& base() const { return base_; }
  std::uint64_t last() const { return first_ + entries_.size() - 1; }
  bool has_gap() const { return first_ > base_.index.value + 1; }
  /// So many entries of `committed`, from the first on, are here or among the first `covered`, which a snapshot holds.
  /// Requires: `committed` only grows from call to call.
  std::uint64_t matched(const std::vector<StoredEntry>& committed, std::uint64_t covered);

 private:
  LogPlace base_;
  std::uint64_t first_ = 1;  ///< index of the first of entries_
  std::vector<StoredEntry> entries_;
  bool begun_ = false;         ///< a record was seen
  std::uint64_t matched_ = 0;  ///< by the last call
  std::uint64_t covered_ = 0;  ///< in the last call
};

}  // namespace coffer::sim::oracles
