#include <bit>

#include <catch2/catch.hpp>
#include <rapidcheck.h>

#include "core/base/codec.h"
#include "sim/oracles/configurations.h"
#include "tests/sim/oracles/caught.h"
#include "tests/sim/oracles/story.h"

using namespace coffer;
using namespace coffer::sim;
using namespace coffer::sim::oracles;

namespace {

constexpr NodeId n4{4};
constexpr NodeId n5{5};

NodeSet of(std::initializer_list<std::uint32_t> nodes) {
  NodeSet set;
  for (const std::uint32_t node : nodes) set.add(NodeId(node));
  return set;
}

std::uint64_t bits(std::initializer_list<std::uint32_t> nodes) {
  std::uint64_t all = 0;
  for (const std::uint32_t node : nodes) all |= std::uint64_t{1} << node;
  return all;
}

using Nodes = std::initializer_list<std::uint32_t>;

Bytes encoded(Nodes voters, Nodes outgoing = {}, Nodes learners = {}) {
  Bytes bytes;
  ByteWriter out(bytes);
  for (const Nodes& nodes : {voters, outgoing, learners}) {
    out.u8(static_cast<std::uint8_t>(nodes.size()));
    for (const std::uint32_t node : nodes) out.u32(node);
  }
  return bytes;
}

/// The group of nodes 1, 2 and 3, led by node 1 in term 2 with its no-op committed; told step by step.
struct Group {
  Group() : story("O-R3"), oracle(story.oracle()) {
    vote(n1, 2, {n1, n2});
    trace(n1, TraceKind::became_leader, 2);
    append({n1, n2, n3, n4, n5}, 1, 2);
    commit(n1, 1, 2);
  }

  void trace(NodeId node, TraceKind kind, std::uint64_t term, std::uint64_t index = 0, std::uint64_t a = 0,
             std::uint64_t b = 0, std::uint64_t c = 0) {
    TraceEvent event;
    event.kind = kind;
    event.shard = s1;
    event.term = Term(term);
    event.index = Index(index);
    event.a = a;
    event.b = b;
    event.c = c;
    oracle.on_trace({}, node, event);
  }
  void vote(NodeId candidate, std::uint64_t term, std::initializer_list<NodeId> voters) {
    trace(candidate, TraceKind::became_candidate, term);
    for (const NodeId voter : voters) trace(voter, TraceKind::voted, term, 0, candidate.value);
  }
  void append(std::initializer_list<NodeId> nodes, std::uint64_t index, std::uint64_t term) {
    for (const NodeId node : nodes) trace(node, TraceKind::appended, term, index, 100 * term + index);
  }
  void change(std::initializer_list<NodeId> nodes, std::uint64_t index, std::uint64_t term, Nodes voters,
              Nodes outgoing = {}) {
    for (const NodeId node : nodes) {
      append({node}, index, term);
      trace(node, TraceKind::configuration_changed, term, index, bits(voters), bits(outgoing));
    }
  }
  void commit(NodeId node, std::uint64_t index, std::uint64_t term, const Bytes& configuration = {}) {
    trace(node, TraceKind::committed, term, index);
    const EntryKind kind = configuration.empty() ? EntryKind::state : EntryKind::configuration;
    oracle.on_committed({}, node, {s1, Index(index), Term(term), kind, configuration});
  }
  /// {1,2,3} becomes {3,4,5} by joint consensus: entries 2 and 3.
  void replace_all() {
    change({n1, n2, n3, n4, n5}, 2, 2, {3, 4, 5}, {1, 2, 3});
    commit(n1, 2, 2, encoded({3, 4, 5}, {1, 2, 3}));
    change({n1, n3, n4, n5}, 3, 2, {3, 4, 5});
    commit(n1, 3, 2, encoded({3, 4, 5}));
  }

  Story story;
  Oracle& oracle;
};

}  // namespace

TEST_CASE("O-R3 is silent about a change by joint consensus and what follows (Raft thesis section 4.3)") {
  Group g;
  g.replace_all();
  SECTION("the new members elect") {
    REQUIRE(g.story.reasons().empty());
    g.vote(n4, 3, {n4, n5});
    g.trace(n4, TraceKind::became_leader, 3);
  }
  SECTION("a joint candidate with majorities of both") {
    Group joint;
    joint.change({n1, n2, n3, n4}, 2, 2, {3, 4, 5}, {1, 2, 3});
    joint.vote(n2, 3, {n2, n3, n4});
    joint.trace(n2, TraceKind::became_leader, 3);
    CHECK(joint.story.end().empty());
  }
  SECTION("a leader of an earlier term hears of its votes late") {
    REQUIRE(g.story.reasons().empty());
    g.trace(n2, TraceKind::truncated, 1, 1, 2);
    g.trace(n2, TraceKind::configuration_rolled_back, 1, 0, bits({1, 2, 3}));
    g.vote(n2, 1, {n2, n3});
    g.trace(n2, TraceKind::became_leader, 1);
  }
  CHECK(g.story.end().empty());
}

TEST_CASE("O-R3 catches a leader without a quorum of its own configuration") {
  Group g;
  const auto caught = [&](const std::string& votes, const std::string& configuration) {
    return told_of(g.story.reasons(), {"leads s1 in term 3 by the votes of nodes " + votes, configuration});
  };
  SECTION("half of the voters") {
    g.vote(n2, 3, {n2});
    g.trace(n2, TraceKind::became_leader, 3);
    CHECK(caught("{2}", "no quorum of {1,2,3}"));
  }
  SECTION("while joint, the new ones alone") {
    g.change({n1, n3, n4, n5}, 2, 2, {3, 4, 5}, {1, 2, 3});
    g.vote(n4, 3, {n3, n4, n5});
    g.trace(n4, TraceKind::became_leader, 3);
    CHECK(caught("{3,4,5}", "no quorum of {3,4,5} joint with {1,2,3}"));
  }
  SECTION("with the vote of one who was removed") {
    g.replace_all();
    g.vote(n4, 3, {n4, n1});
    g.trace(n4, TraceKind::became_leader, 3);
    CHECK(caught("{1,4}", "no quorum of {3,4,5}"));
  }
}

TEST_CASE("O-R3 catches a leader by a configuration whose quorums miss a committed one") {
  Group g;
  g.replace_all();
  g.trace(n2, TraceKind::truncated, 2, 2, 1);
  g.trace(n2, TraceKind::configuration_rolled_back, 2, 0, bits({1, 2, 3}));
  g.vote(n2, 3, {n2, n1});
  g.trace(n2, TraceKind::became_leader, 3);
  CHECK(told_of(g.story.reasons(), {"two quorums", "node 2 leads s1 in term 3 by {1,2,3}", "entry 3 {3,4,5}"}));
}

TEST_CASE("O-R3 catches a change whose quorums can be disjoint (Raft thesis section 4.1)") {
  Group g;
  SECTION("all at once") {
    g.change({n1}, 2, 2, {3, 4, 5});
    CHECK(told_of(g.story.reasons(), {"two quorums", "entry 2", "changes {1,2,3} to {3,4,5}"}));
  }
  SECTION("out of a joint one into something else") {
    g.change({n1}, 2, 2, {3, 4, 5}, {1, 2, 3});
    g.commit(n1, 2, 2, encoded({3, 4, 5}, {1, 2, 3}));
    g.change({n1}, 3, 2, {4, 5, 6});
    CHECK(told_of(g.story.reasons(), {"two quorums", "entry 3"}));
  }
  SECTION("nobody left") {
    g.change({n1}, 2, 2, {});
    CHECK(told_of(g.story.reasons(), {"nobody is left"}));
  }
  SECTION("not one voter more") {
    g.change({n1}, 2, 2, {1, 2, 3, 4});
    CHECK(g.story.end().empty());
  }
}

TEST_CASE("O-R3 catches overlapping changes") {
  Group g;
  g.change({n1}, 2, 2, {1, 2, 3, 4});
  REQUIRE(g.story.reasons().empty());
  SECTION("a second one while the first has not committed") {
    g.change({n1}, 3, 2, {1, 2, 3, 4, 5});
    CHECK(told_of(g.story.reasons(), {"entry 3", "while the change before has not committed"}));
  }
  SECTION("not once it has") {
    g.commit(n1, 2, 2, encoded({1, 2, 3, 4}));
    g.change({n1}, 3, 2, {1, 2, 3, 4, 5});
    CHECK(g.story.end().empty());
  }
}

TEST_CASE("O-R3 catches a change before a commit in the leader's own term (Ongaro, raft-dev 2015)") {
  Group g;
  g.vote(n2, 3, {n2, n3});
  g.trace(n2, TraceKind::became_leader, 3);
  g.append({n2}, 2, 3);
  g.trace(n2, TraceKind::committed, 3, 1);
  g.change({n2}, 3, 3, {1, 2, 3, 4});
  CHECK(told_of(g.story.reasons(), {"entry 3", "in term 3 before an entry of that term has committed"}));
}

TEST_CASE("O-R3 catches a replica that uses another configuration than the latest in its log") {
  Group g;
  g.change({n1, n2}, 2, 2, {1, 2, 3, 4});
  g.commit(n1, 2, 2, encoded({1, 2, 3, 4}));
  g.change({n1, n2}, 3, 2, {1, 2, 3, 4, 5});
  g.trace(n2, TraceKind::truncated, 3, 2, 2);
  SECTION("only one of two truncated ones is rolled back") {
    g.trace(n2, TraceKind::configuration_rolled_back, 3, 2, bits({1, 2, 3, 4}));
    g.trace(n2, TraceKind::became_candidate, 4);
    CHECK(told_of(g.story.reasons(), {"node 2 uses the configuration {1,2,3,4}", "latest in its log is {1,2,3}"}));
  }
  SECTION("none") {
    g.trace(n2, TraceKind::became_candidate, 4);
    CHECK(told_of(g.story.reasons(), {"node 2 uses the configuration {1,2,3,4,5}"}));
  }
  SECTION("not when both are") {
    g.trace(n2, TraceKind::configuration_rolled_back, 3, 0, bits({1, 2, 3}));
    g.trace(n2, TraceKind::became_candidate, 4);
    CHECK(g.story.end().empty());
  }
}

TEST_CASE("O-R3 catches a campaign of one who has no vote") {
  Group g;
  g.replace_all();
  SECTION("removed") {
    g.trace(n1, GENERATE(TraceKind::became_candidate, TraceKind::became_pre_candidate), 3);
    CHECK(told_of(g.story.reasons(), {"node 1 stands for election", "no vote in its own configuration {3,4,5}"}));
  }
  SECTION("not when it does not know yet") {
    g.trace(n2, TraceKind::became_candidate, 3);  // its log ends with the joint one
    CHECK(g.story.end().empty());
  }
  SECTION("removed, and its log is in a snapshot") {
    g.oracle.on_crash({}, n1);
    g.trace(n1, TraceKind::recovered, 2, 3);
    g.trace(n1, TraceKind::became_pre_candidate, 2);
    CHECK(told_of(g.story.reasons(), {"node 1 stands for election"}));
  }
}

TEST_CASE("O-R3 catches a configuration that is not the same to all") {
  Group g;
  g.change({n1}, 2, 2, {1, 2, 3, 4});
  SECTION("as appended elsewhere") {
    g.change({n2}, 2, 2, {1, 2, 3, 5});
    CHECK(told_of(g.story.reasons(), {"entry 2 of term 2", "{1,2,3,4} to one replica", "{1,2,3,5} to another"}));
  }
  SECTION("as committed") {
    g.commit(n1, 2, 2, encoded({1, 2, 3}));
    CHECK(told_of(g.story.reasons(), {"entry 2 of term 2", "{1,2,3,4}", "{1,2,3}"}));
  }
  SECTION("no configuration when it commits") {
    g.commit(n1, 2, 2);
    CHECK(told_of(g.story.reasons(), {"a configuration to one replica, and none to another"}));
  }
  SECTION("bytes against the grammar") {
    g.commit(n1, 2, 2, Bytes(3, std::byte{9}));
    CHECK(told_of(g.story.reasons(), {"does not follow the grammar of configurations"}));
  }
}

TEST_CASE("configurations are read by their grammar and nothing else (core/raft/configuration.cc)") {
  const auto joint = decode_configuration(encoded({3, 4, 5}, {1, 2, 3}, {7}));
  REQUIRE(joint.has_value());
  CHECK(joint->voters == of({3, 4, 5}));
  CHECK(joint->outgoing == of({1, 2, 3}));
  CHECK(joint->learners == of({7}));
  CHECK_FALSE(decode_configuration(encoded({})).has_value());
  CHECK_FALSE(decode_configuration(encoded({2, 1})).has_value());
  CHECK_FALSE(decode_configuration(encoded({1, 1})).has_value());
  CHECK_FALSE(decode_configuration(encoded({0, 1})).has_value());
  CHECK_FALSE(decode_configuration(encoded({1}, {}, {1})).has_value());
  Bytes longer = encoded({1, 2});
  longer.push_back(std::byte{0});
  CHECK_FALSE(decode_configuration(longer).has_value());
  longer.resize(longer.size() - 2);
  CHECK_FALSE(decode_configuration(longer).has_value());
}

TEST_CASE("property: two configurations overlap unless two disjoint sets decide") {
  REQUIRE(rc::check("property: two configurations overlap unless two disjoint sets decide", [] {
    const auto any = [](bool may_be_empty) {
      const auto set = NodeSet(*rc::gen::inRange<std::uint64_t>(0, 64) << 1);
      return set.empty() && !may_be_empty ? NodeSet(2) : set;
    };
    const Configuration a{any(false), any(true), {}};
    const Configuration b{any(false), any(true), {}};
    bool disjoint = false;
    for (std::uint64_t some = 0; some < 64; ++some) {
      for (std::uint64_t other = 0; other < 64; ++other) {
        const auto decides = [](const Configuration& c, std::uint64_t set) {
          const auto most = [&](NodeSet group) {
            return 2 * (group & NodeSet(set << 1)).size() > group.size() || group.empty();
          };
          return most(c.voters) && most(c.outgoing);
        };
        disjoint = disjoint || ((some & other) == 0 && decides(a, some) && decides(b, other));
      }
    }
    RC_ASSERT(always_overlap(a, b) == !disjoint);
  }));
}
