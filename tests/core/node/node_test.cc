// A cluster of three whole nodes: what clients may rely on, whatever happens to processes, links and disks.
#include "core/node/node.h"

#include <catch2/catch.hpp>

#include "tests/core/node/two_leaders.h"

namespace coffer::node {
namespace {

// ---- the happy path ---------------------------------------------------------------------------------------------

TEST_CASE("every shard elects a leader and is founded once") {
  for (const std::uint32_t shards : {1u, 2u, 3u}) {
    CAPTURE(shards);
    Cluster cluster(shards);
    REQUIRE(cluster.run_until_led());
    cluster.run(seconds(1));
    REQUIRE(cluster.traced(TraceKind::founded) == shards);
    REQUIRE(cluster.settled_wrong().empty());
    for (std::uint32_t shard = 1; shard <= shards; ++shard) REQUIRE(cluster.leader(ShardId(shard)) != nobody);
  }
}

TEST_CASE("accounts are opened once, and any node may be asked") {
  Cluster cluster(3);
  REQUIRE(cluster.run_until_led());
  const std::string names[] = {"alice", "bob", "carol", "dave"};
  for (const std::string& name : names) {
    bool already = false;
    for (const NodeId via : cluster.nodes()) {
      const router::Reply reply = cluster.call(via, opening(name));
      REQUIRE(reply.status == Outcome::success);
      REQUIRE(std::get<router::OpenAccountReply>(reply.body).already == already);
      already = true;
      REQUIRE(balance_of(cluster.call(via, balance(name))) == 0);
    }
  }
  REQUIRE(cluster.call(NodeId(1), balance("nobody")).status == Outcome::account_not_found);
  REQUIRE(cluster.settled_wrong().empty());
}

TEST_CASE("money comes in, moves within a shard, and goes out") {
  Cluster cluster(1);
  REQUIRE(cluster.run_until_led());
  cluster.call(NodeId(1), opening("alice"));
  cluster.call(NodeId(1), opening("bob"));
  REQUIRE(result_of(cluster.call(NodeId(2), deposit(1, "alice", 100))).outcome == Outcome::success);
  const router::TransferResult moved = result_of(cluster.call(NodeId(3), transfer(2, "alice", "bob", 30)));
  REQUIRE(moved.outcome == Outcome::success);
  REQUIRE(moved.position > Position(0));
  REQUIRE(moved.target == ShardId(0));
  REQUIRE(result_of(cluster.call(NodeId(1), withdrawal(3, "bob", 10))).outcome == Outcome::success);
  REQUIRE(result_of(cluster.call(NodeId(1), transfer(4, "alice", "bob", 71))).outcome == Outcome::insufficient_funds);
  REQUIRE(result_of(cluster.call(NodeId(1), transfer(5, "nobody", "bob", 1))).outcome == Outcome::account_not_found);
  for (const NodeId via : cluster.nodes()) {
    REQUIRE(balance_of(cluster.call(via, balance("alice"))) == 70);
    REQUIRE(balance_of(cluster.call(via, balance("bob"))) == 20);
  }
  const router::Reply sums = cluster.call(NodeId(1), trial_balance());
  const auto& rows = std::get<router::TrialBalanceReply>(sums.body).rows;
  REQUIRE(rows.size() == 1);
  REQUIRE(rows[0].customers == 90);
  REQUIRE(rows[0].issue == -90);
  REQUIRE(rows[0].transit == 0);
  cluster.run(seconds(1));
  REQUIRE(cluster.settled_wrong().empty());
}

TEST_CASE("the same id with the same body replays; with another body it conflicts (design 4)") {
  TwoLeaders two;
  for (const std::string& payee : {two.bob, two.cluster.name_on(first, "ann")}) {
    two.cluster.call(NodeId(1), opening(payee));
    const std::uint64_t id = ++two.ids;
    const router::TransferResult once = result_of(two.cluster.call(NodeId(1), transfer(id, two.alice, payee, 10)));
    REQUIRE(once.outcome == Outcome::success);
    REQUIRE_FALSE(once.replayed);
    const router::TransferResult again = result_of(two.cluster.call(NodeId(2), transfer(id, two.alice, payee, 10)));
    REQUIRE(again.outcome == Outcome::success);
    REQUIRE(again.replayed);
    REQUIRE(again.position == once.position);
    REQUIRE(again.stamp == once.stamp);
    REQUIRE(again.target_position == once.target_position);
    const auto other = result_of(two.cluster.call(NodeId(3), transfer(id, two.alice, payee, 11)));
    REQUIRE(other.outcome == Outcome::idempotency_payload_mismatch);
    const router::Reply status = two.cluster.call(NodeId(3), transfer_status(id, two.alice));
    REQUIRE(std::get<router::TransferStatusReply>(status.body).result.position == once.position);
  }
  REQUIRE(two.balance_at(NodeId(1), two.alice) == 980);
  REQUIRE(two.cluster.call(NodeId(1), transfer_status(999, two.alice)).status == Outcome::transfer_not_found);
}

TEST_CASE("an eventual read is answered by any replica from what is committed (design 8)") {
  Cluster cluster(1);
  REQUIRE(cluster.run_until_led());
  cluster.call(NodeId(1), opening("alice"));
  cluster.call(NodeId(1), deposit(1, "alice", 5));
  cluster.run(seconds(1));
  for (const NodeId via : cluster.nodes()) {
    const std::uint64_t asked = cluster.ask(via, direct(balance("alice", router::Consistency::eventual), first));
    cluster.settle();
    REQUIRE(cluster.reply(asked));
    REQUIRE(balance_of(*cluster.reply(asked)) == 5);
  }
}

TEST_CASE("a node asked directly says who leads, or that the shard is not here") {
  Cluster cluster(1);
  REQUIRE(cluster.run_until_led());
  const NodeId leader = cluster.leader(first);
  const router::Reply refused = cluster.call(other_than(cluster, {leader}), direct(deposit(1, "alice", 5), first));
  REQUIRE(refused.status == Outcome::not_leader);
  REQUIRE(refused.leader == leader);
  REQUIRE(cluster.call(leader, direct(deposit(1, "alice", 5), ShardId(9))).status == Outcome::wrong_shard);
}

// ---- leaders that are lost --------------------------------------------------------------------------------------

TEST_CASE(
    "an isolated leader undoes its uncommitted tail; its client hears unknown, the retry has one effect (design 4)") {
  Cluster cluster(1);
  REQUIRE(cluster.run_until_led());
  cluster.call(NodeId(1), opening("alice"));
  cluster.call(NodeId(1), deposit(1, "alice", 100));
  const NodeId old_leader = cluster.leader(first);
  cluster.isolate(old_leader);
  const std::uint64_t asked = cluster.ask(old_leader, direct(deposit(2, "alice", 10), first));
  const std::uint64_t read = cluster.ask(old_leader, direct(balance("alice"), first));
  cluster.settle();
  REQUIRE_FALSE(cluster.reply(asked));
  const shard::Observation ahead = cluster.node(old_leader).observe(first);
  REQUIRE(ahead.applied > ahead.commit);

  const NodeId via = other_than(cluster, {old_leader});
  REQUIRE(result_of(cluster.call(via, deposit(3, "alice", 1))).outcome == Outcome::success);
  if (cluster.reply(read)) {  // a leader that was cut off proves nothing; it may have noticed that it is
    REQUIRE(cluster.reply(read)->status == Outcome::not_leader);
  }
  cluster.heal();
  REQUIRE(cluster.run_until([&] { return cluster.reply(asked) && cluster.reply(read); }));
  REQUIRE(result_of(*cluster.reply(asked)).outcome == Outcome::unknown);
  REQUIRE(cluster.reply(read)->status == Outcome::not_leader);
  REQUIRE(cluster.traced(TraceKind::undone) == 1);
  REQUIRE(cluster.run_until([&] { return cluster.traced(TraceKind::truncated) == 1; }));

  const router::TransferResult retried = result_of(cluster.call(old_leader, deposit(2, "alice", 10)));
  REQUIRE(retried.outcome == Outcome::success);
  REQUIRE_FALSE(retried.replayed);
  REQUIRE(balance_of(cluster.call(via, balance("alice"))) == 111);
  cluster.run(seconds(1));
  REQUIRE(cluster.settled_wrong().empty());
}

TEST_CASE("a leader that is cut off tells nothing for which the log has no entry (design 4)") {
  Cluster cluster(1);
  REQUIRE(cluster.run_until_led());
  cluster.call(NodeId(1), opening("alice"));
  cluster.call(NodeId(1), deposit(1, "alice", 100));
  cluster.run(seconds(1));
  const NodeId old_leader = cluster.leader(first);
  cluster.isolate(old_leader);
  // All of this could be told from what is committed, were it sure that nobody else leads by now.
  std::vector<std::uint64_t> asked;
  for (const router::Request& request :
       {balance("alice"), balance("zoe"), transfer_status(1, "alice"), transfer_status(2, "alice"), trial_balance(),
        opening("alice"), deposit(1, "alice", 100), deposit(1, "alice", 101), deposit(3, "zoe", 5),
        withdrawal(4, "sys:issue:USD", 5)}) {
    asked.push_back(cluster.ask(old_leader, direct(request, first)));
  }
  const NodeId via = other_than(cluster, {old_leader});
  REQUIRE(result_of(cluster.call(via, deposit(2, "alice", 1))).outcome == Outcome::success);
  REQUIRE(cluster.call(via, opening("zoe")).status == Outcome::success);
  for (const std::uint64_t number : asked) {
    // It may have noticed that it is cut off; then it says so, and nothing else.
    const auto early = cluster.reply(number);
    const auto* told = early ? std::get_if<router::TransfersReply>(&early->body) : nullptr;
    REQUIRE((!early || early->status == Outcome::not_leader || early->status == Outcome::unknown ||
             (told && told->results[0].outcome == Outcome::unknown)));
  }
  cluster.heal();
  cluster.run(seconds(1));
  for (const std::uint64_t number : asked) {
    REQUIRE(cluster.reply(number));
    const router::Reply reply = *cluster.reply(number);
    const bool is_write =
        reply.kind == router::RequestKind::transfers || reply.kind == router::RequestKind::open_account;
    REQUIRE(result_of(reply).outcome == (is_write ? Outcome::unknown : Outcome::not_leader));
  }
}

TEST_CASE("a tail that survived its leader is committed by the next one, and the retry replays it (design 4)") {
  Cluster cluster(1);
  REQUIRE(cluster.run_until_led());
  cluster.call(NodeId(1), opening("alice"));
  cluster.run(seconds(1));
  const NodeId old_leader = cluster.leader(first);
  // The entry reaches both followers; their answers do not come back.
  cluster.loses = [&](NodeId, NodeId to, const Section& section) {
    return to == old_leader && section.kind == SectionKind::raft;
  };
  const std::uint64_t asked = cluster.ask(old_leader, direct(deposit(1, "alice", 10), first));
  cluster.settle();
  REQUIRE_FALSE(cluster.reply(asked));
  cluster.stop(old_leader);
  cluster.loses = nullptr;
  REQUIRE(cluster.run_until_led());
  const router::TransferResult retried =
      result_of(cluster.call(other_than(cluster, {old_leader}), deposit(1, "alice", 10)));
  REQUIRE(retried.outcome == Outcome::success);
  REQUIRE(retried.replayed);
  cluster.start(old_leader);
  REQUIRE(cluster.run_until([&] { return cluster.node(old_leader).ready(); }));
  REQUIRE(balance_of(cluster.call(old_leader, balance("alice"))) == 10);
  cluster.run(seconds(2));
  REQUIRE(cluster.settled_wrong().empty());
}

TEST_CASE("a client of a proxy that is cut off gets its one effect after the cut, or hears unknown (design 8)") {
  Cluster cluster(1);
  REQUIRE(cluster.run_until_led());
  cluster.call(NodeId(1), opening("alice"));
  const NodeId old_leader = cluster.leader(first);
  cluster.isolate(old_leader);
  const std::uint64_t patient = cluster.ask(old_leader, deposit(1, "alice", 10));
  router::Request request = deposit(2, "alice", 100);
  request.header.patience_ms = 1500;
  const std::uint64_t hasty = cluster.ask(old_leader, request);
  cluster.run(seconds(3));
  REQUIRE(cluster.reply(hasty));
  REQUIRE(result_of(*cluster.reply(hasty)).outcome == Outcome::unknown);
  REQUIRE_FALSE(cluster.reply(patient));
  cluster.heal();
  REQUIRE(cluster.run_until([&] { return cluster.reply(patient).has_value(); }));
  REQUIRE(result_of(*cluster.reply(patient)).outcome == Outcome::success);
  const router::TransferResult retried = result_of(cluster.call(NodeId(1), deposit(2, "alice", 100)));
  REQUIRE(retried.outcome == Outcome::success);
  REQUIRE(balance_of(cluster.call(NodeId(2), balance("alice"))) == 110);
  cluster.run(seconds(1));
  REQUIRE(cluster.settled_wrong().empty());
}

TEST_CASE("a leader without followers keeps its queue and its clients' patience bounded") {
  Cluster cluster(1);
  REQUIRE(cluster.run_until_led());
  cluster.call(NodeId(1), opening("alice"));
  const NodeId leader = cluster.leader(first);
  cluster.isolate(leader);
  std::vector<std::uint64_t> asked;
  for (std::uint64_t id = 1; id <= 40; ++id) {
    router::Request request = direct(deposit(id, "alice", 1), first);
    request.header.patience_ms = id % 2 == 0 ? 100 : 50'000;
    asked.push_back(cluster.ask(leader, request));
    cluster.settle();
  }
  const shard::Observation seen = cluster.node(leader).observe(first);
  REQUIRE(seen.last.value - seen.commit.value == cluster.config(leader).tuning.entries_in_flight_max);
  cluster.run(milliseconds(200));
  int unknown = 0;
  int certainly_not = 0;
  for (std::size_t i = 1; i < asked.size(); i += 2) {
    const auto reply = cluster.reply(asked[i]);
    REQUIRE(reply);
    const Outcome outcome = result_of(*reply).outcome;
    unknown += outcome == Outcome::unknown ? 1 : 0;
    certainly_not += outcome == Outcome::no_leader ? 1 : 0;
  }
  REQUIRE(unknown == 2);  // of the four entries under way, every second one
  REQUIRE(certainly_not == 18);
}

// ---- disks ------------------------------------------------------------------------------------------------------

TEST_CASE("nothing is acknowledged before a quorum's syncs (design 5)") {
  Cluster cluster(1);
  REQUIRE(cluster.run_until_led());
  cluster.call(NodeId(1), opening("alice"));
  cluster.run(seconds(1));
  const NodeId leader = cluster.leader(first);
  const NodeId follower = other_than(cluster, {leader});
  const NodeId last = other_than(cluster, {leader, follower});

  SECTION("one sync of three is not enough") {
    cluster.hold_io(follower);
    cluster.hold_io(last);
    const std::uint64_t asked = cluster.ask(leader, deposit(1, "alice", 5));
    cluster.run(milliseconds(300));
    REQUIRE_FALSE(cluster.reply(asked));
    cluster.release_io(follower);
    cluster.settle();
    REQUIRE(cluster.reply(asked));
    REQUIRE(result_of(*cluster.reply(asked)).outcome == Outcome::success);
  }
  SECTION("nor is the leader's") {
    cluster.hold_io(leader);
    cluster.hold_io(last);
    const std::uint64_t asked = cluster.ask(leader, deposit(1, "alice", 5));
    cluster.run(milliseconds(300));
    REQUIRE_FALSE(cluster.reply(asked));
    cluster.release_io(leader);
    cluster.settle();
    REQUIRE(cluster.reply(asked));
  }
  SECTION("two followers are a quorum without the leader's own disk") {
    cluster.hold_io(leader);
    const std::uint64_t asked = cluster.ask(leader, deposit(1, "alice", 5));
    cluster.settle();
    REQUIRE(cluster.reply(asked));
    REQUIRE(result_of(*cluster.reply(asked)).outcome == Outcome::success);
  }
  SECTION("without any, nobody says anything that depends on them") {
    for (const NodeId node : cluster.nodes()) cluster.hold_io(node);
    const std::uint64_t before = cluster.sent_after_sync();
    const std::uint64_t asked = cluster.ask(leader, deposit(1, "alice", 5));
    const std::uint64_t refused = cluster.ask(leader, withdrawal(2, "alice", 5));
    const std::uint64_t read = cluster.ask(leader, balance("alice"));
    cluster.settle();
    cluster.run(milliseconds(40));
    REQUIRE_FALSE(cluster.reply(asked));
    REQUIRE_FALSE(cluster.reply(refused));
    REQUIRE_FALSE(cluster.reply(read));
    REQUIRE(cluster.sent_after_sync() == before);
    for (const NodeId node : cluster.nodes()) cluster.release_io(node);
    cluster.run(seconds(2));
    REQUIRE(result_of(*cluster.reply(asked)).outcome == Outcome::success);
    REQUIRE(cluster.reply(refused));
    REQUIRE(cluster.reply(read));
  }
  cluster.run(seconds(2));
  for (const NodeId node : cluster.nodes()) cluster.release_io(node);
  cluster.run(seconds(2));
  REQUIRE(cluster.settled_wrong().empty());
}

TEST_CASE("an answer waits for the flush that holds what it answers, not for the one before (design 5)") {
  Cluster cluster(1);
  REQUIRE(cluster.run_until_led());
  cluster.call(NodeId(1), opening("alice"));
  cluster.run(seconds(1));
  const NodeId leader = cluster.leader(first);
  const NodeId follower = other_than(cluster, {leader});
  cluster.stop(other_than(cluster, {leader, follower}));
  cluster.hold_io(follower);
  const std::uint64_t in_first_flush = cluster.ask(leader, deposit(1, "alice", 5));
  cluster.settle();
  const std::uint64_t in_second_flush = cluster.ask(leader, deposit(2, "alice", 5));
  cluster.settle();
  cluster.release_io(follower);
  cluster.hold_io(follower);
  cluster.settle();
  REQUIRE(cluster.reply(in_first_flush));
  REQUIRE_FALSE(cluster.reply(in_second_flush));
  cluster.release_io(follower);
  cluster.settle();
  REQUIRE(cluster.reply(in_second_flush));
}

TEST_CASE("nobody is elected while votes are not on the disk (design 5)") {
  Cluster cluster(1);
  REQUIRE(cluster.run_until([&] {
    return cluster.node(NodeId(1)).ready() && cluster.node(NodeId(2)).ready() && cluster.node(NodeId(3)).ready();
  }));
  for (const NodeId node : cluster.nodes()) cluster.hold_io(node);
  cluster.run(seconds(5));
  REQUIRE(cluster.traced(TraceKind::became_candidate) > 0);
  REQUIRE(cluster.traced(TraceKind::became_leader) == 0);
  for (const NodeId node : cluster.nodes()) cluster.release_io(node);
  REQUIRE(cluster.run_until_led());
}

TEST_CASE("a restart of all nodes keeps everything acknowledged") {
  TwoLeaders two;
  for (std::uint64_t id = 1; id <= 10; ++id) {
    REQUIRE(result_of(two.cluster.call(NodeId(1), transfer(id, two.alice, two.bob, 10))).outcome == Outcome::success);
    REQUIRE(result_of(two.cluster.call(NodeId(2), deposit(20 + id, two.alice, 1))).outcome == Outcome::success);
  }
  for (const NodeId node : two.cluster.nodes()) two.cluster.stop(node);
  for (const NodeId node : two.cluster.nodes()) two.cluster.start(node);
  REQUIRE(two.cluster.run_until_led());
  REQUIRE(two.balance_at(NodeId(3), two.alice) == 910);
  REQUIRE(two.balance_at(NodeId(3), two.bob) == 1100);
  for (std::uint64_t id = 1; id <= 10; ++id) {
    const router::TransferResult again = result_of(two.cluster.call(NodeId(1), transfer(id, two.alice, two.bob, 10)));
    REQUIRE(again.outcome == Outcome::success);
    REQUIRE(again.replayed);
  }
  REQUIRE(two.balance_at(NodeId(3), two.alice) == 910);
  two.cluster.run(seconds(1));
  REQUIRE(two.cluster.settled_wrong().empty());
}

TEST_CASE("nodes that are killed one after the other, without rest, lose nothing acknowledged") {
  TwoLeaders two;
  std::int64_t alice = 1000;
  std::int64_t bob = 1000;
  for (std::uint64_t round = 1; round <= 12; ++round) {
    const NodeId victim(static_cast<std::uint32_t>(round % 3 + 1));
    const NodeId via = other_than(two.cluster, {victim});
    const std::uint64_t asked = two.cluster.ask(via, transfer(round, two.alice, two.bob, 10));
    if (round % 2 == 0) two.cluster.settle();
    two.cluster.stop(victim);
    two.cluster.run(milliseconds(static_cast<std::int64_t>(round) * 37));
    two.cluster.start(victim);
    REQUIRE(two.cluster.run_until([&] { return two.cluster.reply(asked).has_value(); }));
    const router::TransferResult result = result_of(two.cluster.call(via, transfer(round, two.alice, two.bob, 10)));
    REQUIRE(result.outcome == Outcome::success);
    alice -= 10;
    bob += 10;
    REQUIRE(two.balance_at(via, two.alice) == alice);
    REQUIRE(two.balance_at(via, two.bob) == bob);
  }
  two.cluster.run(seconds(3));
  REQUIRE(two.cluster.settled_wrong().empty());
}

TEST_CASE("a node whose settings would give it other snapshots than its cluster's is refused by its own disk (K3)") {
  Cluster cluster(1);
  REQUIRE(cluster.run_until_led());
  const NodeId changed(2);
  cluster.stop(changed);
  cluster.tuning(changed).epoch_bytes /= 2;
  cluster.start(changed);
  REQUIRE(cluster.run_until([&] { return !cluster.fatal(changed).empty(); }));
  CHECK(cluster.fatal(changed).find("founded with epoch_bytes 268435456") != std::string::npos);
}

TEST_CASE("a failed disk poisons its node: it says why, and nothing else ever again (design 5) (known bug 15)") {
  Cluster cluster(1);
  REQUIRE(cluster.run_until_led());
  cluster.call(NodeId(1), opening("alice"));
  cluster.run(seconds(1));
  const NodeId leader = cluster.leader(first);
  cluster.fail_io(leader);
  const std::uint64_t asked = cluster.ask(leader, direct(deposit(1, "alice", 5), first));
  cluster.settle();
  REQUIRE_FALSE(cluster.is_running(leader));
  REQUIRE(cluster.fatal(leader).find("failed") != std::string::npos);
  REQUIRE(cluster.traced(TraceKind::failed) == 1);
  cluster.run(seconds(3));
  const NodeId via = other_than(cluster, {leader});
  REQUIRE(result_of(cluster.call(via, deposit(1, "alice", 5))).outcome == Outcome::success);
  REQUIRE(balance_of(cluster.call(via, balance("alice"))) == 5);
  // The two followers' syncs may have made the entry a quorum's: then its client was told.
  if (const auto reply = cluster.reply(asked)) REQUIRE(result_of(*reply).outcome == Outcome::success);
}

TEST_CASE("a node on an older copy of its disk is told by its peers, stops, and harms nothing (known bug 28)") {
  Cluster cluster(1);
  REQUIRE(cluster.run_until_led());
  REQUIRE(cluster.call(NodeId(1), opening("alice")).status == Outcome::success);
  const NodeId victim = other_than(cluster, {cluster.leader(first)});
  const NodeId via = other_than(cluster, {victim});
  cluster.run(seconds(1));
  cluster.stop(victim);
  const auto copy = cluster.disk(victim);
  cluster.start(victim);
  REQUIRE(cluster.run_until_led());
  REQUIRE(result_of(cluster.call(via, deposit(1, "alice", 5))).outcome == Outcome::success);
  cluster.run(seconds(1));
  cluster.stop(victim);
  const bool put_back = GENERATE(true, false);
  if (put_back) cluster.disk(victim) = copy;
  cluster.start(victim);
  cluster.run(seconds(3));
  CHECK(cluster.is_running(victim) != put_back);
  CHECK(cluster.traced(TraceKind::disk_outdated) == (put_back ? 1 : 0));
  INFO(cluster.fatal(victim));
  CHECK((cluster.fatal(victim).find("not the newest copy") != std::string::npos) == put_back);
  CHECK((cluster.fatal(victim).find("coffer join --replace") != std::string::npos) == put_back);
  CHECK(balance_of(cluster.call(via, balance("alice"))) == 5);
}

TEST_CASE("a leader whose disk is full gives way to one that has room, and keeps its log when room returns") {
  Cluster cluster(1);
  REQUIRE(cluster.run_until_led());
  REQUIRE(cluster.call(NodeId(1), opening("alice")).status == Outcome::success);
  const NodeId first = cluster.leader(ShardId(1));
  cluster.set_full(first, true);
  std::uint64_t id = 0;
  const auto pay_in = [&] { return result_of(cluster.call(NodeId(1), deposit(++id, "alice", 1))).outcome; };
  while (id < 4000 && cluster.leader(ShardId(1)) == first) {  // until what is reserved is used up
    pay_in();
  }
  REQUIRE(cluster.leader(ShardId(1)) != first);
  CHECK(cluster.traced(TraceKind::transfer_begun) == 1);
  for (int i = 0; i < 20; ++i) {
    CHECK(pay_in() == Outcome::success);
  }
  CHECK(cluster.fatal(first).empty());
  cluster.set_full(first, false);
  cluster.run(seconds(5));
  CHECK(cluster.settled_wrong().empty());
  CHECK(balance_of(cluster.call(first, balance("alice"))) == static_cast<std::int64_t>(id));
}

TEST_CASE("a node that stopped for its disk answers every later step with the reason") {
  Cluster cluster(1);
  REQUIRE(cluster.run_until_led());
  Config config = cluster.config(NodeId(1));
  Node node(config, 1);
  Effects out;
  node.step(cluster.now(), {}, out);
  REQUIRE(out.io.size() == 2);  // of the stream, and of the sealed files
  router::Request status;
  status.header.kind = router::RequestKind::node_status;
  status.body = router::NodeStatusRequest{};
  const Bytes question = router::encode(status);
  const Input inputs[] = {RequestInput{ClientId(1), RequestId(9), question},
                          IoInput{out.io[0].token, IoStatus::failed}};
  out.clear();
  node.step(cluster.now(), inputs, out);
  REQUIRE_FALSE(out.fatal.empty());
  REQUIRE(out.replies.empty());
  for (int i = 0; i < 3; ++i) {
    const Bytes body = router::encode(deposit(1, "alice", 5));
    const Input request = RequestInput{ClientId(1), RequestId(1), body};
    out.clear();
    node.step(cluster.now(), {&request, 1}, out);
    REQUIRE_FALSE(out.fatal.empty());
    REQUIRE(out.io.empty());
    REQUIRE(out.replies.empty());
    REQUIRE(out.send_now.empty());
    REQUIRE(out.send_after_sync.empty());
  }
  REQUIRE_FALSE(node.ready());
}

TEST_CASE("a node that is still reading its files says so, and takes part in nothing") {
  Cluster cluster(1);
  for (const NodeId node : cluster.nodes()) cluster.hold_io(node);
  cluster.settle();
  REQUIRE_FALSE(cluster.node(NodeId(1)).ready());
  REQUIRE(cluster.call(NodeId(1), deposit(1, "alice", 5)).status == Outcome::no_leader);
  router::Request status;
  status.header.kind = router::RequestKind::node_status;
  status.body = router::NodeStatusRequest{};
  const router::Reply before = cluster.call(NodeId(1), status);
  REQUIRE_FALSE(std::get<router::NodeStatusReply>(before.body).ready);
  for (const NodeId node : cluster.nodes()) cluster.release_io(node);
  REQUIRE(cluster.run_until_led());
  const router::Reply after = cluster.call(NodeId(1), status);
  REQUIRE(std::get<router::NodeStatusReply>(after.body).ready);
  REQUIRE(std::get<router::NodeStatusReply>(after.body).shards.size() == 1);
}

TEST_CASE("the same seed and the same inputs make the same run") {
  const auto run = [] {
    Cluster cluster(2, 7);
    cluster.record_frames(1'000'000);
    cluster.run_until_led();
    const std::string alice = cluster.name_on(first, "alice");
    const std::string bob = cluster.name_on(second, "bob");
    cluster.call(NodeId(1), opening(alice));
    cluster.call(NodeId(2), opening(bob));
    cluster.call(NodeId(3), deposit(1, alice, 50));
    cluster.call(NodeId(3), transfer(2, alice, bob, 50));
    Bytes all;
    for (const Bytes& frame : cluster.recorded()) all.insert(all.end(), frame.begin(), frame.end());
    return std::pair(all.size(), hash128(all));
  };
  const auto once = run();
  REQUIRE(once.first > 0);
  REQUIRE(once == run());
}

}  // namespace
}  // namespace coffer::node
