#include "sim/kernel/kernel.h"

#include <algorithm>
#include <string>
#include <tuple>

#include <catch2/catch.hpp>
#include <rapidcheck.h>

#include "sim/kernel/counters.h"
#include "sim/kernel/streams.h"

namespace coffer::sim {
namespace {

Event numbered(std::uint64_t number) {
  Event event;
  event.number = number;
  return event;
}

TEST_CASE("events of one instant happen in the order in which they were scheduled") {
  Kernel kernel;
  kernel.schedule(SimTime{20}, numbered(1));
  kernel.schedule(SimTime{10}, numbered(2));
  kernel.schedule(SimTime{20}, numbered(3));
  kernel.schedule(SimTime{10}, numbered(4));
  std::vector<std::uint64_t> order;
  while (const auto event = kernel.take()) order.push_back(event->number);
  REQUIRE(order == std::vector<std::uint64_t>{2, 4, 1, 3});
  REQUIRE(kernel.now() == SimTime{20});
  REQUIRE(kernel.events() == 4);
}

TEST_CASE("nothing is scheduled in the past") {
  Kernel kernel;
  kernel.schedule(SimTime{10}, numbered(1));
  REQUIRE(kernel.take());
  REQUIRE_THROWS_AS(kernel.schedule(SimTime{9}, numbered(2)), CheckFailure);
  REQUIRE_NOTHROW(kernel.schedule(SimTime{10}, numbered(2)));
}

TEST_CASE("property: events come out ordered by time, then by sequence") {
  REQUIRE(rc::check("property: a stable sort by time", [](const std::vector<std::uint8_t>& times) {
    Kernel kernel;
    std::vector<std::pair<std::int64_t, std::uint64_t>> expected;
    for (std::size_t i = 0; i < times.size(); ++i) {
      kernel.schedule(SimTime{times[i]}, numbered(i));
      expected.emplace_back(times[i], i);
    }
    std::sort(expected.begin(), expected.end());
    for (const auto& [at, number] : expected) {
      const auto event = kernel.take();
      RC_ASSERT(event.has_value());
      RC_ASSERT(kernel.now() == SimTime{at});
      RC_ASSERT(event->number == number);
    }
    RC_ASSERT(!kernel.take());
  }));
}

Hash128 hash_of_one(SimTime at, Event event) {
  Kernel kernel;
  kernel.schedule(at, std::move(event));
  kernel.take();
  return kernel.hash().value();
}

TEST_CASE("everything about an event is in the trace hash") {
  Event event;
  event.kind = EventKind::deliver;
  event.entity = 1;
  event.from = 2;
  event.number = 3;
  event.generation = 4;
  event.digest = 5;
  const Hash128 reference = hash_of_one(SimTime{7}, event);
  REQUIRE(hash_of_one(SimTime{7}, event) == reference);
  REQUIRE(hash_of_one(SimTime{8}, event) != reference);
  const auto differs = [&](auto change) {
    Event other = event;
    change(other);
    return hash_of_one(SimTime{7}, other) != reference;
  };
  REQUIRE(differs([](Event& e) { e.kind = EventKind::wake; }));
  REQUIRE(differs([](Event& e) { e.entity = 9; }));
  REQUIRE(differs([](Event& e) { e.from = 9; }));
  REQUIRE(differs([](Event& e) { e.number = 9; }));
  REQUIRE(differs([](Event& e) { e.generation = 9; }));
  REQUIRE(differs([](Event& e) { e.digest = 9; }));
}

TEST_CASE("two runs that part are bisected by their checkpoints") {
  TraceHash a;
  TraceHash b;
  const std::uint64_t parted = TraceHash::checkpoint_interval * 3 + 17;
  for (std::uint64_t i = 0; i < TraceHash::checkpoint_interval * 6; ++i) {
    a.fold(SimTime{1}, i, 1, 1, 0);
    b.fold(SimTime{1}, i, 1, 1, i == parted ? 1 : 0);
  }
  const auto difference = first_difference(a, b);
  REQUIRE(difference.has_value());
  REQUIRE(difference->first <= parted);
  REQUIRE(parted < difference->end);
  REQUIRE(difference->end - difference->first == TraceHash::checkpoint_interval);
  REQUIRE_FALSE(first_difference(a, a).has_value());
}

TEST_CASE("a run that is a prefix of another is another run") {
  TraceHash a;
  TraceHash b;
  for (std::uint64_t i = 0; i < 3000; ++i) a.fold(SimTime{1}, i, 1, 1, 0);
  for (std::uint64_t i = 0; i < 2900; ++i) b.fold(SimTime{1}, i, 1, 1, 0);
  REQUIRE(first_difference(a, b).has_value());
}

TEST_CASE("streams of other domains, nodes and sites are other streams") {
  const auto first = [](Prng prng) { return prng.next(); };
  const std::uint64_t reference = first(stream(1, Domain::disk, 2, 3));
  REQUIRE(first(stream(1, Domain::disk, 2, 3)) == reference);
  REQUIRE(first(stream(2, Domain::disk, 2, 3)) != reference);
  REQUIRE(first(stream(1, Domain::network, 2, 3)) != reference);
  REQUIRE(first(stream(1, Domain::disk, 3, 3)) != reference);
  REQUIRE(first(stream(1, Domain::disk, 2, 4)) != reference);
}

TEST_CASE("counters tell what was declared and never reached") {
  Counters counters;
  counters.declare("torn_tail");
  counters.add("undo");
  counters.add("undo", 2);
  REQUIRE(counters.of("undo") == 3);
  REQUIRE(counters.of("nothing") == 0);
  REQUIRE(counters.to_map() == std::map<std::string, std::uint64_t>{{"torn_tail", 0}, {"undo", 3}});
}

}  // namespace
}  // namespace coffer::sim
