// What consensus replicates and the log stores: opaque payloads at (index, term), and the hard state of a replica.
// Source: Raft thesis, figure 3.1.
#pragma once

#include <optional>

#include "core/base/bytes.h"
#include "core/base/ids.h"

namespace coffer {

/// What an entry is for: consensus itself reads configurations, everything else is opaque to it.
enum class EntryKind : std::uint8_t {
  state = 0,          ///< events of the shard's state machine; a null payload is the no-op a new leader appends
  configuration = 1,  ///< the members of the group from this entry on (core/raft/configuration.h)
};

struct Entry {
  Index index;
  Term term;
  SharedBytes payload;  ///< null for the no-op a new leader appends
  EntryKind kind = EntryKind::state;
};

/// A place in a log: an entry's, or (0, 0) before the first. Logs that agree on a place agree on everything before it.
struct LogPlace {
  Index index;
  Term term;
  constexpr bool operator==(const LogPlace&) const = default;
};
/// Whether a log that ends at `a` is at least as up-to-date as one that ends at `b` (thesis, section 3.6.1).
constexpr bool covers(const LogPlace& a, const LogPlace& b) {
  return a.term != b.term ? a.term > b.term : a.index >= b.index;
}

/// What a replica must never forget: persisted before any answer that depends on it.
struct HardState {
  Term term;
  NodeId vote;  ///< `nobody` when no vote was given in `term`
  constexpr bool operator==(const HardState&) const = default;
};

}  // namespace coffer
