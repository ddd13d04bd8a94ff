#include "core/base/outcome.h"

#include "core/base/check.h"

namespace coffer {

std::string_view name(Outcome outcome) {
  switch (outcome) {
    case Outcome::pending:
      return "pending";
    case Outcome::success:
      return "success";
    case Outcome::insufficient_funds:
      return "insufficient-funds";
    case Outcome::credit_account_not_found:
      return "credit-account-not-found";
    case Outcome::currency_mismatch:
      return "currency-mismatch";
    case Outcome::balance_overflow:
      return "balance-overflow";
    case Outcome::account_frozen:
      return "account-frozen";
    case Outcome::account_closed:
      return "account-closed";
    case Outcome::account_locked:
      return "account-locked";
    case Outcome::limit_exceeded:
      return "limit-exceeded";
    case Outcome::account_not_found:
      return "account-not-found";
    case Outcome::same_account:
      return "same-account";
    case Outcome::idempotency_payload_mismatch:
      return "idempotency-payload-mismatch";
    case Outcome::transfer_not_found:
      return "transfer-not-found";
    case Outcome::malformed:
      return "malformed";
    case Outcome::reserved_account:
      return "reserved-account";
    case Outcome::in_flight:
      return "in-flight";
    case Outcome::change_under_way:
      return "change-under-way";
    case Outcome::account_not_empty:
      return "account-not-empty";
    case Outcome::hold_not_found:
      return "hold-not-found";
    case Outcome::hold_captured:
      return "hold-captured";
    case Outcome::hold_voided:
      return "hold-voided";
    case Outcome::hold_expired:
      return "hold-expired";
    case Outcome::hold_exceeded:
      return "hold-exceeded";
    case Outcome::not_leader:
      return "not-leader";
    case Outcome::overloaded:
      return "overloaded";
    case Outcome::no_leader:
      return "no-leader";
    case Outcome::wrong_shard:
      return "wrong-shard";
    case Outcome::draining:
      return "draining";
    case Outcome::account_busy:
      return "account-busy";
    case Outcome::id_in_future:
      return "id-in-future";
    case Outcome::id_gap:
      return "id-gap";
    case Outcome::id_is_numbered:
      return "id-is-numbered";
    case Outcome::unknown:
      return "outcome-unknown";
    case Outcome::id_expired:
      return "id-expired";
  }
  check_failed("an outcome is one of the table");
}

}  // namespace coffer
