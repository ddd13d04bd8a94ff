// O-E1. Every replica's state is the fold of the log prefix it claims: pockets, what is held of them and whether they
// are locked (both of which no export shows), positions and legs equal the book's, and equal prefixes have equal state
// digests on all replicas at all times. Only a leader runs ahead of its commit index. A published snapshot holds the
// rows of that fold, and so snapshot + tail is the state.
#include "sim/oracles/fold.h"

#include <memory>

#include "sim/oracles/snapshots.h"

namespace coffer::sim::oracles {

namespace {

std::string told(NodeId node, const shard::Observation& replica) {
  return "node " + std::to_string(node.value) + ", " + text(replica.shard) + " at entry " +
         std::to_string(replica.applied.value) + " of term " + std::to_string(replica.applied_term.value);
}

/// System pockets are named by their kind; only the prefix is fixed.
bool same_name(const Pocket& pocket, const std::string& claimed) {
  switch (pocket.kind) {
    case PocketKind::customer:
      return claimed == pocket.name;
    case PocketKind::issue:
      return claimed.starts_with("sys:issue:");
    case PocketKind::transit:
      return claimed.starts_with("sys:transit:");
  }
  return false;
}

}  // namespace

std::optional<std::string> Fold::committed(const CommittedEntry& entry) {
  if (!book_.committed(entry)) return std::nullopt;
  const auto found = waiting_.find({entry.shard, entry.index});
  if (found == waiting_.end()) return std::nullopt;
  std::optional<std::string> reason;
  for (const Claim& claim : found->second) {
    if (!reason && claim.replica.applied_term == entry.term) reason = judge(claim);
  }
  waiting_.erase(found);
  return reason;
}

std::optional<std::string> Fold::claimed(NodeId node, const shard::Observation& replica) {
  if (!book_.knows(replica.shard)) return std::nullopt;
  const bool leads = replica.role == shard::Role::leader;
  if (!leads && replica.applied > replica.commit) {
    return told(node, replica) + " runs ahead of its commit index " + std::to_string(replica.commit.value) +
           " without being the leader";
  }
  const auto [first, is_first] =
      digests_.try_emplace({replica.shard, replica.applied, replica.applied_term}, Digest{replica.state, node});
  if (!is_first && first->second.state != replica.state) {
    return told(node, replica) + " has another state digest than node " + std::to_string(first->second.node.value) +
           " had at the same entry";
  }
  const ShardBook& book = book_.shard(replica.shard);
  if (replica.applied > book.last()) {
    waiting_[{replica.shard, replica.applied}].push_back({node, replica});
    return std::nullopt;
  }
  const Term committed_term = book.at(replica.applied).term;
  if (committed_term != replica.applied_term) {
    if (leads) return std::nullopt;  // a stale leader's own tail: it will be undone
    return told(node, replica) + " has applied an entry that did not commit: term " +
           std::to_string(committed_term.value) + " committed there";
  }
  return judge({node, replica});
}

void Fold::seen(NodeId node, const shard::Observation& replica) {
  digests_.try_emplace({replica.shard, replica.applied, replica.applied_term}, Digest{replica.state, node});
}

std::optional<std::string> Fold::judge(const Claim& claim) const {
  const Mark& mark = book_.shard(claim.replica.shard).at(claim.replica.applied);
  if (claim.replica.position != mark.position) {
    return told(claim.node, claim.replica) + " says it is at position " + std::to_string(claim.replica.position.value) +
           ", the log says " + std::to_string(mark.position.value);
  }
  if (claim.replica.legs_unanswered != mark.legs_unanswered) {
    return told(claim.node, claim.replica) + " knows " + std::to_string(claim.replica.legs_unanswered) +
           " unanswered legs, the log says " + std::to_string(mark.legs_unanswered);
  }
  if (claim.replica.dedup_rows != mark.ids_bound) {
    return told(claim.node, claim.replica) + " remembers " + std::to_string(claim.replica.dedup_rows) +
           " ids, the log bound " + std::to_string(mark.ids_bound);
  }
  return judge_pockets(claim);
}

std::optional<std::string> Fold::judge_pockets(const Claim& claim) const {
  const ShardBook& book = book_.shard(claim.replica.shard);
  const Position position = book.at(claim.replica.applied).position;
  std::size_t next = 0;
  for (const auto& [number, pocket] : book.pockets()) {  // in number order, as the replica lists them
    if (pocket.opened > position) continue;
    if (next == claim.replica.pockets.size()) {
      return told(claim.node, claim.replica) + " lacks pocket " + std::to_string(number.value) + " (" + pocket.name +
             ")";
    }
    const shard::PocketObservation& claimed = claim.replica.pockets[next++];
    if (!same_name(pocket, claimed.account) || claimed.currency != pocket.currency) {
      return told(claim.node, claim.replica) + " has '" + claimed.account + "' " + to_string(claimed.currency) +
             " where the log opened '" + pocket.name + "' " + to_string(pocket.currency);
    }
    if (Sum{claimed.balance} != pocket.balance_at(position)) {
      return told(claim.node, claim.replica) + " holds '" + claimed.account + "' at " + to_string(claimed.currency) +
             " " + std::to_string(claimed.balance) + " minor units, the fold of the log says " +
             text(pocket.balance_at(position));
    }
    if (Sum{claimed.held} != pocket.held_at(position)) {
      return told(claim.node, claim.replica) + " keeps " + std::to_string(claimed.held) + " minor units of '" +
             claimed.account + "' " + to_string(claimed.currency) + " for captures, the fold of the log says " +
             text(pocket.held_at(position));
    }
    if (claimed.locked != pocket.locked_at(position)) {
      return told(claim.node, claim.replica) + " has '" + claimed.account + "' " + to_string(claimed.currency) +
             (claimed.locked ? " locked, by the fold of the log it is free"
                             : " free, by the fold of the log it is locked");
    }
  }
  if (next != claim.replica.pockets.size()) {
    return told(claim.node, claim.replica) + " has " + std::to_string(claim.replica.pockets.size()) +
           " pockets, the log opened " + std::to_string(next);
  }
  return std::nullopt;
}

namespace {

class FoldEqualsState final : public Oracle {
 public:
  explicit FoldEqualsState(const Topology& topology) : fold_(topology), snapshots_(topology) {}
  std::string_view name() const override { return "O-E1"; }

  void on_committed(SimTime, NodeId, const CommittedEntry& entry) override {
    snapshots_.committed(entry);
    if (auto reason = fold_.committed(entry)) violated(std::move(*reason));
  }
  void on_replica(SimTime, NodeId node, const shard::Observation& replica) override {
    if (auto reason = fold_.claimed(node, replica)) violated(std::move(*reason));
  }
  void on_durable(SimTime, NodeId node, std::string_view file, ByteView contents) override {
    const auto name = sealed_name(file);
    if (!name || !violations().empty()) return;
    if (auto reason = snapshots_.shown(node, *name, contents)) violated(std::move(*reason));
  }

 private:
  Fold fold_;
  Snapshots snapshots_;
};

}  // namespace

std::unique_ptr<Oracle> make_fold(const Topology& topology) { return std::make_unique<FoldEqualsState>(topology); }

}  // namespace coffer::sim::oracles
