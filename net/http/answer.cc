// The way out: what the node said, in the words of the contract.
#include <algorithm>
#include <map>

#include "core/base/check.h"
#include "core/txn/protocols.h"
#include "net/driver/clock.h"
#include "net/driver/settings.h"
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
    case HttpRoute::transfer_status:
      return "transaction " + to_string(call.transaction);
    case HttpRoute::open_account:
    case HttpRoute::account:
    case HttpRoute::freeze:
    case HttpRoute::unfreeze:
    case HttpRoute::close:
    case HttpRoute::balance:
      return "account " + call.account;
    case HttpRoute::trial_balance:
      return "the trial balance";
    case HttpRoute::cluster:
    case HttpRoute::node:
    case HttpRoute::livez:
    case HttpRoute::readyz:
      return "this node";
  }
  return "the request";
}

bool moves_money(HttpRoute route) {
  return route == HttpRoute::balance_transfer || route == HttpRoute::deposit || route == HttpRoute::withdrawal;
}

bool reads_only(HttpRoute route) {
  return !moves_money(route) && !changes_account(route) && route != HttpRoute::open_account;
}

/// "/v1/transfers/{id}?from_account=alice"
std::string status_url(const Call& call) {
  return "/v1/transfers/" + to_string(call.transaction) + "?from_account=" + call.account;
}

/// What was wrong, and what to do next.
std::string detail_of(const Call& call, P problem) {
  if (problem == P::outcome_unknown) {
    return subject(call) + ": no shard said in time what became of it; ask again with the same id";
  }
  if (problem == P::in_flight) {
    return subject(call) + " is still running; its state is at " + status_url(call);
  }
  if (problem == P::idempotency_payload_mismatch) {
    return subject(call) + " was used before with another body; a new request needs a new id";
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
  if (moves_money(call.route) || changes_account(call.route) || call.route == HttpRoute::transfer_status) {
    report.transaction = call.transaction;
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

HttpResponse answer_transfer(const Call& call, const router::TransfersReply& reply) {
  if (reply.results.size() != 1) {
    return internal(call, "another number of results than asked for");
  }
  const TransferResult& result = reply.results.front();
  if (result.outcome != Outcome::success) {
    HttpResponse response = refuse(call, result.outcome == Outcome::pending ? Outcome::in_flight : result.outcome);
    if (is_logged(result.outcome)) {
      response.headers.emplace_back("Idempotency-Replayed", result.replayed ? "true" : "false");
    }
    return response;
  }
  HttpResponse response;
  response.headers.emplace_back("Consistency-Token", positions_text(result));
  response.headers.emplace_back("Idempotency-Replayed", result.replayed ? "true" : "false");
  response.body = JsonObject()
                      .text("status", "success")
                      .text("transaction_id", to_string(call.transaction))
                      .text("position", positions_text(result))
                      .text("committed_at", committed_text(result))
                      .str();
  return response;
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

HttpResponse answer_balance(const Call& call, const router::BalanceReply& reply, WallTime now) {
  const std::string balance = format_amount({reply.balance, call.currency});
  const bool linearizable = call.consistency == router::Consistency::linearizable;
  // An eventual read holds at least everything up to its entry's stamp.
  const std::int64_t staleness_ms =
      linearizable ? 0 : std::max<std::int64_t>(0, (now.nanos - reply.stamp.nanos) / 1'000'000);
  const std::string position = position_text(reply.shard, reply.position);
  const std::string as_of = JsonObject()
                                .text("position", position)
                                .text("time", rfc3339(reply.stamp.nanos))
                                .text("consistency", linearizable ? "linearizable" : "eventual")
                                .number("staleness_ms", staleness_ms)
                                .str();
  HttpResponse response;
  response.headers.emplace_back("Consistency-Token", position);
  response.body = JsonObject()
                      .text("account", call.account)
                      .text("currency", to_string(call.currency))
                      .text("balance", balance)
                      .text("held", format_amount({0, call.currency}))
                      .text("available", balance)
                      .raw("as_of", as_of)
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
  const std::string position = position_text(shard, reply.position);
  const std::string as_of = JsonObject()
                                .text("position", position)
                                .text("time", rfc3339(reply.stamp.nanos))
                                .text("consistency", "linearizable")
                                .number("staleness_ms", std::int64_t{0})
                                .str();
  HttpResponse response;
  response.headers.emplace_back("Consistency-Token", position);
  response.body =
      JsonObject().text("account", call.account).text("state", state_name(reply.state)).raw("as_of", as_of).str();
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
                     .text("leg", result.target == ShardId() ? "entry" : "debit")
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

HttpResponse answer_trial_balance(const router::TrialBalanceReply& reply) {
  std::vector<std::string> rows;
  std::map<Currency, __int128> totals;
  bool balanced = true;
  for (const router::TrialBalanceReply::Row& row : reply.rows) {
    const __int128 total = row.customers + row.issue + row.transit;
    totals[row.currency] += total;
    balanced = balanced && total == 0;
    rows.push_back(JsonObject()
                       .number("shard", row.shard.value)
                       .text("currency", to_string(row.currency))
                       .text("customers", format_sum(row.customers, row.currency))
                       .text("issue", format_sum(row.issue, row.currency))
                       .text("transit", format_sum(row.transit, row.currency))
                       .text("total", format_sum(total, row.currency))
                       .str());
  }
  std::vector<std::string> sums;
  for (const auto& [currency, total] : totals) {
    sums.push_back(JsonObject().text("currency", to_string(currency)).text("total", format_sum(total, currency)).str());
  }
  HttpResponse response;
  response.body =
      JsonObject().boolean("balanced", balanced).raw("totals", json_array(sums)).raw("rows", json_array(rows)).str();
  return response;
}

std::string_view role_name(std::uint8_t role) {
  constexpr std::string_view names[] = {"follower", "pre-candidate", "candidate", "leader"};
  return role < std::size(names) ? names[role] : "?";
}

std::string shard_json(const router::NodeStatusReply::Shard& shard) {
  return JsonObject()
      .number("shard", shard.shard.value)
      .text("role", role_name(shard.role))
      .number("term", shard.term.value)
      .number("leader", shard.leader.value)
      .number("commit", shard.commit.value)
      .number("last", shard.last.value)
      .number("position", shard.position.value)
      .number("dedup_rows", shard.dedup_rows)
      .number("legs_unanswered", shard.legs_unanswered)
      .number("base", shard.base.value)
      .number("snapshot", shard.snapshot.value)
      .number("in_doubt", shard.in_doubt)
      .boolean("uncertain", shard.uncertain)
      .raw("voters", nodes_json(shard.voters))
      .raw("outgoing", nodes_json(shard.outgoing))
      .raw("learners", nodes_json(shard.learners))
      .str();
}

std::string shards_json(const router::NodeStatusReply& reply) {
  std::vector<std::string> shards;
  for (const router::NodeStatusReply::Shard& shard : reply.shards) {
    shards.push_back(shard_json(shard));
  }
  return json_array(shards);
}

HttpResponse answer_node(const router::NodeStatusReply& reply, const DriverCounters& counters) {
  HttpResponse response;
  response.body = JsonObject()
                      .number("node", reply.node.value)
                      .boolean("ready", reply.ready)
                      .number("syncs", counters.disk.syncs)
                      .number("bytes_written", counters.disk.bytes_written)
                      .number("steps", counters.steps)
                      .number("inputs", counters.inputs)
                      .number("requests", counters.requests)
                      .number("replies", counters.replies)
                      .number("frames_sent", counters.peers.frames_sent)
                      .number("frames_dropped", counters.peers.frames_dropped)
                      .number("hellos_refused", counters.peers.hellos_refused)
                      .number("processor_ms", processor_time().millis())
                      .raw("shards", shards_json(reply))
                      .str();
  return response;
}

/// Ready: recovery has ended, and every shard here knows its leader.
HttpResponse answer_ready(const Call& call, const router::NodeStatusReply& reply) {
  bool ready = reply.ready;
  for (const router::NodeStatusReply::Shard& shard : reply.shards) {
    ready = ready && shard.leader != nobody;
  }
  HttpResponse response{.status = ready ? 200 : 503};
  JsonObject body;
  body.text("status", ready ? "ready" : "not ready");
  if (call.verbose) {
    body.boolean("recovered", reply.ready).raw("shards", shards_json(reply));
  }
  response.body = body.str();
  return response;
}

}  // namespace

std::string format_sum(__int128 minor, Currency currency) {
  const bool negative = minor < 0;
  unsigned __int128 rest = negative ? -static_cast<unsigned __int128>(minor) : static_cast<unsigned __int128>(minor);
  const int decimals = exponent(currency);
  std::string reversed;
  int digits = 0;
  do {
    reversed.push_back(static_cast<char>('0' + static_cast<int>(rest % 10)));
    rest /= 10;
    ++digits;
    if (digits == decimals) {
      reversed.push_back('.');
    }
  } while (rest != 0 || digits <= decimals);
  if (negative) {
    reversed.push_back('-');
  }
  return {reversed.rbegin(), reversed.rend()};
}

HttpResponse answer(const Call& call, ByteView bytes, const DriverCounters& counters, WallTime now) {
  const Result<router::Reply> decoded = router::decode_reply(bytes);
  if (decoded.has_error()) {
    return internal(call, "the node's answer cannot be read");
  }
  const router::Reply& reply = *decoded;
  if (reply.status != Outcome::success) {
    if (call.route == HttpRoute::readyz) {
      return answer_ready(call, {});
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
  if (const auto* status = std::get_if<router::TransferStatusReply>(&reply.body)) {
    return answer_status(call, *status);
  }
  if (const auto* trial = std::get_if<router::TrialBalanceReply>(&reply.body)) {
    return answer_trial_balance(*trial);
  }
  if (const auto* status = std::get_if<router::NodeStatusReply>(&reply.body)) {
    return call.route == HttpRoute::readyz ? answer_ready(call, *status) : answer_node(*status, counters);
  }
  return internal(call, "an answer without a body");
}

HttpResponse answer_cluster(const NodeSettings& settings) {
  NodeSettings told = settings;
  told.founders = settings.founding_members();
  told.nodes = settings.everybody();
  HttpResponse response;
  response.body = to_json(told);
  return response;
}

HttpResponse answer_late(const Call& call) {
  return call.route == HttpRoute::readyz ? answer_ready(call, {}) : refuse(call, Outcome::unknown);
}

HttpResponse answer_still_running(const Call& call) { return refuse(call, Outcome::in_flight); }

bool has_id(const Call& call) { return moves_money(call.route); }

}  // namespace coffer::net
