// What makes two failures the same: the verdict, the oracle, and the shape of its reason, which is the reason without
// its numbers, ids and numbered names. A liveness failure has no shape: its reason tells where everybody stands.
#pragma once

#include <string>

#include "sim/run/run.h"

namespace coffer::sim::shrink {

struct Signature {
  Verdict verdict = Verdict::pass;
  std::string oracle;
  std::string shape;
  bool operator==(const Signature&) const = default;
};

Signature signature_of(const RunResult& result);

/// As a scenario keeps it; of no planted bug.
KnownFailure known_failure(const Signature& signature);
/// Whether it is the one that is known.
bool is(const Signature& signature, const KnownFailure& known);

}  // namespace coffer::sim::shrink
