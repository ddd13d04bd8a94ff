// What a client of a workload asks for in one call.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/ids.h"
#include "core/base/money.h"
#include "core/base/outcome.h"
#include "core/base/time.h"
#include "core/router/protocol.h"
#include "sim/workload/holds.h"
#include "sim/workload/items.h"
#include "sim/workload/splits.h"

namespace coffer::sim::workload {

/// One call: what to ask, and what its answer is about.
struct Ask {
  router::RequestKind kind = router::RequestKind::transfers;
  std::vector<std::size_t> items;  ///< transfers
  std::string account;             ///< all but transfers and trial_balance
  Currency currency;
  router::Consistency consistency = router::Consistency::linearizable;
  TransferId id;  ///< transfer_status, change_account, the hold's
  router::AccountChange change = router::AccountChange::freeze;
  std::int64_t amount = 0;  ///< place_hold, capture_hold
  std::uint64_t expires_in_ms = 0;
  std::string credit;             ///< capture_hold
  std::vector<Payee> payees;      ///< split
  Duration pause;                 ///< before it, at least
  std::uint32_t patience_ms = 0;  ///< 0: as the workload says
  bool at_once = false;           ///< thinks little: it races with another client's call

  bool operator==(const Ask&) const = default;
  /// Is asked again, word by word, until it has a definite answer.
  bool is_of_hold() const {
    return kind == router::RequestKind::split || kind == router::RequestKind::place_hold ||
           kind == router::RequestKind::capture_hold || kind == router::RequestKind::void_hold;
  }
};

Ask opening(const std::string& account, Currency currency);
Ask transfers(std::vector<std::size_t> items);
Ask balance(const std::string& account, Currency currency, router::Consistency consistency);
Ask change(router::AccountChange change, const std::string& account, const TransferId& id);
Ask state_of(const std::string& account);
Ask status(const std::string& account, const TransferId& id);
Ask of_hold(router::RequestKind kind, const Hold& hold);
Ask capturing(const Hold& hold, const Capture& capture);
Ask splitting(const Split& split);

/// A router::Request; its kind and body are the ask's.
Bytes encode(const Ask& ask, const router::RequestHeader& header, Items& items);

/// Of a write that is one transfer's or hold's, or speaks for all of it.
Outcome outcome_of(const router::Reply& reply);
/// Whether there is nothing more to learn by asking again.
bool is_definite(Outcome outcome);

}  // namespace coffer::sim::workload
