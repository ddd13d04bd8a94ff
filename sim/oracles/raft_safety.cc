// O-R1. Election safety, log matching, leader completeness and state machine safety, from what replicas appended,
// recovered, committed and became. Source: Raft thesis, figure 3.2.
#include <algorithm>
#include <map>
#include <memory>
#include <tuple>
#include <vector>

#include "core/base/codec.h"
#include "sim/oracles/book.h"

namespace coffer::sim::oracles {

namespace {

/// A log as traced: for each index its term and a digest chained over everything before it.
struct LoggedEntry {
  Term term;
  Hash128 chain;        ///< over (term, payload digest) of all entries so far
  Hash128 terms_chain;  ///< over the terms alone
};

Hash128 chained(const Hash128& before, std::uint64_t a, std::uint64_t b) {
  Bytes bytes;
  ByteWriter out(bytes);
  out.hash(before);
  out.u64(a);
  out.u64(b);
  return hash128(bytes);
}

struct CommittedEntry {
  Term term;
  Term seen_in;  ///< the observing node's term when the commit was first seen: not older than the committing leader's
  Hash128 payload;
  Hash128 terms_chain;
};

class RaftSafety final : public Oracle {
 public:
  explicit RaftSafety(const Topology&) {}
  std::string_view name() const override { return "O-R1"; }

  void on_trace(SimTime, NodeId node, const TraceEvent& event) override {
    if (!violations().empty()) return;
    if (event.kind == TraceKind::became_leader) {
      learn_term(node, event);
      elected(node, event);
    } else if (event.kind == TraceKind::became_follower || event.kind == TraceKind::became_candidate) {
      learn_term(node, event);
    } else if (event.kind == TraceKind::appended || event.kind == TraceKind::recovered_entry) {
      appended(node, event);
    } else if (event.kind == TraceKind::truncated) {
      std::vector<LoggedEntry>& log = logs_[{node, event.shard}];
      if (event.index.value >= 1 && event.index.value <= log.size()) log.resize(event.index.value - 1);
    }
  }

  void on_crash(SimTime, NodeId node) override {
    for (auto& [replica, log] : logs_) {
      if (replica.first == node) log.clear();
    }
  }

  void on_committed(SimTime, NodeId node, ShardId shard, Index index, Term term, ByteView payload) override {
    if (!violations().empty()) return;
    std::vector<CommittedEntry>& log = committed_[shard];
    const Hash128 digest = hash128(payload);
    const std::string where = text(shard) + " entry " + std::to_string(index.value);
    if (index.value > log.size() + 1 || index.value == 0) {
      violated(where + " committed on node " + std::to_string(node.value) + " before the entries in front of it");
      return;
    }
    if (index.value <= log.size()) {
      const CommittedEntry& first = log[index.value - 1];
      if (first.term == term && first.payload == digest) return;
      violated("state machine safety: " + where + " committed in term " + std::to_string(first.term.value) +
               ", and on node " + std::to_string(node.value) + " in term " + std::to_string(term.value) +
               (first.payload == digest ? "" : " with another payload"));
      return;
    }
    const Hash128 before = log.empty() ? Hash128{} : log.back().terms_chain;
    log.push_back({term, std::max(terms_[{node, shard}], term), digest, chained(before, term.value, 0)});
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

  /// The new leader's log holds every entry committed in an earlier term.
  void complete(NodeId node, const TraceEvent& event) {
    const std::vector<CommittedEntry>& committed = committed_[event.shard];
    const std::vector<LoggedEntry>& log = logs_[{node, event.shard}];
    std::size_t due = committed.size();
    while (due > 0 && committed[due - 1].seen_in >= event.term) --due;
    if (due == 0) return;
    if (log.size() >= due && log[due - 1].terms_chain == committed[due - 1].terms_chain) return;
    std::size_t first = 0;
    while (first < due && first < log.size() && log[first].terms_chain == committed[first].terms_chain) ++first;
    violated("leader completeness: node " + std::to_string(node.value) + " leads " + text(event.shard) + " in term " +
             std::to_string(event.term.value) + " without entry " + std::to_string(first + 1) + " of term " +
             std::to_string(committed[first].term.value) + ", which had committed");
  }

  void appended(NodeId node, const TraceEvent& event) {
    std::vector<LoggedEntry>& log = logs_[{node, event.shard}];
    if (event.index.value != log.size() + 1) {
      violated("node " + std::to_string(node.value) + " put entry " + std::to_string(event.index.value) +
               " behind entry " + std::to_string(log.size()) + " of " + text(event.shard));
      return;
    }
    const LoggedEntry before = log.empty() ? LoggedEntry{} : log.back();
    if (event.term < before.term) {
      violated("node " + std::to_string(node.value) + " put an entry of term " + std::to_string(event.term.value) +
               " behind one of term " + std::to_string(before.term.value) + " in " + text(event.shard));
      return;
    }
    log.push_back({event.term, chained(before.chain, event.term.value, event.a),
                   chained(before.terms_chain, event.term.value, 0)});
    const auto [found, is_first] = entries_.try_emplace({event.shard, event.index, event.term},
                                                        std::pair<Hash128, NodeId>{log.back().chain, node});
    if (is_first || found->second.first == log.back().chain) return;
    violated("log matching: nodes " + std::to_string(found->second.second.value) + " and " +
             std::to_string(node.value) + " hold entry " + std::to_string(event.index.value) + " of term " +
             std::to_string(event.term.value) + " in " + text(event.shard) +
             ", and differ in it or in what is before it");
  }

  std::map<Replica, std::vector<LoggedEntry>> logs_;
  std::map<Replica, Term> terms_;
  std::map<std::pair<ShardId, Term>, NodeId> leaders_;
  std::map<ShardId, std::vector<CommittedEntry>> committed_;
  std::map<std::tuple<ShardId, Index, Term>, std::pair<Hash128, NodeId>> entries_;
};

}  // namespace

std::unique_ptr<Oracle> make_raft_safety(const Topology& topology) { return std::make_unique<RaftSafety>(topology); }

}  // namespace coffer::sim::oracles
