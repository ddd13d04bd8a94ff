// What a replica must learn before it votes again when its disk may have lost entries it had acknowledged. Votes and
// terms are on another file and are not lost. Rule and proof: docs/PROTOCOLS.md, "An uncertain replica".
//
//   certain
//   asking --all other voters have answered: bind()---> bound --its durable log covers the floor--> certain
//   bound -- all have answered anew: bind() -----------> bound, perhaps with a lower floor
//   asking or bound ------ its durable log holds what a leader answered --------------------------> certain
//
// Asking: no vote, no pre-vote, no campaign. Bound: votes only for logs that cover the floor. Owned by one Raft.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "core/base/entry.h"
#include "core/base/ids.h"
#include "core/raft/configuration.h"
#include "core/raft/messages.h"

namespace coffer::raft {

class Recovery {
 public:
  /// Certain: nothing to learn.
  Recovery() = default;
  /// Asking. `evidence`: the highest place this disk has shown, perhaps beyond its damage. `nonce`: of this start.
  Recovery(LogPlace evidence, std::uint64_t nonce) : state_(State::asking), evidence_(evidence), nonce_(nonce) {}

  bool certain() const { return state_ == State::certain; }
  std::uint64_t nonce() const { return nonce_; }
  /// Whether a vote, or a pre-vote, may go to a log that ends at `last`.
  bool may_vote_for(LogPlace last) const;

  /// Notes an answer to the present nonce; others are ignored. `term`: this replica's own.
  void answered(NodeId from, const RecoveryReply& reply, Term term);
  /// Everybody to ask: the voters of the configuration in use and of every one an answer named, self excepted.
  std::vector<NodeId> to_ask(NodeId self, const Configuration& configuration) const;
  /// Those of to_ask() that have not answered yet.
  std::vector<NodeId> waits_for(NodeId self, const Configuration& configuration) const;
  /// All of to_ask(), of whom there are some, have answered, and that is not part of the floor yet.
  bool can_bind(NodeId self, const Configuration& configuration) const;
  /// Fixes the floor: the highest of this log's end and the answers of those that have a vote by their own word. What
  /// the disk has shown beyond it is on nobody's disk any more, and is given up: see evidence().
  void bind(LogPlace own_end);
  /// Asks anew under another nonce, as after a restart: answers to the one before do not count any more. A floor fixed
  /// before holds until all have answered this one: what it was fixed for may be on nobody's disk any more. Requires:
  /// not certain (checked).
  void ask_anew(std::uint64_t nonce);

  /// The highest place the disk has shown. Told with the end of the uncertainty, and not waited for: nobody may have
  /// it.
  LogPlace evidence() const { return evidence_; }
  /// What a leader of no earlier term than ours has answered its log held, after our start.
  const std::optional<LogPlace>& leader_place() const { return leader_place_; }
  /// What any log must cover that this replica votes for; nothing before bind().
  std::optional<LogPlace> floor() const { return state_ == State::bound ? std::optional(floor_) : std::nullopt; }

 private:
  enum class State : std::uint8_t { certain, asking, bound };

  State state_ = State::certain;
  LogPlace evidence_;
  LogPlace floor_;             ///< while bound
  LogPlace highest_;           ///< answered to the present nonce so far
  bool all_answered_ = false;  ///< to the present nonce: their answers are in the floor
  std::uint64_t nonce_ = 0;
  std::set<NodeId> answered_;
  std::set<NodeId> named_;  ///< voters of the configurations in answers
  std::optional<LogPlace> leader_place_;
  Term leader_term_;
};

}  // namespace coffer::raft
