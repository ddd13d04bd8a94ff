#include "core/raft/invariants.h"

#include "core/base/check.h"

namespace coffer::raft {
namespace {

void check_state(const Facts& now) {
  check(now.base <= now.commit, "R22: only what is committed is compacted");
  check(now.commit <= now.last, "R8: what is committed is in the log");
  check(now.durable <= now.last, "R10: what is durable is in the log");
  check(now.last_term <= now.hard_state.term, "R1: the log holds no term later than the replica's");
  check(now.configuration <= now.last, "R18: the configuration in use is in the log or its base");
  check(now.voter || !now.campaigning, "R20: who has no vote does not campaign");
  check(now.voter || !now.leading, "R20: who has no vote does not lead");
  check(now.certain || (!now.campaigning && !now.leading), "R27: an uncertain replica does not campaign");
  check(now.leading || !now.transferring, "R24: only a leader hands over");
}

void check_hard_state(const Facts& before, const Facts& now) {
  check(now.hard_state.term >= before.hard_state.term, "R1: the term never goes back");
  const bool same_term = now.hard_state.term == before.hard_state.term;
  if (same_term && before.hard_state.vote != nobody) {
    check(now.hard_state.vote == before.hard_state.vote, "R2: one vote per term");
  }
  if (!before.certain && !now.certain && !now.bound) {
    check(now.hard_state.vote == (same_term ? before.hard_state.vote : nobody),
          "R27: an uncertain replica does not vote");
  }
}

void check_log(const Facts& before, const Facts& now) {
  check(now.base >= before.base, "R22: the base never goes back");
  check(now.commit >= before.commit, "R8: the commit index never goes back");
  if (now.generation == before.generation) {
    check(now.last >= before.last && now.durable >= before.durable, "R10: only a truncation takes entries away");
    check(now.configuration >= before.configuration, "R18: only a truncation rolls a configuration back");
  }
  if (now.hard_state.term == before.hard_state.term && before.leading && now.leading) {
    check(now.generation == before.generation && now.last >= before.last, "R5: a leader only appends to its log");
    if (now.configuration > before.configuration) {
      check(before.configuration <= now.commit, "R19: one configuration change at a time");
      check(now.serves, "R19: no configuration change before an entry of the own term has committed");
    }
    check(!before.transferring || !now.transferring || now.last == before.last,
          "R24: a leader that hands over appends nothing");
  }
}

}  // namespace

Invariants::Invariants(const Facts& first) : before_(first) { check_state(first); }

void Invariants::observe(const Facts& now) {
  check_state(now);
  check_hard_state(before_, now);
  check_log(before_, now);
  before_ = now;
}

}  // namespace coffer::raft
