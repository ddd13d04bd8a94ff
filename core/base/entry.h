// What consensus replicates and the log stores: opaque payloads at (index, term), and the hard state of a replica.
// Source: Raft thesis, figure 3.1.
#pragma once

#include <optional>

#include "core/base/bytes.h"
#include "core/base/ids.h"

namespace coffer {

struct Entry {
  Index index;
  Term term;
  SharedBytes payload;  ///< null for the no-op a new leader appends
};

/// What a replica must never forget: persisted before any answer that depends on it.
struct HardState {
  Term term;
  NodeId vote;  ///< `nobody` when no vote was given in `term`
  constexpr bool operator==(const HardState&) const = default;
};

}  // namespace coffer
