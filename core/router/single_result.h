// What became of a request that moves money as one thing, wherever its reply says so.
#pragma once

#include "core/router/protocol.h"

namespace coffer::router {

/// Of a request that moves money as one thing (a hold placed or captured, a split), what became of it.
/// null: the reply has none, as its status alone says why, or is one of another kind.
const TransferResult* single_result(const Reply& reply);

}  // namespace coffer::router
