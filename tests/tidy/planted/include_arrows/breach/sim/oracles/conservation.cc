// An oracle that trusts the product.
#include "core/ledger/ledger.h"
#include "sim/kernel/queue.h"
