// B5b. Try takes and gives at once: the credit may land, and be spent, while the debit is refused.
// Source: Digital Wallet, choice 3 of table 12.4.
#include "sim/ladder/rungs.h"
#include "sim/ladder/tcc.h"

namespace coffer::sim::ladder {

std::unique_ptr<Design> b05b_both_at_once() { return tcc({.debit = {-1, 0, +1}, .credit = {+1, 0, -1}}); }

}  // namespace coffer::sim::ladder
