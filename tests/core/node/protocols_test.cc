// Every protocol across shards, run by whole nodes: a leader of either side is lost at each of its steps, and both
// accounts change or neither does.
#include "core/txn/protocols.h"

#include <catch2/catch.hpp>

#include "tests/core/node/moments.h"
#include "tests/core/node/two_leaders.h"

namespace coffer::node {
namespace {

void require_ended(TwoLeaders& two, bool refused) {
  REQUIRE(two.balance_at(NodeId(1), two.alice) == (refused ? 1000 : 990));
  REQUIRE(two.balance_at(NodeId(2), two.bob) == (refused ? 1000 : 1010));
  two.cluster.run(seconds(2));
  REQUIRE(two.cluster.settled_wrong().empty());
}

TEST_CASE("every protocol reaches all its steps, and moves money in both shards or in neither (design 7)") {
  for (const txn::ProtocolRow& row : txn::protocols()) {
    for (const bool refused : {false, true}) {
      CAPTURE(row.name, refused);
      TwoLeaders two(row.protocol);
      const std::string payee = refused ? two.cluster.name_on(second, "ghost") : two.bob;
      const router::TransferResult result = result_of(two.cluster.call(two.third(), transfer(1, two.alice, payee, 10)));
      REQUIRE(result.outcome == (refused ? Outcome::credit_account_not_found : Outcome::success));
      REQUIRE(result.target == second);
      REQUIRE(result.target_position > Position(0));
      require_ended(two, refused);
      for (const Moment& moment : moments_of(row.protocol, refused)) {
        CAPTURE(name(moment.kind), moment.nth);
        REQUIRE(two.cluster.traced(moment.kind) >= moment.nth);
      }
    }
  }
}

TEST_CASE("a leader lost at any step of any protocol costs no money and no answer (design 7)") {
  for (const txn::ProtocolRow& row : txn::protocols()) {
    for (const bool refused : {false, true}) {
      for (const Moment& moment : moments_of(row.protocol, refused)) {
        for (const bool of_source : {true, false}) {
          CAPTURE(row.name, refused, name(moment.kind), moment.nth, of_source);
          TwoLeaders two(row.protocol);
          const std::string payee = refused ? two.cluster.name_on(second, "ghost") : two.bob;
          const NodeId lost = of_source ? two.source() : two.target();
          const NodeId via = two.third();
          two.cluster.ask(via, transfer(1, two.alice, payee, 10));
          REQUIRE(two.cluster.run_until([&] { return two.cluster.traced(moment.kind) >= moment.nth; }));
          two.cluster.stop(lost);
          const router::TransferResult again = result_of(two.cluster.call(via, transfer(1, two.alice, payee, 10)));
          REQUIRE(again.outcome == (refused ? Outcome::credit_account_not_found : Outcome::success));
          two.cluster.start(lost);
          REQUIRE(two.cluster.run_until([&] { return two.cluster.node(lost).ready(); }));
          require_ended(two, refused);
        }
      }
    }
  }
}

}  // namespace
}  // namespace coffer::node
