#include "core/node/logical_clock.h"

#include <catch2/catch.hpp>
#include <rapidcheck.h>

#include "core/node/peer_lives.h"

namespace coffer::node {
namespace {

Bytes section_of(const LogicalClock& clock) {
  Bytes bytes;
  ByteWriter out(bytes);
  clock.encode(out);
  return bytes;
}

std::vector<TraceEvent> events(std::size_t count) { return std::vector<TraceEvent>(count); }

std::uint64_t known(const LogicalClock& clock, std::uint32_t node) {
  for (const auto& [of, steps] : clock.vector_time()) {
    if (of == NodeId(node)) return steps;
  }
  return 0;
}

TEST_CASE("events of one node get ascending Lamport times (Lamport 1978, IR1)") {
  LogicalClock clock{NodeId(1)};
  clock.begin_step();
  std::vector<TraceEvent> some = events(2);
  clock.stamp(some);
  some.emplace_back();
  clock.stamp(some);
  CHECK(some[0].lamport == 1);
  CHECK(some[1].lamport == 2);
  CHECK(some[2].lamport == 3);
}

TEST_CASE("what follows a message is later than what was before it (Lamport 1978, IR2)") {
  LogicalClock sender{NodeId(1)};
  LogicalClock receiver{NodeId(2)};
  sender.begin_step();
  std::vector<TraceEvent> before = events(7);
  sender.stamp(before);
  receiver.begin_step();
  REQUIRE(receiver.received(section_of(sender)));
  std::vector<TraceEvent> after = events(1);
  receiver.stamp(after);
  CHECK(after[0].lamport > before.back().lamport);
}

TEST_CASE("a node knows of another's steps exactly what messages brought (Mattern 1989)") {
  LogicalClock a{NodeId(1)};
  LogicalClock b{NodeId(2)};
  LogicalClock c{NodeId(3)};
  a.begin_step();
  b.begin_step();
  REQUIRE(b.received(section_of(a)));
  a.begin_step();  // nobody hears of this one
  c.begin_step();
  REQUIRE(c.received(section_of(b)));
  CHECK(known(c, 1) == 1);
  CHECK(known(c, 2) == 1);
  CHECK(known(a, 2) == 0);
}

TEST_CASE("a new life goes on above every number of the ones before") {
  LogicalClock clock{NodeId(1)};
  clock.begin_life(1000);
  clock.begin_step();
  CHECK(known(clock, 1) == 1001);
  std::vector<TraceEvent> one = events(1);
  clock.stamp(one);
  CHECK(one[0].lamport == 1001);
}

TEST_CASE("a malformed clock changes nothing") {
  LogicalClock clock{NodeId(1)};
  clock.begin_step();
  LogicalClock other{NodeId(2)};
  other.begin_step();
  const Bytes before = section_of(clock);
  Bytes cut = section_of(other);
  cut.pop_back();
  CHECK_FALSE(clock.received(cut));
  Bytes huge;
  ByteWriter out(huge);
  out.u64(UINT64_MAX);
  out.u32(0);
  CHECK_FALSE(clock.received(huge));
  CHECK(section_of(clock) == before);
}

TEST_CASE("property: receiving is total") {
  CHECK(rc::check("receiving is total", [](const std::vector<std::uint8_t>& raw) {
    Bytes bytes;
    for (const std::uint8_t byte : raw) bytes.push_back(std::byte{byte});
    LogicalClock clock{NodeId(1)};
    const bool ok = clock.received(bytes);
    RC_ASSERT(ok || clock.lamport() == 0);
  }));
}

Life life(std::uint64_t number, std::uint64_t opened_at, std::uint64_t durable_frame, std::uint32_t incarnation = 1) {
  return {incarnation, number, durable_frame, opened_at, false};
}

TEST_CASE("a disk that ends before what a peer has seen of it is outdated") {
  PeerLives lives;
  CHECK_FALSE(lives.heard(NodeId(2), life(77, 5, 10)));
  CHECK_FALSE(lives.heard(NodeId(2), life(77, 5, 40)));
  CHECK_FALSE(lives.heard(NodeId(2), life(12, 41, 45)));  // an honest restart
  CHECK(lives.heard(NodeId(2), life(99, 12, 20)) == 45u);
  CHECK(lives.heard(NodeId(2), life(99, 12, 50)) == 45u);  // however far it has come since
}

TEST_CASE("of two copies of a disk that were started at the same frame, the second to speak is outdated") {
  PeerLives lives;
  CHECK_FALSE(lives.heard(NodeId(2), life(77, 5, 6)));
  CHECK(lives.heard(NodeId(2), life(99, 5, 6)) == 6u);
  CHECK(lives.heard(NodeId(2), life(99, 5, 60)) == 6u);
  CHECK_FALSE(lives.heard(NodeId(2), life(77, 5, 7)));
}

TEST_CASE("a disk cut short by damage it knows of is not outdated") {
  PeerLives lives;
  CHECK_FALSE(lives.heard(NodeId(2), life(77, 5, 40)));
  CHECK_FALSE(lives.heard(NodeId(2), {1, 99, 21, 20, true}));
  CHECK(lives.heard(NodeId(2), life(12, 7, 21)) == 21u);
}

TEST_CASE("an earlier incarnation never comes back (known bug 28)") {
  PeerLives lives;
  CHECK_FALSE(lives.heard(NodeId(2), life(77, 0, 1, 2)));
  CHECK(lives.heard(NodeId(2), life(99, 90, 100, 1)));
}

}  // namespace
}  // namespace coffer::node
