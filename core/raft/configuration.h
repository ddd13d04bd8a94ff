// Who decides for a group: its configuration, as data. It is replicated as a log entry of kind `configuration` and used
// from the moment it is in the log, committed or not. Grammar in configuration.cc.
// Source: Raft thesis, chapter 4: arbitrary changes by joint consensus (4.3), learners (4.2.1, "non-voting").
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/codec.h"
#include "core/base/ids.h"
#include "core/base/result.h"

namespace coffer::raft {

/// A group has no more members than this, learners included: a set of them fits one word of a trace event.
inline constexpr std::size_t members_max = 63;

/// The members of a group. Joint while `outgoing` is not empty: then every decision needs a majority of both halves.
struct Configuration {
  std::vector<NodeId> voters;    ///< ascending, not empty; the new ones while joint
  std::vector<NodeId> outgoing;  ///< ascending; the old voters while joint, else empty
  std::vector<NodeId> learners;  ///< ascending; receive everything, count for nothing. Never voters

  bool joint() const { return !outgoing.empty(); }
  /// Of either half.
  bool is_voter(NodeId node) const;
  bool contains(NodeId node) const;
  /// Voters of both halves and learners, ascending.
  std::vector<NodeId> members() const;
  bool operator==(const Configuration&) const = default;
};

/// What every configuration satisfies: the order and the limits above; nobody is no member; no learner votes.
bool well_formed(const Configuration& configuration);

/// Requires: well_formed (checked).
Bytes encode(const Configuration& configuration);
void encode(const Configuration& configuration, ByteWriter& out);
/// The whole of `bytes` is one configuration. Errors: malformed.
Result<Configuration> decode_configuration(ByteView bytes);
/// Marks `in` as failed when the bytes that follow are no well-formed configuration.
Configuration decode_configuration(ByteReader& in);

}  // namespace coffer::raft
