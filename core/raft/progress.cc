#include "core/raft/progress.h"

#include <algorithm>

#include "core/base/check.h"

namespace coffer::raft {

bool Progress::may_send(std::uint32_t appends_in_flight_max) const {
  return probing_ ? !asked_ : in_flight_.size() < appends_in_flight_max;
}

void Progress::sent(Index last) {
  check(last >= next_, "an append that counts as in flight has entries");
  if (probing_) {
    asked_ = true;
    return;
  }
  in_flight_.push_back(last);
  next_ = last.next();
}

bool Progress::accepted(Index index) {
  const bool news = index > match_;
  match_ = std::max(match_, index);  // an answer may be stale: it never lowers what is known
  while (!in_flight_.empty() && in_flight_.front() <= match_) {
    in_flight_.pop_front();
  }
  if (probing_ && index.next() >= next_) {
    probing_ = false;
    asked_ = false;
  }
  next_ = std::max(next_, match_.next());
  if (news) {
    silent_beats_ = 0;
  }
  return news;
}

bool Progress::rejected(Index hint) {
  const Index next = std::max(match_.next(), hint.next());
  if (next >= next_) {
    return false;
  }
  probe(next);
  return true;
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
  next_ = next;
  probing_ = true;
  asked_ = false;
  in_flight_.clear();
  silent_beats_ = 0;
}

void Progress::answered(std::uint64_t round) { round_ = std::max(round_, round); }

}  // namespace coffer::raft
