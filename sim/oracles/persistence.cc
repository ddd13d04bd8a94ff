// O-R2. Term and vote never go back across a restart, what was durable is there again, and a committed entry is never
// removed or replaced. What had not reached the disk may be lost, and the answers that wait for it with it: a vote, a
// term or an entry counts as durable once two frames became durable after it (flushes follow one another, and each
// writes all that is pending, so the second one began later). A disk that a fault has emptied remembers nothing, so
// whoever had it takes part in nothing any more.
//
// Only a replica that knows itself uncertain may come back with fewer entries: its recovery has traced an uncertain
// tail or quarantined frames, or its hard state said so when it booted. Both whole copies must have said so: of two a
// start may lose the newer one, and then nothing has been cut yet on the strength of it. So does a hard state that was
// not durable when the process died, and was read and made durable by the next. Until it has settled the replica
// neither votes nor campaigns, unless nobody else has a vote. What has settled stays so, whether the hard state that
// says it was synced before the next crash or not: what it was to hold is durable. It ends with new damage, as soon as
// a hard state that tells of it is durable. A replica that is bound votes, but nobody becomes a leader by its vote
// whose log does not cover its floor.
#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <vector>

#include "core/base/entry.h"
#include "sim/oracles/book.h"
#include "sim/oracles/configurations.h"
#include "sim/oracles/stream_decode.h"

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

struct Promise {
  Term term;
  NodeId vote = nobody;  ///< in `term`
  bool operator==(const Promise&) const = default;
};

/// Whether someone at `now` has forgotten `before`.
bool forgets(const Promise& now, const Promise& before) {
  return now.term < before.term || (now.term == before.term && before.vote != nobody && now.vote != before.vote);
}

bool is_marked(const HardStateOnDisk& hard_state, ShardId shard) {
  const auto found = hard_state.ballots.find(shard);
  return found != hard_state.ballots.end() && found->second.uncertain;
}

std::string words(const Promise& ballot) {
  return "term " + std::to_string(ballot.term.value) +
         (ballot.vote == nobody ? " without a vote" : " with a vote for node " + std::to_string(ballot.vote.value));
}

struct GivenVote {
  NodeId candidate;
  std::optional<LogPlace> floor;  ///< of the voter, then
};

struct Replica {
  Persisted<Promise> ballot;
  std::map<Term, GivenVote> given;  ///< whether they outlived a crash or not
  std::optional<LogPlace> floor;    ///< bound to it, in this incarnation
  bool down = false;
  Persisted<std::uint64_t> entries;         ///< log length
  std::map<std::uint64_t, Term> committed;  ///< by index, over all incarnations
  std::uint64_t committed_now = 0;          ///< in this incarnation
  bool pledged = false;                     ///< it has been in a term, durably: else it has acknowledged nothing
  bool marked = false;                      ///< every whole copy of its durable hard state calls it uncertain
  bool uncertain = false;                   ///< in this incarnation, and has not settled
  bool settled = false;                     ///< whatever a hard state still says that was durable before
};

class Persistence final : public Oracle {
 public:
  explicit Persistence(const Topology& topology) : configurations_(topology) {}
  std::string_view name() const override { return "O-R2"; }

  void on_trace(SimTime, NodeId node, const TraceEvent& event) override {
    if (!violations().empty()) return;
    if (emptied(node, event)) return;
    configurations_.traced(node, event);  // what contradicts is O-R3's to tell
    if (event.kind == TraceKind::synced) {
      for (auto& [at, replica] : replicas_) {
        if (at.first != node) continue;
        replica.ballot.synced();
        replica.entries.synced();
      }
    } else if (event.kind == TraceKind::became_follower) {
      in_term(node, event);
    } else if (event.kind == TraceKind::became_pre_candidate) {
      if (in_term(node, event)) certain(node, event, "stands for election");
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
    } else if (event.kind == TraceKind::restored) {
      restored(node, event);
    } else if (event.kind == TraceKind::tail_uncertain || event.kind == TraceKind::quarantined) {
      damaged_.insert(node);
      for (auto& [at, replica] : replicas_) {
        const bool pledged = replica.pledged || replica.ballot.now.term > Term(0);
        replica.uncertain = replica.uncertain || (at.first == node && pledged);
      }
    } else if (event.kind == TraceKind::space_refused && booting_.contains(node)) {
      start(node);  // recovery begins again with the first read; what it had found was not acted upon
    } else if (event.kind == TraceKind::recovery_bound) {
      replicas_[{node, event.shard}].uncertain = false;
      replicas_[{node, event.shard}].floor = LogPlace{event.index, event.term};
    } else if (event.kind == TraceKind::recovery_settled) {
      replicas_[{node, event.shard}].uncertain = false;
      replicas_[{node, event.shard}].settled = true;
      replicas_[{node, event.shard}].floor.reset();
    }
  }

  void on_durable(SimTime, NodeId node, std::string_view file, ByteView contents) override {
    if (file != hard_state_name) return;
    const auto newest = decode_hard_state(contents);
    if (!newest) return;  // O-R4 tells
    const auto older = decode_older_hard_state(contents);
    for (const auto& [shard, ballot] : newest->ballots) {
      Replica& replica = replicas_[{node, shard}];
      const bool older_mark = older && is_marked(*older, shard);
      replica.marked = ballot.uncertain && (older_mark || !older);
      replica.pledged = replica.pledged || ballot.term > Term(0);
      const bool is_new = ballot.uncertain && damaged_.contains(node) && replica.uncertain;
      if (is_new || !(ballot.uncertain || older_mark)) replica.settled = false;
      if (booting_.contains(node) && replica.marked && !replica.settled) replica.uncertain = true;
    }
  }

  void on_restart(SimTime, NodeId node) override {
    booting_.insert(node);
    start(node);
  }

  void on_committed(SimTime, NodeId node, const CommittedEntry& entry) override {
    if (!violations().empty()) return;
    configurations_.committed(node, entry);
    Replica& replica = replicas_[{node, entry.shard}];
    replica.committed_now = std::max(replica.committed_now, entry.index.value);
    const auto [found, is_first] = replica.committed.try_emplace(entry.index.value, entry.term);
    if (is_first || found->second == entry.term) return;
    violated("node " + std::to_string(node.value) + " had committed entry " + std::to_string(entry.index.value) +
             " of " + text(entry.shard) + " in term " + std::to_string(found->second.value) +
             ", and commits it again in term " + std::to_string(entry.term.value));
  }

  void on_replica(SimTime, NodeId node, const shard::Observation& observed) override {
    if (!violations().empty()) return;
    went_back(node, observed.shard, observed.term);
  }

  void on_disk_emptied(SimTime, NodeId node) override { emptied_.insert(node); }

  void on_crash(SimTime, NodeId node) override {
    configurations_.crashed(node);
    for (auto& [at, replica] : replicas_) {
      if (at.first != node) continue;
      replica.down = true;
      replica.ballot.lost();
      replica.entries.lost();
      replica.committed_now = 0;
    }
  }

 private:
  void start(NodeId node) {
    damaged_.erase(node);
    for (auto& [at, replica] : replicas_) {
      if (at.first != node) continue;
      replica.uncertain = replica.marked && !replica.settled;
      replica.floor.reset();
    }
  }

  /// True (and told) when the node is in an earlier term than it must remember.
  bool went_back(NodeId node, ShardId shard, Term term) {
    const Term known = replicas_[{node, shard}].ballot.now.term;
    if (term >= known) return false;
    violated("node " + std::to_string(node.value) + " is in term " + std::to_string(term.value) + " of " + text(shard) +
             " after it had been in term " + std::to_string(known.value));
    return true;
  }

  /// True for a node whose disk was emptied; violated when it takes part all the same.
  bool emptied(NodeId node, const TraceEvent& event) {
    if (emptied_.count(node) == 0) return false;
    const bool takes_part = event.kind == TraceKind::voted || event.kind == TraceKind::appended ||
                            event.kind == TraceKind::became_follower || event.kind == TraceKind::became_pre_candidate ||
                            event.kind == TraceKind::became_candidate || event.kind == TraceKind::became_leader;
    if (takes_part) {
      violated("node " + std::to_string(node.value) + " takes part in " + text(event.shard) + " in term " +
               std::to_string(event.term.value) + " under its old identity, and its disk had been emptied");
    }
    return true;
  }

  /// False (and told) when the replica may have lost what it had acknowledged.
  bool certain(NodeId node, const TraceEvent& event, const std::string& what) {
    if (!replicas_[{node, event.shard}].uncertain) return true;
    if (configurations_.knows(event.shard)) {
      const NodeSet deciders = configurations_.in_use(node, event.shard).deciders();
      if (deciders.size() == 1 && deciders.has(node)) return true;  // nobody could tell it more
    }
    violated("node " + std::to_string(node.value) + " may have lost acknowledged entries of " + text(event.shard) +
             ", and " + what + " in term " + std::to_string(event.term.value));
    return false;
  }

  bool in_term(NodeId node, const TraceEvent& event) {
    if (went_back(node, event.shard, event.term)) return false;
    Promise& ballot = replicas_[{node, event.shard}].ballot.now;
    if (event.term > ballot.term) ballot = {event.term, nobody};
    return true;
  }

  void voted(NodeId node, const TraceEvent& event, NodeId candidate) {
    if (!certain(node, event, "votes for node " + std::to_string(candidate.value))) return;
    Replica& replica = replicas_[{node, event.shard}];
    Promise& ballot = replica.ballot.now;
    if (ballot.vote != nobody && ballot.vote != candidate) {
      violated("node " + std::to_string(node.value) + " voted for nodes " + std::to_string(ballot.vote.value) +
               " and " + std::to_string(candidate.value) + " in term " + std::to_string(event.term.value) + " of " +
               text(event.shard));
    }
    ballot.vote = candidate;
    replica.given[event.term] = {candidate, replica.floor};
  }

  /// The votes without which a leader would have no quorum were told, and must outlive any crash.
  void elected(NodeId leader, const TraceEvent& event) {
    if (!configurations_.knows(event.shard)) return;
    const Configuration used = configurations_.in_use(leader, event.shard);
    if (used.deciders().size() == 1) return;  // its own vote is told to nobody before it is durable
    const Promise vote{event.term, leader};
    NodeSet votes;
    for (const NodeId member : used.deciders().nodes()) {
      const std::map<Term, GivenVote>& given = replicas_[{member, event.shard}].given;
      const auto found = given.find(event.term);
      if (found != given.end() && found->second.candidate == leader) votes.add(member);
    }
    if (!has_quorum(used, votes)) return;  // O-R3 tells
    const std::optional<Term> last = configurations_.logs().term_at(leader, event.shard, event.a);
    for (const NodeId voter : votes.nodes()) {
      const std::optional<LogPlace>& floor = replicas_[{voter, event.shard}].given.at(event.term).floor;
      if (floor && last && !covers(LogPlace{Index(event.a), *last}, *floor)) {
        violated("node " + std::to_string(leader.value) + " leads " + text(event.shard) + " in term " +
                 std::to_string(event.term.value) + " with a log that ends at entry " + std::to_string(event.a) +
                 " of term " + std::to_string(last->value) + ", by the vote of node " + std::to_string(voter.value) +
                 ", which may have lost entries up to " + std::to_string(floor->index.value) + " of term " +
                 std::to_string(floor->term.value));
        return;
      }
    }
    for (const NodeId voter : votes.nodes()) {
      if (has_quorum(used, votes.without(set_of({voter})))) continue;
      Replica& replica = replicas_[{voter, event.shard}];
      Persisted<Promise>& ballot = replica.ballot;
      if (!replica.down && forgets(ballot.now, vote)) {
        violated("node " + std::to_string(voter.value) + " made node " + std::to_string(leader.value) + " leader of " +
                 text(event.shard) + " in term " + std::to_string(event.term.value) + ", and came back in " +
                 words(ballot.now));
        return;
      }
      for (Promise* each : {&ballot.now, &ballot.one_sync, &ballot.durable}) {
        if (each->term < vote.term || *each == Promise{vote.term, nobody}) *each = vote;
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
    booting_.erase(node);
    Replica& replica = replicas_[{node, event.shard}];
    const Promise found{event.term, NodeId(static_cast<std::uint32_t>(event.b))};
    if (forgets(found, replica.ballot.now)) {
      violated("node " + std::to_string(node.value) + " came back to " + text(event.shard) + " in " + words(found) +
               ", and had been in " + words(replica.ballot.now));
    }
    replica.down = false;
    replica.ballot = {found, found, found};
    replica.pledged = replica.pledged || found.term > Term(0);
    replica.uncertain = replica.uncertain || (damaged_.contains(node) && replica.pledged);
    const std::uint64_t last = event.index.value + event.a;
    if (last < replica.entries.now && !replica.uncertain) {
      violated("node " + std::to_string(node.value) + " came back with " + std::to_string(last) + " entries of " +
               text(event.shard) + ", and " + std::to_string(replica.entries.now) + " had been synced");
    }
    replica.entries = {last, last, last};  // recovery ends with a sync
  }

  /// Whether anything behind the snapshot stays is not told; what is written of it anew counts.
  void restored(NodeId node, const TraceEvent& event) {
    Persisted<std::uint64_t>& entries = replicas_[{node, event.shard}].entries;
    entries.now = event.index.value;
    entries.one_sync = std::min(entries.one_sync, entries.now);
    entries.durable = std::min(entries.durable, entries.now);
  }

  Configurations configurations_;
  std::map<std::pair<NodeId, ShardId>, Replica> replicas_;
  std::set<NodeId> emptied_;
  std::set<NodeId> damaged_;  ///< this incarnation found damage that may have taken something
  std::set<NodeId> booting_;  ///< and not recovered yet
};

}  // namespace

std::unique_ptr<Oracle> make_persistence(const Topology& topology) { return std::make_unique<Persistence>(topology); }

}  // namespace coffer::sim::oracles
