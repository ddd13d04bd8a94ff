// What the router may tell: an answer only when no other attempt can still change it, and at the deadline exactly what
// is certain. Rules: core/router/request_parts.h; api, "Outcomes: definite or unknown".
#include <catch2/catch.hpp>

#include "tests/core/router/router_bench.h"

namespace coffer::router {
namespace {

using Outcomes = std::vector<Outcome>;

constexpr Outcome logged_outcomes[] = {
    Outcome::success,           Outcome::insufficient_funds, Outcome::credit_account_not_found,
    Outcome::currency_mismatch, Outcome::balance_overflow,   Outcome::account_frozen,
    Outcome::account_closed,    Outcome::limit_exceeded,     Outcome::account_locked};
/// Refusals that no attempt can ever turn into success.
constexpr Outcome hopeless_outcomes[] = {Outcome::same_account, Outcome::malformed, Outcome::reserved_account,
                                         Outcome::idempotency_payload_mismatch};

/// A transfer whose first attempt has timed out; its second is returned with the first.
std::pair<RouterOutput::Attempt, RouterOutput::Attempt> after_time_out(Bench& bench, const Bytes& request) {
  bench.submit(request);
  auto first = bench.attempt();
  bench.pass(milliseconds(1000));
  return {std::move(first), bench.attempt()};
}

TEST_CASE("logged outcomes are final, also after a time-out (api: outcomes)") {
  for (const Outcome outcome : logged_outcomes) {
    Bench bench;
    const auto [first, second] = after_time_out(bench, Bench::transfer());
    bench.say_items(second, {outcome});
    CHECK(bench.told_outcomes() == Outcomes{outcome});
  }
}

TEST_CASE("a late reply with logged outcomes is welcome while the request runs (api: outcomes)") {
  for (const Outcome outcome : logged_outcomes) {
    Bench bench;
    const auto [first, second] = after_time_out(bench, Bench::transfer());
    bench.say_items(first, {outcome});
    CHECK(bench.told_outcomes() == Outcomes{outcome});
    bench.say_items(second, {outcome});
    CHECK(bench.quiet());
  }
}

TEST_CASE("refusals of the request as such are final whatever became of other attempts (core/router/request_parts.h)") {
  for (const Outcome outcome : hopeless_outcomes) {
    Bench bench;
    const auto [first, second] = after_time_out(bench, Bench::transfer());
    bench.say_items(second, {outcome});
    CHECK(bench.told_outcomes() == Outcomes{outcome});
  }
}

TEST_CASE("account_not_found is told at once when no other attempt was made (api: outcomes)") {
  Bench bench;
  bench.submit(Bench::transfer());
  bench.say_items(bench.attempt(), {Outcome::account_not_found});
  CHECK(bench.told_outcomes() == Outcomes{Outcome::account_not_found});
}

TEST_CASE("account_not_found is told when all earlier attempts were certainly not executed (api: outcomes)") {
  Bench bench;
  bench.submit(Bench::transfer());
  bench.say_status(bench.attempt(), Outcome::no_leader);
  bench.pass(milliseconds(20));
  bench.say_items(bench.attempt(), {Outcome::account_not_found});
  CHECK(bench.told_outcomes() == Outcomes{Outcome::account_not_found});
}

TEST_CASE("account_not_found is never passed on while another attempt may still arrive (design §8)") {
  Bench bench;
  bench.router.hint(s1, n1);
  const auto [first, second] = after_time_out(bench, Bench::transfer());
  bench.say_items(second, {Outcome::account_not_found});
  CHECK(bench.quiet());
  SECTION("it is asked again until the deadline, then unknown") {
    for (int round = 0; round < 100 && bench.quiet(); ++round) {
      for (const auto& attempt : bench.attempts()) {
        bench.say_items(attempt, {Outcome::account_not_found});
      }
      bench.pass(milliseconds(50));
    }
    CHECK(bench.told_outcomes() == Outcomes{Outcome::unknown});
  }
  SECTION("the other attempt turns out to have executed") {
    bench.say_items(first, {Outcome::success});
    CHECK(bench.told_outcomes() == Outcomes{Outcome::success});
  }
  SECTION("once the other attempt is known not to have executed, it is told") {
    bench.say_status(first, Outcome::not_leader);
    CHECK(bench.quiet());
    bench.pass(milliseconds(40));
    bench.say_items(bench.attempt(), {Outcome::account_not_found});
    CHECK(bench.told_outcomes() == Outcomes{Outcome::account_not_found});
  }
}

TEST_CASE("a final answer is never replaced by a later one (core/router/request_parts.h)") {
  Bench bench;
  const auto [first, second] = after_time_out(bench, Bench::transfers({{1, account_in(s1)}, {2, account_in(s1)}}));
  bench.say_items(second, {Outcome::success, Outcome::overloaded}, true);
  bench.say_items(first, {Outcome::success, Outcome::success}, false);
  const Reply reply = bench.told();
  const auto& results = std::get<TransfersReply>(reply.body).results;
  REQUIRE(results.size() == 2);
  CHECK(results[0].replayed);
  CHECK(results[0].position == Position{second.attempt});
  CHECK_FALSE(results[1].replayed);
  CHECK(results[1].position == Position{first.attempt});
}

TEST_CASE("an attempt cut off by a broken link may have executed (design §8)") {
  Bench bench;
  bench.submit(Bench::transfer());
  const auto first = bench.attempt();
  bench.router.on_disconnect(bench.now, first.to, bench.out);
  bench.say_items(bench.attempt(), {Outcome::account_not_found});
  CHECK(bench.quiet());
  bench.pass(seconds(5));
  CHECK(bench.told_outcomes() == Outcomes{Outcome::unknown});
}

TEST_CASE("a leader that lost its entry leaves doubt over the items it said unknown of, and no others (design §4)") {
  Bench bench;
  bench.submit(Bench::transfers({{1, account_in(s1)}, {2, account_in(s1)}, {3, account_in(s1)}}));
  bench.say_items(bench.attempt(), {Outcome::unknown, Outcome::account_not_found, Outcome::overloaded});
  CHECK(bench.quiet());
  bench.pass(milliseconds(20));
  const auto second = bench.attempt();
  CHECK(ids_of(second) == std::vector{id_of(1), id_of(3)});
  bench.say_items(second, {Outcome::account_not_found, Outcome::account_not_found});
  CHECK(bench.quiet());
  bench.pass(seconds(1));
  for (const auto& attempt : bench.attempts()) {
    CHECK(ids_of(attempt) == std::vector{id_of(1)});
  }
  bench.pass(seconds(5));
  CHECK(bench.told_outcomes() == Outcomes{Outcome::unknown, Outcome::account_not_found, Outcome::account_not_found});
}

TEST_CASE("unknown is asked again with the same id and may become definite (api: outcomes)") {
  Bench bench;
  bench.submit(Bench::transfer());
  const auto first = bench.attempt();
  bench.say_items(first, {Outcome::unknown});
  bench.pass(milliseconds(20));
  const auto second = bench.attempt();
  CHECK(ids_of(second) == ids_of(first));
  bench.say_items(second, {Outcome::success}, true);
  CHECK(bench.told_outcomes() == Outcomes{Outcome::success});
}

TEST_CASE("at the deadline a transfer that was never taken is told as certainly not executed (api: 503)") {
  struct Row {
    Outcome said;
    Outcome told;
  };
  const Row rows[] = {{Outcome::not_leader, Outcome::no_leader},  {Outcome::no_leader, Outcome::no_leader},
                      {Outcome::wrong_shard, Outcome::no_leader}, {Outcome::draining, Outcome::no_leader},
                      {Outcome::overloaded, Outcome::overloaded}, {Outcome::in_flight, Outcome::in_flight}};
  for (const Row& row : rows) {
    for (const bool item_by_item : {false, true}) {
      Bench bench;
      bench.submit(Bench::transfer(500));
      while (bench.quiet()) {
        for (const auto& attempt : bench.attempts()) {
          if (item_by_item) {
            bench.say_items(attempt, {row.said});
          } else {
            bench.say_status(attempt, row.said);
          }
        }
        bench.pass(milliseconds(5));
      }
      INFO(static_cast<int>(row.said));
      CHECK(bench.told_outcomes() == Outcomes{row.told});
      CHECK(bench.traced(TraceKind::request_unknown) == 0);
    }
  }
}

TEST_CASE("at the deadline a transfer that may have been executed is unknown (api: 504)") {
  Bench bench;
  SECTION("its only attempt is under way") {
    bench.submit(Bench::transfer(500));
    CHECK(bench.attempts().size() == 1);
  }
  SECTION("an earlier attempt timed out, later ones were refused") {
    const auto [first, second] = after_time_out(bench, Bench::transfer(1500));
    bench.say_status(second, Outcome::no_leader);
    CHECK(bench.quiet());
  }
  SECTION("an earlier attempt said unknown, later ones were refused") {
    bench.submit(Bench::transfer(100));
    bench.say_items(bench.attempt(), {Outcome::unknown});
    CHECK(bench.quiet());
  }
  SECTION("the whole request was said to be unknown") {
    bench.submit(Bench::transfer(100));
    bench.say_status(bench.attempt(), Outcome::unknown);
    CHECK(bench.quiet());
  }
  SECTION("a reply made no sense") {
    bench.submit(Bench::transfer(100));
    bench.say_items(bench.attempt(), {Outcome::success, Outcome::success});
    CHECK(bench.quiet());
  }
  SECTION("more attempts were lost than are remembered") {
    bench.submit(Bench::transfer(40'000));
    bench.pass(seconds(30));
    CHECK(bench.out.attempts.size() > 16);
  }
  while (bench.quiet()) {
    for (const auto& attempt : bench.attempts()) {
      bench.say_status(attempt, Outcome::no_leader);
    }
    bench.pass(milliseconds(1));
  }
  CHECK(bench.told_outcomes() == Outcomes{Outcome::unknown});
  CHECK(bench.traced(TraceKind::request_unknown) == 1);
  CHECK(bench.router.outstanding() == 0);
  CHECK(bench.router.wake_at() == never);
}

TEST_CASE("the deadline is the patience after the arrival, to the nanosecond (core/router/router.h)") {
  Bench bench;
  bench.submit(Bench::transfer(700));
  bench.pass(milliseconds(700) - nanoseconds(1));
  CHECK(bench.quiet());
  bench.pass(nanoseconds(1));
  CHECK(bench.told_outcomes() == Outcomes{Outcome::unknown});
}

TEST_CASE("a shard that fails leaves the answers of the others as they are (design §8)") {
  Bench bench;
  bench.submit(Bench::transfers({{1, account_in(s1)}, {2, account_in(s2)}}));
  bench.say_items(bench.attempts()[0], {Outcome::success});
  bench.pass(seconds(5));
  CHECK(bench.told_outcomes() == Outcomes{Outcome::success, Outcome::unknown});
}

TEST_CASE("a read that times out is no_leader, never unknown: it executes nothing (api: 503)") {
  for (const Consistency consistency : {Consistency::linearizable, Consistency::eventual}) {
    Bench bench;
    bench.submit(Bench::balance(consistency));
    bench.pass(seconds(5));
    CHECK(bench.told().status == Outcome::no_leader);
    CHECK(bench.traced(TraceKind::request_unknown) == 0);
  }
}

TEST_CASE("what one attempt of a read says stands on its own (api: reads)") {
  Bench bench;
  const auto [first, second] = after_time_out(bench, Bench::balance(Consistency::linearizable));
  bench.say_status(second, Outcome::account_not_found, nobody, RequestKind::balance);
  CHECK(bench.told().status == Outcome::account_not_found);
}

TEST_CASE("a read answered with unknown is asked again (api: reads)") {
  Bench bench;
  bench.submit(Bench::balance(Consistency::linearizable));
  bench.say_status(bench.attempt(), Outcome::unknown, nobody, RequestKind::balance);
  bench.pass(milliseconds(20));
  bench.say_success(bench.attempt(), RequestKind::balance, BalanceReply{5, 0, s1, Position{1}, Stamp{1}});
  CHECK(std::get<BalanceReply>(bench.told().body).balance == 5);
}

TEST_CASE("opening an account is unknown at the deadline only if an attempt may have executed (api: outcomes)") {
  Bench bench;
  SECTION("under way") {
    bench.submit(Bench::open_account());
    bench.pass(seconds(5));
    CHECK(bench.told().status == Outcome::unknown);
  }
  SECTION("refused") {
    bench.submit(Bench::open_account());
    while (bench.quiet()) {
      for (const auto& attempt : bench.attempts()) {
        bench.say_status(attempt, Outcome::overloaded, nobody, RequestKind::open_account);
      }
      bench.pass(milliseconds(5));
    }
    CHECK(bench.told().status == Outcome::overloaded);
  }
  SECTION("a definite answer after a time-out") {
    const auto [first, second] = after_time_out(bench, Bench::open_account());
    bench.say_status(second, Outcome::reserved_account, nobody, RequestKind::open_account);
    CHECK(bench.told().status == Outcome::reserved_account);
  }
}

TEST_CASE(
    "that an id has expired is final whoever says it; that it is of the future speaks for its attempt (decision 12)") {
  Bench bench;
  const auto [first, second] = after_time_out(bench, Bench::close_account());
  SECTION("expired") {
    bench.say_status(second, Outcome::id_expired, nobody, RequestKind::change_account);
    CHECK(bench.told().status == Outcome::id_expired);
  }
  SECTION("of the future") {
    bench.say_status(second, Outcome::id_in_future, nobody, RequestKind::change_account);
    CHECK(bench.quiet());
    bench.say_success(first, RequestKind::change_account, ChangeAccountReply{false, Position{3}});
    CHECK(bench.told().status == Outcome::success);
  }
}

TEST_CASE("a gap speaks for its attempt, and keeps the number it names on its way through a proxy (decision 12)") {
  Bench bench;
  TransferResult gap;
  gap.outcome = Outcome::id_gap;
  gap.shard = s1;
  gap.position = Position(41);  // the number that is expected
  SECTION("while no other attempt can arrive") {
    bench.submit(Bench::transfer());
    bench.say_success(bench.attempt(), RequestKind::transfers, TransfersReply{{gap}});
    const Reply told = bench.told();
    const TransferResult& result = std::get<TransfersReply>(told.body).results.front();
    CHECK(result.outcome == Outcome::id_gap);
    CHECK(result.position == Position(41));
  }
  SECTION("beside the answers of other items") {
    bench.submit(Bench::transfers({{1, account_in(s1)}, {2, account_in(s2)}}));
    for (const auto& attempt : bench.attempts()) {
      bench.say_success(attempt, RequestKind::transfers, TransfersReply{{gap}});
    }
    const Reply told = bench.told();
    for (const TransferResult& result : std::get<TransfersReply>(told.body).results) {
      CHECK(result.outcome == Outcome::id_gap);
      CHECK(result.position == Position(41));
    }
  }
  SECTION("after a time-out: the first attempt may come when the number before is there") {
    const auto [first, second] = after_time_out(bench, Bench::transfer());
    bench.say_success(second, RequestKind::transfers, TransfersReply{{gap}});
    CHECK(bench.quiet());
    bench.say_items(first, {Outcome::success});
    CHECK(bench.told_outcomes() == Outcomes{Outcome::success});
  }
}

TEST_CASE("a close refused as not empty is told only when no earlier attempt may still close it (design §8)") {
  Bench bench;
  SECTION("alone") {
    bench.submit(Bench::close_account());
    bench.say_status(bench.attempt(), Outcome::account_not_empty, nobody, RequestKind::change_account);
    CHECK(bench.told().status == Outcome::account_not_empty);
  }
  SECTION("an earlier attempt is open") {
    const auto [first, second] = after_time_out(bench, Bench::close_account());
    bench.say_status(second, Outcome::account_not_empty, nobody, RequestKind::change_account);
    CHECK(bench.quiet());
    bench.say_success(first, RequestKind::change_account, ChangeAccountReply{false, Position{3}});
    CHECK(bench.told().status == Outcome::success);
  }
  SECTION("closed is for ever, whoever says so") {
    const auto [first, second] = after_time_out(bench, Bench::close_account());
    bench.say_status(second, Outcome::account_closed, nobody, RequestKind::change_account);
    CHECK(bench.told().status == Outcome::account_closed);
  }
  SECTION("at the deadline it is unknown if an attempt may have executed") {
    bench.submit(Bench::close_account());
    bench.pass(seconds(5));
    CHECK(bench.told().status == Outcome::unknown);
  }
}

TEST_CASE(
    "a request about a hold goes to the leader of its account's shard, with the hold's id in its trace (design §8)") {
  for (const Bytes& request : {Bench::place_hold(), Bench::capture_hold(), Bench::void_hold(), Bench::show_hold()}) {
    Bench bench;
    bench.router.hint(s1, n2);
    bench.router.hint(s2, n3);
    bench.submit(request);
    const auto attempt = bench.attempt();
    CHECK(attempt.to == n2);
    CHECK(header_of(attempt).route == Route::direct);
    CHECK(header_of(attempt).shard == s1);
    REQUIRE(bench.out.trace.size() == 1);
    CHECK(bench.out.trace.front().transfer == id_of(5));
  }
}

TEST_CASE("what the log says of a hold placed or captured is final, also after a time-out (api: outcomes)") {
  for (const Outcome outcome : logged_outcomes) {
    Bench placing;
    const auto [lost_place, place] = after_time_out(placing, Bench::place_hold());
    placing.say_success(place, RequestKind::place_hold, Bench::placed(outcome));
    CHECK(std::get<PlaceHoldReply>(placing.told().body).result.outcome == outcome);
    Bench capturing;
    const auto [lost_capture, capture] = after_time_out(capturing, Bench::capture_hold());
    capturing.say_success(capture, RequestKind::capture_hold, Bench::captured(outcome));
    CHECK(std::get<CaptureHoldReply>(capturing.told().body).result.outcome == outcome);
  }
}

TEST_CASE("how a hold ended is final whatever became of other attempts: it ends once (PROTOCOLS, Holds)") {
  for (const Outcome outcome : {Outcome::hold_captured, Outcome::hold_voided, Outcome::hold_expired,
                                Outcome::hold_exceeded, Outcome::idempotency_payload_mismatch}) {
    Bench capturing;
    const auto [lost_capture, capture] = after_time_out(capturing, Bench::capture_hold());
    capturing.say_status(capture, outcome, nobody, RequestKind::capture_hold);
    CHECK(capturing.told().status == outcome);
    Bench voiding;
    const auto [lost_void, let_go] = after_time_out(voiding, Bench::void_hold());
    voiding.say_status(let_go, outcome, nobody, RequestKind::void_hold);
    CHECK(voiding.told().status == outcome);
  }
}

TEST_CASE("hold_not_found is told only when no other attempt may still find it (design §8)") {
  Bench bench;
  SECTION("alone") {
    bench.submit(Bench::void_hold());
    bench.say_status(bench.attempt(), Outcome::hold_not_found, nobody, RequestKind::void_hold);
    CHECK(bench.told().status == Outcome::hold_not_found);
  }
  SECTION("an earlier attempt is open, and turns out to have executed") {
    const auto [first, second] = after_time_out(bench, Bench::capture_hold());
    bench.say_status(second, Outcome::hold_not_found, nobody, RequestKind::capture_hold);
    CHECK(bench.quiet());
    bench.say_success(first, RequestKind::capture_hold, Bench::captured(Outcome::success));
    CHECK(std::get<CaptureHoldReply>(bench.told().body).result.outcome == Outcome::success);
  }
  SECTION("of a read it stands on its own") {
    const auto [first, second] = after_time_out(bench, Bench::show_hold());
    bench.say_status(second, Outcome::hold_not_found, nobody, RequestKind::hold);
    CHECK(bench.told().status == Outcome::hold_not_found);
  }
}

TEST_CASE("a capture or a placing that is not decided is asked again under its id until the deadline (api: outcomes)") {
  struct Row {
    Outcome said;
    Outcome told;
  };
  for (const Row& row :
       {Row{Outcome::in_flight, Outcome::in_flight}, Row{Outcome::unknown, Outcome::unknown},
        Row{Outcome::overloaded, Outcome::overloaded}, Row{Outcome::account_busy, Outcome::account_busy}}) {
    for (const bool in_the_result : {false, true}) {
      Bench bench;
      bench.submit(Bench::capture_hold());
      int asked = 0;
      while (bench.quiet()) {
        for (const auto& attempt : bench.attempts()) {
          ++asked;
          if (in_the_result) {
            bench.say_success(attempt, RequestKind::capture_hold, Bench::captured(row.said));
          } else {
            bench.say_status(attempt, row.said, nobody, RequestKind::capture_hold);
          }
        }
        bench.pass(milliseconds(5));
      }
      CHECK(asked > 1);
      CHECK(bench.told().status == row.told);
    }
  }
  Bench lost;
  lost.submit(Bench::place_hold());
  lost.pass(seconds(5));
  CHECK(lost.told().status == Outcome::unknown);
  Bench read;
  read.submit(Bench::show_hold());
  read.pass(seconds(5));
  CHECK(read.told().status == Outcome::no_leader);
}

TEST_CASE("a capture that is put off is told so at the deadline only when no attempt may have executed (rule D5)") {
  const auto busy = [](Bench& bench, const RouterOutput::Attempt& attempt) {
    bench.say_status(attempt, Outcome::account_busy, nobody, RequestKind::capture_hold);
  };
  SECTION("asked again, it goes through") {
    Bench bench;
    bench.submit(Bench::capture_hold());
    busy(bench, bench.attempt());
    CHECK(bench.quiet());
    bench.pass(milliseconds(20));
    bench.say_success(bench.attempt(), RequestKind::capture_hold, Bench::captured(Outcome::success));
    CHECK(std::get<CaptureHoldReply>(bench.told().body).result.outcome == Outcome::success);
  }
  SECTION("an earlier attempt is open") {
    Bench bench;
    const auto [first, second] = after_time_out(bench, Bench::capture_hold());
    while (bench.quiet()) {
      for (const auto& attempt : bench.attempts()) busy(bench, attempt);
      bench.pass(milliseconds(5));
    }
    CHECK(bench.told().status == Outcome::unknown);
  }
  SECTION("what was said last counts") {
    Bench bench;
    bench.submit(Bench::capture_hold());
    busy(bench, bench.attempt());
    while (bench.quiet()) {
      for (const auto& attempt : bench.attempts()) {
        bench.say_status(attempt, Outcome::overloaded, nobody, RequestKind::capture_hold);
      }
      bench.pass(milliseconds(5));
    }
    CHECK(bench.told().status == Outcome::overloaded);
  }
}

TEST_CASE("a patient client hears what a proxy says when the time it was given is over (api: 503, 504)") {
  Bench bench(Mode::to_proxies, 100, milliseconds(300));
  bench.submit(Bench::transfer(500));
  const auto attempt = bench.attempt();
  CHECK(header_of(attempt).patience_ms == 500);
  bench.pass(milliseconds(500));
  CHECK(bench.quiet());
  SECTION("that nothing was done") {
    bench.say_items(attempt, {Outcome::no_leader});
    CHECK(bench.quiet());
    bench.pass(milliseconds(299));
    CHECK(bench.attempts().empty());  // there is no time for another
    CHECK(bench.quiet());
    bench.pass(milliseconds(1));
    CHECK(bench.told_outcomes() == Outcomes{Outcome::no_leader});
  }
  SECTION("that nobody knows") {
    bench.say_items(attempt, {Outcome::unknown});
    bench.pass(milliseconds(300));
    CHECK(bench.told_outcomes() == Outcomes{Outcome::unknown});
  }
  SECTION("that it was done, after all") {
    bench.say_items(attempt, {Outcome::success});
    CHECK(bench.told_outcomes() == Outcomes{Outcome::success});
  }
  SECTION("nothing") {
    bench.pass(milliseconds(300));
    CHECK(bench.told_outcomes() == Outcomes{Outcome::unknown});
  }
}

TEST_CASE("a plain client does not pass on a proxy's refusal while an earlier proxy may still execute (design §8)") {
  Bench bench(Mode::to_proxies);
  const auto [first, second] = after_time_out(bench, Bench::transfer());
  bench.say_items(second, {Outcome::account_not_found});
  CHECK(bench.quiet());
  bench.say_items(first, {Outcome::success});
  CHECK(bench.told_outcomes() == Outcomes{Outcome::success});
}

}  // namespace
}  // namespace coffer::router
