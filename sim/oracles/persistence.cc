// O-R2. Term and vote never go back across a restart, what was durable is there again, and a committed entry is never
// removed or replaced. What had not reached the disk may be lost, and the answers that wait for it with it: a vote, a
// term or an entry counts as durable once two frames became durable after it (flushes follow one another, and each
// writes all that is pending, so the second one began later).
#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "sim/oracles/book.h"

namespace coffer::sim::oracles {

namespace {

/// A value that becomes durable with the second frame synced after it was set.
template <class T>
struct Persisted {
  T now{};
  T one_sync{};  ///< seen by one sync since
  T durable{};

  void synced() {
    durable = one_sync;
    one_sync = now;
  }
  void lost() { now = one_sync = durable; }
};

struct Ballot {
  Term term;
  NodeId vote = nobody;  ///< in `term`
  bool operator==(const Ballot&) const = default;
};

/// Whether someone at `now` has forgotten `before`.
bool forgets(const Ballot& now, const Ballot& before) {
  return now.term < before.term || (now.term == before.term && before.vote != nobody && now.vote != before.vote);
}

std::string words(const Ballot& ballot) {
  return "term " + std::to_string(ballot.term.value) +
         (ballot.vote == nobody ? " without a vote" : " with a vote for node " + std::to_string(ballot.vote.value));
}

struct Replica {
  Persisted<Ballot> ballot;
  Ballot given;  ///< the last vote, whether it outlived a crash or not
  bool down = false;
  Persisted<std::uint64_t> entries;         ///< log length
  std::map<std::uint64_t, Term> committed;  ///< by index, over all incarnations
  std::uint64_t committed_now = 0;          ///< in this incarnation
};

class Persistence final : public Oracle {
 public:
  explicit Persistence(const Topology& topology) : members_(topology.members) {}
  std::string_view name() const override { return "O-R2"; }

  void on_trace(SimTime, NodeId node, const TraceEvent& event) override {
    if (!violations().empty()) return;
    if (event.kind == TraceKind::synced) {
      for (auto& [at, replica] : replicas_) {
        if (at.first != node) continue;
        replica.ballot.synced();
        replica.entries.synced();
      }
    } else if (event.kind == TraceKind::became_follower || event.kind == TraceKind::became_pre_candidate) {
      in_term(node, event);
    } else if (event.kind == TraceKind::became_leader) {
      if (in_term(node, event)) elected(node, event);
    } else if (event.kind == TraceKind::became_candidate) {
      if (in_term(node, event)) voted(node, event, node);
    } else if (event.kind == TraceKind::voted) {
      if (in_term(node, event)) voted(node, event, NodeId(static_cast<std::uint32_t>(event.a)));
    } else if (event.kind == TraceKind::appended) {
      replicas_[{node, event.shard}].entries.now = event.index.value;
    } else if (event.kind == TraceKind::truncated) {
      truncated(node, event);
    } else if (event.kind == TraceKind::recovered) {
      recovered(node, event);
    }
  }

  void on_committed(SimTime, NodeId node, ShardId shard, Index index, Term term, ByteView) override {
    if (!violations().empty()) return;
    Replica& replica = replicas_[{node, shard}];
    replica.committed_now = std::max(replica.committed_now, index.value);
    const auto [found, is_first] = replica.committed.try_emplace(index.value, term);
    if (is_first || found->second == term) return;
    violated("node " + std::to_string(node.value) + " had committed entry " + std::to_string(index.value) + " of " +
             text(shard) + " in term " + std::to_string(found->second.value) + ", and commits it again in term " +
             std::to_string(term.value));
  }

  void on_replica(SimTime, NodeId node, const shard::Observation& observed) override {
    if (!violations().empty()) return;
    went_back(node, observed.shard, observed.term);
  }

  void on_crash(SimTime, NodeId node) override {
    for (auto& [at, replica] : replicas_) {
      if (at.first != node) continue;
      replica.down = true;
      replica.ballot.lost();
      replica.entries.lost();
      replica.committed_now = 0;
    }
  }

 private:
  /// True (and told) when the node is in an earlier term than it must remember.
  bool went_back(NodeId node, ShardId shard, Term term) {
    const Term known = replicas_[{node, shard}].ballot.now.term;
    if (term >= known) return false;
    violated("node " + std::to_string(node.value) + " is in term " + std::to_string(term.value) + " of " + text(shard) +
             " after it had been in term " + std::to_string(known.value));
    return true;
  }

  bool in_term(NodeId node, const TraceEvent& event) {
    if (went_back(node, event.shard, event.term)) return false;
    Ballot& ballot = replicas_[{node, event.shard}].ballot.now;
    if (event.term > ballot.term) ballot = {event.term, nobody};
    return true;
  }

  void voted(NodeId node, const TraceEvent& event, NodeId candidate) {
    Replica& replica = replicas_[{node, event.shard}];
    Ballot& ballot = replica.ballot.now;
    if (ballot.vote != nobody && ballot.vote != candidate) {
      violated("node " + std::to_string(node.value) + " voted for nodes " + std::to_string(ballot.vote.value) +
               " and " + std::to_string(candidate.value) + " in term " + std::to_string(event.term.value) + " of " +
               text(event.shard));
    }
    ballot.vote = candidate;
    replica.given = ballot;
  }

  /// Where a leader has no more votes than it needs, each of them was told, and must outlive any crash.
  void elected(NodeId leader, const TraceEvent& event) {
    if (event.shard.value < 1 || event.shard.value > members_.size()) return;
    const std::vector<NodeId>& members = members_[event.shard.value - 1];
    const Ballot vote{event.term, leader};
    std::vector<NodeId> voters;
    for (const NodeId member : members) {
      if (replicas_[{member, event.shard}].given == vote) voters.push_back(member);
    }
    if (voters.size() != members.size() / 2 + 1) return;
    for (const NodeId voter : voters) {
      Replica& replica = replicas_[{voter, event.shard}];
      Persisted<Ballot>& ballot = replica.ballot;
      if (!replica.down && forgets(ballot.now, vote)) {
        violated("node " + std::to_string(voter.value) + " made node " + std::to_string(leader.value) + " leader of " +
                 text(event.shard) + " in term " + std::to_string(event.term.value) + ", and came back in " +
                 words(ballot.now));
        return;
      }
      for (Ballot* each : {&ballot.now, &ballot.one_sync, &ballot.durable}) {
        if (each->term < vote.term || *each == Ballot{vote.term, nobody}) *each = vote;
      }
    }
  }

  void truncated(NodeId node, const TraceEvent& event) {
    Replica& replica = replicas_[{node, event.shard}];
    if (event.index.value <= replica.committed_now) {
      violated("node " + std::to_string(node.value) + " removed entries of " + text(event.shard) + " from " +
               std::to_string(event.index.value) + " on, and had committed up to " +
               std::to_string(replica.committed_now));
    }
    const std::uint64_t left = event.index.value == 0 ? 0 : event.index.value - 1;
    for (std::uint64_t* length : {&replica.entries.now, &replica.entries.one_sync, &replica.entries.durable}) {
      *length = std::min(*length, left);
    }
  }

  void recovered(NodeId node, const TraceEvent& event) {
    Replica& replica = replicas_[{node, event.shard}];
    const Ballot found{event.term, NodeId(static_cast<std::uint32_t>(event.b))};
    if (forgets(found, replica.ballot.now)) {
      violated("node " + std::to_string(node.value) + " came back to " + text(event.shard) + " in " + words(found) +
               ", and had been in " + words(replica.ballot.now));
    }
    replica.down = false;
    replica.ballot = {found, found, found};
    if (event.a < replica.entries.now) {
      violated("node " + std::to_string(node.value) + " came back with " + std::to_string(event.a) + " entries of " +
               text(event.shard) + ", and " + std::to_string(replica.entries.now) + " had been synced");
    }
    replica.entries.now = event.a;
    replica.entries.one_sync = event.a;
    replica.entries.durable = event.a;  // recovery ends with a sync
  }

  std::vector<std::vector<NodeId>> members_;  ///< by shard - 1
  std::map<std::pair<NodeId, ShardId>, Replica> replicas_;
};

}  // namespace

std::unique_ptr<Oracle> make_persistence(const Topology& topology) { return std::make_unique<Persistence>(topology); }

}  // namespace coffer::sim::oracles
