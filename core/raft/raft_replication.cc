// The leader's side of replication: what is sent to whom, what counts as replicated, what commits, and when a read is
// proven. Source: Raft thesis, sections 3.5, 3.6.2, 6.4, 10.2.1 (the leader's own write in parallel), 10.2.2
// (pipelining).
#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "core/raft/quorum.h"
#include "core/raft/raft.h"

namespace coffer::raft {

void Raft::append_own(SharedBytes payload, Output& out) {
  add({log_.last_index().next(), hard_state_.term, std::move(payload)}, true, out);
  replicate_to_all(out);
}

void Raft::replicate_to_all(Output& out) {
  for (Progress& follower : followers_) {
    replicate(follower, out);
  }
}

/// Sends what the follower lacks, as far ahead as it may be sent.
void Raft::replicate(Progress& follower, Output& out) {
  while (follower.next() <= log_.last_index() && follower.may_send(config_.appends_in_flight_max)) {
    std::vector<Entry> entries = log_.slice(follower.next(), config_.append_bytes_max);
    const Index last = entries.back().index;
    append(follower, std::move(entries), out);
    follower.sent(last);
  }
}

/// One append at the follower's place; without entries a heartbeat, which finds out whether that place still fits.
void Raft::append(const Progress& follower, std::vector<Entry> entries, Output& out) const {
  AppendRequest request;
  request.term = hard_state_.term;
  request.prev_index = previous(follower.next());
  request.prev_term = log_.term_at(request.prev_index);
  request.commit = commit_;
  request.round = reads_.round();
  request.entries = std::move(entries);
  send(follower.node(), std::move(request), false, out);
}

void Raft::beat(Instant now, Output& out) {
  heartbeat_deadline_ = now + config_.heartbeat_interval;
  for (Progress& follower : followers_) {
    follower.beat();
    append(follower, {}, out);
  }
}

void Raft::on(Instant, NodeId from, AppendReply& reply, Output& out) {
  if (role_ != Role::leader || reply.term != hard_state_.term) {
    return;  // R11: an answer to an earlier term's append says nothing about this term's log
  }
  if (reply.match > log_.last_index() || reply.round > reads_.round()) {
    return;  // R17: answers to what was never sent
  }
  Progress& follower = this->follower(from);
  follower.answered(reply.round);  // also a rejection acknowledges the leader
  if (reply.success) {
    follower.accepted(reply.match);
    advance_commit(out);
  } else {
    follower.rejected(reply.match);
  }
  replicate(follower, out);
  advance_reads(out);
}

/// Commits what a majority has durably, if it is of this term (R9); earlier entries then commit with it. The leader's
/// own entries count only once they are durable here as well (R10).
void Raft::advance_commit(Output& out) {
  std::vector<Index> replicated;
  replicated.reserve(config_.members.size());
  replicated.push_back(log_.durable());  // R10
  for (const Progress& follower : followers_) {
    replicated.push_back(follower.match());
  }
  const Index agreed = reached_by_majority(std::span(replicated));
  if (agreed > commit_ && log_.term_at(agreed) == hard_state_.term) {  // R9
    commit_to(agreed, out);
  }
}

/// Ends the round under way if a majority has answered it, begins the next if reads wait, and hands out what is proven
/// once an entry of this term has committed (R14).
void Raft::advance_reads(Output& out) {
  for (;;) {
    if (reads_.under_way()) {
      std::vector<std::uint64_t> answered{reads_.round()};  // the leader's own
      for (const Progress& follower : followers_) {
        answered.push_back(follower.round());
      }
      if (reached_by_majority(std::span(answered)) < reads_.round()) {
        break;
      }
      reads_.acknowledged();
    }
    if (!reads_.has_waiting()) {
      break;
    }
    reads_.begin();
    for (const Progress& follower : followers_) {
      append(follower, {}, out);
    }
  }
  if (reads_.has_proven() && leads_in_own_term()) {  // R14
    trace(TraceKind::read_confirmed, hard_state_.term, commit_, reads_.proven_round(), 0, out);
    reads_.take_proven(out.reads_confirmed);
  }
}

Progress& Raft::follower(NodeId node) {
  const auto found = std::find_if(followers_.begin(), followers_.end(),
                                  [&](const Progress& follower) { return follower.node() == node; });
  check(found != followers_.end(), "a leader knows every member's progress");
  return *found;
}

}  // namespace coffer::raft
