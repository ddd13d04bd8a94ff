// A router on a test bench: three nodes, two shards, time in the test's hands, replies written by the test.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "core/base/hash.h"
#include "core/router/protocol.h"
#include "core/router/router.h"
#include "core/router/shard_map.h"

namespace coffer::router {

inline constexpr NodeId n1{1};
inline constexpr NodeId n2{2};
inline constexpr NodeId n3{3};
inline constexpr ShardId s1{1};
inline constexpr ShardId s2{2};
inline constexpr Slot middle{8192};

inline ShardMap two_shards() { return ShardMap({{s1, Slot{0}, middle.value}, {s2, middle, slot_count}}); }

/// The `nth` account that lives in `shard`.
inline std::string account_in(ShardId shard, int nth = 0) {
  for (int number = 0;; ++number) {
    std::string name = "acct" + std::to_string(number);
    if (two_shards().shard_of(default_tenant, name) == shard && nth-- == 0) {
      return name;
    }
  }
}

inline TransferId id_of(std::uint8_t number) { return Uuid{{number}}; }

struct Bench {
  explicit Bench(Mode mode = Mode::to_leaders, std::uint32_t requests_max = 100, Duration outwait = {})
      : router({mode, {n1, n2, n3}, milliseconds(1000), milliseconds(20), requests_max, outwait}, two_shards(),
               Prng(1)) {}

  /// Requests own their bytes once encoded; names may die afterwards.
  static Bytes transfers(const std::vector<std::pair<std::uint8_t, std::string>>& ids_and_debits,
                         std::uint32_t patience_ms = 5000) {
    Request request;
    request.header.patience_ms = patience_ms;
    TransfersRequest body;
    for (const auto& [id, debit] : ids_and_debits) {
      body.items.push_back({TransferOperation::transfer, currency_of("USD"), 100, id_of(id), debit, "bob"});
    }
    request.body = std::move(body);
    return encode(request);
  }
  static Bytes transfer(std::uint32_t patience_ms = 5000) { return transfers({{1, account_in(s1)}}, patience_ms); }
  template <class Body>
  static Bytes request(RequestKind kind, Body body, ShardId shard = {}, std::uint32_t patience_ms = 5000) {
    Request request;
    request.header.kind = kind;
    request.header.shard = shard;
    request.header.patience_ms = patience_ms;
    request.body = std::move(body);
    return encode(request);
  }
  static Bytes balance(Consistency consistency) {
    const std::string account = account_in(s1);
    return request(RequestKind::balance, BalanceRequest{consistency, currency_of("USD"), account});
  }
  static Bytes open_account() {
    const std::string account = account_in(s1);
    return request(RequestKind::open_account, OpenAccountRequest{currency_of("USD"), account});
  }
  static Bytes close_account() {
    const std::string account = account_in(s1);
    return request(RequestKind::change_account, ChangeAccountRequest{AccountChange::close, id_of(7), account});
  }
  static Bytes place_hold() {
    const std::string account = account_in(s1);
    return request(RequestKind::place_hold, PlaceHoldRequest{currency_of("USD"), 100, id_of(5), 60'000, account});
  }
  static Bytes capture_hold() {
    const std::string account = account_in(s1);
    const std::string credit = account_in(s2);
    return request(RequestKind::capture_hold, CaptureHoldRequest{currency_of("USD"), 100, id_of(5), account, credit});
  }
  static Bytes void_hold() {
    const std::string account = account_in(s1);
    return request(RequestKind::void_hold, VoidHoldRequest{id_of(5), account});
  }
  static Bytes show_hold() {
    const std::string account = account_in(s1);
    return request(RequestKind::hold, HoldRequest{id_of(5), account});
  }
  static PlaceHoldReply placed(Outcome outcome) {
    PlaceHoldReply reply;
    reply.result.outcome = outcome;
    return reply;
  }
  static CaptureHoldReply captured(Outcome outcome) {
    CaptureHoldReply reply;
    reply.result.outcome = outcome;
    return reply;
  }
  static Bytes status_of(const std::string& account = {}) {
    return request(RequestKind::transfer_status, TransferStatusRequest{id_of(1), account});
  }

  void submit(const Bytes& body, Ticket ticket = 1) { router.submit(now, ticket, body, out); }
  /// Moves time; timers fire where they stand.
  void pass(Duration time) {
    const Instant end = now + time;
    while (router.wake_at() <= end) {
      now = std::max(now, router.wake_at());
      router.tick(now, out);
    }
    now = end;
  }
  /// The attempts made since the last call.
  std::vector<RouterOutput::Attempt> attempts() { return std::exchange(out.attempts, {}); }
  RouterOutput::Attempt attempt() {
    auto made = attempts();
    REQUIRE(made.size() == 1);
    return std::move(made.front());
  }

  void say(const RouterOutput::Attempt& attempt, const Reply& reply) {
    router.on_reply(now, attempt.attempt, encode(reply), out);
  }
  void say_status(const RouterOutput::Attempt& attempt, Outcome status, NodeId leader = nobody,
                  RequestKind kind = RequestKind::transfers) {
    Reply reply;
    reply.kind = kind;
    reply.status = status;
    reply.leader = leader;
    say(attempt, reply);
  }
  void say_items(const RouterOutput::Attempt& attempt, const std::vector<Outcome>& outcomes, bool replayed = false) {
    Reply reply;
    TransfersReply body;
    for (const Outcome outcome : outcomes) {
      TransferResult result;
      result.outcome = outcome;
      result.replayed = replayed;
      result.position = Position{attempt.attempt};
      body.results.push_back(result);
    }
    reply.body = std::move(body);
    say(attempt, reply);
  }
  template <class Body>
  void say_success(const RouterOutput::Attempt& attempt, RequestKind kind, Body body) {
    Reply reply;
    reply.kind = kind;
    reply.body = std::move(body);
    say(attempt, reply);
  }

  /// The one reply told since the last call.
  Reply told(Ticket ticket = 1) {
    REQUIRE(out.done.size() == 1);
    CHECK(out.done.front().ticket == ticket);
    const auto reply = decode_reply(out.done.front().reply);
    REQUIRE(reply.has_value());
    out.done.clear();
    return *reply;
  }
  std::vector<Outcome> told_outcomes() {
    const Reply reply = told();
    REQUIRE(reply.status == Outcome::success);
    std::vector<Outcome> outcomes;
    for (const TransferResult& result : std::get<TransfersReply>(reply.body).results) {
      outcomes.push_back(result.outcome);
    }
    return outcomes;
  }
  bool quiet() const { return out.done.empty(); }
  std::size_t traced(TraceKind kind) const {
    return static_cast<std::size_t>(
        std::count_if(out.trace.begin(), out.trace.end(), [kind](const TraceEvent& e) { return e.kind == kind; }));
  }

  Router router;
  Instant now{1'000'000'000};
  RouterOutput out;
};

inline RequestHeader header_of(const RouterOutput::Attempt& attempt) {
  const auto request = decode_request(attempt.body);
  REQUIRE(request.has_value());
  return request->header;
}

inline std::vector<TransferId> ids_of(const RouterOutput::Attempt& attempt) {
  const auto request = decode_request(attempt.body);
  REQUIRE(request.has_value());
  std::vector<TransferId> ids;
  for (const TransferItem& item : std::get<TransfersRequest>(request->body).items) {
    ids.push_back(item.id);
  }
  return ids;
}

}  // namespace coffer::router
