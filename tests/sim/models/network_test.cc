#include "sim/models/network.h"

#include <algorithm>
#include <bit>

#include <catch2/catch.hpp>

namespace coffer::sim {
namespace {

constexpr NetworkConfig quick{microseconds(100), microseconds(200)};
constexpr std::uint64_t strike = 77;

/// Of a packet that was sent on the connection of `sent`, or on the first one.
bool arrives(Network& network, Endpoint from, Endpoint to, const Arrivals& sent = {}) {
  return network.arrival(from, to, sent.connection) == Fate::arrives;
}

Disturbance everywhere(Trouble trouble, std::uint32_t per_mille, Duration extra = {}) {
  return {strike, trouble, EndpointSet::all(), EndpointSet::all(), per_mille, extra};
}

TEST_CASE("an undisturbed link delays by its floor at least and keeps the order") {
  Network network(quick, 4, 1);
  SimTime last;
  for (int i = 0; i < 1000; ++i) {
    const SimTime now{i * 1000};
    const Arrivals arrivals = network.send(now, 1, 2);
    REQUIRE(arrivals.first >= now + quick.delay_floor);
    REQUIRE(arrivals.first >= last);
    REQUIRE_FALSE(arrivals.twice);
    REQUIRE(arrives(network, 1, 2));
    last = arrivals.first;
  }
  REQUIRE(network.take_hits().empty());
}

TEST_CASE("what happens on one link does not move the draws of another") {
  Network a(quick, 4, 1);
  Network b(quick, 4, 1);
  for (int i = 0; i < 10; ++i) a.send(SimTime{}, 1, 2);
  REQUIRE(a.send(SimTime{}, 2, 1).first == b.send(SimTime{}, 2, 1).first);
  REQUIRE(a.send(SimTime{}, 1, 3).first == b.send(SimTime{}, 1, 3).first);
}

TEST_CASE("a one-way block stops one direction, and what is under way too") {
  Network network(quick, 4, 1);
  network.send(SimTime{}, 1, 2);
  network.disturb({strike, Trouble::block, EndpointSet::of(1), EndpointSet::of(2), 0, {}});
  REQUIRE_FALSE(arrives(network, 1, 2));
  REQUIRE(arrives(network, 2, 1));
  REQUIRE(arrives(network, 1, 3));
  REQUIRE(network.take_hits() == std::vector<std::uint64_t>{strike});
  REQUIRE_FALSE(network.open(1, 2));
  network.calm(strike);
  REQUIRE(arrives(network, 1, 2));
  REQUIRE(network.open(1, 2));
}

TEST_CASE("packets are dropped as often as was said") {
  Network network(quick, 2, 1);
  network.disturb(everywhere(Trouble::drop, 250));
  int lost = 0;
  for (int i = 0; i < 4000; ++i) lost += arrives(network, 1, 2) ? 0 : 1;
  REQUIRE(lost > 850);
  REQUIRE(lost < 1150);
  REQUIRE(network.take_hits().size() == static_cast<std::size_t>(lost));
}

TEST_CASE("a duplicate arrives later, within what was said") {
  Network network(quick, 2, 1);
  network.disturb(everywhere(Trouble::duplicate, 1000, milliseconds(50)));
  for (int i = 0; i < 100; ++i) {
    const Arrivals arrivals = network.send(SimTime{i}, 1, 2);
    REQUIRE(arrivals.twice);
    REQUIRE(arrivals.again >= arrivals.first);
    REQUIRE(arrivals.again <= arrivals.first + milliseconds(50));
  }
}

TEST_CASE("delayed packets keep their order") {
  Network network(quick, 2, 1);
  network.disturb(everywhere(Trouble::delay, 500, milliseconds(20)));
  SimTime last;
  for (int i = 0; i < 500; ++i) {
    const SimTime arrives = network.send(SimTime{i * 1000}, 1, 2).first;
    REQUIRE(arrives >= last);
    last = arrives;
  }
  REQUIRE(last > SimTime{milliseconds(20).nanos});
}

TEST_CASE("reordered packets are overtaken, and only then count as a hit") {
  Network network(quick, 2, 1);
  network.disturb(everywhere(Trouble::reorder, 200, milliseconds(20)));
  REQUIRE(network.take_hits().empty());
  int overtaken = 0;
  SimTime latest;
  for (int i = 0; i < 500; ++i) {
    const SimTime arrives = network.send(SimTime{i * 10'000}, 1, 2).first;
    overtaken += arrives < latest ? 1 : 0;
    latest = std::max(latest, arrives);
  }
  REQUIRE(overtaken > 50);
  REQUIRE_FALSE(network.take_hits().empty());
}

TEST_CASE("a clogged link holds every packet until it is calmed, in one direction") {
  Network network(quick, 4, 1);
  network.disturb({strike, Trouble::clog, EndpointSet::of(1), EndpointSet::of(2), 0, {}});
  REQUIRE(network.arrival(1, 2, 0) == Fate::held);
  REQUIRE(network.arrival(1, 2, 0) == Fate::held);
  REQUIRE(arrives(network, 2, 1));
  REQUIRE(network.take_hits() == std::vector<std::uint64_t>{strike, strike});
  REQUIRE_FALSE(network.open(1, 2));
  REQUIRE(network.open(2, 1));
  network.calm(strike);
  REQUIRE(network.open(1, 2));
  REQUIRE(arrives(network, 1, 2));
}

TEST_CASE(
    "a link is slow while something holds packets up there for longer than one is patient, and until they are "
    "through") {
  Network network(quick, 4, 1);
  const SimTime now{};
  REQUIRE_FALSE(network.slow(now, 1, 2, milliseconds(50)));
  network.disturb({strike, Trouble::delay, EndpointSet::of(1), EndpointSet::of(2), 1000, milliseconds(50)});
  REQUIRE(network.slow(now, 1, 2, milliseconds(50)));
  REQUIRE_FALSE(network.slow(now, 1, 2, milliseconds(51)));
  REQUIRE_FALSE(network.slow(now, 2, 1, milliseconds(50)));
  const SimTime arrives = network.send(now, 1, 2).first;
  network.calm(strike);
  REQUIRE(network.last_arrival() == arrives);
  REQUIRE(network.slow(now, 1, 2, arrives - now));
  REQUIRE_FALSE(network.slow(now, 1, 2, arrives - now + nanoseconds(1)));
}

TEST_CASE("what is lost is not held: a block on a clogged link wins") {
  Network network(quick, 4, 1);
  network.disturb({strike, Trouble::clog, EndpointSet::of(1), EndpointSet::of(2), 0, {}});
  network.disturb({strike + 1, Trouble::block, EndpointSet::of(1), EndpointSet::of(2), 0, {}});
  REQUIRE(network.arrival(1, 2, 0) == Fate::lost);
}

TEST_CASE("packets do not outlive the connection they were sent on, those sent later arrive") {
  Network network(quick, 4, 1);
  const Arrivals there = network.send(SimTime{}, 1, 2);
  const Arrivals back = network.send(SimTime{}, 2, 1);
  const Arrivals elsewhere = network.send(SimTime{}, 1, 3);
  network.reset(1, 2, strike);
  const Arrivals later = network.send(SimTime{}, 1, 2);
  REQUIRE_FALSE(arrives(network, 1, 2, there));
  REQUIRE_FALSE(arrives(network, 2, 1, back));
  REQUIRE(network.take_hits() == std::vector<std::uint64_t>{strike, strike});
  REQUIRE(arrives(network, 1, 3, elsewhere));
  REQUIRE(arrives(network, 1, 2, later));
}

TEST_CASE("packets are corrupted as often as was said, in one to eight bits each") {
  Network network(quick, 2, 1);
  Disturbance corruption = everywhere(Trouble::corrupt, 250);
  corruption.prng = Prng(5);
  network.disturb(corruption);
  const Bytes sent(100, std::byte{0x5a});
  int corrupted = 0;
  for (int i = 0; i < 4000; ++i) {
    if (network.arrival(1, 2, 0) != Fate::corrupted) continue;
    ++corrupted;
    Bytes bytes = sent;
    network.flip(bytes);
    REQUIRE(bytes.size() == sent.size());
    int flipped = 0;
    for (std::size_t at = 0; at < bytes.size(); ++at) {
      flipped += std::popcount(static_cast<unsigned>(bytes[at] ^ sent[at]));
    }
    REQUIRE(flipped >= 1);
    REQUIRE(flipped <= 8);
  }
  REQUIRE(corrupted > 850);
  REQUIRE(corrupted < 1150);
  REQUIRE(network.take_hits().size() == static_cast<std::size_t>(corrupted));
}

TEST_CASE("corruption draws nothing from the links: their other draws stay where they were") {
  Network plain(quick, 2, 1);
  Network corrupting(quick, 2, 1);
  corrupting.disturb(everywhere(Trouble::corrupt, 500));
  for (int i = 0; i < 20; ++i) {
    const SimTime now{i * 1000};
    REQUIRE(plain.send(now, 1, 2).first == corrupting.send(now, 1, 2).first);
    corrupting.arrival(1, 2, 0);
  }
}

TEST_CASE("a world with too many endpoints is refused") {
  REQUIRE_THROWS_AS(Network(quick, endpoints_max + 1, 1), CheckFailure);
}

}  // namespace
}  // namespace coffer::sim
