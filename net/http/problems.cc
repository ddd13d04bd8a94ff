#include "net/http/problems.h"

#include <algorithm>
#include <iterator>

#include "core/base/check.h"
#include "core/base/uuid_number.h"
#include "net/driver/settings.h"
#include "net/http/json_text.h"

namespace coffer::net {

namespace {

using P = Problem;

constexpr ProblemRow rows[] = {
    {P::malformed_request, 400, "malformed-request", "The request breaks HTTP's grammar", false, "none"},
    {P::malformed_json, 400, "malformed-json", "The body is not the JSON expected here", false, "none"},
    {P::duplicate_json_key, 400, "duplicate-json-key", "A key occurs twice", false, "none"},
    {P::missing_field, 400, "missing-field", "A required field is missing", false, "none"},
    {P::unknown_field, 400, "unknown-field", "A field is not known here", false, "none"},
    {P::invalid_parameter, 400, "invalid-parameter", "A parameter has no such value", false, "none"},
    {P::invalid_amount, 400, "invalid-amount", "The amount is not a positive decimal string", false, "none"},
    {P::amount_precision, 400, "amount-precision", "More decimals than the currency has", false, "none"},
    {P::amount_too_large, 400, "amount-too-large", "The amount is beyond what the wallet can count", false, "none"},
    {P::unsupported_currency, 400, "unsupported-currency", "Not a currency this wallet keeps", false, "none"},
    {P::invalid_account_id, 400, "invalid-account-id", "Not an account id open to clients", false, "none"},
    {P::invalid_uuid, 400, "invalid-uuid", "Not a UUID", false, "none"},
    {P::same_account, 400, "same-account", "Debit and credit account are the same", false, "none"},
    {P::expiry_too_far, 400, "expiry-too-far", "A hold lasts at most 31 days", false, "none"},
    {P::idempotency_key_mismatch, 400, "idempotency-key-mismatch", "Idempotency-Key and transaction_id differ", false,
     "none"},
    {P::id_in_future, 400, "id-in-future", "The id is a UUIDv7 of a time that is still to come", false, "none"},
    {P::id_is_numbered, 400, "id-is-numbered",
     "The id carries a number of its source: it is for transfers, deposits and withdrawals, and asked about with its "
     "account",
     false, "none"},
    {P::account_not_found, 404, "account-not-found", "No such account", false, "none"},
    {P::transfer_not_found, 404, "transfer-not-found", "No such transfer", false, "none"},
    {P::hold_not_found, 404, "hold-not-found", "No such hold of this account", false, "none"},
    {P::route_not_found, 404, "route-not-found", "No such route", false, "none"},
    {P::method_not_allowed, 405, "method-not-allowed", "The route has other methods", false, "none"},
    {P::not_acceptable, 406, "not-acceptable", "Answers are application/json", false, "none"},
    {P::body_too_large, 413, "body-too-large", "The body is too large", false, "none"},
    {P::unsupported_media_type, 415, "unsupported-media-type", "The body must be application/json", false, "none"},
    {P::headers_too_large, 431, "headers-too-large", "The headers are too large", false, "none"},
    {P::in_flight, 409, "in-flight", "A request with this id is still running", true, "unknown"},
    {P::account_busy, 409, "account-busy", "The account takes part in another transfer; ask again with the same id",
     true, "none"},
    {P::change_under_way, 409, "change-under-way", "Another change of members or leader has to end first", true,
     "none"},
    {P::id_gap, 409, "id-gap", "A number of its source before this one has not been decided for this account", true,
     "none"},
    {P::id_expired, 410, "id-expired",
     "The id's time has passed; what became of it, if anything, is not remembered, and it will do nothing any more",
     false, "unknown"},
    {P::idempotency_payload_mismatch, 422, "idempotency-payload-mismatch", "The id was used for another request", false,
     "none"},
    {P::insufficient_funds, 422, "insufficient-funds", "The debit account has less than that available", false,
     "rejected"},
    {P::credit_account_not_found, 422, "credit-account-not-found", "The credit account does not exist", false,
     "rejected"},
    {P::currency_mismatch, 422, "currency-mismatch", "An account does not hold this currency", false, "rejected"},
    {P::account_frozen, 422, "account-frozen", "An account is frozen", false, "rejected"},
    {P::account_closed, 422, "account-closed", "An account is closed", false, "rejected"},
    {P::limit_exceeded, 422, "limit-exceeded", "A limit of the account is exceeded", false, "rejected"},
    {P::account_locked, 422, "account-locked",
     "An account takes part in another transfer; a new request may go through", false, "rejected"},
    {P::balance_overflow, 422, "balance-overflow", "A balance would be beyond what the wallet can count", false,
     "rejected"},
    {P::account_not_empty, 422, "account-not-empty", "The account holds money, or some is under way", false, "none"},
    {P::hold_captured, 422, "hold-captured", "The hold was captured", false, "none"},
    {P::hold_voided, 422, "hold-voided", "The hold was voided", false, "none"},
    {P::hold_expired, 422, "hold-expired", "The hold has expired", false, "none"},
    {P::hold_exceeded, 422, "hold-exceeded", "The hold keeps less than that", false, "none"},
    {P::no_leader, 503, "no-leader", "The shard has no leader that answers", true, "none"},
    {P::overloaded, 503, "overloaded", "Too many requests are waiting", true, "none"},
    {P::draining, 503, "draining", "The node is stopping", true, "none"},
    {P::outcome_unknown, 504, "outcome-unknown", "The outcome is not known yet; ask again with the same id", true,
     "unknown"},
    {P::internal, 500, "internal", "The wallet made a mistake", true, "unknown"},
};

bool in_order() {
  std::size_t expected = 0;
  for (const ProblemRow& row : rows) {
    if (static_cast<std::size_t>(row.problem) != expected++) {
      return false;
    }
  }
  return expected == static_cast<std::size_t>(P::internal) + 1;
}

}  // namespace

const ProblemRow& row_of(Problem problem) {
  static const bool good = in_order();
  check(good, "the table of problems has one row per problem, in order");
  return rows[static_cast<std::size_t>(problem)];
}

const std::vector<ProblemRow>& all_problems() {
  static const std::vector<ProblemRow> all(std::begin(rows), std::end(rows));
  return all;
}

/// Each is a problem of its own name, but for what a client need not tell apart.
Problem problem_of(Outcome outcome) {
  if (outcome == Outcome::malformed) {
    return P::internal;  // the edge checks everything before it asks
  }
  if (outcome == Outcome::reserved_account) {
    return P::invalid_account_id;
  }
  if (outcome == Outcome::not_leader || outcome == Outcome::wrong_shard) {
    return P::no_leader;
  }
  const auto* const row = std::find_if(std::begin(rows), std::end(rows),
                                       [&](const ProblemRow& known) { return known.code == name(outcome); });
  check(row != std::end(rows), "only refusals and unknown outcomes are problems");
  return row->problem;
}

HttpResponse to_response(const ProblemReport& report) {
  const ProblemRow& row = row_of(report.problem);
  JsonObject body;
  body.text("type", "urn:coffer:problem:" + std::string(row.code))
      .text("title", row.title)
      .number("status", static_cast<std::uint32_t>(row.status))
      .text("detail", report.detail.empty() ? row.title : std::string_view(report.detail))
      .text("code", row.code)
      .boolean("retryable", row.retryable)
      .text("outcome", row.outcome);
  if (report.transaction) {
    body.text("transaction_id", to_string(*report.transaction));
  }
  if (report.hold) {
    body.text("hold_id", to_string(*report.hold));
  }
  if (report.expected) {
    body.number("expected_number", bits_of_number(*report.expected).number);
    body.text("expected_transaction_id", to_string(*report.expected));
  }
  if (!report.errors.empty()) {
    std::vector<std::string> errors;
    for (const FieldError& e : report.errors) {
      errors.push_back(JsonObject().text("pointer", e.pointer).text("code", row_of(e.problem).code).str());
    }
    body.raw("errors", json_array(errors));
  }
  HttpResponse response{.status = row.status, .content_type = "application/problem+json"};
  if (row.retryable && row.status != 500) {
    response.headers.emplace_back("Retry-After", "1");
  }
  response.body = body.str();
  return response;
}

}  // namespace coffer::net
