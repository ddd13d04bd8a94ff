// Roles, terms and the public calls. Elections are in raft_election.cc, the leader's side of replication in
// raft_replication.cc, the follower's in raft_follower.cc.
//
//   follower ------ election time-out: ask_pre_votes -----------------> pre_candidate
//   pre_candidate - majority of pre-votes: campaign -----------------> candidate
//   candidate ----- majority of votes: become_leader ----------------> leader
//   candidate ----- election time-out: ask_pre_votes ----------------> pre_candidate
//   any ----------- later term, or an append of a leader's: become_follower -> follower
#include "core/raft/raft.h"

#include <algorithm>
#include <utility>

#include "core/base/check.h"

namespace coffer::raft {
namespace {

/// Whether the message's term is one somebody has reached: a pre-vote only asks about a term, and a granted one echoes
/// the question (thesis, section 9.6).
bool announces_its_term(const Message& message) {
  if (const auto* request = std::get_if<VoteRequest>(&message)) {
    return !request->pre;
  }
  if (const auto* reply = std::get_if<VoteReply>(&message)) {
    return !(reply->pre && reply->granted);
  }
  return true;
}

Facts first_facts(const HardState& hard_state, const LogView& log) {
  return {.leading = false,
          .hard_state = hard_state,
          .commit = Index(),
          .last = log.last_index(),
          .last_term = log.last_term(),
          .durable = log.durable(),
          .generation = log.generation()};
}

}  // namespace

void Output::clear() {
  hard_state.reset();
  truncated_from.reset();
  appended.clear();
  generation = 0;
  messages.clear();
  became_leader = false;
  lost_leadership = false;
  reads_confirmed.clear();
  reads_dropped.clear();
  trace.clear();
}

Raft::Raft(Config config, HardState hard_state, std::vector<Entry> log, Prng prng, Instant now)
    : config_(std::move(config)),
      prng_(prng),
      log_(std::move(log)),
      hard_state_(hard_state),
      invariants_(first_facts(hard_state_, log_)) {
  check(std::is_sorted(config_.members.begin(), config_.members.end()), "members ascend");
  check(std::binary_search(config_.members.begin(), config_.members.end(), config_.self), "a replica is a member");
  check(config_.heartbeat_interval.nanos > 0 && config_.election_timeout > config_.heartbeat_interval,
        "a leader is heard before elections start");
  check(config_.appends_in_flight_max > 0, "a leader may send");
  reset_election_deadline(now);
}

void Raft::tick(Instant now, Output& out) {
  if (role_ == Role::leader) {
    if (now >= heartbeat_deadline_) {
      beat(now, out);
    }
  } else if (now >= election_deadline_) {
    ask_pre_votes(now, out);
  }
  finish(out);
}

void Raft::receive(Instant now, NodeId from, Message message, Output& out) {
  if (is_peer(from) && well_formed(message)) {  // R17
    const Term term = std::visit([](const auto& m) { return m.term; }, message);
    if (term > hard_state_.term && announces_its_term(message)) {
      become_follower(now, term, nobody, out);
    }
    std::visit([&](auto& m) { on(now, from, m, out); }, message);
  }
  finish(out);
}

void Raft::persisted(Instant, std::uint64_t generation, Index last, Output& out) {
  log_.persisted(generation, last);
  if (role_ == Role::leader) {
    advance_commit(out);
    advance_reads(out);
  }
  finish(out);
}

std::optional<Index> Raft::propose(Instant, SharedBytes payload, Output& out) {
  std::optional<Index> index;
  if (role_ == Role::leader && log_.last_index().value < number_max) {
    append_own(std::move(payload), out);
    index = log_.last_index();
  }
  finish(out);
  return index;
}

bool Raft::read(Instant, std::uint64_t read_id, Output& out) {
  const bool leads = role_ == Role::leader;
  if (leads) {
    reads_.add(read_id);
    advance_reads(out);
  }
  finish(out);
  return leads;
}

void Raft::reconnected(Instant, NodeId peer, Output& out) {
  if (is_peer(peer)) {
    resend(peer, out);
  }
  finish(out);
}

/// What was sent to `peer` may have been lost.
void Raft::resend(NodeId peer, Output& out) {
  switch (role_) {
    case Role::follower:
      break;
    case Role::pre_candidate:
    case Role::candidate:
      ask(peer, out);
      break;
    case Role::leader:
      follower(peer).probe_from_match();
      append(follower(peer), {}, out);
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

bool Raft::leads_in_own_term() const { return role_ == Role::leader && log_.term_at(commit_) == hard_state_.term; }

Instant Raft::wake_at() const {
  if (role_ != Role::leader) {
    return election_deadline_;
  }
  return followers_.empty() ? never : heartbeat_deadline_;
}

bool Raft::is_peer(NodeId node) const {
  return node != config_.self && std::binary_search(config_.members.begin(), config_.members.end(), node);
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
  reset_election_deadline(now);
}

/// The only place where term and vote change (R1, R2, R3): every change is handed out to be stored.
void Raft::set_hard_state(HardState state, Output& out) {
  hard_state_ = state;
  out.hard_state = state;
}

void Raft::reset_election_deadline(Instant now) {
  const std::int64_t base = config_.election_timeout.nanos;
  election_deadline_ = now + nanoseconds(prng_.between(base, 2 * base - 1));
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
  Facts facts = first_facts(hard_state_, log_);
  facts.leading = role_ == Role::leader;
  facts.commit = commit_;
  return facts;
}

void Raft::finish(Output& out) {
  out.generation = log_.generation();
  invariants_.observe(facts());
  for (const Progress& follower : followers_) {
    check(follower.match() < follower.next() && follower.next() <= log_.last_index().next(),
          "R11: a follower's match is below its next, and that within the log");
  }
}

}  // namespace coffer::raft
