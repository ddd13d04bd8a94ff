// A test that goes where its module may not.
#include "core/ledger/ledger.h"
