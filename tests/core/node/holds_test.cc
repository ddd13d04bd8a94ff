// Holds, run by whole nodes: placed, captured here and across, voided, and expired by leaders nobody asks anything.
#include <vector>

#include <catch2/catch.hpp>

#include "core/txn/protocols.h"
#include "tests/core/node/moments.h"
#include "tests/core/node/two_leaders.h"

namespace coffer::node {
namespace {

router::Request request_of(router::RequestKind kind, router::RequestBody body) {
  router::Request request;
  request.header.kind = kind;
  request.body = std::move(body);
  return request;
}

router::Request place(std::uint64_t id, std::string_view account, std::int64_t minor, Duration expires_in) {
  return request_of(
      router::RequestKind::place_hold,
      router::PlaceHoldRequest{usd, minor, id_of(id), static_cast<std::uint64_t>(expires_in.millis()), account});
}

router::Request capture(std::uint64_t id, std::string_view account, std::string_view credit, std::int64_t minor) {
  return request_of(router::RequestKind::capture_hold,
                    router::CaptureHoldRequest{usd, minor, id_of(id), account, credit});
}

router::Request release(std::uint64_t id, std::string_view account) {
  return request_of(router::RequestKind::void_hold, router::VoidHoldRequest{id_of(id), account});
}

router::Request read(std::uint64_t id, std::string_view account) {
  return request_of(router::RequestKind::hold, router::HoldRequest{id_of(id), account});
}

struct HoldCluster : TwoLeaders {
  using TwoLeaders::TwoLeaders;

  Stamp placed(std::uint64_t id, std::int64_t minor, Duration expires_in) {
    const router::Reply reply = cluster.call(third(), place(id, alice, minor, expires_in));
    REQUIRE(reply.status == Outcome::success);
    const auto& body = std::get<router::PlaceHoldReply>(reply.body);
    REQUIRE(body.result.outcome == Outcome::success);
    REQUIRE(body.expires == Stamp{body.result.stamp.nanos + expires_in.nanos});
    return body.expires;
  }
  router::HoldReply read_hold(std::uint64_t id) {
    const router::Reply reply = cluster.call(NodeId(1), read(id, alice));
    REQUIRE(reply.status == Outcome::success);
    return std::get<router::HoldReply>(reply.body);
  }
  std::int64_t held() { return std::get<router::BalanceReply>(cluster.call(NodeId(2), balance(alice)).body).held; }
  void require_settled() {
    cluster.run(seconds(1));
    REQUIRE(cluster.settled_wrong().empty());
  }
};

TEST_CASE("a hold is placed, read, captured within its shard and voided, through any node (issue: holds)") {
  HoldCluster world;
  Cluster& cluster = world.cluster;
  const Stamp expires = world.placed(1, 400, seconds(60));
  REQUIRE(world.held() == 400);
  REQUIRE(world.balance_at(NodeId(1), world.alice) == 1000);
  REQUIRE(result_of(cluster.call(NodeId(1), withdrawal(2, world.alice, 601))).outcome == Outcome::insufficient_funds);
  const router::HoldReply hold = world.read_hold(1);
  REQUIRE(hold.state == router::HoldState::held);
  REQUIRE(hold.amount == 400);
  REQUIRE(hold.expires == expires);
  REQUIRE(hold.transfer == TransferId());
  const router::Reply again = cluster.call(NodeId(2), place(1, world.alice, 400, seconds(60)));
  REQUIRE(std::get<router::PlaceHoldReply>(again.body).result.replayed);
  REQUIRE(std::get<router::PlaceHoldReply>(again.body).expires == expires);
  REQUIRE(cluster.call(NodeId(2), place(1, world.alice, 401, seconds(60))).status ==
          Outcome::idempotency_payload_mismatch);

  const std::string neighbour = cluster.name_on(first, "neighbour");
  REQUIRE(cluster.call(NodeId(1), opening(neighbour)).status == Outcome::success);
  REQUIRE(cluster.call(NodeId(3), capture(1, world.alice, neighbour, 401)).status == Outcome::hold_exceeded);
  const router::Reply captured = cluster.call(NodeId(3), capture(1, world.alice, neighbour, 300));
  REQUIRE(captured.status == Outcome::success);
  const auto& taken = std::get<router::CaptureHoldReply>(captured.body);
  REQUIRE(taken.result.outcome == Outcome::success);
  REQUIRE(taken.result.target == ShardId());
  REQUIRE(world.read_hold(1).state == router::HoldState::captured);
  REQUIRE(world.read_hold(1).transfer == taken.transfer);
  REQUIRE(world.balance_at(NodeId(1), neighbour) == 300);
  REQUIRE(world.held() == 0);

  world.placed(3, 700, seconds(60));
  const router::Reply voided = cluster.call(NodeId(1), release(3, world.alice));
  REQUIRE_FALSE(std::get<router::VoidHoldReply>(voided.body).already);
  REQUIRE(std::get<router::VoidHoldReply>(cluster.call(NodeId(2), release(3, world.alice)).body).already);
  REQUIRE(cluster.call(NodeId(1), release(1, world.alice)).status == Outcome::hold_captured);
  REQUIRE(cluster.call(NodeId(1), capture(3, world.alice, neighbour, 1)).status == Outcome::hold_voided);
  REQUIRE(cluster.call(NodeId(1), release(9, world.alice)).status == Outcome::hold_not_found);
  REQUIRE(cluster.call(NodeId(1), read(9, world.alice)).status == Outcome::hold_not_found);
  REQUIRE(cluster.call(NodeId(1), read(1, cluster.name_on(first, "ghost"))).status == Outcome::account_not_found);
  REQUIRE(cluster.traced(TraceKind::hold_placed) == 2);
  REQUIRE(cluster.traced(TraceKind::hold_captured) == 1);
  REQUIRE(cluster.traced(TraceKind::hold_voided) == 1);
  world.require_settled();
}

TEST_CASE("a capture across shards is told when its transfer has ended, by every protocol") {
  const auto protocol = GENERATE(ledger::Protocol::saga, ledger::Protocol::tcc, ledger::Protocol::two_phase_commit);
  CAPTURE(static_cast<int>(protocol));
  HoldCluster world(protocol);
  world.placed(1, 400, seconds(60));
  world.placed(2, 100, seconds(60));
  const router::Reply captured = world.cluster.call(world.third(), capture(1, world.alice, world.bob, 300));
  const auto& taken = std::get<router::CaptureHoldReply>(captured.body).result;
  REQUIRE(taken.outcome == Outcome::success);
  REQUIRE(taken.target == second);
  REQUIRE(taken.target_position > Position(0));
  REQUIRE(world.balance_at(NodeId(1), world.alice) == 700);
  REQUIRE(world.balance_at(NodeId(1), world.bob) == 1300);
  const std::string ghost = world.cluster.name_on(second, "ghost");
  const router::Reply refused = world.cluster.call(NodeId(1), capture(2, world.alice, ghost, 100));
  REQUIRE(refused.status == Outcome::success);
  REQUIRE(std::get<router::CaptureHoldReply>(refused.body).result.outcome == Outcome::credit_account_not_found);
  REQUIRE(world.read_hold(2).state == router::HoldState::captured);
  REQUIRE(world.held() == 0);
  REQUIRE(world.balance_at(NodeId(1), world.alice) == 700);
  world.require_settled();
}

TEST_CASE("a capture of a locked account is put off, and its hold stays, until the lock goes (rule D5)") {
  HoldCluster world(ledger::Protocol::two_phase_commit);
  Cluster& cluster = world.cluster;
  world.placed(1, 400, seconds(60));
  cluster.loses = [](NodeId, NodeId, const Section& section) { return section.kind == SectionKind::legs; };
  const std::uint64_t locking = cluster.ask(NodeId(1), transfer(2, world.alice, world.bob, 100));
  REQUIRE(cluster.run_until([&] { return cluster.traced(TraceKind::prepare_started) == 1; }));
  router::Request hasty = capture(1, world.alice, world.bob, 300);
  hasty.header.patience_ms = 1000;
  const router::Reply refused = cluster.call(world.third(), hasty);
  REQUIRE(refused.status == Outcome::account_busy);
  REQUIRE(cluster.traced(TraceKind::capture_put_off) > 1);
  REQUIRE(cluster.traced(TraceKind::hold_captured) == 0);
  REQUIRE(world.read_hold(1).state == router::HoldState::held);
  REQUIRE(world.held() == 400);

  const std::uint64_t patient = cluster.ask(world.third(), capture(1, world.alice, world.bob, 300));
  cluster.run(milliseconds(200));
  REQUIRE_FALSE(cluster.reply(patient).has_value());
  cluster.loses = nullptr;
  REQUIRE(cluster.run_until([&] { return cluster.reply(patient).has_value() && cluster.reply(locking).has_value(); }));
  const router::Reply done = *cluster.reply(patient);
  REQUIRE(done.status == Outcome::success);
  REQUIRE(std::get<router::CaptureHoldReply>(done.body).result.outcome == Outcome::success);
  REQUIRE(world.read_hold(1).state == router::HoldState::captured);
  REQUIRE(world.balance_at(NodeId(1), world.bob) == 1400);
  world.require_settled();
}

TEST_CASE("a capture whose leader is lost while its money is under way goes on under the next, and answers once") {
  HoldCluster world;
  world.placed(1, 400, seconds(60));
  world.cluster.loses = [](NodeId, NodeId, const Section& section) { return section.kind == SectionKind::legs; };
  const NodeId source = world.source();
  const NodeId via = world.third();
  const std::uint64_t asked = world.cluster.ask(via, capture(1, world.alice, world.bob, 300));
  REQUIRE(world.cluster.run_until([&] { return world.cluster.traced(TraceKind::leg_sent) > 0; }));
  world.cluster.run(milliseconds(100));
  REQUIRE_FALSE(world.cluster.reply(asked).has_value());
  world.cluster.stop(source);
  world.cluster.loses = nullptr;
  REQUIRE(world.cluster.run_until_led());
  const router::Reply again = world.cluster.call(via, capture(1, world.alice, world.bob, 300));
  const auto& taken = std::get<router::CaptureHoldReply>(again.body).result;
  REQUIRE(taken.outcome == Outcome::success);
  REQUIRE(taken.replayed);
  REQUIRE(world.balance_at(via, world.bob) == 1300);
  world.cluster.start(source);
  REQUIRE(world.cluster.run_until([&] { return world.cluster.node(source).ready(); }));
  world.require_settled();
}

TEST_CASE("a leader lost at any step of a capture, by any protocol, costs no money and no answer (issue: recovery)") {
  for (const txn::ProtocolRow& row : txn::protocols()) {
    for (const bool refused : {false, true}) {
      std::vector<Moment> moments = moments_of(row.protocol, refused);
      moments.insert(moments.begin(), {TraceKind::hold_captured});
      for (const Moment& moment : moments) {
        for (const bool of_source : {true, false}) {
          CAPTURE(row.name, refused, name(moment.kind), moment.nth, of_source);
          HoldCluster world(row.protocol);
          Cluster& cluster = world.cluster;
          world.placed(1, 400, seconds(60));
          const std::string payee = refused ? cluster.name_on(second, "ghost") : world.bob;
          const NodeId lost = of_source ? world.source() : world.target();
          const NodeId via = world.third();
          cluster.ask(via, capture(1, world.alice, payee, 300));
          REQUIRE(cluster.run_until([&] { return cluster.traced(moment.kind) >= moment.nth; }));
          cluster.stop(lost);
          const router::Reply again = cluster.call(via, capture(1, world.alice, payee, 300));
          REQUIRE(again.status == Outcome::success);
          const auto& told = std::get<router::CaptureHoldReply>(again.body).result;
          REQUIRE(told.outcome == (refused ? Outcome::credit_account_not_found : Outcome::success));
          cluster.start(lost);
          REQUIRE(cluster.run_until([&] { return cluster.node(lost).ready(); }));
          REQUIRE(world.read_hold(1).state == router::HoldState::captured);
          REQUIRE(world.held() == 0);
          REQUIRE(world.balance_at(NodeId(1), world.alice) == (refused ? 1000 : 700));
          REQUIRE(world.balance_at(NodeId(2), world.bob) == (refused ? 1000 : 1300));
          world.require_settled();
        }
      }
    }
  }
}

TEST_CASE("an idle leader wakes when a hold's time is over, and not before (issue: holds; decision 11)") {
  HoldCluster world;
  const Stamp expires = world.placed(1, 400, seconds(20));
  world.placed(2, 100, seconds(60));
  const auto to_go = [&] { return Duration{expires.nanos - world.cluster.now().wall.nanos}; };
  world.cluster.run(to_go() - milliseconds(50));
  REQUIRE(world.cluster.traced(TraceKind::hold_expired) == 0);
  world.cluster.run(to_go() + milliseconds(50));
  REQUIRE(world.cluster.traced(TraceKind::hold_expired) == 1);
  REQUIRE(world.read_hold(1).state == router::HoldState::expired);
  REQUIRE(world.read_hold(2).state == router::HoldState::held);
  REQUIRE(world.held() == 100);
  REQUIRE(world.cluster.call(NodeId(1), capture(1, world.alice, world.bob, 1)).status == Outcome::hold_expired);
  REQUIRE(world.cluster.call(NodeId(1), release(1, world.alice)).status == Outcome::hold_expired);
  world.require_settled();
}

TEST_CASE("a hold expires under another leader than the one that placed it") {
  HoldCluster world;
  world.placed(1, 400, seconds(20));
  const NodeId source = world.source();
  world.cluster.stop(source);
  REQUIRE(world.cluster.run_until_led());
  REQUIRE(world.cluster.run_until([&] { return world.cluster.traced(TraceKind::hold_expired) == 1; }, seconds(40)));
  world.cluster.start(source);
  REQUIRE(world.cluster.run_until([&] { return world.cluster.node(source).ready(); }));
  REQUIRE(world.read_hold(1).state == router::HoldState::expired);
  world.require_settled();
}

TEST_CASE("where no majority's clocks are known nothing expires, and once they are it does (decision 11)") {
  HoldCluster world;
  world.placed(1, 400, seconds(60));
  world.cluster.loses = [](NodeId, NodeId, const Section& section) { return section.kind == SectionKind::echo; };
  world.cluster.run(seconds(100));
  REQUIRE(world.cluster.traced(TraceKind::hold_expired) == 0);
  REQUIRE(world.held() == 400);
  world.cluster.loses = nullptr;
  REQUIRE(world.cluster.run_until([&] { return world.cluster.traced(TraceKind::hold_expired) == 1; }));
  REQUIRE(world.held() == 0);
  world.require_settled();
}

}  // namespace
}  // namespace coffer::node
