// A peer that says whatever it likes may spoil the group's agreement, but never stops a replica: no message breaks a
// check, and what is committed here stays (docs/PROTOCOLS.md, R7, R8, R17).
#include <map>
#include <string>

#include <catch2/catch.hpp>
#include <rapidcheck.h>

#include "core/base/prng.h"
#include "tests/core/raft/replica.h"

namespace coffer::raft::test {
namespace {

/// Small numbers collide with the replica's own; now and then the largest ones, and one more.
std::uint64_t number(Prng& prng, std::uint64_t near) {
  const std::uint64_t kind = prng.below(40);
  if (kind == 0) return number_max + prng.below(2);
  if (kind < 20) return near + prng.below(3) - std::min<std::uint64_t>(near, 1);
  return prng.below(6);
}

/// Any that follows the grammar, whoever decided before.
Configuration hostile_configuration(Prng& prng) {
  Configuration made;
  for (std::uint32_t id = 1; id <= 7; ++id) {
    const std::uint64_t part = prng.below(8);
    if (part < 4) made.voters.push_back(NodeId(id));
    if (part == 3 || part == 4) made.outgoing.push_back(NodeId(id));
    if (part == 5) made.learners.push_back(NodeId(id));
  }
  if (made.voters.empty() || prng.chance(300)) return configuration({1, 2, 3});
  return made;
}

/// `nonce`: the one the replica asks with, if it does.
Message hostile_message(Prng& prng, const Raft& raft, std::uint64_t nonce) {
  const Term term(number(prng, raft.term().value));
  switch (prng.below(9)) {
    case 0:
      return VoteRequest{term, prng.chance(500), prng.chance(300), Index(number(prng, raft.last_index().value)),
                         Term(number(prng, raft.term().value))};
    case 1:
      return VoteReply{term, prng.chance(500), prng.chance(800)};
    case 2:
      return AppendReply{term,
                         prng.chance(700),
                         Index(number(prng, raft.last_index().value)),
                         number(prng, 1),
                         prng.chance(300),
                         prng.chance(700)};
    case 3:
      return TimeoutNow{term};
    case 4:
      return RecoveryRequest{term, prng.next()};
    case 5: {
      const Index last(number(prng, raft.last_index().value));
      const Term last_term(last.value == 0 ? 0 : number(prng, term.value));
      return RecoveryReply{term,
                           prng.chance(700) ? nonce : prng.next(),
                           prng.chance(500),
                           prng.chance(300),
                           {last, last_term},
                           hostile_configuration(prng)};
    }
    default:
      break;
  }
  AppendRequest request;
  request.term = term;
  request.prev_index = Index(number(prng, raft.last_index().value));
  // Half of the time the previous entry is the real one, so that entries get in.
  const bool real =
      prng.chance(700) && request.prev_index <= raft.last_index() && request.prev_index >= raft.base().index;
  request.prev_term = real ? raft.term_at(request.prev_index) : Term(number(prng, raft.term().value));
  request.commit = Index(number(prng, raft.last_index().value));
  request.round = number(prng, 1);
  const auto sent = static_cast<std::int64_t>(number(prng, 1'000'000'000));
  request.sign = {nanoseconds(sent), nanoseconds(prng.chance(500) ? 0 : sent)};
  std::uint64_t entry_term = std::max<std::uint64_t>(request.prev_term.value, 1);
  for (std::uint64_t count = prng.below(4); count > 0; --count) {
    entry_term += prng.chance(200) ? 1 : 0;
    const std::uint64_t index = request.prev_index.value + request.entries.size() + (prng.chance(950) ? 1 : 2);
    if (prng.chance(200)) {
      request.entries.push_back(configuration_entry(index, entry_term, hostile_configuration(prng)));
    } else {
      request.entries.push_back({Index(index), Term(entry_term), payload("h")});
    }
  }
  return request;
}

void one_step(Prng& prng, Replica& replica, std::uint64_t step, std::uint64_t nonce) {
  const auto somebody = static_cast<std::uint32_t>(prng.below(8));
  switch (prng.below(18)) {
    case 0:
      return replica.time_out();
    case 1:
      return replica.sync();
    case 2:
      replica.propose("p" + std::to_string(step));
      return;
    case 3:
      replica.read(step);
      return;
    case 4:
      return replica.reconnected(somebody);
    case 5:
      replica.reconfigure(prng.chance(500) ? Numbers{1, 2, 3} : Numbers{somebody, 9});
      return;
    case 6:
      replica.transfer(somebody);
      return;
    case 7: {
      const std::uint64_t last = replica.raft.last_index().value;
      replica.restore(number(prng, last), 1 + prng.below(replica.raft.term().value + 1), hostile_configuration(prng));
      return;
    }
    case 8:
      replica.raft.compact(Index(prng.below(replica.raft.commit().value + 1)));
      return;
    default:
      return replica.receive(somebody, hostile_message(prng, replica.raft, nonce));
  }
}

TEST_CASE("property: no message stops a replica or takes back what it has committed (docs/PROTOCOLS.md R7, R8, R17)") {
  std::size_t led = 0;
  std::size_t committed = 0;
  std::size_t settled = 0;
  for (std::uint64_t seed = 0; seed < 800; ++seed) {
    Prng prng(seed, 7);
    Replica replica({.members = 1 + 2 * static_cast<std::uint32_t>(prng.below(3)),
                     .term = 2,
                     .log = {1, 2},
                     .uncertain = prng.chance(200),
                     .seed = seed});
    std::uint64_t nonce = 0;
    std::map<std::uint64_t, std::string> known;
    std::string broken;
    CAPTURE(seed);
    try {
      for (std::uint64_t step = 0; step < 500; ++step) {
        one_step(prng, replica, step, nonce);
        led += replica.out.became_leader ? 1 : 0;
        settled += replica.out.settled ? 1 : 0;
        if (const auto asked = replica.sent<RecoveryRequest>(); !asked.empty()) nonce = asked.front().nonce;
        for (const auto& [index, text_there] : known) {
          if (Index(index) > replica.raft.base().index && text(replica.raft.entry(Index(index))) != text_there)
            broken = "a committed entry changed";
        }
        for (Index i = replica.raft.base().index.next(); i <= replica.raft.commit(); i = i.next()) {
          known.emplace(i.value, text(replica.raft.entry(i)));
        }
      }
    } catch (const CheckFailure& failure) {
      broken = failure.why;
    }
    committed += known.size();
    REQUIRE(broken == "");
  }
  CHECK(led > 100);
  CHECK(committed > 1000);
  CHECK(settled > 10);
}

}  // namespace
}  // namespace coffer::raft::test
