// Reads without log entries, step by step as section 6.4 of the Raft thesis (Ongaro 2014) lists them.
#include <catch2/catch.hpp>

#include "core/raft/read_rounds.h"
#include "tests/core/raft/replica.h"

namespace coffer::raft::test {
namespace {

using Ids = std::vector<std::uint64_t>;

/// Leads term 1 of a group of `members`; its no-op is committed everywhere.
Replica leader(std::uint32_t members = 3) {
  Replica replica({.members = members});
  replica.win_election();
  replica.replicate_everywhere();
  REQUIRE(replica.raft.leads_in_own_term());
  return replica;
}

TEST_CASE("only a leader takes reads (Raft thesis §6.4)") {
  Replica replica;
  CHECK_FALSE(replica.read(1));
  CHECK(replica.out.messages.empty());
}

TEST_CASE("a read begins a round of heartbeats and waits for a majority (Raft thesis §6.4 step 3)") {
  Replica replica = leader(5);
  CHECK(replica.read(11));
  const auto requests = replica.sent<AppendRequest>();
  REQUIRE(requests.size() == 4);
  const std::uint64_t round = requests.front().round;
  CHECK(round > 0);
  CHECK(requests.front().entries.empty());
  CHECK(replica.out.reads_confirmed.empty());
  replica.receive(2, accepted(1, 1, round));
  replica.receive(2, accepted(1, 1, round));
  CHECK(replica.out.reads_confirmed.empty());
  replica.receive(3, accepted(1, 1, round));
  CHECK(replica.out.reads_confirmed == Ids{11});
  CHECK(replica.trace_of(TraceKind::read_confirmed).a == round);
  CHECK(replica.trace_of(TraceKind::read_confirmed).index == Index(1));
}

TEST_CASE("answers to appends sent before the read do not confirm it (Raft thesis §6.4 step 3)") {
  Replica replica = leader();
  replica.read(11);
  replica.receive(2, accepted(1, 1, 0));
  CHECK(replica.out.reads_confirmed.empty());
  replica.receive(2, accepted(1, 1, 1));
  CHECK(replica.out.reads_confirmed == Ids{11});
  replica.read(12);
  replica.receive(2, accepted(1, 1, 1));
  replica.receive(3, accepted(1, 1, 1));
  CHECK(replica.out.reads_confirmed.empty());
  replica.receive(3, accepted(1, 1, 2));
  CHECK(replica.out.reads_confirmed == Ids{12});
}

TEST_CASE("reads that arrive during a round wait for the next, together (Raft thesis §6.4, amortised)") {
  Replica replica = leader();
  replica.read(11);
  replica.read(12);
  replica.read(13);
  CHECK(replica.out.messages.empty());
  replica.receive(2, accepted(1, 1, 1));
  CHECK(replica.out.reads_confirmed == Ids{11});
  REQUIRE(replica.sent<AppendRequest>().size() == 2);
  CHECK(replica.sent<AppendRequest>(2).front().round == 2);
  replica.receive(3, accepted(1, 1, 2));
  CHECK(replica.out.reads_confirmed == Ids{12, 13});
  CHECK(replica.out.messages.empty());
}

TEST_CASE("a refused append still acknowledges the leader (Raft thesis §6.4 step 3)") {
  Replica replica = leader();
  replica.propose("x");
  replica.read(11);
  replica.receive(3, refused(1, 1, 1));
  CHECK(replica.out.reads_confirmed == Ids{11});
}

TEST_CASE("a lost round is repeated by the heartbeats (Raft thesis §6.4 step 3)") {
  Replica replica = leader();
  replica.read(11);
  replica.time_out();
  CHECK(replica.sent<AppendRequest>(3).front().round == 1);
  replica.receive(3, accepted(1, 1, 1));
  CHECK(replica.out.reads_confirmed == Ids{11});
}

TEST_CASE("no read is confirmed before an entry of the leader's term has committed (Raft thesis §6.4 step 1)") {
  Replica replica({.term = 1, .log = {1}});
  replica.win_election();
  replica.read(11);
  replica.receive(2, accepted(2, 1, 1));
  replica.receive(3, accepted(2, 1, 1));
  CHECK(replica.out.reads_confirmed.empty());
  replica.read(12);
  replica.receive(3, accepted(2, 1, 2));
  CHECK(replica.out.reads_confirmed.empty());
  replica.receive(3, accepted(2, 2, 2));
  CHECK(replica.out.reads_confirmed.empty());
  replica.sync();
  CHECK(replica.out.reads_confirmed == Ids{11, 12});
  CHECK(replica.trace_of(TraceKind::read_confirmed).a == 2);
}

TEST_CASE("a leader that steps down confirms nothing and gives its reads back (Raft thesis §6.4)") {
  Replica replica = leader();
  replica.read(11);
  replica.read(12);
  replica.receive(2, transfer_vote_request(2, 1, 1));
  CHECK(replica.out.reads_dropped == Ids{11, 12});
  replica.receive(3, accepted(1, 1, 1));
  CHECK(replica.out.reads_confirmed.empty());
}

TEST_CASE("an answer to a round of an earlier leadership does not confirm a later read (Raft thesis §6.4 step 3)") {
  Replica replica = leader();
  replica.read(11);
  replica.receive(2, transfer_vote_request(2, 1, 1));
  replica.win_election();
  replica.replicate_everywhere();
  replica.read(12);
  const std::uint64_t round = replica.sent<AppendRequest>(3).front().round;
  CHECK(round == 2);
  replica.receive(3, accepted(3, 2, 1));
  CHECK(replica.out.reads_confirmed.empty());
  replica.receive(3, accepted(3, 2, round));
  CHECK(replica.out.reads_confirmed == Ids{12});
}

TEST_CASE("a group of one confirms at once, once its own term has committed (Raft thesis §6.4)") {
  Replica replica({.members = 1});
  replica.time_out();
  replica.read(11);
  CHECK(replica.out.reads_confirmed.empty());
  replica.sync();
  CHECK(replica.out.reads_confirmed == Ids{11});
  replica.read(12);
  CHECK(replica.out.reads_confirmed == Ids{12});
}

TEST_CASE("a round takes along exactly the reads that waited when it began (Raft thesis §6.4)") {
  ReadRounds rounds;
  CHECK_FALSE(rounds.under_way());
  rounds.add(1);
  rounds.begin();
  rounds.add(2);
  CHECK(rounds.under_way());
  CHECK_THROWS_AS(rounds.begin(), CheckFailure);
  rounds.acknowledged();
  CHECK_THROWS_AS(rounds.acknowledged(), CheckFailure);
  rounds.begin();
  CHECK(rounds.proven_round() == 1);
  Ids proven;
  rounds.take_proven(proven);
  CHECK(proven == Ids{1});
  Ids dropped;
  rounds.drop(dropped);
  CHECK(dropped == Ids{2});
  CHECK_FALSE(rounds.under_way());
  CHECK(rounds.round() == 2);
}

}  // namespace
}  // namespace coffer::raft::test
