// A peer that says whatever it likes may spoil the group's agreement, but never stops a replica: no message breaks a
// check, and what is committed here stays (docs/PROTOCOLS.md, R7, R8, R17).
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

Message hostile_message(Prng& prng, const Raft& raft) {
  const Term term(number(prng, raft.term().value));
  switch (prng.below(4)) {
    case 0:
      return VoteRequest{term, prng.chance(500), Index(number(prng, raft.last_index().value)),
                         Term(number(prng, raft.term().value))};
    case 1:
      return VoteReply{term, prng.chance(500), prng.chance(800)};
    case 2:
      return AppendReply{term, prng.chance(700), Index(number(prng, raft.last_index().value)), number(prng, 1)};
    default:
      break;
  }
  AppendRequest request;
  request.term = term;
  request.prev_index = Index(number(prng, raft.last_index().value));
  // Half of the time the previous entry is the real one, so that entries get in.
  const bool real = prng.chance(700) && request.prev_index <= raft.last_index() && request.prev_index.value > 0;
  request.prev_term = real ? raft.entry(request.prev_index).term : Term(number(prng, raft.term().value));
  request.commit = Index(number(prng, raft.last_index().value));
  request.round = number(prng, 1);
  std::uint64_t entry_term = std::max<std::uint64_t>(request.prev_term.value, 1);
  for (std::uint64_t count = prng.below(4); count > 0; --count) {
    entry_term += prng.chance(200) ? 1 : 0;
    const std::uint64_t index = request.prev_index.value + request.entries.size() + (prng.chance(950) ? 1 : 2);
    request.entries.push_back({Index(index), Term(entry_term), payload("h")});
  }
  return request;
}

TEST_CASE("property: no message stops a replica or takes back what it has committed (docs/PROTOCOLS.md R7, R8, R17)") {
  std::size_t led = 0;
  std::size_t committed = 0;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    Prng prng(seed, 7);
    Replica replica(
        {.members = 1 + 2 * static_cast<std::uint32_t>(prng.below(3)), .term = 2, .log = {1, 2}, .seed = seed});
    std::vector<std::string> known;
    std::string broken;
    CAPTURE(seed);
    try {
      for (std::uint64_t step = 0; step < 300; ++step) {
        switch (prng.below(10)) {
          case 0:
            replica.time_out();
            break;
          case 1:
            replica.sync();
            break;
          case 2:
            replica.propose("p" + std::to_string(step));
            break;
          case 3:
            replica.read(step);
            break;
          case 4:
            replica.reconnected(static_cast<std::uint32_t>(prng.below(7)));
            break;
          default:
            replica.receive(static_cast<std::uint32_t>(prng.below(7)), hostile_message(prng, replica.raft));
            break;
        }
        led += replica.out.became_leader ? 1 : 0;
        for (std::size_t i = 0; i < known.size(); ++i) {
          if (text(replica.raft.entry(Index(i + 1))) != known[i]) broken = "a committed entry changed";
        }
        while (known.size() < replica.raft.commit().value) {
          known.push_back(text(replica.raft.entry(Index(known.size() + 1))));
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
}

}  // namespace
}  // namespace coffer::raft::test
