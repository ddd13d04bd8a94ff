// B7a. A saga that gives up a credit which is not answered in time, and compensates backwards: first the credit is
// taken back, or found spent, and only then is the debit given back. Source: Digital Wallet, Saga; Garcia-Molina and
// Salem, Sagas (1987).
#include "sim/ladder/rungs.h"
#include "sim/ladder/saga.h"

namespace coffer::sim::ladder {

std::unique_ptr<Design> b07a_saga_backwards() { return saga(Compensation::backwards); }

}  // namespace coffer::sim::ladder
