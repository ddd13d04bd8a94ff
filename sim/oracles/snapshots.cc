#include "sim/oracles/snapshots.h"

#include <algorithm>

#include "core/base/codec.h"
#include "sim/oracles/book.h"
#include "sim/oracles/configurations.h"
#include "sim/oracles/state_fold.h"

namespace coffer::sim::oracles {

namespace {

using Difference = std::optional<std::string>;

template <class Row>
Difference compare(const std::string& what, const std::vector<Row>& found, const std::vector<Row>& expected) {
  const std::size_t shared = std::min(found.size(), expected.size());
  for (std::size_t i = 0; i < shared; ++i) {
    if (!(found[i] == expected[i])) return "differs from the fold of the log in " + what + " " + std::to_string(i);
  }
  if (found.size() == expected.size()) return std::nullopt;
  return "has " + std::to_string(found.size()) + " rows of " + what + "s, the fold of the log " +
         std::to_string(expected.size());
}

Difference compare_pockets(const std::vector<PocketRow>& found, const std::vector<PocketRow>& expected) {
  for (std::size_t i = 0; i < std::min(found.size(), expected.size()); ++i) {
    const PocketRow& here = found[i];
    const PocketRow& there = expected[i];
    if (here.balance == there.balance && here.pending == there.pending) continue;
    return "has pocket " + std::to_string(i) + " at " + std::to_string(here.balance) + " minor units, " +
           std::to_string(here.pending) + " of them waiting; the fold of the log says " +
           std::to_string(there.balance) + " and " + std::to_string(there.pending);
  }
  return compare("pocket", found, expected);
}

template <class Flow>
Difference compare_flows(const std::string& what, const std::map<ShardId, Flow>& found,
                         const std::map<ShardId, Flow>& expected) {
  if (found == expected) return std::nullopt;
  for (const auto& [peer, flow] : expected) {
    const auto at = found.find(peer);
    if (at == found.end() || !(at->second == flow)) {
      return "differs from the fold of the log in the legs " + what + " " + text(peer);
    }
  }
  return "has legs " + what + " more shards than the fold of the log";
}

Difference compare(const StateRows& found, const StateRows& expected) {
  if (found.shard != expected.shard || found.founded != expected.founded || found.ranges != expected.ranges) {
    return "differs from the fold of the log in how the shard was founded";
  }
  if (found.last_position != expected.last_position || found.last_stamp != expected.last_stamp) {
    return "is at position " + std::to_string(found.last_position.value) + " with stamp " +
           std::to_string(found.last_stamp.nanos) + ", the fold of the log at " +
           std::to_string(expected.last_position.value) + " with " + std::to_string(expected.last_stamp.nanos);
  }
  if (auto difference = compare("account", found.accounts, expected.accounts)) return difference;
  if (auto difference = compare_pockets(found.pockets, expected.pockets)) return difference;
  if (auto difference = compare("id", found.dedup, expected.dedup)) return difference;
  if (found.passed_ms != expected.passed_ms || found.first_windowed != expected.first_windowed) {
    return "has its window of ids at " + std::to_string(found.passed_ms) + " and row " +
           std::to_string(found.first_windowed) + ", the fold of the log at " + std::to_string(expected.passed_ms) +
           " and row " + std::to_string(expected.first_windowed);
  }
  if (auto difference = compare("windowed id", found.windowed, expected.windowed)) return difference;
  if (found.has_attic != expected.has_attic || found.left != expected.left) {
    return "says that " + std::to_string(found.left) + " rows have left, the fold of the log " +
           std::to_string(expected.left);
  }
  if (auto difference = compare("queued id", found.queued, expected.queued)) return difference;
  if (auto difference = compare("numbered id", found.numbered, expected.numbered)) return difference;
  if (auto difference = compare_flows("to", found.outgoing, expected.outgoing)) return difference;
  if (auto difference = compare_flows("from", found.incoming, expected.incoming)) return difference;
  if (auto difference = compare("tried leg", found.tries, expected.tries)) return difference;
  if (auto difference = compare("hold", found.holds, expected.holds)) return difference;
  return compare("split", found.splits, expected.splits);
}

}  // namespace

Snapshots::Snapshots(const Topology& topology) : shards_(topology.shards) {
  for (std::size_t s = 0; s < shards_.size(); ++s) {
    shards_[s].rows = empty_state(ShardId(static_cast<std::uint32_t>(s + 1)));
    ByteWriter out(shards_[s].founding);
    out.u8(static_cast<std::uint8_t>(topology.members[s].size()));
    for (const NodeId member : topology.members[s]) out.id(member);
    out.u16(0);  // nobody is outgoing, nobody learns
  }
}

void Snapshots::committed(const CommittedEntry& entry) {
  if (entry.shard.value < 1 || entry.shard.value > shards_.size()) return;
  std::vector<Logged>& log = shards_[entry.shard.value - 1].log;
  if (entry.index.value != log.size() + 1) return;
  log.push_back({entry.kind, Bytes(entry.payload.begin(), entry.payload.end())});
}

std::optional<std::string> Snapshots::shown(NodeId node, const SealedName& name, ByteView contents) {
  if (name.kind != SealedKind::snapshot || name.shard.value < 1 || name.shard.value > shards_.size()) {
    return std::nullopt;
  }
  Shard& shard = shards_[name.shard.value - 1];
  std::string why;
  const auto file = decode_sealed(name, contents, why);
  if (!file || name.last.value == 0 || name.last.value > shard.log.size()) return std::nullopt;
  if (!judged_.insert(name).second) return std::nullopt;
  const auto told = [&](const std::string& what) {
    return "node " + std::to_string(node.value) + ": the snapshot of " + text(name.shard) + " at entry " +
           std::to_string(name.last.value) + " " + what;
  };
  const std::optional<StateRows> rows = decode_state(file->payload);
  if (!rows) return told("does not follow the grammar of states");
  const StateRows& expected = rows_at(shard, name.shard, name.last.value);
  if (auto difference = compare(*rows, expected)) return told(*difference);
  if (file->last_position != expected.last_position || file->last_stamp != expected.last_stamp) {
    return told("names another position or stamp than it holds");
  }
  const auto stated = decode_configuration(file->meta);
  const auto in_force = decode_configuration(configuration_at(shard, name.last.value));
  if (stated == in_force) return std::nullopt;
  return told("names the configuration " + (stated ? text(*stated) : std::string("against the grammar")) + ", and " +
              (in_force ? text(*in_force) : std::string("none")) + " was in force there");
}

const StateRows& Snapshots::rows_at(Shard& shard, ShardId id, std::uint64_t index) {
  if (index < shard.folded) {
    shard.folded = 0;
    shard.rows = empty_state(id);
  }
  for (; shard.folded < index; ++shard.folded) {
    const Logged& logged = shard.log[shard.folded];
    if (logged.kind != EntryKind::state) continue;
    if (const auto entry = decode_entry(logged.payload)) fold(*entry, shard.rows);
  }
  return shard.rows;
}

ByteView Snapshots::configuration_at(const Shard& shard, std::uint64_t index) {
  for (std::uint64_t i = index; i > 0; --i) {
    if (shard.log[i - 1].kind == EntryKind::configuration) return shard.log[i - 1].payload;
  }
  return shard.founding;
}

}  // namespace coffer::sim::oracles
