// Whether a directory may be founded. A disk that was lost looks like one that was never used, but it has lost votes:
// only the first start of a directory may found it. The mark is a file `found-me` in the node's directory, written by
// whoever makes the node (`coffer local`, `coffer init`, `coffer join`).
//
// Invariant I1: the mark is gone, durably, before the node has said anything to anybody. So an emptied disk never has
// one, whenever the node crashed.
// Blocking; any thread.
#pragma once

#include <cstdint>
#include <string>

#include "core/base/ids.h"
#include "core/base/result.h"

namespace coffer::net {

/// Creates the directory if it is missing, and marks it. Error: it holds something already.
Result<void> allow_founding(const std::string& directory);
bool founding_allowed(const std::string& directory);
Result<void> end_founding(const std::string& directory);
/// Error: `directory` is missing or empty and has no mark; says what to do.
Result<void> check_not_lost(const std::string& directory, NodeId node);

}  // namespace coffer::net
