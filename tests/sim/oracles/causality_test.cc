#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include <catch2/catch.hpp>
#include <rapidcheck.h>

#include "core/base/prng.h"
#include "tests/sim/oracles/caught.h"
#include "tests/sim/oracles/story.h"

namespace coffer::sim::oracles {

std::unique_ptr<Oracle> make_causality(const Topology& topology);

namespace {

/// What an implementation may get wrong.
enum class Bug {
  none,
  lamport_not_joined,
  lamport_repeats,
  vector_not_joined,
  vector_guesses,
  own_stands,
  own_restarts,
};

/// Nodes with logical clocks by the book, which tell the oracle what they do.
class Clocks {
 public:
  explicit Clocks(Bug bug = Bug::none) : oracle_(make_causality(Topology{3, 1, {{n1, n2, n3}}, {}, {}})), bug_(bug) {}

  struct Packet {
    NodeId from;
    std::uint64_t step = 0;
    std::uint64_t lamport = 0;
    std::map<NodeId, std::uint64_t> vector;
    bool outdated = false;  ///< who takes it in has heard the sender's next process, and does not read it
  };

  /// One step that takes these packets in (or throws them away unread) and has so many events. What it sends carries
  /// the result.
  Packet step(NodeId node, const std::vector<Packet>& in, int events = 1, bool serves = true) {
    Node& me = nodes_[node];
    std::vector<Heard> heard;
    for (const Packet& packet : in) {
      heard.push_back({packet.from, packet.step, serves});
      if (!serves || packet.outdated) continue;
      if (bug_ != Bug::lamport_not_joined) me.lamport = std::max(me.lamport, packet.lamport);
      for (const auto& [other, component] : packet.vector) {
        if (other == node) continue;
        std::uint64_t& mine = me.vector[other];
        if (bug_ != Bug::vector_not_joined) mine = std::max(mine, component);
        if (bug_ == Bug::vector_guesses) ++mine;
      }
    }
    if (bug_ != Bug::own_stands) ++me.vector[node];
    std::vector<TraceEvent> traced;
    for (int i = 0; i < events; ++i) {
      TraceEvent event;
      event.kind = TraceKind::synced;
      event.lamport = bug_ == Bug::lamport_repeats && i > 0 ? me.lamport : ++me.lamport;
      traced.push_back(event);
    }
    const std::vector<std::pair<NodeId, std::uint64_t>> vector(me.vector.begin(), me.vector.end());
    ++me.steps;
    oracle_->on_step({}, node, {me.steps, heard, traced, vector});
    return {node, me.steps, me.lamport, me.vector, false};
  }

  /// The next process knows nothing but how far its own component had come.
  void crash(NodeId node) {
    oracle_->on_crash({}, node);
    Node& me = nodes_[node];
    const std::uint64_t own = me.vector[node];
    me.vector.clear();
    if (bug_ != Bug::own_restarts) me.vector[node] = own;
    me.lamport = 0;
  }

  std::vector<std::string> reasons() const {
    std::vector<std::string> reasons;
    for (const Violation& violation : oracle_->violations()) reasons.push_back(violation.reason);
    return reasons;
  }
  bool silent() const { return oracle_->violations().empty(); }

 private:
  struct Node {
    std::uint64_t steps = 0;
    std::uint64_t lamport = 0;
    std::map<NodeId, std::uint64_t> vector;
  };
  std::unique_ptr<Oracle> oracle_;
  Bug bug_;
  std::map<NodeId, Node> nodes_;
};

/// A random run: packets are lost, come late or twice; processes crash. False when the oracle objected.
bool honest_run(Bug bug, std::uint64_t seed, int steps) {
  Clocks clocks(bug);
  Prng prng(seed);
  std::map<NodeId, std::vector<Clocks::Packet>> sent;
  const NodeId ids[] = {n1, n2, n3};
  for (int i = 0; i < steps; ++i) {
    const NodeId node = ids[prng.below(3)];
    if (prng.chance(30)) {
      clocks.crash(node);
      for (Clocks::Packet& packet : sent[node]) packet.outdated = prng.chance(500);
    }
    std::vector<Clocks::Packet> in;
    for (const auto& [from, packets] : sent) {
      if (from != node && !packets.empty() && prng.chance(400)) in.push_back(packets[prng.below(packets.size())]);
    }
    const int events = static_cast<int>(prng.below(4));
    sent[node].push_back(clocks.step(node, in, events, !prng.chance(50)));
  }
  return clocks.silent();
}

TEST_CASE("property: clocks by the book are believed, whatever is lost, late, repeated or crashes (Lamport 1978)") {
  REQUIRE(rc::check("property: O-H5 is silent about honest clocks",
                    [](std::uint64_t seed) { RC_ASSERT(honest_run(Bug::none, seed, 120)); }));
}

TEST_CASE("O-H5 catches every way to get logical clocks wrong, in runs as long as these") {
  for (const Bug bug : {Bug::lamport_not_joined, Bug::lamport_repeats, Bug::vector_not_joined, Bug::vector_guesses,
                        Bug::own_stands, Bug::own_restarts}) {
    INFO(static_cast<int>(bug));
    int caught = 0;
    for (std::uint64_t seed = 1; seed <= 20; ++seed) caught += honest_run(bug, seed, 120) ? 0 : 1;
    CHECK(caught == 20);
  }
}

TEST_CASE("O-H5 catches an event that is not later than what it heard of (Lamport 1978, clock condition)") {
  Clocks clocks(Bug::lamport_not_joined);
  clocks.step(n1, {}, 8);
  const Clocks::Packet packet = clocks.step(n1, {});
  REQUIRE(clocks.silent());
  clocks.step(n2, {packet});
  CHECK(told_of(clocks.reasons(), {"step 1 of node 2", "synced", "Lamport time 1", "before it 9"}));
}

TEST_CASE("O-H5 catches a vector that lacks what was heard, at second hand too (Mattern 1988)") {
  SECTION("at second hand: node 2 passes on what it heard of node 1") {
    Clocks clocks;
    const Clocks::Packet first = clocks.step(n1, {});
    Clocks::Packet second = clocks.step(n2, {first});
    second.vector.erase(n1);
    REQUIRE(clocks.silent());
    clocks.step(n3, {second});
    CHECK(told_of(clocks.reasons(), {"step 1 of node 3", "tells 0 of node 1", "heard of 1"}));
  }
  SECTION("not when the packet came before the node served, and was thrown away") {
    Clocks clocks;
    const Clocks::Packet first = clocks.step(n1, {});
    clocks.step(n2, {first}, 1, false);
    CHECK(clocks.silent());
  }
  SECTION("not when it came late from a process that has ended, and was thrown away") {
    Clocks clocks;
    Clocks::Packet late = clocks.step(n1, {});
    clocks.crash(n1);
    late.outdated = true;
    clocks.step(n2, {late});
    CHECK(clocks.silent());
    Clocks::Packet of_this_life = clocks.step(n1, {});
    of_this_life.outdated = true;
    clocks.step(n2, {of_this_life});
    CHECK(!clocks.silent());
  }
}

TEST_CASE("O-H5 catches a vector that knows what it cannot have heard") {
  Clocks clocks;
  Clocks::Packet packet = clocks.step(n1, {});
  clocks.step(n1, {});
  packet.vector[n1] = 2;
  clocks.step(n2, {packet});
  CHECK(told_of(clocks.reasons(), {"step 1 of node 2", "tells 2 of node 1", "can have heard of 1 only"}));
}

TEST_CASE("a process that does not know yet how far the ones before it came tells nothing of itself (O-H5)") {
  const std::unique_ptr<Oracle> oracle = make_causality(Topology{3, 1, {{n1, n2, n3}}, {}, {}});
  TraceEvent event;
  event.kind = TraceKind::recovered;
  std::uint64_t step = 0;
  const auto tell = [&](const std::vector<std::pair<NodeId, std::uint64_t>>& vector) {
    ++event.lamport;
    oracle->on_step({}, n1, {++step, {}, {&event, 1}, vector});
  };
  tell({});
  tell({{n1, 7}});
  oracle->on_crash({}, n1);
  event.lamport = 0;
  tell({});
  tell({});
  TraceEvent untimed;
  untimed.kind = TraceKind::tail_uncertain;
  oracle->on_step({}, n1, {++step, {}, {&untimed, 1}, {}});
  tell({{n1, 8}});
  REQUIRE(oracle->violations().empty());
  tell({});
  REQUIRE(oracle->violations().size() == 1);
  CHECK(told_of({oracle->violations().front().reason}, {"step 7 of node 1", "from 8 to 0"}));
}

TEST_CASE("an event has a time once its process has told a component of its own (O-H5)") {
  const std::unique_ptr<Oracle> oracle = make_causality(Topology{3, 1, {{n1, n2, n3}}, {}, {}});
  TraceEvent untimed;
  untimed.kind = TraceKind::failed;
  const std::vector<std::pair<NodeId, std::uint64_t>> vector = {{n1, 7}};
  oracle->on_step({}, n1, {1, {}, {&untimed, 1}, vector});
  REQUIRE(oracle->violations().size() == 1);
  CHECK(told_of({oracle->violations().front().reason}, {"step 1 of node 1", "Lamport time 0"}));
}

TEST_CASE("O-H5 catches a process that sends before it tells a component of its own") {
  Clocks clocks(Bug::own_stands);
  const Clocks::Packet packet = clocks.step(n1, {});
  REQUIRE(clocks.silent());
  clocks.step(n2, {packet});
  CHECK(told_of(clocks.reasons(), {"step 1 of node 1", "told no component"}));
}

TEST_CASE("O-H5 catches a component that starts again after a crash: old events would look known") {
  Clocks clocks(Bug::own_restarts);
  clocks.step(n1, {});
  clocks.step(n1, {});
  REQUIRE(clocks.silent());
  clocks.crash(n1);
  clocks.step(n1, {});
  CHECK(told_of(clocks.reasons(), {"step 3 of node 1", "from 2 to 1"}));
}

}  // namespace
}  // namespace coffer::sim::oracles
