// Handing leadership over: the leader stops taking proposals, brings its successor's log up to its own, and tells it to
// start an election at once. If the new leader does not appear within an election time-out, the old one goes on.
// Source: Raft thesis, section 3.10. Invariant R24 (docs/PROTOCOLS.md).
#include <algorithm>

#include "core/raft/raft.h"

namespace coffer::raft {

bool Raft::transfer(Instant now, NodeId to, Output& out) {
  now_ = now;
  const Progress* successor = role_ == Role::leader ? follower(to) : nullptr;
  const auto& voters = membership_.latest().voters;
  const bool possible = successor != nullptr && !successor->uncertain() && !successor->needs_snapshot() &&
                        std::binary_search(voters.begin(), voters.end(), to);
  const bool taken = possible && (!transferring() || transfer_to_ == to);
  if (taken && !transferring()) {
    begin_transfer(now, to, out);
  }
  finish(out);
  return taken;
}

bool Raft::resign(Instant now, Output& out) {
  now_ = now;
  const bool taken = role_ == Role::leader && !transferring() && hand_over_to_best(now, out);
  finish(out);
  return taken;
}

/// The most advanced other voter that can take over and was heard since `heard_after`; null when there is none.
const Progress* Raft::best_successor(Instant heard_after) const {
  const std::vector<NodeId>& voters = membership_.latest().voters;
  const Progress* best = nullptr;
  for (const Progress& candidate : followers_) {
    const bool able = std::binary_search(voters.begin(), voters.end(), candidate.node()) && !candidate.uncertain() &&
                      !candidate.needs_snapshot() && candidate.heard() > heard_after;
    if (able && (best == nullptr || candidate.match() > best->match())) {
      best = &candidate;
    }
  }
  return best;
}

/// False: nobody can take over.
bool Raft::hand_over_to_best(Instant now, Output& out) {
  const Progress* best = best_successor(now - config_.election_timeout);
  if (best != nullptr) {
    begin_transfer(now, best->node(), out);
  }
  return best != nullptr;
}

/// A leader that hears nobody may still be heard, where links fail one way: whoever has most of its log need not wait
/// for a time-out of its own.
void Raft::say_farewell(Output& out) const {
  if (const Progress* best = best_successor(Instant{})) {
    send(best->node(), TimeoutNow{hard_state_.term}, !term_is_durable(), out);
  }
}

void Raft::begin_transfer(Instant now, NodeId to, Output& out) {
  transfer_to_ = to;
  transfer_deadline_ = now + config_.election_timeout;
  trace(TraceKind::transfer_begun, hard_state_.term, log_.last_index(), to.value, 0, out);
  hand_over(out);
}

/// Says so to the successor once it has the whole log. Said again with each heartbeat: it may have been lost, and a
/// successor that has heard it is in a later term and ignores it.
void Raft::hand_over(Output& out) {
  if (!transferring()) {
    return;
  }
  const Progress* successor = follower(transfer_to_);
  if (successor != nullptr && successor->match() == log_.last_index()) {
    send(transfer_to_, TimeoutNow{hard_state_.term}, !term_is_durable(), out);
  }
}

void Raft::on(Instant now, NodeId from, TimeoutNow& message, Output& out) {
  const bool from_leader = leader_ == nobody || leader_ == from;
  const bool waits = role_ == Role::follower || role_ == Role::pre_candidate;
  if (message.term == hard_state_.term && from_leader && waits && may_campaign()) {
    campaign(now, true, out);
  }
}

}  // namespace coffer::raft
