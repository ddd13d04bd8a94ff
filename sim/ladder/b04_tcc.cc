// B4. Try takes the money and Confirm gives it; where a participant refuses, Cancel gives it back. Unbalanced only in
// between, by what the debit's shard calls in transit. Source: Digital Wallet, table 12.2, and choice 1 of table 12.4.
#include "sim/ladder/rungs.h"
#include "sim/ladder/tcc.h"

namespace coffer::sim::ladder {

std::unique_ptr<Design> b04_tcc() { return tcc({}); }

}  // namespace coffer::sim::ladder
