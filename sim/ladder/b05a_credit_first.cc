// B5a. Try gives the money and takes nothing: before the Cancel somebody may have spent it, and what Confirm is to take
// was never set aside. Source: Digital Wallet, choice 2 of table 12.4.
#include "sim/ladder/rungs.h"
#include "sim/ladder/tcc.h"

namespace coffer::sim::ladder {

std::unique_ptr<Design> b05a_credit_first() { return tcc({.debit = {0, -1, 0}, .credit = {+1, 0, -1}}); }

}  // namespace coffer::sim::ladder
