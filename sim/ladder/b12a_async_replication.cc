// B12a. The leader answers once its own disk has the event, and ships it later. Whoever takes over may never have seen
// it. Source: Foundations of Distributed Financial Systems, chapter 5.
#include "sim/ladder/group_wallet.h"
#include "sim/ladder/rungs.h"

namespace coffer::sim::ladder {

std::unique_ptr<Design> b12a_async_replication() {
  return group_wallet({.log = {.committed = QuorumOptions::Committed::by_leader, .ship_at_once = false}});
}

}  // namespace coffer::sim::ladder
