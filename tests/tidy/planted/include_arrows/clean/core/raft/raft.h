// Consensus over opaque entries. Not an include: #include "core/ledger/ledger.h"
#pragma once

#include <boost/container/small_vector.hpp>
#include <vector>

#include "core/base/ids.h"
#include "core/raft/messages.h"
