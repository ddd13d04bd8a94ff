#include "core/raft/invariants.h"

#include "core/base/check.h"

namespace coffer::raft {
namespace {

void check_state(const Facts& now) {
  check(now.commit <= now.last, "R8: what is committed is in the log");
  check(now.durable <= now.last, "R10: what is durable is in the log");
  check(now.last_term <= now.hard_state.term, "R1: the log holds no term later than the replica's");
}

void check_delta(const Facts& before, const Facts& now) {
  check(now.hard_state.term >= before.hard_state.term, "R1: the term never goes back");
  check(now.commit >= before.commit, "R8: the commit index never goes back");
  const bool same_term = now.hard_state.term == before.hard_state.term;
  if (same_term && before.hard_state.vote != nobody) {
    check(now.hard_state.vote == before.hard_state.vote, "R2: one vote per term");
  }
  if (same_term && before.leading && now.leading) {
    check(now.generation == before.generation && now.last >= before.last, "R5: a leader only appends to its log");
  }
  if (now.generation == before.generation) {
    check(now.last >= before.last && now.durable >= before.durable, "R10: only a truncation takes entries away");
  }
}

}  // namespace

Invariants::Invariants(const Facts& first) : before_(first) { check_state(first); }

void Invariants::observe(const Facts& now) {
  check_state(now);
  check_delta(before_, now);
  before_ = now;
}

}  // namespace coffer::raft
