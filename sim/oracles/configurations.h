// Who decides for a group, by the oracles' own reading: quorums of a configuration, the bytes of a configuration entry
// (docs/PROTOCOLS.md, written from the grammar and nothing else), and the configuration each replica must use, which is
// the latest in its own log. Source: Raft thesis, chapter 4.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/ids.h"
#include "sim/observe/observer.h"
#include "sim/oracles/traced_logs.h"

namespace coffer::sim::oracles {

/// A set of nodes; numbers 1 to 63.
class NodeSet {
 public:
  constexpr NodeSet() = default;
  /// Node n is bit n, as trace events write sets.
  constexpr explicit NodeSet(std::uint64_t bits) : bits_(bits) {}
  constexpr bool has(NodeId node) const { return node.value < 64 && (bits_ >> node.value & 1) != 0; }
  constexpr void add(NodeId node) { bits_ |= node.value < 64 ? std::uint64_t{1} << node.value : 0; }
  constexpr bool empty() const { return bits_ == 0; }
  std::size_t size() const;
  std::vector<NodeId> nodes() const;  ///< ascending
  constexpr NodeSet operator|(NodeSet other) const { return NodeSet(bits_ | other.bits_); }
  constexpr NodeSet operator&(NodeSet other) const { return NodeSet(bits_ & other.bits_); }
  constexpr NodeSet without(NodeSet other) const { return NodeSet(bits_ & ~other.bits_); }
  constexpr bool operator==(const NodeSet&) const = default;

 private:
  std::uint64_t bits_ = 0;
};
NodeSet set_of(const std::vector<NodeId>& nodes);

struct Configuration {
  NodeSet voters;    ///< the new ones while joint
  NodeSet outgoing;  ///< the old ones while joint, else empty
  NodeSet learners;
  NodeSet deciders() const { return voters | outgoing; }
  bool operator==(const Configuration&) const = default;
};

/// Nothing when the bytes do not follow the grammar.
std::optional<Configuration> decode_configuration(ByteView payload);

/// Whether these nodes decide: a majority of the voters, and while joint of the outgoing ones too.
bool has_quorum(const Configuration& configuration, NodeSet nodes);
/// Whether any quorum of one shares a node with any quorum of the other. Requires: at most 16 deciders in both together
/// (checked).
bool always_overlap(const Configuration& a, const Configuration& b);
/// "{1,2,3}", "{3,4} joint with {1,2}"; learners are not told.
std::string text(NodeSet nodes);
std::string text(const Configuration& configuration);

class Configurations {
 public:
  explicit Configurations(const Topology& topology);

  /// Returns what contradicts: at most one reason. Feeds logs() too, whose reasons are O-R1's to tell.
  std::optional<std::string> traced(NodeId node, const TraceEvent& event);
  void crashed(NodeId node);
  std::optional<std::string> committed(NodeId node, const CommittedEntry& entry);

  TracedLogs& logs() { return logs_; }
  bool knows(ShardId shard) const { return shard.value >= 1 && shard.value <= founding_.size(); }
  /// By the replica's log, as traces tell it. Requires: knows(shard).
  Configuration in_use(NodeId node, ShardId shard);
  /// The one before the replica's entry at `index`.
  Configuration before(NodeId node, ShardId shard, std::uint64_t index);
  /// Where that one stands in the replica's log; 0: the founding one.
  std::uint64_t last_change(NodeId node, ShardId shard, std::uint64_t before_index);
  /// What contradicts the replica's own word on what it uses, looked at when it matters.
  std::optional<std::string> misused(NodeId node, ShardId shard);

  struct Committed {
    Index index;
    Term seen_in;  ///< the observing node's term: not older than the committing leader's
    Configuration configuration;
  };
  /// Ascending; the founding one first.
  const std::vector<Committed>& committed(ShardId shard) const { return committed_[shard.value - 1]; }

 private:
  using Replica = std::pair<NodeId, ShardId>;
  using Place = std::pair<std::uint64_t, Term>;
  struct Claim {
    Index from;
    Configuration configuration;
    bool ahead = false;  ///< told before its entry was appended
  };

  std::optional<std::string> learned(ShardId shard, Place place, const Configuration& configuration);
  /// The last configuration entry of the replica's log before `end`; null: the founding one.
  const std::pair<const Place, Configuration>* latest(NodeId node, ShardId shard, std::uint64_t end);

  TracedLogs logs_;
  std::vector<Configuration> founding_;                      ///< by shard - 1
  std::vector<std::vector<Committed>> committed_;            ///< by shard - 1
  std::map<ShardId, std::map<Place, Configuration>> known_;  ///< configuration entries, committed or not
  std::map<Replica, Claim> claimed_;                         ///< what the replica said it uses
  std::map<Replica, Term> terms_;
};

}  // namespace coffer::sim::oracles
