// B12b. A replica says that it holds an event while only its memory does. A power cut takes it from all of them at
// once. Source: Foundations of Distributed Financial Systems, chapter 7.
#include "sim/ladder/group_wallet.h"
#include "sim/ladder/rungs.h"

namespace coffer::sim::ladder {

std::unique_ptr<Design> b12b_unsynced() { return group_wallet({.log = {.sync_first = false}}); }

}  // namespace coffer::sim::ladder
