// What a replica does about entries it does not have: it forgets what a snapshot covers, takes over an installed one,
// and, when its disk may have lost what it had acknowledged, asks the others before it votes again.
// Source: Raft thesis, chapter 5 (compaction, InstallSnapshot); the rule of the uncertain replica and its proof are in
// docs/PROTOCOLS.md.
#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "core/raft/raft.h"

namespace coffer::raft {

void Raft::compact(Index through) {
  check(through <= commit_, "R22: only what is committed is compacted");
  if (through > log_.base().index) {
    log_.compact(through);
    membership_.compact(through);
  }
}

bool Raft::restore(Instant now, LogPlace base, Configuration configuration, Output& out) {
  const bool ahead = base.index > commit_ && role_ != Role::leader;
  if (ahead) {
    // A snapshot may come from a member in a later term: its entries have reached us before that term did.
    const Term term = std::max(hard_state_.term, base.term);
    become_follower(now, term, term == hard_state_.term ? leader_ : nobody, out);
    const Index last_before = log_.last_index();
    const bool keeps_suffix = log_.matches(base.index, base.term);
    drop_restored(base, keeps_suffix, out);
    if (!keeps_suffix) {
      membership_.truncate_from(log_.base().index.next());
    }
    log_.restore(base);
    membership_.restore(base.index, std::move(configuration));
    commit_ = base.index;
    trace(TraceKind::restored, base.term, base.index, last_before.value, 0, out);
    trace_configuration(TraceKind::configuration_changed, out);
    if (leader_ != nobody) {
      answer(leader_, true, base.index, 0, out);  // the leader need not wait for a heartbeat's answer
    }
  }
  finish(out);
  return ahead;
}

/// What this Output already hands out is now partly in the snapshot, or gone.
void Raft::drop_restored(LogPlace base, bool keeps_suffix, Output& out) {
  out.restored = base;
  std::erase_if(out.appended, [&](const Entry& entry) { return !keeps_suffix || entry.index <= base.index; });
  if (!keeps_suffix || (out.truncated_from && *out.truncated_from <= base.index)) {
    out.truncated_from.reset();
  }
}

// ---- An uncertain replica --------------------------------------------------------------------------------------

void Raft::ask_recovery(Instant now, Output& out) {
  recovery_deadline_ = now + config_.election_timeout;
  if (recovery_.floor()) {
    recovery_.ask_anew(prng_.next());
  }
  trace(TraceKind::recovery_asked, hard_state_.term, log_.last_index(), recovery_.nonce(), 0, out);
  for (const NodeId node : recovery_.to_ask(config_.self, membership_.latest())) {
    send(node, RecoveryRequest{hard_state_.term, recovery_.nonce()}, false, out);
  }
}

/// What is told must be durable: the asker relies on it for its vote.
void Raft::on(Instant, NodeId from, RecoveryRequest& request, Output& out) {
  RecoveryReply reply;
  reply.term = hard_state_.term;
  reply.nonce = request.nonce;
  reply.leads = role_ == Role::leader;
  reply.uncertain = uncertain();
  reply.last = log_.last();
  reply.configuration = membership_.latest();
  send(from, std::move(reply), true, out);
}

void Raft::on(Instant, NodeId from, RecoveryReply& reply, Output&) {
  recovery_.answered(from, reply, hard_state_.term);
}

/// Whether this log holds `place`, or what was committed in its stead, and would after a crash.
bool Raft::holds_durably(LogPlace place) const {
  return log_.durable() >= place.index && (place.index <= commit_ || log_.matches(place.index, place.term));
}

/// Ends the uncertainty, in either of the two ways (R27, R28).
void Raft::settle(Output& out) {
  if (recovery_.certain()) {
    return;
  }
  if (recovery_.can_bind(config_.self, membership_.latest())) {
    recovery_.bind(log_.last());
    trace(TraceKind::recovery_bound, recovery_.floor()->term, recovery_.floor()->index, 0, 0, out);
  }
  const auto& leaders = recovery_.leader_place();
  const bool by_leader = leaders && holds_durably(*leaders);
  const auto floor = recovery_.floor();
  const bool by_all = floor && covers(log_.durable_place(), *floor);
  if (by_leader || by_all) {
    const LogPlace held = by_leader ? *leaders : *floor;
    const Index given_up = covers(held, recovery_.evidence()) ? Index() : recovery_.evidence().index;
    trace(TraceKind::recovery_settled, held.term, held.index, by_leader ? 1 : 2, given_up.value, out);
    recovery_ = Recovery();
    out.settled = true;
  }
}

}  // namespace coffer::raft
