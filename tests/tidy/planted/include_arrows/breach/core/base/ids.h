// Ids.
#include "../ledger/ledger.h"
