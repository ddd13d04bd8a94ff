// One replica.
#include "core/ledger/ledger.h"
#include "core/raft/raft.h"
#include "core/router/protocol.h"
