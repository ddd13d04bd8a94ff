// O-R3. Never two disjoint quorums in a membership change. Each leader has the votes of a quorum of the configuration
// in use, which is the latest in its log; quorums of that one overlap with those of the last that committed before its
// term, and every configuration's with those of the one before it in the log. A leader appends none while another has
// not committed, nor before an entry of its own term has. Who has no vote in its own configuration does not campaign.
// Source: Raft thesis, sections 4.1 to 4.3; the last rule but one: Ongaro, "bug in single-server membership changes",
// raft-dev 2015.
//
// Reads traces and committed configurations. That a commit has its quorum on the disks is O-R4's to judge.
#include <algorithm>
#include <map>
#include <memory>
#include <tuple>

#include "sim/oracles/book.h"
#include "sim/oracles/configurations.h"

namespace coffer::sim::oracles {

namespace {

std::string of_node(NodeId node) { return "node " + std::to_string(node.value); }
std::string of_term(Term term) { return "term " + std::to_string(term.value); }

class Membership final : public Oracle {
 public:
  explicit Membership(const Topology& topology) : configurations_(topology) {}
  std::string_view name() const override { return "O-R3"; }

  void on_trace(SimTime, NodeId node, const TraceEvent& event) override {
    if (!violations().empty() || !configurations_.knows(event.shard)) return;
    if (auto reason = configurations_.traced(node, event)) return violated(std::move(*reason));
    if (event.kind == TraceKind::voted) {
      vote(node, event, NodeId(static_cast<std::uint32_t>(event.a)));
    } else if (event.kind == TraceKind::became_pre_candidate) {
      campaigns(node, event);
    } else if (event.kind == TraceKind::became_candidate) {
      vote(node, event, node);
      campaigns(node, event);
    } else if (event.kind == TraceKind::became_leader) {
      leads_[{node, event.shard}] = event.term;
      elected(node, event);
    } else if (event.kind == TraceKind::became_follower) {
      leads_.erase({node, event.shard});
    } else if (event.kind == TraceKind::committed) {
      commit_[{node, event.shard}] = event.index;
      uses_the_latest(node, event.shard);
    } else if (event.kind == TraceKind::configuration_changed) {
      changed(node, event);
    }
  }

  void on_committed(SimTime, NodeId node, const CommittedEntry& entry) override {
    if (!violations().empty()) return;
    if (auto reason = configurations_.committed(node, entry)) violated(std::move(*reason));
  }

  void on_crash(SimTime, NodeId node) override {
    configurations_.crashed(node);
    std::erase_if(leads_, [&](const auto& at) { return at.first.first == node; });
    std::erase_if(commit_, [&](const auto& at) { return at.first.first == node; });
  }

 private:
  using Replica = std::pair<NodeId, ShardId>;

  void vote(NodeId node, const TraceEvent& event, NodeId candidate) {
    votes_[{event.shard, event.term, candidate}].add(node);
  }

  bool uses_the_latest(NodeId node, ShardId shard) {
    auto reason = configurations_.misused(node, shard);
    if (reason) violated(std::move(*reason));
    return violations().empty();
  }

  void campaigns(NodeId node, const TraceEvent& event) {
    if (!uses_the_latest(node, event.shard)) return;
    const Configuration used = configurations_.in_use(node, event.shard);
    if (used.deciders().has(node)) return;
    violated(of_node(node) + " stands for election in " + text(event.shard) + " in " + of_term(event.term) +
             ", and has no vote in its own configuration " + text(used));
  }

  void elected(NodeId node, const TraceEvent& event) {
    if (!uses_the_latest(node, event.shard)) return;
    const Configuration used = configurations_.in_use(node, event.shard);
    const NodeSet votes = votes_[{event.shard, event.term, node}];
    if (!has_quorum(used, votes)) {
      violated(of_node(node) + " leads " + text(event.shard) + " in " + of_term(event.term) +
               " by the votes of nodes " + text(votes) + ", which are no quorum of " + text(used));
      return;
    }
    const auto& committed = configurations_.committed(event.shard);
    auto last = committed.rbegin();
    while (last->seen_in >= event.term && last->index != Index(0)) ++last;
    if (always_overlap(used, last->configuration)) return;
    violated("two quorums: " + of_node(node) + " leads " + text(event.shard) + " in " + of_term(event.term) + " by " +
             text(used) + ", and with entry " + std::to_string(last->index.value) + " " + text(last->configuration) +
             " had committed");
  }

  /// The entry is in the node's log by now, or about to be.
  void changed(NodeId node, const TraceEvent& event) {
    const TracedLog& log = configurations_.logs().log(node, event.shard);
    if (event.index.value <= log.base()) return;  // told again: it is a snapshot's
    const Configuration before = configurations_.before(node, event.shard, event.index.value);
    const Configuration now{NodeSet(event.a), NodeSet(event.b), NodeSet(event.c)};
    const std::string what = text(event.shard) + " entry " + std::to_string(event.index.value) + " on " +
                             of_node(node) + " changes " + text(before) + " to " + text(now);
    if (now.voters.empty()) {
      violated(what + ": nobody is left to decide");
    } else if (!always_overlap(before, now)) {
      violated("two quorums: " + what);
    } else if (leads_.contains({node, event.shard})) {
      proposed(node, event, what);
    }
  }

  void proposed(NodeId node, const TraceEvent& event, const std::string& what) {
    const std::uint64_t commit = commit_[{node, event.shard}].value;
    const Term own = leads_[{node, event.shard}];
    const std::optional<Term> at = configurations_.logs().term_at(node, event.shard, commit);
    if (!at || *at != own) {
      violated(what + " in " + of_term(own) + " before an entry of that term has committed");
    } else if (configurations_.last_change(node, event.shard, event.index.value) > commit) {
      violated(what + " while the change before has not committed");
    }
  }

  Configurations configurations_;
  std::map<std::tuple<ShardId, Term, NodeId>, NodeSet> votes_;  ///< by candidate
  std::map<Replica, Term> leads_;
  std::map<Replica, Index> commit_;
};

}  // namespace

std::unique_ptr<Oracle> make_membership(const Topology& topology) { return std::make_unique<Membership>(topology); }

}  // namespace coffer::sim::oracles
