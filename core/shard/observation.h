// What an observer may know of one replica. Plain data: no product type whose code an oracle would then trust.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/hash.h"
#include "core/base/ids.h"
#include "core/base/money.h"

namespace coffer::shard {

enum class Role : std::uint8_t { follower, pre_candidate, candidate, leader };

struct PocketObservation {
  std::string account;
  Currency currency;
  std::int64_t balance = 0;  ///< minor units
  std::int64_t held = 0;     ///< minor units of it, kept for captures
  bool locked = false;       ///< by a transfer that two-phase commit has not decided yet
};

/// What is cheap to know of a replica at any time.
struct Summary {
  ShardId shard;
  Role role = Role::follower;
  Term term;
  NodeId leader;      ///< as far as this replica knows; nobody if it does not
  Index commit;       ///< highest entry known committed
  Index last;         ///< last entry of the local log
  Index applied;      ///< the state is the fold of the log up to here (a leader runs ahead of `commit`)
  Term applied_term;  ///< term of the entry at `applied`
  Position position;  ///< last event folded
  std::uint64_t dedup_rows = 0;
  std::uint64_t legs_unanswered = 0;  ///< outgoing legs without a logged answer, over all targets
  Index base;                         ///< the log in memory stands on this entry
  std::uint64_t in_doubt = 0;         ///< credits prepared here whose decision is not known (two-phase commit)
  Index snapshot;                     ///< newest snapshot that the stream stands on; 0: none
  bool uncertain = false;             ///< may have lost what it acknowledged: asks its group before it votes
  std::vector<NodeId> voters;         ///< of the latest configuration in its log; the new ones while joint
  std::vector<NodeId> outgoing;       ///< the old voters while joint
  std::vector<NodeId> learners;
};

/// The whole of it, for oracles.
struct Observation : Summary {
  Hash128 state;                           ///< digest of the canonical export of the whole state at `applied`
  std::vector<PocketObservation> pockets;  ///< customer and system pockets in number order, at `applied`
};

}  // namespace coffer::shard
