// The follower's side of replication, and every change of the log and of the commit index.
// Source: Raft thesis, figure 3.1 (AppendEntries, receiver implementation) and section 3.5.
#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "core/base/hash.h"
#include "core/raft/raft.h"

namespace coffer::raft {

void Raft::on(Instant now, NodeId from, AppendRequest& request, Output& out) {
  if (request.term < hard_state_.term) {
    // Round 0: the round of an earlier term's append must not pass for one of a later term's (R14).
    answer(from, false, log_.last_index(), 0, out);
    return;
  }
  if (role_ == Role::leader || (leader_ != nobody && leader_ != from)) {
    return;  // R17: a second leader in one term is no honest one
  }
  const bool newest = pulse_.heard(now, request.term, request.sign);
  const bool in_time = newest && now < pulse_.alive_at() + config_.election_timeout;
  if (in_time) {  // R30
    become_follower(now, request.term, from, out);
    reset_election_deadline(pulse_.alive_at());
  } else if (role_ == Role::candidate) {
    return;
  }
  // Who only asks whether to stand stores and answers what comes late all the same: else a leader whose link is busy
  // would never hear from whom it feeds, and who is fed would never catch up.
  if (skip_compacted(request)) {
    answer(from, true, log_.base().index, request.round, out);  // the latest leader has all of what is committed here
    return;
  }
  if (!log_.matches(request.prev_index, request.prev_term)) {  // R6
    answer(from, false, place_to_try(request), request.round, out);
    return;
  }
  const Index verified(request.prev_index.value + request.entries.size());
  std::size_t known = 0;
  while (known < request.entries.size() && log_.matches(request.entries[known].index, request.entries[known].term)) {
    ++known;
  }
  if (known < request.entries.size() && request.entries[known].index <= commit_) {
    return;  // R7, R17: no honest leader contradicts what is committed
  }
  const bool fed = known < request.entries.size();
  store(request.entries, known, out);
  if (fed && !in_time) {
    follow_fed(now, from, out);
  }
  commit_to(std::min(request.commit, verified), out);  // R12
  answer(from, true, verified, request.round, out);    // R3
}

/// Who is still being fed, however late, is not without a leader: it holds on for half an election time-out at least.
void Raft::follow_fed(Instant now, NodeId leader, Output& out) {
  become_follower(now, hard_state_.term, leader, out);
  fed_until_ = now + config_.election_timeout / 2;
  const Duration more = nanoseconds(prng_.between(0, config_.election_timeout.nanos / 2));
  election_deadline_ = std::max(election_deadline_, fed_until_ + more);
}

/// Makes an append that begins before the log's base begin at it: what is before is committed, and so the same in the
/// latest leader's log, and an earlier one commits nothing by the answer (R22, docs/PROTOCOLS.md). True if
/// nothing of it is left. An append that contradicts the base stays, to be refused.
bool Raft::skip_compacted(AppendRequest& request) const {
  const LogPlace base = log_.base();
  if (request.prev_index >= base.index) {
    return false;
  }
  const std::uint64_t before = base.index.value - request.prev_index.value;
  if (request.entries.size() < before) {
    return true;
  }
  const auto end = request.entries.begin() + static_cast<std::ptrdiff_t>(before);
  request.prev_index = base.index;
  request.prev_term = std::prev(end)->term;
  request.entries.erase(request.entries.begin(), end);
  return false;
}

/// After which entry a leader should go on whose append does not fit: never before what is committed.
Index Raft::place_to_try(const AppendRequest& request) const {
  if (request.prev_index <= commit_) {
    return commit_;  // R7: no honest leader asks for this
  }
  return std::max(log_.last_possible_match(request.prev_index, request.prev_term), commit_);
}

/// Every answer waits for what it promises (R3).
void Raft::answer(NodeId to, bool success, Index match, std::uint64_t round, Output& out) const {
  send(to, AppendReply{hard_state_.term, success, match, round, uncertain(), complete_}, true, out);
}

/// Adds the entries after the first `known`, which are in the log already. Only a real conflict takes entries away: an
/// append that ends early may just be old (R6).
void Raft::store(std::vector<Entry>& entries, std::size_t known, Output& out) {
  if (known < entries.size() && entries[known].index <= log_.last_index()) {
    truncate_from(entries[known].index, out);
  }
  for (std::size_t i = known; i < entries.size(); ++i) {
    add(std::move(entries[i]), false, out);
  }
}

void Raft::add(Entry entry, bool proposed_here, Output& out) {
  const ByteView payload = view(entry.payload);
  trace(TraceKind::appended, entry.term, entry.index, payload.empty() ? 0 : hash64(payload), proposed_here ? 1 : 0,
        out);
  out.appended.push_back(entry);
  if (entry.kind == EntryKind::configuration) {
    membership_.append(entry);  // R18
    trace_configuration(TraceKind::configuration_changed, out);
  }
  log_.append(std::move(entry));
}

void Raft::truncate_from(Index from, Output& out) {
  check(role_ != Role::leader, "R5: a leader only appends to its log");
  check(from > commit_, "R7: what is committed is never removed");
  trace(TraceKind::truncated, hard_state_.term, from, log_.last_index().value - from.value + 1, 0, out);
  log_.truncate_from(from);
  while (!out.appended.empty() && out.appended.back().index >= from) {
    out.appended.pop_back();
  }
  out.truncated_from = std::min(out.truncated_from.value_or(from), from);
  if (membership_.truncate_from(from)) {  // R18
    trace_configuration(TraceKind::configuration_rolled_back, out);
  }
}

void Raft::learn_committed(Instant now, LogPlace place, Output& out) {
  now_ = now;
  const bool held = log_.durable() >= place.index && place.index > commit_ && log_.matches(place.index, place.term);
  if (role_ != Role::leader && held) {  // R31
    commit_to(place.index, out);
  }
  finish(out);
}

/// Moves the commit index up to `index`; never down (R8).
void Raft::commit_to(Index index, Output& out) {
  if (index <= commit_) {
    return;
  }
  const Index before = commit_;
  commit_ = index;
  trace(TraceKind::committed, log_.term_at(commit_), commit_, before.value, 0, out);
}

}  // namespace coffer::raft
