// The words of the contract for everything a node can say.
#include <set>

#include <catch2/catch.hpp>

#include "core/base/uuid_number.h"
#include "core/ledger/protocol.h"
#include "net/driver/settings.h"
#include "net/http/calls.h"
#include "net/http/strict_json.h"
#include "tests/net/served_node.h"

using namespace coffer;
using net::Call;
using net::HttpResponse;
using net::HttpRoute;

namespace {

const TransferId id = *net::parse_uuid("6f1c2a52-1d0e-4b3c-9a61-0f9d3f1c7e21");
constexpr std::int64_t noon = 1'795'262'400'000'000'000;

Call call_of(HttpRoute route) {
  return {.route = route,
          .request = {},
          .patience_ms = 1,
          .transaction = id,
          .account = "alice",
          .currency = currency_of("USD"),
          .consistency = router::Consistency::linearizable,
          .verbose = false};
}

router::TransferResult result_of(Outcome outcome) {
  return {.outcome = outcome,
          .replayed = false,
          .shard = ShardId(3),
          .position = Position(118204),
          .stamp = {noon},
          .target = {},
          .target_position = {},
          .target_stamp = {}};
}

HttpResponse say(const Call& call, Outcome status, router::ReplyBody body = {}) {
  const router::Reply reply{.kind = router::RequestKind::transfers,
                            .status = status,
                            .shard = ShardId(3),
                            .leader = {},
                            .body = std::move(body)};
  router::Reply made = reply;
  if (std::holds_alternative<router::BalanceReply>(made.body)) made.kind = router::RequestKind::balance;
  if (std::holds_alternative<router::OpenAccountReply>(made.body)) made.kind = router::RequestKind::open_account;
  if (std::holds_alternative<router::ChangeAccountReply>(made.body)) made.kind = router::RequestKind::change_account;
  if (std::holds_alternative<router::AccountReply>(made.body)) made.kind = router::RequestKind::account;
  if (std::holds_alternative<router::TransferStatusReply>(made.body)) made.kind = router::RequestKind::transfer_status;
  if (std::holds_alternative<router::TrialBalanceReply>(made.body)) made.kind = router::RequestKind::trial_balance;
  if (std::holds_alternative<router::PlaceHoldReply>(made.body)) made.kind = router::RequestKind::place_hold;
  if (std::holds_alternative<router::CaptureHoldReply>(made.body)) made.kind = router::RequestKind::capture_hold;
  if (std::holds_alternative<router::VoidHoldReply>(made.body)) made.kind = router::RequestKind::void_hold;
  if (std::holds_alternative<router::HoldReply>(made.body)) made.kind = router::RequestKind::hold;
  if (std::holds_alternative<router::SplitReply>(made.body)) made.kind = router::RequestKind::split;
  if (std::holds_alternative<router::NodeStatusReply>(made.body)) made.kind = router::RequestKind::node_status;
  return net::answer(call, router::encode(made), {}, {noon + 5'000'000});
}

HttpResponse say_transfer(Outcome outcome) {
  return say(call_of(HttpRoute::balance_transfer), Outcome::success, router::TransfersReply{{result_of(outcome)}});
}

std::string member(const HttpResponse& response, const std::string& key) {
  const net::JsonDocument document = net::parse_json(response.body);
  REQUIRE(document.error == net::JsonError::none);
  const net::JsonValue* value = document.root.find(key);
  return value == nullptr ? "" : value->text;
}

std::string header(const HttpResponse& response, const std::string& name) {
  for (const auto& [key, value] : response.headers) {
    if (key == name) return value;
  }
  return "";
}

}  // namespace

TEST_CASE("each outcome of a transfer has its status, code and promise (problem details, RFC 9457)") {
  struct Row {
    Outcome outcome;
    int status;
    std::string code;
    std::string promise;
    bool retryable;
  };
  const std::vector<Row> rows = {
      {Outcome::insufficient_funds, 422, "insufficient-funds", "rejected", false},
      {Outcome::credit_account_not_found, 422, "credit-account-not-found", "rejected", false},
      {Outcome::currency_mismatch, 422, "currency-mismatch", "rejected", false},
      {Outcome::balance_overflow, 422, "balance-overflow", "rejected", false},
      {Outcome::account_frozen, 422, "account-frozen", "rejected", false},
      {Outcome::account_not_empty, 422, "account-not-empty", "none", false},
      {Outcome::account_closed, 422, "account-closed", "rejected", false},
      {Outcome::limit_exceeded, 422, "limit-exceeded", "rejected", false},
      {Outcome::account_locked, 422, "account-locked", "rejected", false},
      {Outcome::account_not_found, 404, "account-not-found", "none", false},
      {Outcome::same_account, 400, "same-account", "none", false},
      {Outcome::idempotency_payload_mismatch, 422, "idempotency-payload-mismatch", "none", false},
      {Outcome::malformed, 500, "internal", "unknown", true},
      {Outcome::reserved_account, 400, "invalid-account-id", "none", false},
      {Outcome::id_in_future, 400, "id-in-future", "none", false},
      {Outcome::id_is_numbered, 400, "id-is-numbered", "none", false},
      {Outcome::id_gap, 409, "id-gap", "none", true},
      {Outcome::id_expired, 410, "id-expired", "unknown", false},
      {Outcome::in_flight, 409, "in-flight", "unknown", true},
      {Outcome::pending, 409, "in-flight", "unknown", true},
      {Outcome::not_leader, 503, "no-leader", "none", true},
      {Outcome::no_leader, 503, "no-leader", "none", true},
      {Outcome::wrong_shard, 503, "no-leader", "none", true},
      {Outcome::overloaded, 503, "overloaded", "none", true},
      {Outcome::draining, 503, "draining", "none", true},
      {Outcome::account_busy, 409, "account-busy", "none", true},
      {Outcome::unknown, 504, "outcome-unknown", "unknown", true},
  };
  for (const Row& row : rows) {
    const HttpResponse response = say_transfer(row.outcome);
    INFO(response.body);
    CHECK(response.status == row.status);
    CHECK(response.content_type == "application/problem+json");
    CHECK(member(response, "code") == row.code);
    CHECK(member(response, "type") == "urn:coffer:problem:" + row.code);
    CHECK(member(response, "outcome") == row.promise);
    CHECK(member(response, "transaction_id") == "6f1c2a52-1d0e-4b3c-9a61-0f9d3f1c7e21");
    CHECK_FALSE(member(response, "title").empty());
    CHECK_FALSE(member(response, "detail").empty());
    const net::JsonDocument document = net::parse_json(response.body);
    CHECK(document.root.find("retryable")->boolean == row.retryable);
    CHECK(document.root.find("status")->integer == row.status);
    const bool later = row.status == 409 || row.status == 503 || row.status == 504;
    CHECK(header(response, "Retry-After").empty() != later);
  }
}

TEST_CASE("a gap names the number that is expected, and the id that says it (decision 12)") {
  Call call = call_of(HttpRoute::balance_transfer);
  call.transaction = uuid_numbered({0xABCDEF, 9});
  router::TransferResult result = result_of(Outcome::id_gap);
  result.position = Position(7);
  const HttpResponse response = say(call, Outcome::success, router::TransfersReply{{result}});
  CHECK(response.status == 409);
  CHECK(member(response, "code") == "id-gap");
  CHECK(member(response, "transaction_id") == net::to_string(call.transaction));
  CHECK(member(response, "expected_transaction_id") == net::to_string(uuid_numbered({0xABCDEF, 7})));
  CHECK_THAT(member(response, "detail"), Catch::Contains("is number 9 of its source; number 7 has to be sent first"));
  const net::JsonDocument document = net::parse_json(response.body);
  CHECK(document.root.find("expected_number")->integer == 7);
}

TEST_CASE("a number that was decided and taken over says so in other words than an id that is too old (decision 12)") {
  Call call = call_of(HttpRoute::transfer_status);
  CHECK_THAT(member(say(call, Outcome::id_expired), "detail"), Catch::Contains("older than this wallet remembers"));
  call.transaction = uuid_numbered({1, 2});
  CHECK_THAT(member(say(call, Outcome::id_expired), "detail"),
             Catch::Contains("a later number of its source has been decided"));
}

TEST_CASE("codes are told apart, and 4xx and 503 never say unknown but for in-flight and id-expired") {
  std::set<std::string_view> codes;
  for (const net::ProblemRow& row : net::all_problems()) {
    CHECK(codes.insert(row.code).second);
    CHECK(net::row_of(row.problem).code == row.code);
    const bool may_be_unknown = row.problem == net::Problem::in_flight || row.problem == net::Problem::id_expired;
    if ((row.status < 500 && !may_be_unknown) || row.status == 503) {
      CHECK(row.outcome != "unknown");
    }
    if (row.status == 503) {
      CHECK(row.outcome == "none");
    }
  }
}

TEST_CASE("a success inside one shard names one position, and the same bytes come again for a replay") {
  const HttpResponse first = say_transfer(Outcome::success);
  CHECK(first.status == 200);
  CHECK(first.body ==
        R"({"status":"success","transaction_id":"6f1c2a52-1d0e-4b3c-9a61-0f9d3f1c7e21","position":"s3@118204",)"
        R"("committed_at":"2026-11-21T12:00:00.000000000Z"})");
  CHECK(header(first, "Consistency-Token") == "s3@118204");
  CHECK(header(first, "Idempotency-Replayed") == "false");
  router::TransferResult again = result_of(Outcome::success);
  again.replayed = true;
  const HttpResponse second =
      say(call_of(HttpRoute::balance_transfer), Outcome::success, router::TransfersReply{{again}});
  CHECK(second.body == first.body);
  CHECK(header(second, "Idempotency-Replayed") == "true");
}

TEST_CASE("a success across shards names the debit's and the credit's positions and the later time") {
  router::TransferResult result = result_of(Outcome::success);
  result.target = ShardId(7);
  result.target_position = Position(90211);
  result.target_stamp = {noon + 1};
  const HttpResponse response =
      say(call_of(HttpRoute::balance_transfer), Outcome::success, router::TransfersReply{{result}});
  CHECK(member(response, "position") == "s3@118204,s7@90211");
  CHECK(member(response, "committed_at") == "2026-11-21T12:00:00.000000001Z");
  CHECK(header(response, "Consistency-Token") == "s3@118204,s7@90211");
}

TEST_CASE("a transfer still running says where to look") {
  const HttpResponse response = say_transfer(Outcome::in_flight);
  CHECK(header(response, "Location") == "/v1/transfers/6f1c2a52-1d0e-4b3c-9a61-0f9d3f1c7e21?from_account=alice");
}

TEST_CASE("an account opened is 201, one that was there is 200") {
  CHECK(say(call_of(HttpRoute::open_account), Outcome::success, router::OpenAccountReply{false, Position(4)}).status ==
        201);
  CHECK(say(call_of(HttpRoute::open_account), Outcome::success, router::OpenAccountReply{true, Position(4)}).status ==
        200);
  CHECK(say(call_of(HttpRoute::open_account), Outcome::unknown).status == 504);
}

TEST_CASE("an account tells its state, and a change what it made of it") {
  const HttpResponse state = say(call_of(HttpRoute::account), Outcome::success,
                                 router::AccountReply{router::AccountState::frozen, Position(9), {noon}});
  CHECK(state.status == 200);
  CHECK(member(state, "account") == "alice");
  CHECK(member(state, "state") == "frozen");
  CHECK(header(state, "Consistency-Token") == "s3@9");
  struct Row {
    HttpRoute route;
    const char* state;
  };
  for (const Row& row :
       {Row{HttpRoute::freeze, "frozen"}, Row{HttpRoute::unfreeze, "open"}, Row{HttpRoute::close, "closed"}}) {
    INFO(row.state);
    const HttpResponse response =
        say(call_of(row.route), Outcome::success, router::ChangeAccountReply{true, Position(9)});
    CHECK(response.status == 200);
    CHECK(member(response, "state") == row.state);
    CHECK(response.body.find("\"already\":true") != std::string::npos);
    CHECK(member(response, "position") == "s3@9");
    CHECK(say(call_of(row.route), Outcome::account_not_found).status == 404);
    CHECK(say(call_of(row.route), Outcome::account_closed).status == 422);
    CHECK(say(call_of(row.route), Outcome::no_leader).status == 503);
    CHECK(say(call_of(row.route), Outcome::unknown).status == 504);  // repeat it with the same id
  }
  const HttpResponse full = say(call_of(HttpRoute::close), Outcome::account_not_empty);
  CHECK(full.status == 422);
  CHECK(member(full, "code") == "account-not-empty");
  CHECK(member(full, "outcome") == "none");
  CHECK(say(call_of(HttpRoute::account), Outcome::unknown).status == 503);  // a read has done nothing
}

TEST_CASE("a balance says what is held, what is available and as of when") {
  const router::BalanceReply reply{
      .balance = 8750, .held = 4025, .shard = ShardId(3), .position = Position(9), .stamp = {noon}};
  Call call = call_of(HttpRoute::balance);
  CHECK(
      say(call, Outcome::success, reply).body ==
      R"({"account":"alice","currency":"USD","balance":"87.50","held":"40.25","available":"47.25","as_of":)"
      R"({"position":"s3@9","time":"2026-11-21T12:00:00.000000000Z","consistency":"linearizable","staleness_ms":0}})");
  call.consistency = router::Consistency::eventual;
  CHECK_THAT(say(call, Outcome::success, reply).body, Catch::Contains(R"("consistency":"eventual","staleness_ms":5)"));
}

TEST_CASE("a split is told with the place of its debit and of each credit, or with the part that was refused") {
  const Call call = call_of(HttpRoute::split);
  router::SplitReply reply;
  reply.result = result_of(Outcome::success);
  reply.parts = {{ShardId(7), Position(90211), Stamp{noon + 1'000'000}}, {ShardId(3), Position(118210), Stamp{noon}}};
  const HttpResponse paid = say(call, Outcome::success, reply);
  CHECK(paid.status == 200);
  CHECK(member(paid, "status") == "success");
  CHECK(member(paid, "position") == "s3@118204,s7@90211,s3@118210");
  CHECK(header(paid, "Consistency-Token") == "s3@118204,s7@90211,s3@118210");
  CHECK(header(paid, "Idempotency-Replayed") == "false");
  reply.result.outcome = Outcome::account_frozen;
  reply.result.replayed = true;
  reply.refused = 1;
  const HttpResponse refused = say(call, Outcome::success, reply);
  CHECK(refused.status == 422);
  CHECK(member(refused, "code") == "account-frozen");
  CHECK(refused.body.find("\"pointer\":\"/parts/1\"") != std::string::npos);
  CHECK(header(refused, "Idempotency-Replayed") == "true");
  reply.result.outcome = Outcome::insufficient_funds;
  reply.refused = router::no_part;
  const HttpResponse poor = say(call, Outcome::success, reply);
  CHECK(member(poor, "code") == "insufficient-funds");
  CHECK(poor.body.find("/parts/") == std::string::npos);
}

TEST_CASE("a hold placed is 201 with its end, and the same bytes come again under 200") {
  router::PlaceHoldReply reply{.result = result_of(Outcome::success), .expires = {noon + 60'000'000'000}};
  const Call call = call_of(HttpRoute::place_hold);
  const HttpResponse first = say(call, Outcome::success, reply);
  CHECK(first.status == 201);
  CHECK(first.body ==
        R"({"status":"held","hold_id":"6f1c2a52-1d0e-4b3c-9a61-0f9d3f1c7e21",)"
        R"("transaction_id":"6f1c2a52-1d0e-4b3c-9a61-0f9d3f1c7e21","expires_at":"2026-11-21T12:01:00.000000000Z",)"
        R"("position":"s3@118204","committed_at":"2026-11-21T12:00:00.000000000Z"})");
  CHECK(header(first, "Location") == "/v1/holds/6f1c2a52-1d0e-4b3c-9a61-0f9d3f1c7e21?account=alice");
  CHECK(header(first, "Idempotency-Replayed") == "false");
  reply.result.replayed = true;
  const HttpResponse again = say(call, Outcome::success, reply);
  CHECK(again.status == 200);
  CHECK(again.body == first.body);
  CHECK(header(again, "Idempotency-Replayed") == "true");
  reply.result.outcome = Outcome::insufficient_funds;
  const HttpResponse refused = say(call, Outcome::success, reply);
  CHECK(refused.status == 422);
  CHECK(member(refused, "code") == "insufficient-funds");
  CHECK(member(refused, "outcome") == "rejected");
  CHECK(member(refused, "transaction_id") == member(refused, "hold_id"));
  CHECK(header(refused, "Idempotency-Replayed") == "true");
}

TEST_CASE("a capture is told as the transfer it is, under that one's id, with the hold's beside it") {
  const TransferId derived = *net::parse_uuid("00112233-4455-8677-8899-aabbccddeeff");
  router::CaptureHoldReply reply{.transfer = derived, .result = result_of(Outcome::success)};
  reply.result.target = ShardId(7);
  reply.result.target_position = Position(90211);
  reply.result.target_stamp = {noon + 1};
  const Call call = call_of(HttpRoute::capture_hold);
  const HttpResponse good = say(call, Outcome::success, reply);
  CHECK(good.status == 200);
  CHECK(good.body == R"({"status":"success","transaction_id":"00112233-4455-8677-8899-aabbccddeeff",)"
                     R"("hold_id":"6f1c2a52-1d0e-4b3c-9a61-0f9d3f1c7e21","position":"s3@118204,s7@90211",)"
                     R"("committed_at":"2026-11-21T12:00:00.000000001Z"})");
  CHECK(header(good, "Consistency-Token") == "s3@118204,s7@90211");
  reply.result = result_of(Outcome::credit_account_not_found);
  const HttpResponse refused = say(call, Outcome::success, reply);
  CHECK(refused.status == 422);
  CHECK(member(refused, "code") == "credit-account-not-found");
  CHECK(member(refused, "transaction_id") == "00112233-4455-8677-8899-aabbccddeeff");
  CHECK(member(refused, "hold_id") == "6f1c2a52-1d0e-4b3c-9a61-0f9d3f1c7e21");
  CHECK_THAT(member(refused, "detail"), Catch::Contains("the hold has ended all the same"));
  CHECK(header(refused, "Idempotency-Replayed") == "false");
  reply.result.outcome = Outcome::in_flight;
  const HttpResponse running = say(call, Outcome::success, reply);
  CHECK(running.status == 409);
  CHECK(header(running, "Location") == "/v1/holds/6f1c2a52-1d0e-4b3c-9a61-0f9d3f1c7e21?account=alice");
}

TEST_CASE("a hold voided says whether it was before") {
  const HttpResponse response =
      say(call_of(HttpRoute::void_hold), Outcome::success, router::VoidHoldReply{true, Position(9)});
  CHECK(response.status == 200);
  CHECK(response.body ==
        R"({"status":"voided","hold_id":"6f1c2a52-1d0e-4b3c-9a61-0f9d3f1c7e21","already":true,"position":"s3@9"})");
}

TEST_CASE("a hold read says its state, and names the transfer that captured it") {
  router::HoldReply reply{.state = router::HoldState::held,
                          .currency = currency_of("JPY"),
                          .amount = 4000,
                          .expires = {noon},
                          .transfer = {},
                          .position = Position(9),
                          .stamp = {noon}};
  const Call call = call_of(HttpRoute::hold);
  CHECK(say(call, Outcome::success, reply).body ==
        R"({"hold_id":"6f1c2a52-1d0e-4b3c-9a61-0f9d3f1c7e21","account":"alice","state":"held","amount":"4000",)"
        R"("currency":"JPY","expires_at":"2026-11-21T12:00:00.000000000Z","as_of":{"position":"s3@9",)"
        R"("time":"2026-11-21T12:00:00.000000000Z","consistency":"linearizable","staleness_ms":0}})");
  reply.state = router::HoldState::voided;
  CHECK(member(say(call, Outcome::success, reply), "state") == "voided");
  reply.state = router::HoldState::expired;
  CHECK(member(say(call, Outcome::success, reply), "state") == "expired");
  reply.state = router::HoldState::captured;
  reply.transfer = *net::parse_uuid("00112233-4455-8677-8899-aabbccddeeff");
  const HttpResponse captured = say(call, Outcome::success, reply);
  CHECK(member(captured, "state") == "captured");
  CHECK(member(captured, "transaction_id") == "00112233-4455-8677-8899-aabbccddeeff");
}

TEST_CASE("each refusal of a request about a hold has its code, says what to do next, and did nothing") {
  struct Row {
    HttpRoute route;
    Outcome outcome;
    int status;
    std::string code;
    std::string says;
  };
  const std::string state_url = "/v1/holds/6f1c2a52-1d0e-4b3c-9a61-0f9d3f1c7e21?account=alice";
  const std::vector<Row> rows = {
      {HttpRoute::void_hold, Outcome::hold_not_found, 404, "hold-not-found", "POST /v1/holds"},
      {HttpRoute::hold, Outcome::hold_not_found, 404, "hold-not-found", "account alice"},
      {HttpRoute::void_hold, Outcome::hold_captured, 422, "hold-captured", state_url},
      {HttpRoute::capture_hold, Outcome::hold_voided, 422, "hold-voided", "a new hold needs a new id"},
      {HttpRoute::capture_hold, Outcome::hold_expired, 422, "hold-expired", "available again"},
      {HttpRoute::capture_hold, Outcome::hold_exceeded, 422, "hold-exceeded", state_url},
      {HttpRoute::capture_hold, Outcome::account_busy, 409, "account-busy", "ask again with the same id"},
      {HttpRoute::capture_hold, Outcome::currency_mismatch, 422, "currency-mismatch", "is not of USD"},
      {HttpRoute::capture_hold, Outcome::idempotency_payload_mismatch, 422, "idempotency-payload-mismatch",
       "captured once"},
      {HttpRoute::place_hold, Outcome::idempotency_payload_mismatch, 422, "idempotency-payload-mismatch", "new id"},
      {HttpRoute::place_hold, Outcome::account_not_found, 404, "account-not-found", "POST /v1/accounts"},
  };
  for (const Row& row : rows) {
    const HttpResponse response = say(call_of(row.route), row.outcome);
    INFO(response.body);
    CHECK(response.status == row.status);
    CHECK(member(response, "code") == row.code);
    CHECK(member(response, "hold_id") == "6f1c2a52-1d0e-4b3c-9a61-0f9d3f1c7e21");
    CHECK_THAT(member(response, "detail"), Catch::Contains(row.says));
    if (row.outcome != Outcome::currency_mismatch) {
      CHECK(member(response, "outcome") == "none");
    }
  }
  for (const HttpRoute route : {HttpRoute::place_hold, HttpRoute::capture_hold, HttpRoute::void_hold}) {
    CHECK(say(call_of(route), Outcome::unknown).status == 504);
    CHECK(say(call_of(route), Outcome::overloaded).status == 503);
    CHECK(say(call_of(route), Outcome::in_flight).status == 409);
    CHECK(net::answer_late(call_of(route)).status == 504);
    CHECK(net::has_id(route));
  }
  CHECK(say(call_of(HttpRoute::hold), Outcome::unknown).status == 503);  // a read has done nothing
}

TEST_CASE("a read that nobody answered is retryable and did nothing, never unknown and never empty") {
  for (const HttpRoute route : {HttpRoute::balance, HttpRoute::account, HttpRoute::transfer_status,
                                HttpRoute::trial_balance, HttpRoute::node}) {
    const HttpResponse response = say(call_of(route), Outcome::unknown);
    CHECK(response.status == 503);
    CHECK(member(response, "code") == "no-leader");
  }
  CHECK(net::answer_late(call_of(HttpRoute::balance)).status == 503);
  CHECK(net::answer_late(call_of(HttpRoute::deposit)).status == 504);
}

TEST_CASE("an account that nobody opened is not found, a currency that it lacks is refused") {
  CHECK(say(call_of(HttpRoute::account), Outcome::account_not_found).status == 404);
  CHECK(say(call_of(HttpRoute::balance), Outcome::currency_mismatch).status == 422);
}

TEST_CASE("the state of a transfer shows its legs") {
  router::TransferStatusReply reply{.operation = router::TransferOperation::transfer,
                                    .result = result_of(Outcome::pending)};
  reply.result.target = ShardId(7);
  const HttpResponse pending = say(call_of(HttpRoute::transfer_status), Outcome::success, reply);
  CHECK(member(pending, "state") == "pending");
  CHECK_THAT(pending.body, Catch::Contains(R"({"leg":"credit","shard":7,"state":"pending"})"));
  reply.result.outcome = Outcome::insufficient_funds;
  reply.result.target = {};
  const HttpResponse refused = say(call_of(HttpRoute::transfer_status), Outcome::success, reply);
  CHECK(member(refused, "state") == "refused");
  CHECK(member(refused, "code") == "insufficient-funds");
  CHECK(say(call_of(HttpRoute::transfer_status), Outcome::transfer_not_found).status == 404);
}

TEST_CASE("the state of a transfer shows its phases: each step's shard and state, and its place where it is known") {
  router::TransferStatusReply reply{
      .operation = router::TransferOperation::transfer,
      .result = result_of(Outcome::pending),
      .protocol = static_cast<std::uint8_t>(ledger::Protocol::tcc),
      .steps = {{TransferPhase::try_legs, Side::debit, StepState::done, ShardId(3), Position(118204), {noon}},
                {TransferPhase::try_legs, Side::credit, StepState::sent, ShardId(7), {}, {}}}};
  reply.result.target = ShardId(7);
  const HttpResponse pending = say(call_of(HttpRoute::transfer_status), Outcome::success, reply);
  CHECK(member(pending, "protocol") == "tcc");
  CHECK_THAT(
      pending.body,
      Catch::Contains(R"("phases":[{"phase":"try","leg":"debit","shard":3,"state":"done","position":"s3@118204",)"
                      R"("committed_at":"2026-11-21T12:00:00.000000000Z"},)"
                      R"({"phase":"try","leg":"credit","shard":7,"state":"sent"}])"));
  reply.protocol = 0;
  reply.steps = {{TransferPhase::execute, Side::both, StepState::refused, ShardId(3), Position(5), {noon}}};
  const HttpResponse local = say(call_of(HttpRoute::transfer_status), Outcome::success, reply);
  CHECK(member(local, "protocol") == "direct");
  CHECK_THAT(local.body, Catch::Contains(R"({"phase":"execute","leg":"entry","shard":3,"state":"refused")"));
  reply.protocol = 200;  // of a newer node
  CHECK(member(say(call_of(HttpRoute::transfer_status), Outcome::success, reply), "protocol") == "?");
}

TEST_CASE("a trial balance sums beyond 64 bits and shows an imbalance") {
  const __int128 huge = static_cast<__int128>(INT64_MAX) * 4;
  router::TrialBalanceReply reply;
  reply.rows.push_back({ShardId(1), currency_of("USD"), huge, -huge, 0});
  const HttpResponse good = say(call_of(HttpRoute::trial_balance), Outcome::success, reply);
  CHECK_THAT(good.body, Catch::Contains(R"("balanced":true)") && Catch::Contains("368934881474191032.28"));
  reply.rows.push_back({ShardId(2), currency_of("USD"), 5, 0, 0});
  const HttpResponse bad = say(call_of(HttpRoute::trial_balance), Outcome::success, reply);
  CHECK_THAT(bad.body, Catch::Contains(R"("balanced":false)") && Catch::Contains(R"("total":"0.05")"));
}

TEST_CASE("sums are written with their currency's decimals") {
  CHECK(net::format_sum(0, currency_of("USD")) == "0.00");
  CHECK(net::format_sum(-5, currency_of("USD")) == "-0.05");
  CHECK(net::format_sum(1234, currency_of("JPY")) == "1234");
  CHECK(net::format_sum(-1234, currency_of("KWD")) == "-1.234");
  CHECK(net::format_sum(0, currency_of("JPY")) == "0");
}

TEST_CASE("what a member says of the cluster can be read as settings, with everybody it knows and who founded it") {
  net::NodeSettings settings = test::first_of(3, 2, "node-1");
  settings.learned = {test::first_of(4, 1, "x").nodes[3]};
  const Result<net::NodeSettings> read = net::parse_settings(net::answer_cluster(settings).body);
  REQUIRE(read.has_value());
  CHECK(read->nodes.size() == 4);
  CHECK(read->nodes[3].uuid == settings.learned[0].uuid);
  CHECK(read->founders == std::vector{NodeId(1), NodeId(2), NodeId(3)});
  CHECK(read->shards == 2);
}

TEST_CASE("a node is ready when it has recovered and every shard knows its leader") {
  router::NodeStatusReply status{.node = NodeId(1), .ready = true, .shards = {}};
  router::NodeStatusReply::Shard& shard = status.shards.emplace_back();
  shard.shard = ShardId(1);
  shard.leader = NodeId(2);
  shard.voters = {NodeId(1), NodeId(4)};
  shard.outgoing = {NodeId(1), NodeId(2)};
  shard.uncertain = true;
  CHECK(say(call_of(HttpRoute::readyz), Outcome::success, status).status == 200);
  status.shards.front().leader = nobody;
  CHECK(say(call_of(HttpRoute::readyz), Outcome::success, status).status == 503);
  status.ready = false;
  CHECK(say(call_of(HttpRoute::readyz), Outcome::success, status).status == 503);
  CHECK_THAT(say(call_of(HttpRoute::node), Outcome::success, status).body,
             Catch::Contains(R"("syncs":0)") &&
                 Catch::Contains(R"("uncertain":true,"voters":[1,4],"outgoing":[1,2],"learners":[])"));
}
