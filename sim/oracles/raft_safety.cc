// O-R1. Election safety, log matching, leader completeness and state machine safety, from what replicas appended,
// recovered, committed and became. Source: Raft thesis, figure 3.2.
#include <algorithm>
#include <map>
#include <memory>
#include <vector>

#include "sim/oracles/book.h"
#include "sim/oracles/traced_logs.h"

namespace coffer::sim::oracles {

namespace {

struct FirstSight {
  Term term;
  Term seen_in;  ///< the observing node's term when the commit was first seen: not older than the committing leader's
  EntryKind kind;
  Hash128 payload;
};

class RaftSafety final : public Oracle {
 public:
  explicit RaftSafety(const Topology&) {}
  std::string_view name() const override { return "O-R1"; }

  void on_trace(SimTime, NodeId node, const TraceEvent& event) override {
    if (!violations().empty()) return;
    if (auto reason = logs_.traced(node, event)) return violated(std::move(*reason));
    if (event.kind == TraceKind::became_leader) {
      learn_term(node, event);
      elected(node, event);
    } else if (event.kind == TraceKind::became_follower || event.kind == TraceKind::became_candidate) {
      learn_term(node, event);
    } else if (event.kind == TraceKind::recovered) {
      next_[{node, event.shard}] = event.index.next();
    } else if (event.kind == TraceKind::restored) {
      Index& next = next_.try_emplace({node, event.shard}, Index(1)).first->second;
      next = std::max(next, event.index.next());
    }
  }

  void on_crash(SimTime, NodeId node) override {
    logs_.crashed(node);
    for (auto& [replica, next] : next_) {
      if (replica.first == node) next = Index(1);
    }
  }

  void on_committed(SimTime, NodeId node, const CommittedEntry& entry) override {
    if (!violations().empty()) return;
    std::vector<FirstSight>& log = committed_[entry.shard];
    const Hash128 digest = hash128(entry.payload);
    const std::string where = text(entry.shard) + " entry " + std::to_string(entry.index.value);
    Index& next = next_.try_emplace({node, entry.shard}, Index(1)).first->second;
    if (entry.index != next || entry.index.value > log.size() + 1) {
      violated(where + " committed on node " + std::to_string(node.value) +
               (entry.index > next ? " before the entries in front of it" : " again") + ": entry " +
               std::to_string(next.value) + " was next");
      return;
    }
    next = next.next();
    if (entry.index.value <= log.size()) {
      const FirstSight& first = log[entry.index.value - 1];
      const bool same = first.payload == digest && first.kind == entry.kind;
      if (first.term == entry.term && same) return;
      violated("state machine safety: " + where + " committed in term " + std::to_string(first.term.value) +
               ", and on node " + std::to_string(node.value) + " in term " + std::to_string(entry.term.value) +
               (same ? "" : " with another payload"));
      return;
    }
    log.push_back({entry.term, std::max(terms_[{node, entry.shard}], entry.term), entry.kind, digest});
    logs_.committed(entry);
  }

 private:
  using Replica = std::pair<NodeId, ShardId>;

  void learn_term(NodeId node, const TraceEvent& event) {
    Term& term = terms_[{node, event.shard}];
    term = std::max(term, event.term);
  }

  void elected(NodeId node, const TraceEvent& event) {
    const auto [found, is_first] = leaders_.try_emplace({event.shard, event.term}, node);
    if (!is_first && found->second != node) {
      violated("election safety: nodes " + std::to_string(found->second.value) + " and " + std::to_string(node.value) +
               " both led " + text(event.shard) + " in term " + std::to_string(event.term.value));
      return;
    }
    complete(node, event);
  }

  /// The new leader's log, or the snapshot it begins with, holds every entry committed in an earlier term.
  void complete(NodeId node, const TraceEvent& event) {
    const std::vector<FirstSight>& sights = committed_[event.shard];
    const std::vector<LoggedEntry>& committed = logs_.committed(event.shard);
    const TracedLog& log = logs_.log(node, event.shard);
    std::uint64_t due = sights.size();
    while (due > log.base() && sights[due - 1].seen_in >= event.term) --due;
    if (due <= log.base()) return;
    const auto same = [&](std::uint64_t index) {
      return index <= log.last() && log.at(index).terms_chain == committed[index - 1].terms_chain;
    };
    if (same(due)) return;
    std::uint64_t first = log.base() + 1;
    while (same(first)) ++first;
    violated("leader completeness: node " + std::to_string(node.value) + " leads " + text(event.shard) + " in term " +
             std::to_string(event.term.value) + " without entry " + std::to_string(first) + " of term " +
             std::to_string(committed[first - 1].term.value) + ", which had committed");
  }

  TracedLogs logs_;
  std::map<Replica, Term> terms_;
  std::map<Replica, Index> next_;  ///< to commit, in this incarnation
  std::map<std::pair<ShardId, Term>, NodeId> leaders_;
  std::map<ShardId, std::vector<FirstSight>> committed_;
};

}  // namespace

std::unique_ptr<Oracle> make_raft_safety(const Topology& topology) { return std::make_unique<RaftSafety>(topology); }

}  // namespace coffer::sim::oracles
