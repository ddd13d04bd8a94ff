// Roles, terms and the public calls. The rest of Raft is in raft_election.cc, raft_replication.cc (leader's side),
// raft_follower.cc, raft_membership.cc, raft_transfer.cc and raft_recovery.cc.
//
//   follower ------ election time-out, broken link: ask_pre_votes ---> pre_candidate
//   follower ------ TimeoutNow: campaign ----------------------------> candidate
//   pre_candidate - quorum of pre-votes, or TimeoutNow: campaign ----> candidate
//   pre_candidate - new entries of a leader, however late -----------> follower
//   candidate ----- quorum of votes: become_leader ------------------> leader
//   candidate ----- election time-out: ask_pre_votes ----------------> pre_candidate
//   leader -------- no quorum heard ---------------------------------> follower
//   any ----------- later term: become_follower ---------------------> follower
//   all but leader  a leader's append in time, or a snapshot --------> follower
#include "core/raft/raft.h"

#include <algorithm>
#include <utility>

#include "core/base/check.h"

namespace coffer::raft {
namespace {

/// Whether the message's term is one somebody has reached: a pre-vote only asks about a term, and a granted one echoes
/// the question (thesis, section 9.6). Who asks what it may have lost wants to know terms, not to raise them.
bool announces_its_term(const Message& message) {
  if (const auto* request = std::get_if<VoteRequest>(&message)) {
    return !request->pre;
  }
  if (const auto* reply = std::get_if<VoteReply>(&message)) {
    return !(reply->pre && reply->granted);
  }
  return !std::holds_alternative<RecoveryRequest>(message);
}

/// For how many election time-outs appends must all come late before they count as timely.
constexpr std::int64_t pulse_window_timeouts = 4;

}  // namespace

void Output::clear() {
  hard_state.reset();
  restored.reset();
  truncated_from.reset();
  appended.clear();
  generation = 0;
  settled = false;
  messages.clear();
  snapshots_needed.clear();
  became_leader = false;
  lost_leadership = false;
  reads_confirmed.clear();
  reads_dropped.clear();
  trace.clear();
}

Raft::Raft(Config config, Recovered recovered, Prng prng, Instant now)
    : config_(std::move(config)),
      prng_(prng),
      now_(now),
      log_(recovered.base, std::move(recovered.log)),
      membership_(std::move(recovered.configuration), recovered.base.index),
      hard_state_(recovered.hard_state),
      recovery_(recovered.uncertain ? Recovery(recovered.evidence, prng_.next()) : Recovery()),
      commit_(recovered.base.index),
      pulse_(config_.heartbeat_interval, config_.election_timeout * pulse_window_timeouts),
      recovery_deadline_(now),
      invariants_(facts()) {
  check(config_.self != nobody, "a replica has a number");
  check(config_.heartbeat_interval.nanos > 0 && config_.election_timeout > config_.heartbeat_interval,
        "a leader is heard before elections start");
  check(config_.appends_in_flight_max > 0 && config_.window_bytes_max > 0, "a leader may send");
  for (Index index = log_.base().index; index < log_.last_index();) {
    index = index.next();
    if (log_.at(index).kind == EntryKind::configuration) {
      membership_.append(log_.at(index));
    }
  }
  reset_election_deadline(now);
}

void Raft::tick(Instant now, Output& out) {
  now_ = now;
  if (uncertain() && now >= recovery_deadline_) {
    ask_recovery(now, out);
  }
  if (role_ != Role::leader) {
    if (now >= election_deadline_) {
      time_out(now, out);
    } else if (role_ != Role::follower && now >= ask_again_at_) {
      ask_all(now, out);
    }
  } else {
    if (transferring() && now >= transfer_deadline_) {
      transfer_to_ = nobody;
      advance(now, out);
    }
    if (role_ == Role::leader && now >= heartbeat_deadline_) {
      beat(now, out);
    } else if (role_ == Role::leader && !leads_in_own_term() && now >= ask_again_at_) {
      repeat_no_op(now, out);
    }
  }
  finish(out);
}

/// No leader was heard of for an election time-out.
void Raft::time_out(Instant now, Output& out) {
  reset_election_deadline(now);
  leader_ = nobody;
  if (may_campaign()) {
    ask_pre_votes(now, out);
  }
}

void Raft::receive(Instant now, NodeId from, Message message, Output& out) {
  now_ = now;
  if (from != config_.self && from != nobody && well_formed(message) && !ignores(now, message)) {  // R17, R23
    receive_from(now, from, message, out);
  }
  finish(out);
}

void Raft::receive_from(Instant now, NodeId from, Message& message, Output& out) {
  const Term term = std::visit([](const auto& m) { return m.term; }, message);
  if (term > hard_state_.term && announces_its_term(message)) {
    const bool asked = role_ == Role::pre_candidate || role_ == Role::candidate;
    become_follower(now, term, nobody, out);
    if (asked && std::holds_alternative<VoteReply>(message)) {
      stand_within(now, config_.heartbeat_interval);  // it asked in a term that is over; nobody has refused in this one
    }
  }
  std::visit([&](auto& m) { on(now, from, m, out); }, message);
}

void Raft::persisted(Instant now, std::uint64_t generation, Index last, Output& out) {
  now_ = now;
  log_.persisted(generation, last);
  if (role_ == Role::leader) {
    advance(now, out);
  }
  finish(out);
}

std::optional<Index> Raft::propose(Instant now, SharedBytes payload, Output& out) {
  now_ = now;
  std::optional<Index> index;
  if (role_ == Role::leader && !transferring() && log_.last_index().value < number_max) {
    append_own(std::move(payload), EntryKind::state, out);
    index = log_.last_index();
  }
  finish(out);
  return index;
}

bool Raft::read(Instant now, std::uint64_t read_id, Output& out) {
  now_ = now;
  const bool leads = role_ == Role::leader;
  if (leads) {
    reads_.add(read_id);
    advance_reads(out);
  }
  finish(out);
  return leads;
}

void Raft::reconnected(Instant now, NodeId peer, Output& out) {
  now_ = now;
  if (peer != config_.self) {
    resend(peer, out);
  }
  finish(out);
}

void Raft::disconnected(Instant now, NodeId peer, Output& out) {
  if (role_ == Role::follower && peer == leader_) {
    leader_ = nobody;
    stand_within(now, config_.heartbeat_interval);
  }
  finish(out);
}

/// What was sent to `peer` may have been lost.
void Raft::resend(NodeId peer, Output& out) {
  if (uncertain() && membership_.latest().contains(peer)) {
    send(peer, RecoveryRequest{hard_state_.term, recovery_.nonce()}, false, out);
  }
  switch (role_) {
    case Role::follower:
      break;
    case Role::pre_candidate:
    case Role::candidate:
      ask(peer, out);
      break;
    case Role::leader:
      if (Progress* known = follower(peer)) {
        known->probe_from_match();
        heartbeat(*known, out);
      }
      break;
  }
}

Role Raft::role() const { return role_; }
Term Raft::term() const { return hard_state_.term; }
NodeId Raft::leader() const { return leader_; }
Index Raft::commit() const { return commit_; }
Index Raft::last_index() const { return log_.last_index(); }
const Entry& Raft::entry(Index index) const { return log_.at(index); }
std::uint64_t Raft::generation() const { return log_.generation(); }
bool Raft::transferring() const { return transfer_to_ != nobody; }

bool Raft::leads_in_own_term() const { return role_ == Role::leader && log_.term_at(commit_) == hard_state_.term; }

Instant Raft::wake_at() const {
  if (role_ != Role::leader) {
    const Instant stand_at = role_ == Role::follower ? election_deadline_ : std::min(election_deadline_, ask_again_at_);
    return uncertain() ? std::min(stand_at, recovery_deadline_) : stand_at;
  }
  const Instant repeat_at = leads_in_own_term() ? never : ask_again_at_;
  const Instant beat_at = followers_.empty() ? never : std::min(heartbeat_deadline_, repeat_at);
  return transferring() ? std::min(beat_at, transfer_deadline_) : beat_at;
}

void Raft::become_follower(Instant now, Term term, NodeId leader, Output& out) {
  check(term >= hard_state_.term, "R1: the term never goes back");
  const bool changed = role_ != Role::follower || term > hard_state_.term;
  if (role_ == Role::leader) {
    lose_leadership(now, out);
  }
  if (term > hard_state_.term) {
    set_hard_state({term, nobody}, out);
  }
  role_ = Role::follower;
  leader_ = leader;
  if (changed) {
    trace_role(TraceKind::became_follower, out);
  }
}

void Raft::lose_leadership(Instant now, Output& out) {
  out.lost_leadership = true;
  const std::uint64_t tail = log_.last_index().value - commit_.value;
  if (tail > 0) {
    trace(TraceKind::leader_lost_tail, hard_state_.term, log_.last_index(), tail, 0, out);
  }
  reads_.drop(out.reads_dropped);
  followers_.clear();
  goal_.reset();
  transfer_to_ = nobody;
  reset_election_deadline(now);
}

/// The only place where term and vote change (R1, R2, R3): every change is handed out to be stored.
void Raft::set_hard_state(HardState state, Output& out) {
  hard_state_ = state;
  out.hard_state = state;
}

/// The thesis draws from once to twice the time-out, so that rarely two stand at once. Here one of them yields (R15),
/// and a narrower draw heals the loss of a leader sooner.
void Raft::reset_election_deadline(Instant now) {
  const std::int64_t base = config_.election_timeout.nanos;
  election_deadline_ = now + nanoseconds(prng_.between(base, base + base / 2 - 1));
}

/// Stands within `wait`, or when it would have anyway, whichever is sooner.
void Raft::stand_within(Instant now, Duration wait) {
  election_deadline_ = std::min(election_deadline_, now + nanoseconds(prng_.between(0, wait.nanos - 1)));
}

void Raft::send(NodeId to, Message message, bool after_sync, Output& out) const {
  out.messages.push_back({to, std::move(message), after_sync});
}

void Raft::trace(TraceKind kind, Term term, Index index, std::uint64_t a, std::uint64_t b, Output& out) const {
  TraceEvent event;
  event.kind = kind;
  event.shard = config_.group;
  event.term = term;
  event.index = index;
  event.a = a;
  event.b = b;
  out.trace.push_back(event);
}

void Raft::trace_role(TraceKind kind, Output& out) const {
  trace(kind, hard_state_.term, log_.last_index(), log_.last_index().value, 0, out);
}

Facts Raft::facts() const {
  return {.leading = role_ == Role::leader,
          .campaigning = role_ == Role::pre_candidate || role_ == Role::candidate,
          .hard_state = hard_state_,
          .base = log_.base().index,
          .commit = commit_,
          .last = log_.last_index(),
          .last_term = log_.last_term(),
          .durable = log_.durable(),
          .generation = log_.generation(),
          .configuration = membership_.latest_index(),
          .voter = membership_.latest().is_voter(config_.self),
          .serves = leads_in_own_term(),
          .certain = recovery_.certain(),
          .bound = recovery_.floor().has_value(),
          .transferring = transferring()};
}

void Raft::finish(Output& out) {
  settle(out);
  out.generation = log_.generation();
  invariants_.observe(facts());
  for (const Progress& follower : followers_) {
    check(follower.match() < follower.next() && follower.next() <= log_.last_index().next(),
          "R11: a follower's match is below its next, and that within the log");
  }
}

}  // namespace coffer::raft
