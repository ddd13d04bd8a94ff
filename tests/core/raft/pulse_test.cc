// When a leader was alive, by the signs of life in its appends (docs/PROTOCOLS.md R30).
#include "core/raft/pulse.h"

#include <catch2/catch.hpp>

namespace coffer::raft::test {
namespace {

constexpr Duration grace = milliseconds(20);
constexpr Duration window = milliseconds(400);

constexpr Instant at(std::int64_t ms) { return Instant{} + milliseconds(ms); }
constexpr SignOfLife sent(std::int64_t ms, std::int64_t unheard_ms = 0) {
  return {milliseconds(ms), milliseconds(unheard_ms)};
}

TEST_CASE("the first append of a term is on time, whatever the two clocks show (docs/PROTOCOLS.md R30)") {
  const auto since_election = GENERATE(std::int64_t{0}, std::int64_t{7}, std::int64_t{1'000'000});
  Pulse pulse(grace, window);
  CHECK(pulse.heard(at(500), Term(1), sent(since_election)));
  CHECK(pulse.alive_at() == at(500));
  CHECK(pulse.heard(at(530), Term(1), sent(since_election + 30)));
  CHECK(pulse.alive_at() == at(530));
  CHECK(pulse.heard(at(600), Term(2), sent(0)));  // another leader, another clock
  CHECK(pulse.alive_at() == at(600));
}

TEST_CASE("an append that is late tells of the moment it left (docs/PROTOCOLS.md R30)") {
  Pulse pulse(grace, window);
  pulse.heard(at(100), Term(1), sent(0));
  CHECK(pulse.heard(at(400), Term(1), sent(50)));
  CHECK(pulse.alive_at() == at(150));
  SECTION("one that is faster than all before shows that the others were slow") {
    CHECK(pulse.heard(at(410), Term(1), sent(360)));
    CHECK(pulse.alive_at() == at(410));
    CHECK(pulse.heard(at(540), Term(1), sent(430)));
    CHECK(pulse.alive_at() == at(480));
  }
  SECTION("copies and what was overtaken tell nothing, however early they come") {
    CHECK_FALSE(pulse.heard(at(401), Term(1), sent(50)));
    CHECK_FALSE(pulse.heard(at(401), Term(1), sent(40)));
    CHECK(pulse.alive_at() == at(150));
  }
}

TEST_CASE("a leader that hears no quorum is alive for a heartbeat beyond that (docs/PROTOCOLS.md R23, R30)") {
  Pulse pulse(grace, window);
  pulse.heard(at(0), Term(1), sent(0));
  pulse.heard(at(20), Term(1), sent(20, 20));
  CHECK(pulse.alive_at() == at(20));
  CHECK_FALSE(pulse.heard(at(40), Term(1), sent(40, 40)));
  CHECK_FALSE(pulse.heard(at(60), Term(1), sent(60, 60)));
  CHECK(pulse.alive_at() == at(20));
  CHECK(pulse.heard(at(80), Term(1), sent(80, 25)));
  CHECK(pulse.alive_at() == at(75));
}

TEST_CASE("a way that has become longer for good is not late for ever (docs/PROTOCOLS.md R30)") {
  Pulse pulse(grace, window);
  pulse.heard(at(0), Term(1), sent(0));
  std::int64_t now = 10;
  for (; now < 800; now += 10) {
    pulse.heard(at(now + 300), Term(1), sent(now));
    if (now < 400) CHECK(pulse.alive_at() == at(now));
  }
  CHECK(pulse.heard(at(now + 300), Term(1), sent(now)));
  CHECK(pulse.alive_at() == at(now + 300));
}

TEST_CASE("after a long silence a late append is still late (docs/PROTOCOLS.md R30)") {
  Pulse pulse(grace, window);
  for (std::int64_t now = 0; now < 1000; now += 10) pulse.heard(at(now), Term(1), sent(now));
  pulse.heard(at(9000), Term(1), sent(1000));
  CHECK(pulse.alive_at() == at(1000));
  pulse.heard(at(9200), Term(1), sent(1010));
  CHECK(pulse.alive_at() == at(1010));
}

TEST_CASE("a clock that is a little slower is no lateness (docs/PROTOCOLS.md R30)") {
  Pulse pulse(grace, window);
  for (std::int64_t now = 0; now < 1'000'000; now += 10) {
    pulse.heard(at(now), Term(1), {microseconds(now * 999), {}});
  }
  CHECK(pulse.alive_at() > at(1'000'000 - 20));
}

}  // namespace
}  // namespace coffer::raft::test
