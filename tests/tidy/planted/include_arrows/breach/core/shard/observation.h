// An observation that carries the product along.
#include "core/ledger/ledger.h"
