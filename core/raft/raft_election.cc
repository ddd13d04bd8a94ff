// Elections: pre-vote, vote, and who may win. Source: Raft thesis, sections 3.4, 3.6.1, 4.2.3 (who hears its leader
// ignores candidates) and 9.6.
//
// A candidate counts its own vote at once, although it is not durable yet. That is sound (R3): its requests leave only
// after the sync, so every other vote, and with it every majority of two or more voters, comes after its own is
// durable. A sole voter wins at once. What it sends to learners waits until its term is durable, what it appends
// commits only when persisted() has covered it, and the hard state is stored before that.
#include <algorithm>

#include "core/base/check.h"
#include "core/raft/quorum.h"
#include "core/raft/raft.h"

namespace coffer::raft {

/// Who is no voter (R20) or uncertain (R27) does not. At the last term that messages can carry, to which only a hostile
/// peer can have brought us, there is no later one to campaign in.
bool Raft::may_campaign() const {
  return membership_.latest().is_voter(config_.self) && recovery_.certain() && hard_state_.term.value < number_max;
}

void Raft::ask_pre_votes(Instant now, Output& out) {
  if (role_ == Role::follower) {
    urgent_until_ = now + config_.election_timeout * 2;
  }
  role_ = Role::pre_candidate;
  leader_ = nobody;
  yielded_ = false;
  granted_ = {config_.self};
  trace_role(TraceKind::became_pre_candidate, out);
  ask_all(now, out);
  count_votes(now, out);
}

void Raft::campaign(Instant now, bool transfer, Output& out) {
  check(may_campaign(), "R20, R27: only a voter that is certain campaigns");
  // Nobody is held up by a candidacy in vain but those it asked: they wait for the next.
  election_deadline_ =
      now + nanoseconds(prng_.between(config_.election_timeout.nanos / 2, config_.election_timeout.nanos - 1));
  role_ = Role::candidate;
  leader_ = nobody;
  campaigns_by_transfer_ = transfer;
  set_hard_state({hard_state_.term.next(), config_.self}, out);
  granted_ = {config_.self};
  refused_.clear();
  trace_role(TraceKind::became_candidate, out);
  trace(TraceKind::voted, hard_state_.term, log_.last_index(), config_.self.value, 0, out);
  ask_all(now, out);
  count_votes(now, out);
}

/// Sends the question of the present (pre-)candidacy. A real one says "I voted for myself in this term": after_sync.
void Raft::ask(NodeId voter, Output& out) const {
  if (voter == config_.self || !membership_.latest().is_voter(voter)) {
    return;
  }
  const bool pre = role_ == Role::pre_candidate;
  VoteRequest request;
  request.term = pre ? hard_state_.term.next() : hard_state_.term;
  request.pre = pre;
  request.transfer = !pre && campaigns_by_transfer_;
  request.last_index = log_.last_index();
  request.last_term = log_.last_term();
  send(voter, request, !pre, out);
}

/// All that have not granted yet: a question may be lost, and whoever refused because it heard a leader may not any
/// more.
void Raft::ask_all(Instant now, Output& out) {
  ask_again_at_ = now + retry_interval(now);
  for (const NodeId member : membership_.latest().members()) {
    if (std::find(granted_.begin(), granted_.end(), member) == granted_.end()) {
      ask(member, out);
    }
  }
}

void Raft::count_votes(Instant now, Output& out) {
  if (!has_quorum(membership_.latest(), granted_)) {
    return;
  }
  if (role_ == Role::pre_candidate) {
    campaign(now, false, out);
  } else {
    become_leader(now, out);
  }
}

void Raft::become_leader(Instant now, Output& out) {
  check(role_ == Role::candidate && hard_state_.vote == config_.self, "R4: only a candidate of the term leads it");
  role_ = Role::leader;
  leader_ = config_.self;
  elected_at_ = now;
  urgent_until_ = now + config_.election_timeout;
  term_begin_ = log_.last_index().next();
  out.became_leader = true;
  trace_role(TraceKind::became_leader, out);
  followers_.clear();
  follow_members(now, log_.last_index());
  const bool alone = has_quorum(membership_.latest(), {config_.self});
  term_proof_ = alone ? term_begin_ : Index();
  heartbeat_deadline_ = now + config_.heartbeat_interval;
  ask_again_at_ = now + retry_interval(now);
  append_own(nullptr, EntryKind::state,
             out);  // section 6.4: its commitment proves what is committed; it goes out as the first heartbeat
}

bool Raft::heard_leader(Instant now) const {
  return role_ == Role::leader ||
         (leader_ != nobody && (now < fed_until_ || now < pulse_.alive_at() + config_.election_timeout));
}

/// Whether a candidate's later term is to be passed over: the leader is alive, so who asks is cut off from it, or no
/// member any more (R23). A wish of the leader's is heard.
bool Raft::ignores(Instant now, const Message& message) const {
  const auto* request = std::get_if<VoteRequest>(&message);
  return request != nullptr && !request->pre && !request->transfer && request->term > hard_state_.term &&
         heard_leader(now);
}

bool Raft::may_vote_for(LogPlace last) const {
  return log_.covered_by(last.index, last.term) && recovery_.may_vote_for(last);  // R13, R27
}

void Raft::on(Instant now, NodeId from, VoteRequest& request, Output& out) {
  if (request.pre) {
    on_pre_vote(now, from, request, out);
    return;
  }
  const bool free_to_vote =
      request.term == hard_state_.term && (hard_state_.vote == nobody || hard_state_.vote == from);  // R2
  const bool granted = free_to_vote && may_vote_for({request.last_index, request.last_term});        // R13, R27
  if (granted) {
    if (hard_state_.vote != from) {
      set_hard_state({hard_state_.term, from}, out);
      trace(TraceKind::voted, hard_state_.term, log_.last_index(), from.value, 0, out);
    }
    reset_election_deadline(now);
    vote_holds_until_ = now + config_.heartbeat_interval;
  }
  send(from, VoteReply{hard_state_.term, false, granted}, true, out);  // R3
  if (request.term == hard_state_.term) {
    count_refusal(now, from);  // it has voted for itself
  }
}

/// A candidate that so many refuse that it cannot win any more, as when votes are split, need not wait for its
/// time-out.
void Raft::count_refusal(Instant now, NodeId voter) {
  if (role_ != Role::candidate || std::find(refused_.begin(), refused_.end(), voter) != refused_.end()) {
    return;
  }
  refused_.push_back(voter);
  const bool may_win = reached_by_quorum(membership_.latest(), [&](NodeId other) {
                         return std::find(refused_.begin(), refused_.end(), other) == refused_.end() ? 1 : 0;
                       }) == 1;
  if (!may_win) {
    stand_within(now, config_.heartbeat_interval);
  }
}

/// Two that stand at the same time would each win its pre-vote and take the other's vote away. So whoever stands and
/// answers a rival with a better log, or with the same and a higher number, lets it go first for a heartbeat: once each
/// time it stands, for the rival may be cut off from everybody else.
void Raft::let_go_first(Instant now, NodeId rival, LogPlace last) {
  if (role_ == Role::pre_candidate && !yielded_ && (config_.self < rival || last != log_.last())) {
    yielded_ = true;
    yields_until_ = ask_again_at_ = now + config_.heartbeat_interval;
    granted_ = {config_.self};
  }
}

/// Would this replica vote for `from`? Changes nothing that lasts (R15). A grant echoes the term asked about; a denial
/// tells ours, so that an asker who lags behind catches up.
void Raft::on_pre_vote(Instant now, NodeId from, const VoteRequest& request, Output& out) {
  const LogPlace last{request.last_index, request.last_term};
  const bool other_may_win = hard_state_.vote != nobody && hard_state_.vote != from && now < vote_holds_until_;
  const bool granted = !other_may_win && request.term > hard_state_.term && may_vote_for(last) && !heard_leader(now);
  if (granted) {
    let_go_first(now, from, last);
  }
  send(from, VoteReply{granted ? request.term : hard_state_.term, true, granted}, true, out);
}

void Raft::on(Instant now, NodeId from, VoteReply& reply, Output& out) {
  if (!reply.pre && !reply.granted && reply.term == hard_state_.term) {
    count_refusal(now, from);
  }
  const bool pre = role_ == Role::pre_candidate;
  const bool asking = pre || role_ == Role::candidate;
  const Term asked = pre ? hard_state_.term.next() : hard_state_.term;
  if (!asking || reply.pre != pre || reply.term != asked || !reply.granted) {
    return;
  }
  const bool yields = pre && now < yields_until_;
  const bool counts = membership_.latest().is_voter(from) && !yields;
  if (counts && std::find(granted_.begin(), granted_.end(), from) == granted_.end()) {
    granted_.push_back(from);
    count_votes(now, out);
  }
}

}  // namespace coffer::raft
