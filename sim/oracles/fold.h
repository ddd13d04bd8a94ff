// One replica's claim of its state against the book's fold of the same log prefix. Shared by O-E1 (as the replica is)
// and O-E2 (after undoing entries on a copy). A claim about entries that are not committed yet waits for their commit,
// and is forgotten when another term commits there.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "core/base/hash.h"
#include "core/base/ids.h"
#include "sim/observe/observer.h"
#include "sim/oracles/book.h"

namespace coffer::sim::oracles {

class Fold {
 public:
  explicit Fold(const Topology& topology) : book_(topology) {}

  /// Returns what contradicts: at most one reason per call.
  std::optional<std::string> committed(const CommittedEntry& entry);
  std::optional<std::string> claimed(NodeId node, const shard::Observation& replica);
  /// Remembers the digest of a state, to be compared with later claims; judges nothing.
  void seen(NodeId node, const shard::Observation& replica);

 private:
  struct Claim {
    NodeId node;
    shard::Observation replica;
  };
  struct Digest {
    Hash128 state;
    NodeId node;
  };
  using Prefix = std::tuple<ShardId, Index, Term>;

  std::optional<std::string> judge(const Claim& claim) const;
  std::optional<std::string> judge_pockets(const Claim& claim) const;

  Book book_;
  std::map<std::pair<ShardId, Index>, std::vector<Claim>> waiting_;
  std::map<Prefix, Digest> digests_;  ///< the first seen
};

}  // namespace coffer::sim::oracles
