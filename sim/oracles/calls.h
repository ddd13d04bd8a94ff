// What clients asked and were told, with owned strings: an oracle's memory of the calls of a run.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/base/outcome.h"
#include "sim/observe/observer.h"
#include "sim/oracles/transfers.h"

namespace coffer::sim::oracles {

/// One transfer or hold as asked; a capture asks for the transfer it makes.
struct Asked {
  Key key;
  Body body;
  std::vector<std::string> payees = {};  ///< of a split
};

struct Call {
  Phase phase = Phase::setup;
  router::RequestKind kind = router::RequestKind::transfers;
  std::vector<Asked> items;  ///< transfers; one where a hold is placed or captured
  TenantId tenant;
  router::Consistency consistency = router::Consistency::linearizable;  ///< balance
  Currency currency;                                                    ///< balance, open_account
  std::string account;                                                  ///< all but transfers
  TransferId id;                                 ///< transfer_status, change_account, and the hold's
  AccountChange change = AccountChange::freeze;  ///< change_account

  /// Each of `items` is told a result of its own.
  bool has_items() const {
    return kind == router::RequestKind::transfers || kind == router::RequestKind::place_hold ||
           kind == router::RequestKind::capture_hold || kind == router::RequestKind::split;
  }
  /// The hold it is about.
  Key hold() const { return {tenant, account, id}; }
};

Call call_of(Phase phase, const router::Request& request);

/// What one item of a transfers call was told. A reply that speaks for the whole request tells every item the same.
struct Told {
  Outcome outcome = Outcome::unknown;
  bool has_result = false;  ///< `result` is set
  router::TransferResult result;
};
/// As many as the call has items; empty when the reply's count differs from the call's (a breach).
std::vector<Told> answers_of(const Call& call, const router::Reply& reply);

/// Whether the answer leaves the outcome open: ask again with the same id.
constexpr bool is_open(Outcome outcome) { return outcome == Outcome::unknown || outcome == Outcome::in_flight; }
/// Whether the answer says that this attempt executed nothing, without the log's word for it. Of an id that has expired
/// nobody says so of those before it.
constexpr bool is_unlogged_refusal(Outcome outcome) {
  return outcome != Outcome::pending && !is_logged(outcome) && !is_open(outcome) && outcome != Outcome::id_expired;
}

/// Calls under way, by operation number.
class Calls {
 public:
  void phase(Phase phase) { phase_ = phase; }
  Phase phase() const { return phase_; }
  const Call& called(std::uint64_t op, const router::Request& request);
  /// Ends the call and hands it back; nothing for operations that were never called.
  std::optional<Call> returned(std::uint64_t op);
  const std::map<std::uint64_t, Call>& open() const { return open_; }

 private:
  Phase phase_ = Phase::setup;
  std::map<std::uint64_t, Call> open_;
};

}  // namespace coffer::sim::oracles
