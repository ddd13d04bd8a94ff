// Counting voters: what a majority is, what a quorum of a configuration is, and what a quorum has reached. Pure.
// While a configuration is joint, a quorum is a majority of each half. Invariant R21 (docs/PROTOCOLS.md).
// Source: Raft thesis, section 3.2 (majorities overlap), figure 3.1 (the leader's commit rule), section 4.3 (joint).
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include "core/base/check.h"
#include "core/raft/configuration.h"

namespace coffer::raft {

/// Voters needed so that any two sets of that many share one. Requires: voters > 0 (checked).
constexpr std::size_t majority(std::size_t voters) {
  check(voters > 0, "a group has voters");
  return voters / 2 + 1;
}

/// The highest value that a majority has reached; one value per voter, in any order (it is reordered).
/// Requires: not empty (checked).
template <class T>
T reached_by_majority(std::span<T> values) {
  const std::size_t needed = majority(values.size());
  const auto nth = values.begin() + static_cast<std::ptrdiff_t>(values.size() - needed);
  std::nth_element(values.begin(), nth, values.end());
  return *nth;
}

/// The same over the nodes of one half; `value_of(NodeId)` is asked once for each. Requires: at most members_max.
template <class ValueOf>
auto reached_by_majority(const std::vector<NodeId>& voters, ValueOf value_of) {
  std::array<decltype(value_of(NodeId())), members_max> values;
  check(voters.size() <= values.size(), "a group has at most members_max members");
  std::transform(voters.begin(), voters.end(), values.begin(), value_of);
  return reached_by_majority(std::span(values).first(voters.size()));
}

/// The highest value that a quorum has reached: each of a majority of the voters, and while joint each of a majority of
/// the outgoing ones too. Learners are not asked.
template <class ValueOf>
auto reached_by_quorum(const Configuration& configuration, ValueOf value_of) {
  const auto reached = reached_by_majority(configuration.voters, value_of);
  return configuration.joint() ? std::min(reached, reached_by_majority(configuration.outgoing, value_of)) : reached;
}

/// Whether these nodes, in any order, decide. Others than voters count for nothing.
inline bool has_quorum(const Configuration& configuration, const std::vector<NodeId>& nodes) {
  return reached_by_quorum(configuration, [&](NodeId voter) {
           return std::find(nodes.begin(), nodes.end(), voter) == nodes.end() ? 0 : 1;
         }) == 1;
}

}  // namespace coffer::raft
