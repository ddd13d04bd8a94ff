// Whom the router asks, when again, and what it makes of several answers. What it may tell is in ambiguity_test.cc.
#include "core/router/router.h"

#include <set>

#include <catch2/catch.hpp>

#include "core/base/codec.h"
#include "tests/core/router/router_bench.h"

namespace coffer::router {
namespace {

using Outcomes = std::vector<Outcome>;

/// Makes `leader` known for shard 1.
void teach(Bench& bench, NodeId leader) { bench.router.hint(s1, leader); }

TEST_CASE("malformed requests are answered at once (api: outcomes)") {
  Bench bench;
  bench.submit({});
  CHECK(bench.told().status == Outcome::malformed);
  Bytes bad = Bench::balance(Consistency::eventual);
  bad.pop_back();
  bench.submit(bad);
  const Reply reply = bench.told();
  CHECK(reply.status == Outcome::malformed);
  CHECK(reply.kind == RequestKind::balance);
  CHECK(bench.attempts().empty());
  CHECK(bench.router.outstanding() == 0);
  CHECK(bench.router.wake_at() == never);
}

TEST_CASE("a node answers for its own status, so a router refuses to route it (design §8)") {
  Bench bench;
  bench.submit(Bench::request(RequestKind::node_status, NodeStatusRequest{}));
  const Reply reply = bench.told();
  CHECK(reply.kind == RequestKind::node_status);
  CHECK(reply.status == Outcome::malformed);
}

TEST_CASE("more outstanding requests than allowed are refused as overloaded (api: 503 overloaded)") {
  Bench bench(Mode::to_leaders, 2);
  bench.submit(Bench::transfer(), 1);
  bench.submit(Bench::transfer(), 2);
  CHECK(bench.router.outstanding() == 2);
  bench.submit(Bench::transfer(), 3);
  CHECK(bench.told(3).status == Outcome::overloaded);
  bench.say_items(bench.attempts().front(), {Outcome::success});
  CHECK(bench.told(1).status == Outcome::success);
  bench.submit(Bench::transfer(), 3);
  CHECK(bench.quiet());
}

TEST_CASE("a ticket names one request at a time") {
  Bench bench;
  bench.submit(Bench::transfer(), 1);
  CHECK_THROWS_AS(bench.submit(Bench::transfer(), 1), CheckFailure);
}

TEST_CASE("a batch of one shard is passed on as it is, but for its header (design §9)") {
  Bench bench;
  const Bytes body = Bench::transfers({{1, account_in(s2)}, {2, account_in(s2, 1)}, {3, account_in(s2)}});
  bench.submit(body);
  const auto attempt = bench.attempt();
  CHECK(Bytes(attempt.body.begin() + 20, attempt.body.end()) == Bytes(body.begin() + 20, body.end()));
  const RequestHeader header = header_of(attempt);
  CHECK(header.route == Route::direct);
  CHECK(header.shard == s2);
  CHECK(header.patience_ms == 5000);
}

TEST_CASE("the answer to a batch of one shard is passed back byte by byte (design §9)") {
  Bench bench;
  bench.submit(Bench::transfers({{1, account_in(s1)}, {2, account_in(s1)}}));
  Reply reply;
  reply.shard = s1;
  reply.leader = n2;
  reply.body = TransfersReply{{{Outcome::success, true, s1, Position{4}, Stamp{5}, s2, Position{6}, Stamp{7}},
                               {Outcome::insufficient_funds, false, s1, Position{8}, Stamp{9}, {}, {}, {}}}};
  const auto attempt = bench.attempt();
  bench.say(attempt, reply);
  REQUIRE(bench.out.done.size() == 1);
  CHECK(bench.out.done.front().reply == encode(reply));
  CHECK(bench.router.outstanding() == 0);
}

TEST_CASE("a batch is split by the shard of each home account and merged in its own order (design §8)") {
  Bench bench;
  bench.submit(
      Bench::transfers({{1, account_in(s1)}, {2, account_in(s2)}, {3, account_in(s2, 1)}, {4, account_in(s1, 1)}}));
  const auto attempts = bench.attempts();
  REQUIRE(attempts.size() == 2);
  CHECK(header_of(attempts[0]).shard == s1);
  CHECK(ids_of(attempts[0]) == std::vector{id_of(1), id_of(4)});
  CHECK(header_of(attempts[1]).shard == s2);
  CHECK(ids_of(attempts[1]) == std::vector{id_of(2), id_of(3)});
  bench.say_items(attempts[1], {Outcome::insufficient_funds, Outcome::success});
  CHECK(bench.quiet());
  bench.say_items(attempts[0], {Outcome::success, Outcome::account_not_found});
  CHECK(bench.told_outcomes() ==
        Outcomes{Outcome::success, Outcome::insufficient_funds, Outcome::success, Outcome::account_not_found});
}

TEST_CASE("a deposit goes to the shard of its credit account (design §7)") {
  Bench bench;
  Request request;
  const std::string account = account_in(s2);
  request.body = TransfersRequest{{{TransferOperation::deposit, currency_of("USD"), 1, id_of(1), "", account}}};
  bench.submit(encode(request));
  CHECK(header_of(bench.attempt()).shard == s2);
}

TEST_CASE("the known leader is asked first (design §8)") {
  for (const NodeId leader : {n1, n2, n3}) {
    Bench bench;
    teach(bench, leader);
    bench.submit(Bench::transfer());
    CHECK(bench.attempt().to == leader);
  }
}

TEST_CASE("a node that succeeded is remembered as the leader (design §8)") {
  Bench bench;
  bench.submit(Bench::transfer());
  const auto first = bench.attempt();
  bench.say_items(first, {Outcome::success});
  for (int again = 0; again < 4; ++again) {
    bench.submit(Bench::transfer(), 2);
    const auto next = bench.attempt();
    CHECK(next.to == first.to);
    bench.say_items(next, {Outcome::success});
    bench.out.done.clear();
  }
}

TEST_CASE("a node that points to another leader has that one asked at once (design §8: leader hint)") {
  Bench bench;
  teach(bench, n1);
  bench.submit(Bench::transfer());
  const auto first = bench.attempt();
  bench.say_status(first, Outcome::not_leader, n3);
  const auto second = bench.attempt();
  CHECK(second.to == n3);
  CHECK(ids_of(second) == ids_of(first));
  CHECK(second.attempt != first.attempt);
  bench.say_items(second, {Outcome::success});
  CHECK(bench.told_outcomes() == Outcomes{Outcome::success});
}

TEST_CASE("a hint learned by one request serves the next (design §8: leader hint)") {
  Bench bench;
  teach(bench, n1);
  bench.submit(Bench::transfer());
  bench.say_status(bench.attempt(), Outcome::not_leader, n3);
  bench.submit(Bench::transfer(), 2);
  CHECK(bench.attempts().back().to == n3);
}

TEST_CASE(
    "hints that lead in circles are left after a few hops, and a node outside is asked after a rest (design §8)") {
  Bench bench;
  teach(bench, n1);
  bench.submit(Bench::transfer());
  auto attempt = bench.attempt();
  int hops = 0;
  for (;; ++hops) {
    bench.say_status(attempt, Outcome::not_leader, attempt.to == n1 ? n2 : n1);
    auto next = bench.attempts();
    if (next.empty()) {
      break;
    }
    REQUIRE(hops < 10);
    attempt = next.front();
  }
  CHECK(hops == 3);
  CHECK(attempt.to == n2);
  bench.pass(milliseconds(20));
  CHECK(bench.attempt().to == n3);
}

TEST_CASE("a node without a hint has the next one asked after a rest (design §8)") {
  for (const Outcome status : {Outcome::not_leader, Outcome::no_leader, Outcome::wrong_shard, Outcome::draining}) {
    Bench bench;
    teach(bench, n1);
    bench.submit(Bench::transfer());
    bench.say_status(bench.attempt(), status);
    CHECK(bench.attempts().empty());
    bench.pass(milliseconds(9));
    CHECK(bench.attempts().empty());
    bench.pass(milliseconds(11));
    CHECK(bench.attempt().to == n2);
  }
}

TEST_CASE("an overloaded leader is asked again after a rest (api: 503 overloaded)") {
  Bench bench;
  teach(bench, n2);
  bench.submit(Bench::transfer());
  bench.say_status(bench.attempt(), Outcome::overloaded);
  CHECK(bench.attempts().empty());
  bench.pass(milliseconds(20));
  CHECK(bench.attempt().to == n2);
}

TEST_CASE("a leader that puts a capture off is asked again after a rest, and is the leader still (rule D5)") {
  Bench bench;
  teach(bench, n2);
  bench.submit(Bench::capture_hold());
  bench.say_status(bench.attempt(), Outcome::account_busy, nobody, RequestKind::capture_hold);
  CHECK(bench.attempts().empty());
  bench.submit(Bench::transfer(), 2);
  CHECK(bench.attempt().to == n2);
  bench.pass(milliseconds(20));
  CHECK(bench.attempt().to == n2);
}

TEST_CASE("a leader learned during the rest is asked after it (design §8: leader hint)") {
  Bench bench;
  teach(bench, n1);
  bench.submit(Bench::transfer());
  bench.say_status(bench.attempt(), Outcome::no_leader);
  teach(bench, n3);
  bench.pass(milliseconds(20));
  CHECK(bench.attempt().to == n3);
}

TEST_CASE("rests double up to sixteen times the first, and all nodes are asked in turn (design §8)") {
  Bench bench;
  teach(bench, n1);
  bench.submit(Bench::transfer(60'000));
  std::set<NodeId> asked;
  for (int round = 0; round < 8; ++round) {
    const auto attempt = bench.attempt();
    asked.insert(attempt.to);
    bench.say_status(attempt, Outcome::no_leader);
    const Duration rest = bench.router.wake_at() - bench.now;
    const Duration full = milliseconds(20) * (1 << std::min(round, 4));
    CHECK(rest <= full);
    CHECK(rest >= full / 2);
    bench.pass(rest);
  }
  CHECK(asked == std::set{n1, n2, n3});
}

TEST_CASE("the patience passed on is what remains (docs/FORMATS.md, Client protocol)") {
  Bench bench;
  bench.submit(Bench::transfer(5000));
  bench.say_status(bench.attempt(), Outcome::no_leader);
  const Instant wake = bench.router.wake_at();
  const Duration rest = wake - bench.now;
  bench.pass(rest);
  const auto left = header_of(bench.attempt()).patience_ms;
  CHECK(left == static_cast<std::uint32_t>((seconds(5) - rest + nanoseconds(999'999)).millis()));
}

TEST_CASE("an attempt that times out is made again at another node with the same ids (design §8)") {
  Bench bench;
  teach(bench, n2);
  bench.submit(Bench::transfer());
  const auto first = bench.attempt();
  bench.pass(milliseconds(999));
  CHECK(bench.attempts().empty());
  bench.pass(milliseconds(1));
  const auto second = bench.attempt();
  CHECK(second.to == n3);
  CHECK(ids_of(second) == ids_of(first));
  CHECK(bench.traced(TraceKind::request_retried) == 1);
}

TEST_CASE("a node that answers others is not left for one impatient request (design §8)") {
  Bench bench;
  teach(bench, n2);
  bench.submit(Bench::transfer(500), 1);
  bench.submit(Bench::transfer(5000), 2);
  const auto attempts = bench.attempts();
  REQUIRE(attempts.size() == 2);
  bench.pass(milliseconds(100));
  bench.say_items(attempts[1], {Outcome::success});
  CHECK(bench.told(2).status == Outcome::success);
  bench.pass(milliseconds(400));
  REQUIRE(bench.told_outcomes() == Outcomes{Outcome::unknown});
  bench.submit(Bench::transfer(500), 3);
  CHECK(bench.attempt().to == n2);
}

TEST_CASE("requests less patient than an attempt still learn that a node does not answer (design §8)") {
  const Mode mode = GENERATE(Mode::to_leaders, Mode::to_proxies);
  Bench bench(mode);
  if (mode == Mode::to_leaders) teach(bench, n2);
  bench.submit(Bench::transfer(500));
  const NodeId asked = bench.attempt().to;
  bench.pass(milliseconds(500));
  REQUIRE(bench.told_outcomes() == Outcomes{Outcome::unknown});
  bench.submit(Bench::transfer(500));
  CHECK(bench.attempt().to != asked);
}

TEST_CASE("a hint to the node that just timed out is not followed at once (design §8: leader hint)") {
  Bench bench;
  teach(bench, n2);
  bench.submit(Bench::transfer());
  bench.attempt();
  bench.pass(milliseconds(1000));
  bench.say_status(bench.attempt(), Outcome::not_leader, n2);
  CHECK(bench.attempts().empty());
  bench.pass(milliseconds(20));
  CHECK(bench.attempt().to == n1);
}

TEST_CASE("attempts under way to a node whose link broke are made again elsewhere, with the same ids (design §8)") {
  Bench bench;
  teach(bench, n1);
  bench.submit(Bench::transfer());
  const auto first = bench.attempt();
  bench.router.on_disconnect(bench.now, n3, bench.out);
  CHECK(bench.attempts().empty());
  bench.router.on_disconnect(bench.now, n1, bench.out);
  const auto second = bench.attempt();
  CHECK(second.to == n2);
  CHECK(ids_of(second) == ids_of(first));
}

TEST_CASE("a node whose link broke is passed over for a while, until it answers (design §8)") {
  Bench bench;
  teach(bench, n1);
  bench.router.on_disconnect(bench.now, n1, bench.out);
  for (Ticket ticket = 1; ticket <= 4; ++ticket) {
    bench.submit(Bench::transfer(), ticket);
    CHECK(bench.attempt().to != n1);
  }
  bench.pass(milliseconds(1000));
  bench.out = {};
  teach(bench, n1);
  bench.submit(Bench::transfer(), 9);
  CHECK(bench.attempt().to == n1);
}

TEST_CASE("a link that breaks again and again does not make a storm of attempts (design §9: limits)") {
  Bench bench;
  bench.submit(Bench::transfer());
  for (int round = 0; round < 50; ++round) {
    for (const NodeId node : {n1, n2, n3}) {
      bench.router.on_disconnect(bench.now, node, bench.out);
    }
  }
  CHECK(bench.attempts().size() <= 4);
}

TEST_CASE("only items without a final answer are sent again (core/router/request_parts.h)") {
  Bench bench;
  teach(bench, n1);
  bench.submit(Bench::transfers({{1, account_in(s1)}, {2, account_in(s1)}, {3, account_in(s1)}, {4, account_in(s1)}}));
  bench.say_items(bench.attempt(),
                  {Outcome::success, Outcome::overloaded, Outcome::account_not_found, Outcome::in_flight});
  CHECK(bench.quiet());
  bench.pass(milliseconds(20));
  const auto second = bench.attempt();
  CHECK(ids_of(second) == std::vector{id_of(2), id_of(4)});
  bench.say_items(second, {Outcome::insufficient_funds, Outcome::success}, true);
  const Reply reply = bench.told();
  const auto& results = std::get<TransfersReply>(reply.body).results;
  REQUIRE(results.size() == 4);
  CHECK(results[0].outcome == Outcome::success);
  CHECK(results[1].outcome == Outcome::insufficient_funds);
  CHECK(results[2].outcome == Outcome::account_not_found);
  CHECK(results[3].outcome == Outcome::success);
  CHECK_FALSE(results[0].replayed);
  CHECK(results[1].replayed);
  CHECK(results[1].position == Position{second.attempt});
}

TEST_CASE("replies to nothing that is outstanding are ignored (core/router/router.h)") {
  Bench bench;
  bench.submit(Bench::transfer());
  const auto attempt = bench.attempt();
  RouterOutput::Attempt stranger = attempt;
  stranger.attempt += 1000;
  bench.say_items(stranger, {Outcome::success});
  CHECK(bench.quiet());
  bench.say_items(attempt, {Outcome::success});
  CHECK(bench.told_outcomes() == Outcomes{Outcome::success});
  bench.say_items(attempt, {Outcome::insufficient_funds});
  CHECK(bench.quiet());
}

TEST_CASE("attempts after a restart have other numbers, so that late replies to the old ones miss (core/router)") {
  const RouterConfig config{Mode::to_leaders, {n1}, milliseconds(1000)};
  RouterOutput before;
  RouterOutput after;
  Router(config, two_shards(), Prng(1)).submit(Instant{}, 1, Bench::transfer(), before);
  Router(config, two_shards(), Prng(2)).submit(Instant{}, 1, Bench::transfer(), after);
  CHECK(before.attempts.at(0).attempt != after.attempts.at(0).attempt);
}

TEST_CASE("opening an account goes to its shard and is answered as told (api: accounts)") {
  Bench bench;
  bench.submit(Bench::open_account());
  const auto attempt = bench.attempt();
  CHECK(header_of(attempt).shard == s1);
  bench.say_success(attempt, RequestKind::open_account, OpenAccountReply{true, Position{3}});
  CHECK(std::get<OpenAccountReply>(bench.told().body).already);
}

TEST_CASE("a linearizable balance is asked of the leader, an eventual one of any node in turn (api: reads)") {
  Bench bench;
  teach(bench, n1);
  std::set<NodeId> asked;
  for (Ticket ticket = 1; ticket <= 3; ++ticket) {
    bench.submit(Bench::balance(Consistency::linearizable), ticket);
    CHECK(bench.attempt().to == n1);
    bench.submit(Bench::balance(Consistency::eventual), ticket + 10);
    const auto attempt = bench.attempt();
    CHECK(header_of(attempt).route == Route::direct);
    CHECK(header_of(attempt).shard == s1);
    asked.insert(attempt.to);
  }
  CHECK(asked == std::set{n1, n2, n3});
}

TEST_CASE("a transfer's status is asked of the account's shard (api: transfer status)") {
  Bench bench;
  bench.submit(Bench::status_of(account_in(s2)));
  const auto attempt = bench.attempt();
  CHECK(header_of(attempt).shard == s2);
  bench.say_status(attempt, Outcome::transfer_not_found, nobody, RequestKind::transfer_status);
  CHECK(bench.told().status == Outcome::transfer_not_found);
}

TEST_CASE(
    "without an account all shards are asked for a transfer, and the first that knows it answers (api: transfer "
    "status)") {
  Bench bench;
  bench.submit(Bench::status_of());
  const auto attempts = bench.attempts();
  REQUIRE(attempts.size() == 2);
  bench.say_status(attempts[0], Outcome::transfer_not_found, nobody, RequestKind::transfer_status);
  CHECK(bench.quiet());
  TransferStatusReply found;
  found.result.outcome = Outcome::success;
  found.result.shard = s2;
  bench.say_success(attempts[1], RequestKind::transfer_status, found);
  CHECK(std::get<TransferStatusReply>(bench.told().body).result.shard == s2);
}

TEST_CASE("a transfer is not found only when every shard has said so (api: never empty where unable to answer)") {
  Bench bench;
  SECTION("all said so") {
    bench.submit(Bench::status_of());
    for (const auto& attempt : bench.attempts()) {
      CHECK(bench.quiet());
      bench.say_status(attempt, Outcome::transfer_not_found, nobody, RequestKind::transfer_status);
    }
    CHECK(bench.told().status == Outcome::transfer_not_found);
  }
  SECTION("one may have had it, and cannot say without the account") {
    const Outcome why = GENERATE(Outcome::id_expired, Outcome::id_is_numbered);
    bench.submit(Bench::status_of());
    const auto attempts = bench.attempts();
    bench.say_status(attempts[0], why, nobody, RequestKind::transfer_status);
    CHECK(bench.quiet());
    bench.say_status(attempts[1], Outcome::transfer_not_found, nobody, RequestKind::transfer_status);
    CHECK(bench.told().status == why);
  }
  SECTION("one did not") {
    bench.submit(Bench::status_of());
    bench.say_status(bench.attempts().front(), Outcome::transfer_not_found, nobody, RequestKind::transfer_status);
    bench.pass(seconds(5));
    CHECK(bench.told().status == Outcome::no_leader);
  }
}

TEST_CASE("a trial balance of all shards is their rows in order (api: trial balance)") {
  Bench bench;
  bench.submit(Bench::request(RequestKind::trial_balance, TrialBalanceRequest{}));
  const auto attempts = bench.attempts();
  REQUIRE(attempts.size() == 2);
  CHECK(header_of(attempts[0]).shard == s1);
  CHECK(header_of(attempts[1]).shard == s2);
  bench.say_success(attempts[1], RequestKind::trial_balance,
                    TrialBalanceReply{{{s2, currency_of("USD"), 5, -5, 0}, {s2, currency_of("EUR"), 1, 0, -1}}});
  CHECK(bench.quiet());
  bench.say_success(attempts[0], RequestKind::trial_balance, TrialBalanceReply{{{s1, currency_of("USD"), 7, -7, 0}}});
  const Reply reply = bench.told();
  const auto& rows = std::get<TrialBalanceReply>(reply.body).rows;
  REQUIRE(rows.size() == 3);
  CHECK(rows[0].shard == s1);
  CHECK(rows[1].shard == s2);
  CHECK(rows[2].shard == s2);
  CHECK(rows[0].customers + rows[1].customers + rows[2].customers == 13);
}

TEST_CASE("a trial balance that misses a shard is not told (api: never empty where unable to answer)") {
  Bench bench;
  bench.submit(Bench::request(RequestKind::trial_balance, TrialBalanceRequest{}));
  bench.say_success(bench.attempts()[0], RequestKind::trial_balance, TrialBalanceReply{});
  bench.pass(seconds(5));
  CHECK(bench.told().status == Outcome::no_leader);
}

TEST_CASE(
    "a trial balance of one shard is asked there only; of none that exists it is malformed (api: trial balance)") {
  Bench bench;
  bench.submit(Bench::request(RequestKind::trial_balance, TrialBalanceRequest{}, s2));
  CHECK(header_of(bench.attempt()).shard == s2);
  bench.submit(Bench::request(RequestKind::trial_balance, TrialBalanceRequest{}, ShardId{9}), 2);
  CHECK(bench.told(2).status == Outcome::malformed);
}

TEST_CASE("a plain client sends the whole request to one proxy and stays with it (design §8)") {
  Bench bench(Mode::to_proxies);
  const Bytes body = Bench::transfers({{1, account_in(s1)}, {2, account_in(s2)}});
  bench.submit(body);
  const auto first = bench.attempt();
  CHECK(first.body == body);
  bench.say_items(first, {Outcome::success, Outcome::account_not_found});
  CHECK(bench.told_outcomes() == Outcomes{Outcome::success, Outcome::account_not_found});
  for (int again = 0; again < 3; ++again) {
    bench.submit(body);
    const auto next = bench.attempt();
    CHECK(next.to == first.to);
    bench.say_items(next, {Outcome::success, Outcome::success});
    bench.out.done.clear();
  }
}

TEST_CASE("a plain client goes to another proxy after a time-out, a broken link or an unknown (design §8)") {
  Bench bench(Mode::to_proxies);
  bench.submit(Bench::transfer());
  const auto first = bench.attempt();
  SECTION("time-out") {
    bench.pass(milliseconds(1000));
    CHECK(bench.quiet());
  }
  SECTION("broken link") {
    bench.router.on_disconnect(bench.now, first.to, bench.out);
    CHECK(bench.quiet());
  }
  SECTION("unknown") {
    bench.say_items(first, {Outcome::unknown});
    CHECK(bench.quiet());
    bench.pass(milliseconds(20));
  }
  const auto second = bench.attempt();
  CHECK(second.to != first.to);
  CHECK(ids_of(second) == ids_of(first));
  CHECK(header_of(second).route == Route::proxied);
  bench.submit(Bench::transfer(), 2);
  CHECK(bench.attempt().to == second.to);
}

TEST_CASE("routing, retrying and giving up leave traces (core/base/trace.h)") {
  Bench bench;
  bench.submit(Bench::transfers({{1, account_in(s1)}, {2, account_in(s2)}}, 1500), 42);
  CHECK(bench.traced(TraceKind::request_routed) == 2);
  bench.pass(milliseconds(1500));
  CHECK(bench.traced(TraceKind::request_retried) == 2);
  CHECK(bench.traced(TraceKind::request_unknown) == 1);
  for (const TraceEvent& event : bench.out.trace) {
    CHECK(event.b == 42);
  }
  CHECK(bench.out.trace.front().transfer == id_of(1));
}

}  // namespace
}  // namespace coffer::router
