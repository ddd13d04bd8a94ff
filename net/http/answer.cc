// The way out: what the node said, in the words of the contract.
#include <algorithm>

#include "core/base/uuid_number.h"
#include "core/txn/protocols.h"
#include "net/driver/clock.h"
#include "net/driver/settings.h"
#include "net/http/answer_admin.h"
#include "net/http/calls.h"
#include "net/http/json_text.h"

namespace coffer::net {

namespace {

using P = Problem;
using router::TransferResult;

std::string position_text(ShardId shard, Position position) {
  return "s" + std::to_string(shard.value) + "@" + std::to_string(position.value);
}

/// "s3@118204" or "s3@118204,s7@90211": the debit's entry, then the credit's.
std::string positions_text(const TransferResult& result) {
  std::string text = position_text(result.shard, result.position);
  if (result.target != ShardId() && result.target_position != Position()) {
    text += "," + position_text(result.target, result.target_position);
  }
  return text;
}

/// From the debit's and the credit's entries alone: the later of their stamps.
std::string committed_text(const TransferResult& result) {
  return rfc3339(std::max(result.stamp, result.target_stamp).nanos);
}

std::string subject(const Call& call) {
  switch (call.route) {
    case HttpRoute::balance_transfer:
    case HttpRoute::deposit:
    case HttpRoute::withdrawal:
    case HttpRoute::split:
    case HttpRoute::transfer_status:
      return "transaction " + to_string(call.transaction);
    case HttpRoute::capture_hold:
      return "the capture of hold " + to_string(call.transaction);
    case HttpRoute::void_hold:
      return "the voiding of hold " + to_string(call.transaction);
    case HttpRoute::place_hold:
    case HttpRoute::hold:
      return "hold " + to_string(call.transaction);
    case HttpRoute::open_account:
    case HttpRoute::account:
    case HttpRoute::freeze:
    case HttpRoute::unfreeze:
    case HttpRoute::close:
    case HttpRoute::balance:
      return "account " + call.account;
    case HttpRoute::trial_balance:
      return "the trial balance";
    case HttpRoute::openapi:
    case HttpRoute::cluster:
    case HttpRoute::node:
    case HttpRoute::livez:
    case HttpRoute::readyz:
      return "this node";
  }
  return "the request";
}

bool concerns_hold(HttpRoute route) { return writes_hold(route) || route == HttpRoute::hold; }

bool reads_only(HttpRoute route) {
  return !moves_money(route) && !changes_account(route) && !writes_hold(route) && route != HttpRoute::open_account;
}

/// "/v1/transfers/{id}?from_account=alice", "/v1/holds/{id}?account=alice"
std::string status_url(const Call& call) {
  if (concerns_hold(call.route)) {
    return "/v1/holds/" + to_string(call.transaction) + "?account=" + call.account;
  }
  return "/v1/transfers/" + to_string(call.transaction) + "?from_account=" + call.account;
}

/// What was wrong with a request about a hold, and what to do next; nothing where it is as with any other request.
std::optional<std::string> hold_detail_of(const Call& call, P problem) {
  const std::string hold = "hold " + to_string(call.transaction);
  if (problem == P::hold_not_found) {
    return "account " + call.account + " has no " + hold + "; POST /v1/holds places one";
  }
  if (problem == P::hold_captured) {
    return hold + " was captured; what became of that is at " + status_url(call);
  }
  if (problem == P::hold_voided || problem == P::hold_expired) {
    return hold + (problem == P::hold_voided ? " was voided" : " has expired") +
           "; what it kept is available again, and a new hold needs a new id";
  }
  if (problem == P::hold_exceeded) {
    return hold + " keeps less than that; how much is at " + status_url(call);
  }
  if (problem == P::account_busy) {
    return hold + " is kept: another transfer of account " + call.account +
           " is not decided yet; ask again with the same id";
  }
  if (problem == P::idempotency_payload_mismatch && call.route == HttpRoute::capture_hold) {
    return hold + " was captured before with another body, and a hold is captured once; see " + status_url(call);
  }
  if (problem == P::currency_mismatch && call.route == HttpRoute::capture_hold) {
    return hold + " is not of " + to_string(call.currency) + "; its currency is at " + status_url(call);
  }
  if (problem == P::currency_mismatch) {
    return "account " + call.account + " holds no " + to_string(call.currency);
  }
  return std::nullopt;
}

/// What was wrong, and what to do next.
std::string detail_of(const Call& call, P problem) {
  if (concerns_hold(call.route)) {
    if (std::optional<std::string> detail = hold_detail_of(call, problem)) {
      return std::move(*detail);
    }
  }
  if (problem == P::outcome_unknown) {
    return subject(call) + ": no shard said in time what became of it; ask again with the same id";
  }
  if (problem == P::in_flight) {
    const bool may_be_next = id_number_of(call.transaction).has_value() && !concerns_hold(call.route);
    return subject(call) + " is still running" + (may_be_next ? ", or the number before it of its source is" : "") +
           "; its state is at " + status_url(call);
  }
  if (problem == P::idempotency_payload_mismatch) {
    return subject(call) + " was used before with another body; a new request needs a new id";
  }
  if (problem == P::id_expired && id_number_of(call.transaction)) {
    return subject(call) + ": a later number of its source has been decided; what became of this one is in the history";
  }
  if (problem == P::id_expired) {
    return subject(call) + ": its id is older than this wallet remembers; what the account did is in its history";
  }
  if (problem == P::account_not_empty) {
    return subject(call) + " is not closed: it holds money, or some of it is under way";
  }
  if (problem == P::account_closed && changes_account(call.route)) {
    return subject(call) + " is closed, and that is for ever";
  }
  if (problem == P::account_not_found) {
    return "account " + call.account + " does not exist; POST /v1/accounts opens it";
  }
  if (problem == P::currency_mismatch) {
    return reads_only(call.route)
               ? "account " + call.account + " holds no " + to_string(call.currency)
               : "one of the accounts holds no " + to_string(call.currency) + "; POST /v1/accounts opens it";
  }
  return subject(call) + ": " + std::string(row_of(problem).title);
}

HttpResponse refuse(const Call& call, Outcome outcome) {
  P problem = problem_of(outcome);
  // A read that got no answer in time has done nothing: it is not an unknown outcome.
  if (problem == P::outcome_unknown && reads_only(call.route)) {
    problem = P::no_leader;
  }
  ProblemReport report{.problem = problem, .detail = detail_of(call, problem)};
  if (moves_money(call.route) || changes_account(call.route) || call.route == HttpRoute::transfer_status ||
      call.route == HttpRoute::place_hold) {
    report.transaction = call.transaction;
  }
  if (concerns_hold(call.route)) {
    report.hold = call.transaction;
  }
  HttpResponse response = to_response(report);
  if (problem == P::in_flight) {
    response.headers.emplace_back("Location", status_url(call));
  }
  return response;
}

HttpResponse internal(const Call& call, std::string_view what) {
  return to_response({.problem = P::internal, .detail = subject(call) + ": " + std::string(what)});
}

/// Which number of its source has to come first.
HttpResponse refuse_gap(const Call& call, const TransferResult& result) {
  const IdNumber said = bits_of_number(call.transaction);
  const std::string expected = std::to_string(result.position.value);
  return to_response({.problem = P::id_gap,
                      .detail = subject(call) + " is number " + std::to_string(said.number) +
                                " of its source; number " + expected + " has to be sent first",
                      .transaction = call.transaction,
                      .expected = uuid_numbered({said.source, result.position.value})});
}

/// Of a result that is no success.
HttpResponse refuse_result(const Call& call, const TransferResult& result) {
  if (result.outcome == Outcome::id_gap) {
    return refuse_gap(call, result);
  }
  HttpResponse response = refuse(call, result.outcome == Outcome::pending ? Outcome::in_flight : result.outcome);
  if (is_logged(result.outcome)) {
    response.headers.emplace_back("Idempotency-Replayed", result.replayed ? "true" : "false");
  }
  return response;
}

/// Under 200, with `body` begun.
HttpResponse accept_result(const TransferResult& result, JsonObject body) {
  HttpResponse response;
  response.headers.emplace_back("Consistency-Token", positions_text(result));
  response.headers.emplace_back("Idempotency-Replayed", result.replayed ? "true" : "false");
  response.body = body.text("position", positions_text(result)).text("committed_at", committed_text(result)).str();
  return response;
}

HttpResponse answer_transfer(const Call& call, const router::TransfersReply& reply) {
  if (reply.results.size() != 1) {
    return internal(call, "another number of results than asked for");
  }
  const TransferResult& result = reply.results.front();
  if (result.outcome != Outcome::success) {
    return refuse_result(call, result);
  }
  JsonObject body;
  body.text("status", "success").text("transaction_id", to_string(call.transaction));
  return accept_result(result, std::move(body));
}

/// "s1@7,s1@9,s2@5": the debit's entry, then each part's credit.
std::string positions_text(const router::SplitReply& reply) {
  std::string text = position_text(reply.result.shard, reply.result.position);
  for (const router::SplitReply::Part& part : reply.parts) {
    text += "," + position_text(part.shard, part.position);
  }
  return text;
}

HttpResponse answer_split(const Call& call, const router::SplitReply& reply) {
  const TransferResult& result = reply.result;
  if (result.outcome == Outcome::success) {
    const std::string positions = positions_text(reply);
    Stamp committed = result.stamp;
    for (const router::SplitReply::Part& part : reply.parts) committed = std::max(committed, part.stamp);
    HttpResponse response;
    response.headers.emplace_back("Consistency-Token", positions);
    response.headers.emplace_back("Idempotency-Replayed", result.replayed ? "true" : "false");
    response.body = JsonObject()
                        .text("status", "success")
                        .text("transaction_id", to_string(call.transaction))
                        .text("position", positions)
                        .text("committed_at", rfc3339(committed.nanos))
                        .str();
    return response;
  }
  if (!is_logged(result.outcome) || reply.refused == router::no_part) {
    return refuse_result(call, result);
  }
  const P problem = problem_of(result.outcome);
  const std::string part = "/parts/" + std::to_string(reply.refused);
  HttpResponse response = to_response(
      {.problem = problem,
       .detail = subject(call) + ": " + std::string(row_of(problem).title) + ", in " + part + "; nobody was paid",
       .transaction = call.transaction,
       .errors = {{part, problem}}});
  response.headers.emplace_back("Idempotency-Replayed", result.replayed ? "true" : "false");
  return response;
}

HttpResponse answer_placed(const Call& call, const router::PlaceHoldReply& reply) {
  if (reply.result.outcome != Outcome::success) {
    return refuse_result(call, reply.result);
  }
  const std::string id = to_string(call.transaction);
  JsonObject body;
  body.text("status", "held").text("hold_id", id).text("transaction_id", id);
  body.text("expires_at", rfc3339(reply.expires.nanos));
  HttpResponse response = accept_result(reply.result, std::move(body));
  response.status = reply.result.replayed ? 200 : 201;
  response.headers.emplace_back("Location", status_url(call));
  return response;
}

/// The hold has ended either way; the transfer may have been refused.
HttpResponse answer_captured(const Call& call, const router::CaptureHoldReply& reply) {
  const TransferResult& result = reply.result;
  if (result.outcome == Outcome::success) {
    JsonObject body;
    body.text("status", "success").text("transaction_id", to_string(reply.transfer));
    body.text("hold_id", to_string(call.transaction));
    return accept_result(result, std::move(body));
  }
  if (!is_logged(result.outcome)) {
    return refuse_result(call, result);
  }
  const P problem = problem_of(result.outcome);
  HttpResponse response =
      to_response({.problem = problem,
                   .detail = subject(call) + ": " + std::string(row_of(problem).title) +
                             "; the hold has ended all the same, and what it kept is available again",
                   .transaction = reply.transfer,
                   .hold = call.transaction});
  response.headers.emplace_back("Idempotency-Replayed", result.replayed ? "true" : "false");
  return response;
}

HttpResponse answer_voided(const Call& call, ShardId shard, const router::VoidHoldReply& reply) {
  const std::string position = position_text(shard, reply.position);
  HttpResponse response;
  response.headers.emplace_back("Consistency-Token", position);
  response.body = JsonObject()
                      .text("status", "voided")
                      .text("hold_id", to_string(call.transaction))
                      .boolean("already", reply.already)
                      .text("position", position)
                      .str();
  return response;
}

std::string_view state_name(router::HoldState state) {
  switch (state) {
    case router::HoldState::held:
      return "held";
    case router::HoldState::captured:
      return "captured";
    case router::HoldState::voided:
      return "voided";
    case router::HoldState::expired:
      return "expired";
  }
  return "?";
}

HttpResponse answer_open(const Call& call, ShardId shard, const router::OpenAccountReply& reply) {
  HttpResponse response{.status = reply.already ? 200 : 201};
  response.headers.emplace_back("Location", "/v1/accounts/" + call.account);
  if (reply.position != Position()) {
    response.headers.emplace_back("Consistency-Token", position_text(shard, reply.position));
  }
  response.body = JsonObject().text("account", call.account).text("currency", to_string(call.currency)).str();
  return response;
}

/// `staleness_ms`: nothing of a linearizable read.
std::string as_of_json(ShardId shard, Position position, Stamp stamp,
                       std::optional<std::int64_t> staleness_ms = std::nullopt) {
  return JsonObject()
      .text("position", position_text(shard, position))
      .text("time", rfc3339(stamp.nanos))
      .text("consistency", staleness_ms ? "eventual" : "linearizable")
      .number("staleness_ms", staleness_ms.value_or(0))
      .str();
}

HttpResponse answer_balance(const Call& call, const router::BalanceReply& reply, WallTime now) {
  std::optional<std::int64_t> staleness_ms;
  if (call.consistency == router::Consistency::eventual) {  // it holds at least everything up to its entry's stamp
    staleness_ms = std::max<std::int64_t>(0, (now.nanos - reply.stamp.nanos) / 1'000'000);
  }
  HttpResponse response;
  response.headers.emplace_back("Consistency-Token", position_text(reply.shard, reply.position));
  response.body = JsonObject()
                      .text("account", call.account)
                      .text("currency", to_string(call.currency))
                      .text("balance", format_amount({reply.balance, call.currency}))
                      .text("held", format_amount({reply.held, call.currency}))
                      .text("available", format_amount({reply.balance - reply.held, call.currency}))
                      .raw("as_of", as_of_json(reply.shard, reply.position, reply.stamp, staleness_ms))
                      .str();
  return response;
}

std::string_view state_name(router::AccountState state) {
  switch (state) {
    case router::AccountState::open:
      return "open";
    case router::AccountState::frozen:
      return "frozen";
    case router::AccountState::closed:
      return "closed";
  }
  return "?";
}

HttpResponse answer_account(const Call& call, ShardId shard, const router::AccountReply& reply) {
  HttpResponse response;
  response.headers.emplace_back("Consistency-Token", position_text(shard, reply.position));
  response.body = JsonObject()
                      .text("account", call.account)
                      .text("state", state_name(reply.state))
                      .raw("as_of", as_of_json(shard, reply.position, reply.stamp))
                      .str();
  return response;
}

HttpResponse answer_hold(const Call& call, ShardId shard, const router::HoldReply& reply) {
  HttpResponse response;
  response.headers.emplace_back("Consistency-Token", position_text(shard, reply.position));
  JsonObject body;
  body.text("hold_id", to_string(call.transaction))
      .text("account", call.account)
      .text("state", state_name(reply.state))
      .text("amount", format_amount({reply.amount, reply.currency}))
      .text("currency", to_string(reply.currency))
      .text("expires_at", rfc3339(reply.expires.nanos));
  if (reply.state == router::HoldState::captured) {
    body.text("transaction_id", to_string(reply.transfer));
  }
  response.body = body.raw("as_of", as_of_json(shard, reply.position, reply.stamp)).str();
  return response;
}

HttpResponse answer_change(const Call& call, ShardId shard, const router::ChangeAccountReply& reply) {
  const std::string position = position_text(shard, reply.position);
  HttpResponse response;
  response.headers.emplace_back("Consistency-Token", position);
  response.body = JsonObject()
                      .text("account", call.account)
                      .text("state", call.route == HttpRoute::freeze  ? "frozen"
                                     : call.route == HttpRoute::close ? "closed"
                                                                      : "open")
                      .boolean("already", reply.already)
                      .text("transaction_id", to_string(call.transaction))
                      .text("position", position)
                      .str();
  return response;
}

std::string_view operation_name(router::TransferOperation operation) {
  switch (operation) {
    case router::TransferOperation::transfer:
      return "transfer";
    case router::TransferOperation::deposit:
      return "deposit";
    case router::TransferOperation::withdrawal:
      return "withdrawal";
    case router::TransferOperation::split:
      return "split";
  }
  return "?";
}

/// "direct" within a shard; a number unknown here is a newer node's.
std::string_view protocol_name(std::uint8_t number) {
  if (number == 0) return "direct";
  for (const txn::ProtocolRow& row : txn::protocols()) {
    if (static_cast<std::uint8_t>(row.protocol) == number) return row.name;
  }
  return "?";
}

/// The phase status table: a row per step.
std::string phases_json(const std::vector<PhaseStep>& steps) {
  std::vector<std::string> rows;
  for (const PhaseStep& step : steps) {
    JsonObject row;
    row.text("phase", name(step.phase)).text("leg", name(step.side)).number("shard", step.shard.value);
    row.text("state", name(step.state));
    if (step.position != Position()) {
      row.text("position", position_text(step.shard, step.position)).text("committed_at", rfc3339(step.stamp.nanos));
    }
    rows.push_back(row.str());
  }
  return json_array(rows);
}

HttpResponse answer_status(const Call& call, const router::TransferStatusReply& reply) {
  const TransferResult& result = reply.result;
  JsonObject body;
  body.text("transaction_id", to_string(call.transaction)).text("operation", operation_name(reply.operation));
  if (result.outcome == Outcome::pending) {
    body.text("state", "pending");
  } else if (result.outcome == Outcome::success) {
    body.text("state", "success");
  } else {
    body.text("state", "refused").text("code", row_of(problem_of(result.outcome)).code);
  }
  body.text("position", positions_text(result)).text("committed_at", committed_text(result));
  body.text("protocol", protocol_name(reply.protocol));
  std::vector<std::string> legs;
  legs.push_back(JsonObject()
                     .text("leg", reply.protocol == 0 ? "entry" : "debit")
                     .number("shard", result.shard.value)
                     .text("position", position_text(result.shard, result.position))
                     .text("committed_at", rfc3339(result.stamp.nanos))
                     .str());
  if (result.target != ShardId()) {
    JsonObject credit;
    credit.text("leg", "credit").number("shard", result.target.value);
    if (result.target_position != Position()) {
      credit.text("position", position_text(result.target, result.target_position))
          .text("committed_at", rfc3339(result.target_stamp.nanos));
    } else {
      credit.text("state", "pending");
    }
    legs.push_back(credit.str());
  }
  HttpResponse response;
  response.body = body.raw("legs", json_array(legs)).raw("phases", phases_json(reply.steps)).str();
  return response;
}

}  // namespace

HttpResponse answer(const Call& call, ByteView bytes, const DriverCounters& counters, WallTime now) {
  const Result<router::Reply> decoded = router::decode_reply(bytes);
  if (decoded.has_error()) {
    return internal(call, "the node's answer cannot be read");
  }
  const router::Reply& reply = *decoded;
  if (reply.status != Outcome::success) {
    if (call.route == HttpRoute::readyz) {
      return answer_ready({}, call.verbose);
    }
    return refuse(call, reply.status);
  }
  if (const auto* transfers = std::get_if<router::TransfersReply>(&reply.body)) {
    return answer_transfer(call, *transfers);
  }
  if (const auto* opened = std::get_if<router::OpenAccountReply>(&reply.body)) {
    return answer_open(call, reply.shard, *opened);
  }
  if (const auto* balance = std::get_if<router::BalanceReply>(&reply.body)) {
    return answer_balance(call, *balance, now);
  }
  if (const auto* account = std::get_if<router::AccountReply>(&reply.body)) {
    return answer_account(call, reply.shard, *account);
  }
  if (const auto* change = std::get_if<router::ChangeAccountReply>(&reply.body)) {
    return answer_change(call, reply.shard, *change);
  }
  if (const auto* split = std::get_if<router::SplitReply>(&reply.body)) {
    return answer_split(call, *split);
  }
  if (const auto* placed = std::get_if<router::PlaceHoldReply>(&reply.body)) {
    return answer_placed(call, *placed);
  }
  if (const auto* captured = std::get_if<router::CaptureHoldReply>(&reply.body)) {
    return answer_captured(call, *captured);
  }
  if (const auto* voided = std::get_if<router::VoidHoldReply>(&reply.body)) {
    return answer_voided(call, reply.shard, *voided);
  }
  if (const auto* hold = std::get_if<router::HoldReply>(&reply.body)) {
    return answer_hold(call, reply.shard, *hold);
  }
  if (const auto* status = std::get_if<router::TransferStatusReply>(&reply.body)) {
    return answer_status(call, *status);
  }
  if (const auto* trial = std::get_if<router::TrialBalanceReply>(&reply.body)) {
    return answer_trial_balance(*trial);
  }
  if (const auto* status = std::get_if<router::NodeStatusReply>(&reply.body)) {
    return call.route == HttpRoute::readyz ? answer_ready(*status, call.verbose) : answer_node(*status, counters);
  }
  return internal(call, "an answer without a body");
}

HttpResponse answer_late(const Call& call) {
  return call.route == HttpRoute::readyz ? answer_ready({}, call.verbose) : refuse(call, Outcome::unknown);
}

HttpResponse answer_still_running(const Call& call) { return refuse(call, Outcome::in_flight); }

}  // namespace coffer::net
