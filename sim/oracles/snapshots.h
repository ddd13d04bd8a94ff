// Published snapshots against the log: each holds exactly the rows that the fold of its prefix gives, and the
// configuration in force there, so that snapshot and tail give the state that the whole log gives. Part of O-E1.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "sim/observe/observer.h"
#include "sim/oracles/sealed_decode.h"
#include "sim/oracles/state_decode.h"

namespace coffer::sim::oracles {

class Snapshots {
 public:
  explicit Snapshots(const Topology& topology);

  void committed(const CommittedEntry& entry);
  /// Of a whole file; what is not whole, of entries that have not committed, or other bytes than before under the same
  /// name, is O-E3's to tell. Each content is judged once.
  std::optional<std::string> shown(NodeId node, const SealedName& name, ByteView contents);

 private:
  struct Logged {
    EntryKind kind = EntryKind::state;
    Bytes payload;
  };
  struct Shard {
    std::vector<Logged> log;
    Bytes founding;  ///< the members, as a configuration is encoded
    std::uint64_t folded = 0;
    StateRows rows;  ///< after `folded` entries
  };

  static const StateRows& rows_at(Shard& shard, ShardId id, std::uint64_t index);
  static ByteView configuration_at(const Shard& shard, std::uint64_t index);

  std::vector<Shard> shards_;  ///< by shard - 1
  std::set<SealedName> judged_;
};

}  // namespace coffer::sim::oracles
