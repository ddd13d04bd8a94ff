// B7x. The same saga, compensated in the order in which it was done: the debit is given back while the credit may be
// there, and when it is the credit's turn, it may have been spent. Source: Digital Wallet, Saga.
#include "sim/ladder/rungs.h"
#include "sim/ladder/saga.h"

namespace coffer::sim::ladder {

std::unique_ptr<Design> b07x_saga_forwards() { return saga(Compensation::forwards); }

}  // namespace coffer::sim::ladder
