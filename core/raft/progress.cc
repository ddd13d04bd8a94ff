#include "core/raft/progress.h"

#include <algorithm>

#include "core/base/check.h"

namespace coffer::raft {

bool Progress::may_send(const Window& window) const {
  switch (state_) {
    case State::probing:
      return !asked_;
    case State::streaming:
      return in_flight_.size() < window.appends_max && bytes_in_flight_ < window.bytes_max;
    case State::snapshot:
      return false;
  }
  return false;
}

void Progress::sent(Index last, std::uint64_t bytes) {
  check(last >= next_, "an append that counts as in flight has entries");
  check(state_ != State::snapshot, "R26: a follower that needs a snapshot gets no entries");
  if (state_ == State::probing) {
    asked_ = true;
    return;
  }
  in_flight_.push_back({last, bytes});
  bytes_in_flight_ += bytes;
  next_ = last.next();
}

bool Progress::accepted(Index index, Index base) {
  const bool news = index > match_;
  match_ = std::max(match_, index);  // an answer may be stale: it never lowers what is known
  while (!in_flight_.empty() && in_flight_.front().last <= match_) {
    bytes_in_flight_ -= in_flight_.front().bytes;
    in_flight_.pop_front();
  }
  const bool found = state_ == State::probing && index.next() >= next_;
  const bool supplied = state_ == State::snapshot && index >= base;
  if (found || supplied) {
    state_ = State::streaming;
    asked_ = false;
  }
  if (supplied) {
    next_ = match_.next();
  }
  next_ = std::max(next_, match_.next());
  if (news) {
    silent_beats_ = 0;
  }
  return news;
}

bool Progress::rejected(Index hint) {
  const Index next = std::max(match_.next(), hint.next());
  if (next >= next_ || state_ == State::snapshot) {
    return false;
  }
  probe(next);
  return true;
}

void Progress::lost(Index hint) {
  match_ = std::min(match_, hint);
  rejected(hint);
}

void Progress::need_snapshot() {
  forget_in_flight();
  state_ = State::snapshot;
  asked_ = false;
}

void Progress::beat() {
  if (in_flight_.empty()) {
    silent_beats_ = 0;
    return;
  }
  if (++silent_beats_ > silent_beats_max) {
    probe_from_match();
  }
}

void Progress::probe_from_match() { probe(match_.next()); }

void Progress::probe(Index next) {
  forget_in_flight();
  next_ = next;
  state_ = State::probing;
  asked_ = false;
}

void Progress::forget_in_flight() {
  in_flight_.clear();
  bytes_in_flight_ = 0;
  silent_beats_ = 0;
}

void Progress::answered(Instant now, std::uint64_t round, bool uncertain, bool complete) {
  heard_ = now;
  round_ = std::max(round_, round);
  uncertain_ = uncertain;
  complete_ = complete;
}

bool Progress::caught_up(Instant now, Index last, Duration election_timeout) {
  if (in_round_ && match_ >= round_target_) {
    in_round_ = false;
    last_round_short_ = now < round_began_ + election_timeout;
  }
  if (!in_round_) {
    in_round_ = true;
    round_began_ = now;
    round_target_ = last;
  }
  const bool keeps_up = last_round_short_ && now < round_began_ + election_timeout;
  const bool answers = now < heard_ + election_timeout;
  return keeps_up && answers && complete_ && !uncertain_ && state_ != State::snapshot;
}

}  // namespace coffer::raft
