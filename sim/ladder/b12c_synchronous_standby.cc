// B12c. A leader and a standby, and nothing counts until both have it. Safe, and down as soon as either is.
// Source: Foundations of Distributed Financial Systems, chapter 5.
#include "sim/ladder/group_wallet.h"
#include "sim/ladder/rungs.h"

namespace coffer::sim::ladder {

std::unique_ptr<Design> b12c_synchronous_standby() {
  return group_wallet({.log = {.replicas = 2, .committed = QuorumOptions::Committed::by_all}});
}

}  // namespace coffer::sim::ladder
