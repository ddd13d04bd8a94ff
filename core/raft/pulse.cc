#include "core/raft/pulse.h"

#include <algorithm>

namespace coffer::raft {

bool Pulse::heard(Instant now, Term term, SignOfLife sign) {
  const bool first = term > term_;
  if (first) {
    term_ = term;
    least_before_.reset();
    least_ = now - Instant{} - sign.sent;
    window_began_ = now;
  } else if (sign.sent < sent_) {
    return false;  // a late copy
  }
  sent_ = sign.sent;
  const Instant left = Instant{} + sign.sent + gap(now, sign.sent);
  const Instant alive_at = left - std::max(sign.unheard - grace_, Duration{});
  const bool moves = first || alive_at > alive_at_;
  if (moves) {
    alive_at_ = alive_at;
  }
  return moves;
}

/// Our clock less the leader's, by the fastest append of late.
Duration Pulse::gap(Instant now, Duration sent) {
  const Duration here = now - Instant{} - sent;
  if (now >= window_began_ + window_) {
    least_before_ = least_;
    least_ = here;
    window_began_ = now;
  }
  least_ = std::min(least_, here);
  return least_before_ ? std::min(*least_before_, least_) : least_;
}

}  // namespace coffer::raft
