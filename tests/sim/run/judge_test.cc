#include "sim/run/judge.h"

#include <algorithm>

#include <catch2/catch.hpp>

namespace coffer::sim {
namespace {

const Topology topology{3, 1, {{NodeId(1), NodeId(2), NodeId(3)}}, {}, {}};

router::TransferItem item(std::uint8_t number) {
  router::TransferItem transfer;
  transfer.currency = currency_of("USD");
  transfer.amount = 1;
  transfer.id.bytes[15] = number;
  transfer.debit = "a";
  transfer.credit = "b";
  return transfer;
}

/// A client that calls and is told, one call after the other.
struct Caller {
  Judge judge{topology};
  std::uint64_t op = 0;

  void transfer(std::uint8_t number, Outcome outcome, bool replayed = false, std::uint32_t target = 0) {
    router::Request request;
    request.body = router::TransfersRequest{{item(number)}};
    judge.on_call(SimTime{}, 0, ++op, request);
    router::Reply reply;
    router::TransferResult result;
    result.outcome = outcome;
    result.replayed = replayed;
    result.shard = ShardId(1);
    result.target = ShardId(target);
    reply.body = router::TransfersReply{{result}};
    judge.on_return(SimTime{}, 0, op, reply);
  }
  void status(std::uint8_t number, Outcome outcome) {
    router::Request request;
    request.header.kind = router::RequestKind::transfer_status;
    request.body = router::TransferStatusRequest{item(number).id, "a"};
    judge.on_call(SimTime{}, 0, ++op, request);
    router::Reply reply;
    reply.kind = router::RequestKind::transfer_status;
    if (outcome == Outcome::transfer_not_found) {
      reply.status = outcome;
    } else {
      router::TransferStatusReply told;
      told.result.outcome = outcome;
      reply.body = told;
    }
    judge.on_return(SimTime{}, 0, op, reply);
  }
  std::uint64_t sometimes(std::string_view name) const { return judge.sometimes().of(name); }
};

TEST_CASE("an unknown outcome is later found done when the same id is answered from the record") {
  Caller caller;
  caller.transfer(1, Outcome::unknown);
  REQUIRE(caller.sometimes("unknown_later_done") == 0);
  caller.transfer(1, Outcome::success, true);
  REQUIRE(caller.sometimes("unknown_later_done") == 1);
  caller.transfer(1, Outcome::success, true);
  REQUIRE(caller.sometimes("unknown_later_done") == 1);
  caller.transfer(2, Outcome::unknown);
  caller.status(2, Outcome::success);
  REQUIRE(caller.sometimes("unknown_later_done") == 2);
  REQUIRE(caller.sometimes("unknown_later_not_done") == 0);
}

TEST_CASE("an unknown outcome is later found not done when the id is not there, executes now, or is refused") {
  Caller caller;
  caller.transfer(1, Outcome::unknown);
  caller.status(1, Outcome::transfer_not_found);
  caller.transfer(2, Outcome::unknown);
  caller.transfer(2, Outcome::success, false);
  caller.transfer(3, Outcome::unknown);
  caller.transfer(3, Outcome::insufficient_funds);
  REQUIRE(caller.sometimes("unknown_later_not_done") == 3);
  REQUIRE(caller.sometimes("unknown_later_done") == 0);
}

TEST_CASE("transfers are counted one by one, those of setup not at all") {
  Caller caller;
  caller.transfer(1, Outcome::success);
  REQUIRE(caller.judge.operations().succeeded == 0);
  caller.judge.on_phase(SimTime{}, Phase::running);
  caller.transfer(2, Outcome::success);
  caller.transfer(3, Outcome::success, false, 2);
  caller.transfer(4, Outcome::insufficient_funds);
  caller.transfer(5, Outcome::unknown);
  REQUIRE(caller.judge.operations().succeeded == 2);
  REQUIRE(caller.judge.operations().succeeded_across_shards == 1);
  REQUIRE(caller.judge.operations().refused == 1);
  REQUIRE(caller.judge.operations().unknown == 1);
}

TEST_CASE("a disk that its node refuses is an interesting state") {
  Judge judge(topology);
  REQUIRE(judge.sometimes().of("disk_refused") == 0);
  judge.on_refused(SimTime{}, NodeId(2));
  REQUIRE(judge.sometimes().of("disk_refused") == 1);
}

TEST_CASE("interesting states are counted from the trace") {
  Judge judge(topology);
  const auto trace = [&](TraceKind kind, std::uint64_t c = 0) {
    TraceEvent event;
    event.kind = kind;
    event.shard = ShardId(1);
    event.c = c;
    judge.on_trace(SimTime{}, NodeId(1), event);
  };
  trace(TraceKind::dedup_hit);
  REQUIRE(judge.sometimes().of("dedup_hit_after_failover") == 0);
  trace(TraceKind::dedup_hit, 1);
  REQUIRE(judge.sometimes().of("dedup_hit_after_failover") == 1);
  trace(TraceKind::became_follower);
  REQUIRE(judge.sometimes().of("election_lost") == 0);
  trace(TraceKind::became_candidate);
  trace(TraceKind::became_follower);
  REQUIRE(judge.sometimes().of("election_lost") == 1);
  for (const std::string_view name : required_sometimes())
    REQUIRE(judge.sometimes().to_map().contains(std::string(name)));
}

}  // namespace
}  // namespace coffer::sim
