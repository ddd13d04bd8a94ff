// What a node is told at its start: who it is, who the others are, which shards exist. The same for both drivers.
#pragma once

#include <cstdint>
#include <vector>

#include "core/base/ids.h"
#include "core/base/time.h"
#include "core/ledger/protocol.h"

namespace coffer::node {

/// Who a node is; stands in every handshake and disk file.
struct Identity {
  Uuid cluster;
  NodeId node;
  Uuid node_uuid;
  std::uint32_t incarnation = 1;
};

/// One shard: its members and the slots it is founded with. Ranges are half-open.
struct ShardConfig {
  ShardId shard;
  std::vector<NodeId> members;
  Slot first_slot{0};
  std::uint32_t slot_end = slot_count;
};

/// Limits and times. Each knob has a unit and a scenario that varies it.
struct Tuning {
  Duration election_timeout = milliseconds(500);  ///< each election waits once to one and a half times this
  Duration heartbeat_interval = milliseconds(50);
  Duration leg_resend_interval = milliseconds(300);
  Duration attempt_timeout = milliseconds(300);  ///< proxy: one attempt, then another with the same id
  std::uint32_t entries_in_flight_max = 4;       ///< uncommitted entries a leader keeps per shard
  std::uint32_t entry_bytes_max = 3u << 20;      ///< of an entry's payload, after which nothing more joins it
  std::uint32_t append_bytes_max = 4u << 20;     ///< bytes of entries in one append message
  std::uint32_t legs_in_flight_max = 4096;       ///< unanswered legs sent per (source, target)
  std::uint32_t requests_max = 1u << 14;         ///< outstanding requests per node; more are refused as overloaded
  std::uint64_t segment_size = 64u << 20;        ///< bytes of one stream segment
  std::uint64_t window_bytes_max = 16u << 20;    ///< bytes of entries in flight to one follower
  // The same on every node of a cluster, for ever (log::SnapshotSizes): whoever comes with others is refused.
  std::uint64_t epoch_bytes = 256u << 20;  ///< payload between two snapshots of a shard, or its state's size if larger
  std::uint32_t chunk_bytes = 256u << 10;  ///< of sealed files: what is checked, fetched and repaired at a time
  std::uint64_t history_bytes_max = 64ull << 30;   ///< of one shard's history before its oldest files are archived
  Duration history_age_max = seconds(90 * 86400);  ///< older history is archived, by entry stamps
  /// Whether a success across shards is told as soon as it can no longer change, or when its end has committed too.
  bool early_success = true;
  /// How transfers across shards begin here (core/txn/protocols.h). Nodes may differ: what runs ends as it began.
  ledger::Protocol protocol = ledger::Protocol::saga;
  /// How long an id that carries its own time (UUIDv7) is taken, and for how much longer it is answered
  /// (docs/decisions/0012). 0: for ever. Nodes may differ: what has passed stands in the log.
  Duration id_window = {};
  Duration id_grace = seconds(600);
  /// Ids that carry a number (UUIDv8) are taken in the order of their numbers (docs/decisions/0012). Nodes may differ:
  /// whose numbers are followed stands in the log.
  bool numbered_ids = false;
  /// Rows of ids kept for ever that stay in memory, per shard; older ones leave for the attic
  /// (docs/decisions/0012). 0: none leave by this node's doing. Nodes may differ: what has left stands in the log.
  std::uint32_t rows_in_memory = 0;
};

struct Config {
  Identity identity;
  std::vector<NodeId> nodes;        ///< all nodes of the cluster, ascending
  std::vector<ShardConfig> shards;  ///< all shards of the cluster, ascending; slots exclusive and exhaustive
  Tuning tuning;
  /// Only the first start of a directory may found it. Later an empty one is a lost disk, and refused.
  bool may_found = false;
};

/// The slot ranges of `shards` equal shards: exclusive and exhaustive. Shard ids are 1..shards.
/// Requires: 1 <= shards <= slot_count (checked).
std::vector<ShardConfig> even_shards(std::uint32_t shards, const std::vector<NodeId>& members);

}  // namespace coffer::node
