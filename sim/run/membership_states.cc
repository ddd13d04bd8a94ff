#include "sim/run/membership_states.h"

#include <string_view>

namespace coffer::sim {

namespace {

constexpr std::string_view names[] = {
    "change_called_off",             // learners of a change that was given up are dropped
    "change_taken_over",             // another leader than the one that made the configuration joint ends the change
    "founders_gone",                 // no founding member has a vote any more
    "group_grew",                    // more voters than before the change
    "group_shrank",                  // fewer voters than before the change
    "joint_committed",               // a joint configuration has committed
    "leader_replaced",               // the leader that made the configuration joint has no vote afterwards
    "learner_promoted",              // a learner has become a voter
    "learner_promoted_by_snapshot",  // ... and had installed a snapshot as a learner
    "transfer_done",                 // a leader is followed, in the next term, by whom it handed over to
    "transfer_given_up",             // a leader goes on, or tries again, because nobody has taken over
};

}  // namespace

MembershipStates::MembershipStates(const Topology& topology) {
  for (const auto& members : topology.members) {
    const oracles::Configuration founding{oracles::set_of(members), {}, {}};
    shards_.push_back({founding, founding, {}, nobody, nobody, {}, {}});
  }
  for (const std::string_view name : names) counters_.declare(name);
}

void MembershipStates::on_trace(NodeId node, const TraceEvent& event) {
  if (event.shard.value == 0 || event.shard.value > shards_.size()) return;
  Shard& shard = shards_[event.shard.value - 1];
  const bool hands_over = shard.under_way && shard.under_way->from == node && shard.under_way->term == event.term;
  if (event.kind == TraceKind::became_leader) {
    leaders_[{node, event.shard}] = event.term;
    elected(shard, node, event.term);
  } else if (event.kind == TraceKind::became_follower) {
    leaders_.erase({node, event.shard});
  } else if (event.kind == TraceKind::configuration_changed && leads(node, event.shard)) {
    (event.b != 0 ? shard.joint_by : shard.final_by) = node;
  } else if (event.kind == TraceKind::restored && shard.committed.learners.has(node)) {
    shard.restored.add(node);
  } else if (event.kind == TraceKind::transfer_begun) {
    if (hands_over) counters_.add("transfer_given_up");
    shard.under_way = Transfer{node, NodeId(static_cast<std::uint32_t>(event.a)), event.term};
  } else if (event.kind == TraceKind::appended && event.b == 1 && hands_over) {
    counters_.add("transfer_given_up");  // who hands over appends nothing
    shard.under_way.reset();
  }
}

void MembershipStates::elected(Shard& shard, NodeId node, Term term) {
  if (!shard.under_way || term <= shard.under_way->term) return;
  if (node == shard.under_way->to && term.value == shard.under_way->term.value + 1) counters_.add("transfer_done");
  shard.under_way.reset();
}

void MembershipStates::on_crash(NodeId node) {
  std::erase_if(leaders_, [&](const auto& leader) { return leader.first.first == node; });
}

void MembershipStates::on_committed(const CommittedEntry& entry) {
  if (entry.kind != EntryKind::configuration || entry.shard.value > shards_.size()) return;
  Shard& shard = shards_[entry.shard.value - 1];
  if (entry.index <= shard.at) return;
  const auto now = oracles::decode_configuration(entry.payload);
  if (!now) return;  // O-R3 tells
  changed(shard, *now);
  shard.at = entry.index;
  shard.committed = *now;
  shard.restored = shard.restored & now->learners;
}

void MembershipStates::changed(Shard& shard, const oracles::Configuration& now) {
  const oracles::Configuration& before = shard.committed;
  if (!now.outgoing.empty()) {
    counters_.add("joint_committed");
    const oracles::NodeSet promoted = now.voters & before.learners;
    if (!promoted.empty()) counters_.add("learner_promoted");
    if (!(promoted & shard.restored).empty()) counters_.add("learner_promoted_by_snapshot");
  } else if (!before.outgoing.empty()) {
    if (!now.voters.has(shard.joint_by)) counters_.add("leader_replaced");
    if (shard.final_by != shard.joint_by) counters_.add("change_taken_over");
    if (now.voters.size() > before.outgoing.size()) counters_.add("group_grew");
    if (now.voters.size() < before.outgoing.size()) counters_.add("group_shrank");
    if ((now.voters & shard.founding.voters).empty()) counters_.add("founders_gone");
  } else if (!before.learners.empty() && now.learners.empty()) {
    counters_.add("change_called_off");
  }
}

}  // namespace coffer::sim
