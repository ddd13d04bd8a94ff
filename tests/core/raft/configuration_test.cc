// Configurations as data: their grammar, their quorums, and the history of them that a log holds. "§" is the Raft
// thesis' (Ongaro 2014).
#include "core/raft/configuration.h"

#include <utility>

#include <catch2/catch.hpp>
#include <rapidcheck.h>

#include "core/raft/membership.h"
#include "core/raft/quorum.h"
#include "tests/core/raft/replica.h"

namespace coffer::raft::test {
namespace {

bool refused_bytes(std::initializer_list<int> numbers) {
  Bytes bytes;
  for (const int number : numbers) bytes.push_back(static_cast<std::byte>(number));
  return !decode_configuration(bytes).has_value();
}

TEST_CASE("a configuration read back is the one written (core/raft/configuration.cc, grammar)") {
  const auto c = GENERATE(configuration({1}), configuration({1, 2, 3}), configuration({2, 4, 70000}, {1, 2}),
                          configuration({1}, {}, {2, 3}), configuration({3, 4}, {1, 2}, {9}));
  CHECK(well_formed(c));
  const auto again = decode_configuration(encode(c));
  REQUIRE(again.has_value());
  CHECK(*again == c);
}

TEST_CASE("malformed configurations are refused (core/raft/configuration.cc, grammar)") {
  CHECK_FALSE(refused_bytes({1, 1, 0, 0, 0, 0, 0}));
  CHECK(refused_bytes({0, 0, 0}));                                      // nobody votes
  CHECK(refused_bytes({1, 0, 0, 0, 0, 0, 0}));                          // nobody is no member
  CHECK(refused_bytes({2, 2, 0, 0, 0, 1, 0, 0, 0, 0, 0}));              // falling
  CHECK(refused_bytes({2, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0}));              // twice
  CHECK(refused_bytes({1, 1, 0, 0, 0, 0, 1, 1, 0, 0, 0}));              // a learner that votes
  CHECK(refused_bytes({1, 1, 0, 0, 0, 1, 2, 0, 0, 0, 1, 2, 0, 0, 0}));  // a learner that is outgoing
  CHECK(refused_bytes({1, 1, 0, 0, 0, 0, 0, 0}));                       // something behind it
  CHECK(refused_bytes({1, 1, 0, 0, 0, 0}));                             // cut off
  CHECK(refused_bytes({200, 1, 0, 0, 0, 0}));                           // a count that cannot be
  CHECK(refused_bytes({}));
}

TEST_CASE("a group has at most 63 members, whatever their roles (core/raft/configuration.cc, grammar)") {
  Numbers some;
  for (std::uint32_t id = 1; id <= 62; ++id) some.push_back(id);
  CHECK(well_formed(configuration(some, {}, {63})));
  CHECK_FALSE(well_formed(configuration(some, {}, {63, 64})));
  CHECK_FALSE(well_formed(configuration(some, {63, 64})));
  CHECK_THROWS_AS(encode(configuration(some, {63, 64})), CheckFailure);
}

TEST_CASE("property: every proper prefix of a configuration, and every changed byte, is refused or another one") {
  REQUIRE(rc::check("decoding is the inverse of encoding, and total", [] {
    Bytes bytes = encode(configuration({1, 2, 7}, {1, 3}, {5}));
    const auto length = *rc::gen::inRange<std::size_t>(0, bytes.size());
    RC_ASSERT_FALSE(decode_configuration(ByteView(bytes).first(length)).has_value());
    bytes[length] = std::byte{*rc::gen::arbitrary<std::uint8_t>()};
    const auto changed = decode_configuration(bytes);
    if (changed) RC_ASSERT(encode(*changed) == bytes);
  }));
}

TEST_CASE("a joint decision needs a majority of both halves, and learners count for nothing (Raft thesis §4.3)") {
  const Configuration joint = configuration({1, 4, 5}, {1, 2, 3}, {6, 7});
  CHECK(has_quorum(joint, nodes({1, 2, 4})));
  CHECK(has_quorum(joint, nodes({2, 3, 4, 5})));
  CHECK_FALSE(has_quorum(joint, nodes({1, 2, 3})));
  CHECK_FALSE(has_quorum(joint, nodes({1, 4, 5})));
  CHECK_FALSE(has_quorum(joint, nodes({2, 4, 6, 7})));
  CHECK_FALSE(has_quorum(joint, {}));
  const auto value_of = [](NodeId node) { return static_cast<int>(node.value); };
  CHECK(reached_by_quorum(joint, value_of) == 2);
  CHECK(reached_by_quorum(configuration({1, 4, 5}, {}, {9}), value_of) == 4);
}

TEST_CASE(
    "property: two quorums of one configuration share a voter, and so do a joint one's with either half's (§4.3)") {
  REQUIRE(rc::check("no two disjoint quorums on the way from one set of voters to another", [] {
    const auto numbers = [](std::uint32_t set) {
      Numbers drawn;
      for (std::uint32_t id = 1; id <= 7; ++id) {
        if ((set >> (id - 1) & 1) != 0) drawn.push_back(id);
      }
      return drawn;
    };
    const Numbers before = numbers(*rc::gen::inRange<std::uint32_t>(1, 1u << 7));
    const Numbers after = numbers(*rc::gen::inRange<std::uint32_t>(1, 1u << 7));
    const Configuration from = configuration(before);
    const Configuration joint = configuration(after, before);
    const Configuration to = configuration(after);
    const auto choice = *rc::gen::inRange<std::uint32_t>(0, 1u << 7);
    const Numbers some = numbers(choice);
    const Numbers rest = numbers(~choice);
    for (const auto& [a, b] : {std::pair(&from, &from), std::pair(&from, &joint), std::pair(&joint, &joint),
                               std::pair(&joint, &to), std::pair(&to, &to)}) {
      RC_ASSERT_FALSE(has_quorum(*a, nodes(some)) && has_quorum(*b, nodes(rest)));
    }
  }));
}

TEST_CASE("members are everybody once, in order (core/raft/configuration.h)") {
  const Configuration c = configuration({2, 5}, {1, 2}, {4});
  CHECK(c.members() == nodes({1, 2, 4, 5}));
  CHECK(c.is_voter(NodeId(1)));
  CHECK_FALSE(c.is_voter(NodeId(4)));
  CHECK(c.contains(NodeId(4)));
  CHECK_FALSE(c.contains(NodeId(3)));
}

TEST_CASE("the latest configuration of the log is in use, and any number rolls back at once (Raft thesis §4.1)") {
  Membership membership(configuration({1}), Index(0));
  for (std::uint32_t i = 1; i <= 4; ++i) {
    membership.append(configuration_entry(10 * i, 1, configuration({1, 1 + i})));
  }
  CHECK(membership.latest() == configuration({1, 5}));
  CHECK(membership.latest_index() == Index(40));
  CHECK(membership.at(Index(9)) == configuration({1}));
  CHECK(membership.at(Index(10)) == configuration({1, 2}));
  CHECK(membership.at(Index(39)) == configuration({1, 4}));
  CHECK_FALSE(membership.truncate_from(Index(41)));
  CHECK(membership.truncate_from(Index(20)));
  CHECK(membership.latest() == configuration({1, 2}));
  CHECK(membership.latest_index() == Index(10));
  CHECK_THROWS_AS(membership.append(configuration_entry(10, 2, configuration({1}))), CheckFailure);
}

TEST_CASE("compaction folds configurations into the base, and a snapshot brings its own (Raft thesis §5.1)") {
  Membership membership(configuration({1}), Index(0));
  membership.append(configuration_entry(10, 1, configuration({1, 2})));
  membership.append(configuration_entry(20, 1, configuration({1, 3})));
  membership.compact(Index(15));
  CHECK(membership.latest() == configuration({1, 3}));
  CHECK(membership.at(Index(15)) == configuration({1, 2}));
  CHECK(membership.truncate_from(Index(16)));
  CHECK(membership.latest() == configuration({1, 2}));
  CHECK(membership.latest_index() == Index(10));
  membership.append(configuration_entry(30, 2, configuration({1, 4})));
  membership.restore(Index(25), configuration({1, 5}));
  CHECK(membership.at(Index(25)) == configuration({1, 5}));
  CHECK(membership.latest() == configuration({1, 4}));
  membership.restore(Index(40), configuration({1, 6}));
  CHECK(membership.latest() == configuration({1, 6}));
}

}  // namespace
}  // namespace coffer::raft::test
