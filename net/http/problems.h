// What the edge answers when it does not answer 200: RFC 9457 problem details, every code in one table.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/ids.h"
#include "core/base/outcome.h"
#include "net/http/messages.h"

namespace coffer::net {

enum class Problem : std::uint8_t {
  malformed_request,
  malformed_json,
  duplicate_json_key,
  missing_field,
  unknown_field,
  invalid_parameter,
  invalid_amount,
  amount_precision,
  amount_too_large,
  unsupported_currency,
  invalid_account_id,
  invalid_uuid,
  same_account,
  expiry_too_far,
  idempotency_key_mismatch,
  id_in_future,
  id_is_numbered,
  account_not_found,
  transfer_not_found,
  hold_not_found,
  route_not_found,
  method_not_allowed,
  not_acceptable,
  body_too_large,
  unsupported_media_type,
  headers_too_large,
  in_flight,
  account_busy,
  change_under_way,
  id_gap,
  id_expired,
  idempotency_payload_mismatch,
  insufficient_funds,
  credit_account_not_found,
  currency_mismatch,
  account_frozen,
  account_closed,
  limit_exceeded,
  account_locked,
  balance_overflow,
  account_not_empty,
  hold_captured,
  hold_voided,
  hold_expired,
  hold_exceeded,
  no_leader,
  overloaded,
  draining,
  outcome_unknown,
  internal,
};

struct ProblemRow {
  Problem problem;
  int status;
  std::string_view code;
  std::string_view title;
  bool retryable;            ///< the same request may succeed later
  std::string_view outcome;  ///< none: nothing happened · rejected: decided for ever · unknown: nobody knows yet
};

const ProblemRow& row_of(Problem problem);
const std::vector<ProblemRow>& all_problems();
/// Requires: neither success nor pending (checked).
Problem problem_of(Outcome outcome);

struct FieldError {
  std::string pointer;  ///< RFC 6901 into the body; of a query parameter: its name after a slash
  Problem problem;
};

struct ProblemReport {
  Problem problem;
  std::string detail;
  std::optional<TransferId> transaction = std::nullopt;
  std::optional<TransferId> hold = std::nullopt;
  std::vector<FieldError> errors = {};
  std::optional<TransferId> expected = std::nullopt;  ///< after id_gap: the id to send first
};

/// application/problem+json, with Retry-After where the same request may be made again soon.
HttpResponse to_response(const ProblemReport& report);

}  // namespace coffer::net
