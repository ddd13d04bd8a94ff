#include "core/base/outcome.h"

#include <array>

#include "core/base/check.h"

namespace coffer {

namespace {

struct Row {
  Outcome outcome;
  std::string_view name;
};
// By number. tests/core/base/names_test.cc counts them.
constexpr std::array rows = {
    Row{Outcome::pending, "pending"},
    Row{Outcome::success, "success"},
    Row{Outcome::insufficient_funds, "insufficient-funds"},
    Row{Outcome::credit_account_not_found, "credit-account-not-found"},
    Row{Outcome::currency_mismatch, "currency-mismatch"},
    Row{Outcome::balance_overflow, "balance-overflow"},
    Row{Outcome::account_frozen, "account-frozen"},
    Row{Outcome::account_closed, "account-closed"},
    Row{Outcome::limit_exceeded, "limit-exceeded"},
    Row{Outcome::account_locked, "account-locked"},
    Row{Outcome::account_not_found, "account-not-found"},
    Row{Outcome::same_account, "same-account"},
    Row{Outcome::idempotency_payload_mismatch, "idempotency-payload-mismatch"},
    Row{Outcome::transfer_not_found, "transfer-not-found"},
    Row{Outcome::malformed, "malformed"},
    Row{Outcome::reserved_account, "reserved-account"},
    Row{Outcome::in_flight, "in-flight"},
    Row{Outcome::change_under_way, "change-under-way"},
    Row{Outcome::account_not_empty, "account-not-empty"},
    Row{Outcome::hold_not_found, "hold-not-found"},
    Row{Outcome::hold_captured, "hold-captured"},
    Row{Outcome::hold_voided, "hold-voided"},
    Row{Outcome::hold_expired, "hold-expired"},
    Row{Outcome::hold_exceeded, "hold-exceeded"},
    Row{Outcome::id_in_future, "id-in-future"},
    Row{Outcome::id_gap, "id-gap"},
    Row{Outcome::id_is_numbered, "id-is-numbered"},
    Row{Outcome::not_leader, "not-leader"},
    Row{Outcome::overloaded, "overloaded"},
    Row{Outcome::no_leader, "no-leader"},
    Row{Outcome::wrong_shard, "wrong-shard"},
    Row{Outcome::draining, "draining"},
    Row{Outcome::account_busy, "account-busy"},
    Row{Outcome::unknown, "outcome-unknown"},
    Row{Outcome::id_expired, "id-expired"},
};

constexpr bool is_in_order() {
  for (std::size_t i = 1; i < rows.size(); ++i) {
    if (rows[i].outcome <= rows[i - 1].outcome) return false;
  }
  return true;
}
static_assert(is_in_order(), "every outcome has one row");

}  // namespace

std::string_view name(Outcome outcome) {
  for (const Row& row : rows) {
    if (row.outcome == outcome) return row.name;
  }
  check_failed("an outcome is one of the table");
}

}  // namespace coffer
