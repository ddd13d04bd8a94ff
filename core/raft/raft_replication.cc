// The leader's side of replication: what is sent to whom, what counts as replicated, what commits, and when a read is
// proven. Source: Raft thesis, sections 3.5, 3.6.2, 6.2 (check-quorum), 6.4, 10.2.1 (the leader's own write in
// parallel), 10.2.2 (pipelining).
#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "core/raft/quorum.h"
#include "core/raft/raft.h"

namespace coffer::raft {

void Raft::append_own(SharedBytes payload, EntryKind kind, Output& out) {
  check(!transferring(), "R24: a leader that hands over appends nothing");
  add({log_.last_index().next(), hard_state_.term, std::move(payload), kind}, true, out);
  replicate_to_all(out);
}

void Raft::replicate_to_all(Output& out) {
  for (Progress& follower : followers_) {
    replicate(follower, out);
  }
}

/// Sends what the follower lacks, as far ahead as it may be sent.
void Raft::replicate(Progress& follower, Output& out) {
  find_place(follower, out);
  const Window window{config_.appends_in_flight_max, config_.window_bytes_max};
  const Index through = last_for(follower);
  while (follower.next() <= through && follower.may_send(window)) {
    std::vector<Entry> entries = log_.slice(follower.next(), through, config_.append_bytes_max);
    const Index last = entries.back().index;
    std::uint64_t bytes = 0;
    for (const Entry& entry : entries) {
      bytes += view(entry.payload).size();
    }
    append(follower, previous(follower.next()), std::move(entries), out);
    follower.sent(last, bytes);
  }
}

/// A node that is no member any more learns so only once that has committed (R20). Before, its vote may still be
/// needed, and a log that ends with its own removal would neither give it nor ask for others.
Index Raft::last_for(const Progress& follower) const {
  const bool leaves = !membership_.latest().contains(follower.node()) && membership_.latest_index() > commit_;
  return leaves ? previous(membership_.latest_index()) : log_.last_index();
}

void Raft::heartbeat(Progress& follower, Output& out) {
  find_place(follower, out);
  append(follower, follower.needs_snapshot() ? log_.base().index : previous(follower.next()), {}, out);
}

/// A follower whose place is compacted needs a snapshot (R26). Called before anything is sent to it.
void Raft::find_place(Progress& follower, Output& out) const {
  if (!follower.needs_snapshot() && follower.next() <= log_.base().index) {
    follower.need_snapshot();
    trace(TraceKind::snapshot_needed, hard_state_.term, log_.base().index, follower.node().value, 0, out);
    say_snapshot_needed(follower, out);
  }
}

void Raft::say_snapshot_needed(const Progress& follower, Output& out) const {
  auto& needed = out.snapshots_needed;
  if (membership_.latest().contains(follower.node()) &&
      std::find(needed.begin(), needed.end(), follower.node()) == needed.end()) {
    needed.push_back(follower.node());
  }
}

/// One append behind `prev`, the follower's place; without entries a heartbeat, which finds out whether that place
/// still fits. The place of a follower that needs a snapshot is the log's base: when it answers with success, it has
/// one.
void Raft::append(const Progress& follower, Index prev, std::vector<Entry> entries, Output& out) const {
  AppendRequest request;
  request.term = hard_state_.term;
  request.prev_index = prev;
  request.prev_term = log_.term_at(request.prev_index);
  request.commit = commit_;
  request.round = reads_.round();
  request.entries = std::move(entries);
  request.sign = {now_ - elected_at_, now_ - quorum_heard_at()};
  send(follower.node(), std::move(request), !term_is_durable(), out);
}

/// A vote of another came after our own was durable. Who needs none but its own has learners at most, and leads before
/// its term is stored: no message of that term may leave before (R3).
bool Raft::term_is_durable() const { return log_.durable() >= term_proof_; }

/// Says again what the first commitment of the term waits for: the no-op, to those it is believed to continue.
void Raft::repeat_no_op(Instant now, Output& out) {
  ask_again_at_ = now + retry_interval(now);
  for (Progress& follower : followers_) {
    const bool needs_more = follower.next() < term_begin_ || follower.needs_snapshot();
    if (needs_more) {
      heartbeat(follower, out);
    } else if (follower.match() < term_begin_) {
      append(follower, previous(term_begin_), log_.slice(term_begin_, term_begin_, 0), out);
    }
  }
}

void Raft::beat(Instant now, Output& out) {
  if (now >= quorum_heard_at() + config_.election_timeout) {  // R23
    trace(TraceKind::quorum_lost, hard_state_.term, log_.last_index(), 0, 0, out);
    say_farewell(out);
    become_follower(now, hard_state_.term, nobody, out);
    return;
  }
  heartbeat_deadline_ = now + config_.heartbeat_interval;
  ask_again_at_ = now + retry_interval(now);
  dismiss_leavers(now);
  for (Progress& follower : followers_) {
    follower.beat();
    heartbeat(follower, out);
    if (follower.needs_snapshot()) {
      say_snapshot_needed(follower, out);
    }
  }
  hand_over(out);
  advance_membership(now, out);
}

/// Since when each of a quorum has answered.
Instant Raft::quorum_heard_at() const {
  return reached_by_quorum(membership_.latest(), [&](NodeId voter) {
    const Progress* const known = follower(voter);  // null: it is this one, or a member since this very moment
    return known == nullptr ? now_ : known->heard();
  });
}

void Raft::on(Instant now, NodeId from, AppendReply& reply, Output& out) {
  if (role_ != Role::leader || reply.term != hard_state_.term) {
    return;  // R11: an answer to an earlier term's append says nothing about this term's log
  }
  if (reply.match > log_.last_index() || reply.round > reads_.round()) {
    return;  // R17: answers to what was never sent
  }
  Progress* const known = follower(from);
  if (known == nullptr) {
    return;  // R20: a late answer of a removed member makes it none again
  }
  known->answered(now, reply.round, reply.uncertain, reply.complete);  // also a rejection acknowledges the leader
  if (reply.success) {
    known->accepted(reply.match, log_.base().index);
    advance_commit(out);
  } else if (reply.uncertain) {
    known->lost(reply.match);  // R11
  } else {
    known->rejected(reply.match);
  }
  replicate(*known, out);
  if (from == transfer_to_) {
    hand_over(out);
  }
  advance_reads(out);
  advance_membership(now, out);
}

/// What a completed write, or the end of a transfer, may have brought about.
void Raft::advance(Instant now, Output& out) {
  advance_commit(out);
  advance_reads(out);
  advance_membership(now, out);
}

/// Commits what a quorum has durably, if it is of this term (R9); earlier entries then commit with it. The leader's own
/// entries count only once they are durable here as well (R10).
void Raft::advance_commit(Output& out) {
  const Index agreed = reached_by_quorum(membership_.latest(), [&](NodeId voter) {
    return voter == config_.self ? log_.durable() : progress_of(voter).match();  // R10
  });
  if (agreed > commit_ && log_.term_at(agreed) == hard_state_.term) {  // R9
    commit_to(agreed, out);
  }
}

/// Ends the round under way if a quorum has answered it, begins the next if reads wait, and hands out what is proven
/// once an entry of this term has committed (R14).
void Raft::advance_reads(Output& out) {
  for (;;) {
    if (reads_.under_way()) {
      const std::uint64_t answered = reached_by_quorum(membership_.latest(), [&](NodeId voter) {
        return voter == config_.self ? reads_.round() : progress_of(voter).round();
      });
      if (answered < reads_.round()) {
        break;
      }
      reads_.acknowledged();
    }
    if (!reads_.has_waiting()) {
      break;
    }
    reads_.begin();
    for (Progress& follower : followers_) {
      heartbeat(follower, out);
    }
  }
  if (reads_.has_proven() && leads_in_own_term()) {  // R14
    trace(TraceKind::read_confirmed, hard_state_.term, commit_, reads_.proven_round(), 0, out);
    reads_.take_proven(out.reads_confirmed);
  }
}

const Progress* Raft::follower(NodeId node) const {
  const auto found = std::find_if(followers_.begin(), followers_.end(),
                                  [&](const Progress& follower) { return follower.node() == node; });
  return found == followers_.end() ? nullptr : &*found;
}

Progress* Raft::follower(NodeId node) { return const_cast<Progress*>(std::as_const(*this).follower(node)); }

Progress& Raft::progress_of(NodeId member) {
  Progress* const known = follower(member);
  check(known != nullptr, "a leader knows every other member's progress");
  return *known;
}

Index Raft::follower_match(NodeId node) const {
  const Progress* const known = follower(node);
  return known == nullptr ? Index() : known->match();
}

}  // namespace coffer::raft
