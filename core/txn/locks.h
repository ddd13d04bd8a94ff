// The pockets that two-phase commit has locked: a debit's from the entry that prepares it to the decision, a credit's
// from the entry that promises it to the commit or abort. Nobody waits for a lock: who meets one is refused, or,
// to capture a hold, put off. Derived from the phase status table and the tries, never exported. Single-threaded.
#pragma once

#include <set>

#include "core/base/check.h"
#include "core/base/ids.h"

namespace coffer::txn {

class Locks {
 public:
  bool is_locked(PocketNumber pocket) const { return !locked_.empty() && locked_.contains(pocket); }

  /// Requires: it is not locked (checked).
  void lock(PocketNumber pocket) { check(locked_.insert(pocket).second, "a pocket is locked by one transfer"); }
  /// The inverse of lock. Requires: it is locked (checked).
  void unlock(PocketNumber pocket) { check(locked_.erase(pocket) == 1, "only what is locked is unlocked"); }

 private:
  std::set<PocketNumber> locked_;
};

}  // namespace coffer::txn
