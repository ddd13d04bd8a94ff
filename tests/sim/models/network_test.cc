#include "sim/models/network.h"

#include <algorithm>

#include <catch2/catch.hpp>

namespace coffer::sim {
namespace {

constexpr NetworkConfig quick{microseconds(100), microseconds(200)};
constexpr std::uint64_t strike = 77;

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
    REQUIRE(network.arrives(1, 2));
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
  REQUIRE_FALSE(network.arrives(1, 2));
  REQUIRE(network.arrives(2, 1));
  REQUIRE(network.arrives(1, 3));
  REQUIRE(network.take_hits() == std::vector<std::uint64_t>{strike});
  REQUIRE_FALSE(network.open(1, 2));
  network.calm(strike);
  REQUIRE(network.arrives(1, 2));
  REQUIRE(network.open(1, 2));
}

TEST_CASE("packets are dropped as often as was said") {
  Network network(quick, 2, 1);
  network.disturb(everywhere(Trouble::drop, 250));
  int lost = 0;
  for (int i = 0; i < 4000; ++i) lost += network.arrives(1, 2) ? 0 : 1;
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

TEST_CASE("a world with too many endpoints is refused") {
  REQUIRE_THROWS_AS(Network(quick, endpoints_max + 1, 1), CheckFailure);
}

}  // namespace
}  // namespace coffer::sim
