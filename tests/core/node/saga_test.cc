// Transfers across shards, run by whole nodes: both sides or neither, and sagas that outlive their leaders.
#include <vector>

#include <catch2/catch.hpp>

#include "core/base/codec.h"
#include "core/base/prng.h"
#include "core/raft/messages.h"
#include "tests/core/node/two_leaders.h"

namespace coffer::node {
namespace {

TEST_CASE("a transfer across shards moves money in both, or in neither (design 7)") {
  TwoLeaders two;
  const router::TransferResult moved = result_of(two.cluster.call(two.third(), transfer(1, two.alice, two.bob, 300)));
  REQUIRE(moved.outcome == Outcome::success);
  REQUIRE(moved.shard == first);
  REQUIRE(moved.target == second);
  REQUIRE(moved.target_position > Position(0));
  REQUIRE(moved.target_stamp > moved.stamp);
  REQUIRE(two.balance_at(NodeId(1), two.alice) == 700);
  REQUIRE(two.balance_at(NodeId(1), two.bob) == 1300);

  const std::string ghost = two.cluster.name_on(second, "ghost");
  const router::TransferResult refused = result_of(two.cluster.call(NodeId(2), transfer(2, two.alice, ghost, 300)));
  REQUIRE(refused.outcome == Outcome::credit_account_not_found);
  REQUIRE(two.cluster.traced(TraceKind::saga_compensated) == 1);
  REQUIRE(two.balance_at(NodeId(3), two.alice) == 700);
  two.cluster.run(seconds(1));
  REQUIRE(two.cluster.settled_wrong().empty());
  // The refusal is the id's answer for ever, also when the account is there by now.
  two.cluster.call(NodeId(1), opening(ghost));
  const router::TransferResult again = result_of(two.cluster.call(NodeId(3), transfer(2, two.alice, ghost, 300)));
  REQUIRE(again.outcome == Outcome::credit_account_not_found);
  REQUIRE(again.replayed);
}

TEST_CASE("a batch with items of both shards gets an answer for each") {
  TwoLeaders two;
  router::Request request = transfer(1, two.alice, two.bob, 10);
  auto& items = std::get<router::TransfersRequest>(request.body).items;
  items.push_back({router::TransferOperation::transfer, usd, 20, id_of(2), two.bob, two.alice});
  items.push_back({router::TransferOperation::transfer, usd, 5000, id_of(3), two.bob, two.alice});
  items.push_back({router::TransferOperation::deposit, usd, 1, id_of(4), "", two.bob});
  const router::Reply reply = two.cluster.call(two.third(), request);
  const auto& results = std::get<router::TransfersReply>(reply.body).results;
  REQUIRE(results.size() == 4);
  REQUIRE(results[0].outcome == Outcome::success);
  REQUIRE(results[1].outcome == Outcome::success);
  REQUIRE(results[2].outcome == Outcome::insufficient_funds);
  REQUIRE(results[3].outcome == Outcome::success);
  REQUIRE(two.balance_at(NodeId(1), two.alice) == 1010);
  REQUIRE(two.balance_at(NodeId(1), two.bob) == 991);
}

TEST_CASE("duplicates of a transfer under way are answered with it, and move nothing") {
  TwoLeaders two;
  two.cluster.loses = [](NodeId, NodeId, const Section& section) { return section.kind == SectionKind::leg_answers; };
  std::vector<std::uint64_t> asked;
  for (const NodeId via : two.cluster.nodes())
    asked.push_back(two.cluster.ask(via, transfer(1, two.alice, two.bob, 10)));
  two.cluster.run(milliseconds(200));
  for (const std::uint64_t number : asked) REQUIRE_FALSE(two.cluster.reply(number));
  const router::Reply status = two.cluster.call(NodeId(1), transfer_status(1, two.alice));
  REQUIRE(std::get<router::TransferStatusReply>(status.body).result.outcome == Outcome::pending);
  two.cluster.loses = nullptr;
  two.cluster.run(seconds(1));
  int originals = 0;
  for (const std::uint64_t number : asked) {
    const router::TransferResult result = result_of(*two.cluster.reply(number));
    REQUIRE(result.outcome == Outcome::success);
    REQUIRE(result.target_position > Position(0));
    originals += result.replayed ? 0 : 1;
  }
  REQUIRE(originals == 1);
  REQUIRE(two.balance_at(NodeId(1), two.alice) == 990);
  REQUIRE(two.cluster.settled_wrong().empty());
}

TEST_CASE("a new leader resumes a saga whose leg was lost (design 7)") {
  TwoLeaders two;
  two.cluster.loses = [](NodeId, NodeId, const Section& section) { return section.kind == SectionKind::legs; };
  const NodeId source = two.source();
  two.cluster.ask(source, transfer(1, two.alice, two.bob, 10));
  two.cluster.run(milliseconds(100));
  REQUIRE(two.cluster.traced(TraceKind::saga_started) == 1);
  REQUIRE(two.cluster.traced(TraceKind::leg_received) == 0);
  two.cluster.stop(source);
  two.cluster.loses = nullptr;
  REQUIRE(two.cluster.run_until_led());
  two.cluster.run(seconds(1));
  REQUIRE(two.cluster.traced(TraceKind::saga_resumed) == 1);
  REQUIRE(two.cluster.traced(TraceKind::leg_received) == 1);
  REQUIRE(two.cluster.traced(TraceKind::saga_done) == 1);
  two.cluster.start(source);
  REQUIRE(two.cluster.run_until([&] { return two.cluster.node(source).ready(); }));
  const router::TransferResult again = result_of(two.cluster.call(source, transfer(1, two.alice, two.bob, 10)));
  REQUIRE(again.outcome == Outcome::success);
  REQUIRE(again.replayed);
  REQUIRE(two.balance_at(NodeId(1), two.alice) == 990);
  REQUIRE(two.balance_at(NodeId(1), two.bob) == 1010);
  two.cluster.run(seconds(1));
  REQUIRE(two.cluster.settled_wrong().empty());
}

TEST_CASE("a new leader resumes a saga whose answer was lost, and the target repeats its outcome (design 7)") {
  for (const bool refused : {false, true}) {
    CAPTURE(refused);
    TwoLeaders two;
    two.cluster.loses = [](NodeId, NodeId, const Section& section) { return section.kind == SectionKind::leg_answers; };
    const std::string payee = refused ? two.cluster.name_on(second, "ghost") : two.bob;
    const NodeId source = two.source();
    two.cluster.ask(source, transfer(1, two.alice, payee, 10));
    two.cluster.run(milliseconds(100));
    REQUIRE(two.cluster.traced(TraceKind::leg_received) == 1);
    REQUIRE(two.cluster.traced(TraceKind::leg_answer) == 0);
    two.cluster.stop(source);
    two.cluster.loses = nullptr;
    const NodeId via = other_than(two.cluster, {source});
    const router::TransferResult again = result_of(two.cluster.call(via, transfer(1, two.alice, payee, 10)));
    REQUIRE(again.outcome == (refused ? Outcome::credit_account_not_found : Outcome::success));
    REQUIRE(again.replayed);
    REQUIRE(two.cluster.traced(TraceKind::saga_resumed) == 1);
    REQUIRE(two.cluster.traced(TraceKind::leg_received) == 1);
    REQUIRE(two.cluster.traced(TraceKind::leg_repeated) >= 1);
    REQUIRE(two.balance_at(via, two.alice) == (refused ? 1000 : 990));
    REQUIRE(two.balance_at(via, two.bob) == (refused ? 1000 : 1010));
    two.cluster.start(source);
    two.cluster.run(seconds(1));
    REQUIRE(two.cluster.settled_wrong().empty());
  }
}

TEST_CASE("a target's new leader repeats what the old one decided (design 7)") {
  TwoLeaders two;
  two.cluster.loses = [](NodeId, NodeId, const Section& section) { return section.kind == SectionKind::leg_answers; };
  const NodeId target = two.target();
  const std::uint64_t asked = two.cluster.ask(two.source(), transfer(1, two.alice, two.bob, 10));
  two.cluster.run(milliseconds(100));
  REQUIRE(two.cluster.traced(TraceKind::leg_received) == 1);
  two.cluster.stop(target);
  two.cluster.loses = nullptr;
  REQUIRE(two.cluster.run_until([&] { return two.cluster.reply(asked).has_value(); }));
  REQUIRE(result_of(*two.cluster.reply(asked)).outcome == Outcome::success);
  REQUIRE(two.cluster.traced(TraceKind::leg_received) == 1);
  two.cluster.start(target);
  two.cluster.run(seconds(2));
  REQUIRE(two.balance_at(NodeId(1), two.bob) == 1010);
  REQUIRE(two.cluster.settled_wrong().empty());
}

/// Whether the section asks for votes in this group.
bool is_vote_request(const Section& section, ShardId group) {
  if (section.kind != SectionKind::raft) return false;
  ByteReader in(section.bytes);
  return in.id<ShardId>() == group && std::holds_alternative<raft::VoteRequest>(raft::decode_message(in));
}

TEST_CASE("a target that was deposed never tells what it undid (design 4, 7)") {
  TwoLeaders two;
  const NodeId source = two.source();
  const NodeId deposed = two.target();
  const NodeId next = two.third();
  const std::string ghost = two.cluster.name_on(second, "ghost");
  bool deposed_is_cut_off = true;
  bool legs_reach_next = false;
  two.cluster.loses = [&](NodeId from, NodeId to, const Section& section) {
    const bool is_of_deposed = section.kind == SectionKind::raft && (from == deposed || to == deposed);
    const bool is_leg_to_next = section.kind == SectionKind::legs && to == next;
    const bool is_answer_of_next = section.kind == SectionKind::leg_answers && from == next;
    return (is_of_deposed && deposed_is_cut_off) || (is_leg_to_next && !legs_reach_next) || is_answer_of_next ||
           (from == source && is_vote_request(section, second));
  };
  const std::uint64_t asked = two.cluster.ask(source, transfer(1, two.alice, ghost, 10));
  two.cluster.settle();
  REQUIRE(two.cluster.traced(TraceKind::leg_received) == 1);  // refused: there is no such account
  REQUIRE(two.cluster.call(next, opening(ghost)).status == Outcome::success);
  REQUIRE(two.target() == next);
  legs_reach_next = true;
  two.cluster.run(seconds(1));
  REQUIRE(two.cluster.traced(TraceKind::leg_received) == 2);  // taken: by now there is
  deposed_is_cut_off = false;
  two.cluster.run(seconds(1));
  REQUIRE(two.cluster.traced(TraceKind::undone) > 0);
  REQUIRE(two.cluster.traced(TraceKind::leg_answer) == 0);
  two.cluster.loses = nullptr;
  REQUIRE(two.cluster.run_until([&] { return two.cluster.reply(asked).has_value(); }));
  REQUIRE(result_of(*two.cluster.reply(asked)).outcome == Outcome::success);
  REQUIRE(two.balance_at(source, ghost) == 10);
  REQUIRE(two.balance_at(source, two.alice) == 990);
  two.cluster.run(seconds(1));
  REQUIRE(two.cluster.settled_wrong().empty());
}

TEST_CASE("a leg's success is told at once; its duplicate and a refusal wait for the log (design 7)") {
  for (const bool refused : {false, true}) {
    CAPTURE(refused);
    TwoLeaders two;
    const NodeId source = two.source();
    const std::string payee = refused ? two.cluster.name_on(second, "ghost") : two.bob;
    two.cluster.loses = [](NodeId, NodeId, const Section& section) { return section.kind == SectionKind::leg_answers; };
    const std::uint64_t original = two.cluster.ask(source, direct(transfer(1, two.alice, payee, 10), first));
    two.cluster.settle();
    const std::uint64_t duplicate = two.cluster.ask(source, direct(transfer(1, two.alice, payee, 10), first));
    two.cluster.run(milliseconds(100));
    REQUIRE(two.cluster.traced(TraceKind::leg_received) == 1);
    // From here on the source can log the answer, but not commit it.
    for (const NodeId node : two.cluster.nodes()) two.cluster.hold_io(node);
    two.cluster.loses = nullptr;
    REQUIRE(two.cluster.run_until([&] { return two.cluster.traced(TraceKind::leg_answer) > 0; }, milliseconds(400)));
    two.cluster.settle();
    REQUIRE(two.cluster.reply(original).has_value() == !refused);
    REQUIRE_FALSE(two.cluster.reply(duplicate));
    for (const NodeId node : two.cluster.nodes()) two.cluster.release_io(node);
    two.cluster.run(milliseconds(100));
    for (const std::uint64_t number : {original, duplicate}) {
      REQUIRE(two.cluster.reply(number));
      const Outcome outcome = result_of(*two.cluster.reply(number)).outcome;
      REQUIRE(outcome == (refused ? Outcome::credit_account_not_found : Outcome::success));
    }
  }
}

TEST_CASE("legs in both directions all end although half of their messages are lost") {
  TwoLeaders two;
  Prng random(1);
  two.cluster.loses = [&](NodeId, NodeId, const Section& section) {
    return (section.kind == SectionKind::legs || section.kind == SectionKind::leg_answers) && random.chance(500);
  };
  std::vector<std::uint64_t> asked;
  for (std::uint64_t id = 1; id <= 20; ++id) {
    const bool there = id % 2 == 0;
    asked.push_back(two.cluster.ask(NodeId(static_cast<std::uint32_t>(id % 3 + 1)),
                                    transfer(id, there ? two.alice : two.bob, there ? two.bob : two.alice, 1)));
    two.cluster.run(milliseconds(1));
  }
  REQUIRE(two.cluster.run_until([&] { return two.cluster.reply(asked.back()).has_value(); }));
  two.cluster.run(seconds(5));
  for (const std::uint64_t number : asked) {
    REQUIRE(two.cluster.reply(number));
    REQUIRE(result_of(*two.cluster.reply(number)).outcome == Outcome::success);
  }
  REQUIRE(two.balance_at(NodeId(1), two.alice) == 1000);
  REQUIRE(two.balance_at(NodeId(1), two.bob) == 1000);
  REQUIRE(two.cluster.settled_wrong().empty());
}

}  // namespace
}  // namespace coffer::node
