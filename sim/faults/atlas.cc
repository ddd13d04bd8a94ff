#include "sim/faults/atlas.h"

#include <algorithm>

#include "sim/oracles/stream_decode.h"

namespace coffer::sim::faults {

namespace {

constexpr std::string_view hard_state_file = "hard-state";

bool any_starts_with(std::string_view file, std::initializer_list<std::string_view> prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(), [&](std::string_view one) { return file.starts_with(one); });
}

/// Whether losing the part on one disk is a copy less of something that is not on that disk any more.
bool counts(Part part) { return part == Part::stream || part == Part::sealed; }

}  // namespace

Part part_of(std::string_view file) {
  if (file.starts_with(hard_state_file)) return Part::hard_state;
  if (file.starts_with("stream-")) return Part::stream;
  if (any_starts_with(file, {"history-", "snapshot-", "archive-"})) return Part::sealed;
  return Part::derived;
}

Atlas::Atlas(const Cluster& cluster, bool fair, bool wanted)
    : cluster_(cluster), fair_(fair), wanted_(wanted), committed_(cluster.shards().size()) {
  for (const node::ShardConfig& shard : cluster.shards()) {
    has_spares_ = has_spares_ || shard.members.size() < cluster.nodes();
    configurations_.push_back({oracles::set_of(shard.members), {}, {}});
  }
}

void Atlas::on_committed(ShardId shard, Index index, Term term, EntryKind kind, ByteView payload) {
  if (!wanted_ || shard.value < 1 || shard.value > committed_.size()) return;
  std::vector<Mark>& log = committed_[shard.value - 1];
  if (index.value != log.size() + 1) return;
  log.push_back({term, hash128(payload)});
  if (kind != EntryKind::configuration) return;
  if (const auto configuration = oracles::decode_configuration(payload)) {
    configurations_[shard.value - 1] = *configuration;
  }
}

/// Counts what is withheld, and remembers that a fair run would not have seen what is not.
bool Atlas::allow(bool fair) {
  if (!fair && fair_) {
    ++withheld_;
    return false;
  }
  broken_ = broken_ || !fair;
  return true;
}

bool Atlas::permits(std::uint64_t strike, NodeId node, const std::vector<Part>& parts, bool crash) {
  forget_repaired();
  const bool fair = std::all_of(parts.begin(), parts.end(), [&](Part part) { return fair_to(node, part); }) &&
                    (!crash || !any_lost() || certain_remain_without({node}));
  if (!allow(fair)) return false;
  if (crash) crashes_.emplace(strike, node);
  wounds_.push_back({strike, node, parts, false, false, false, {}});
  return true;
}

bool Atlas::permits_crash(std::uint64_t strike, const std::vector<NodeId>& nodes) {
  if (!allow(!any_lost() || certain_remain_without({nodes.begin(), nodes.end()}))) return false;
  for (const NodeId node : nodes) crashes_.emplace(strike, node);
  return true;
}

bool Atlas::permits_emptying(std::uint64_t strike, NodeId node) {
  if (!certain_remain_without({node})) return allow(false);
  return permits(strike, node, {Part::stream, Part::sealed});
}

bool Atlas::any_lost() const {
  for (std::uint32_t n = 1; n <= cluster_.nodes(); ++n) {
    if (cluster_.machine(NodeId(n)).lost_for_good()) return true;
  }
  return false;
}

bool Atlas::certain_remain_without(std::set<NodeId> nodes) const {
  for (const auto& [strike, node] : crashes_) nodes.insert(node);
  for (std::uint32_t s = 1; s <= configurations_.size(); ++s) {
    oracles::NodeSet certain;
    for (std::uint32_t n = 1; n <= cluster_.nodes(); ++n) {
      if (!nodes.contains(NodeId(n)) && is_certain(NodeId(n), ShardId(s))) certain.add(NodeId(n));
    }
    if (!oracles::has_quorum(configurations_[s - 1], certain)) return false;
  }
  return true;
}

/// Runs, and its durable hard state says so.
bool Atlas::is_certain(NodeId node, ShardId shard) const {
  const Machine& machine = cluster_.machine(node);
  if (lost(node) || machine.life() != Life::up || !machine.node().ready()) return false;
  const auto file = machine.disk().durable(std::string(oracles::hard_state_name));
  const auto hard_state = file ? oracles::decode_hard_state(*file) : std::nullopt;
  if (!hard_state) return false;
  const auto ballot = hard_state->ballots.find(shard);
  return ballot == hard_state->ballots.end() || !ballot->second.uncertain;
}

bool Atlas::fair_to(NodeId node, Part part) {
  if (part == Part::derived) return true;
  if (has(node, part)) return false;
  if (part == Part::hard_state) return copies_on(cluster_.machine(node).disk()).both_hard_states;
  return !too_many_with(node) && !copy_left_without(node);
}

bool Atlas::lost(NodeId node) const { return gone_.contains(node) || cluster_.machine(node).lost_for_good(); }

std::set<NodeId> Atlas::harmed() const {
  std::set<NodeId> nodes;
  for (std::uint32_t n = 1; n <= cluster_.nodes(); ++n) {
    if (lost(NodeId(n))) nodes.insert(NodeId(n));
  }
  for (const Wound& wound : wounds_) {
    if (std::any_of(wound.parts.begin(), wound.parts.end(), counts)) nodes.insert(wound.node);
  }
  return nodes;
}

bool Atlas::too_many_with(NodeId node) {
  std::set<NodeId> nodes = harmed();
  nodes.insert(node);
  if (has_spares_ && nodes.size() > 1) return true;
  oracles::NodeSet whole;
  for (std::uint32_t n = 1; n <= cluster_.nodes(); ++n) {
    if (!nodes.contains(NodeId(n))) whole.add(NodeId(n));
  }
  return !std::all_of(configurations_.begin(), configurations_.end(),
                      [&](const oracles::Configuration& one) { return oracles::has_quorum(one, whole); });
}

bool Atlas::copy_left_without(NodeId node) {
  std::set<NodeId> without = harmed();
  without.insert(node);
  std::vector<std::uint64_t> whole(committed_.size(), 0);  // by shard - 1: up to where the best copy goes
  for (std::uint32_t n = 1; n <= cluster_.nodes(); ++n) {
    if (without.contains(NodeId(n))) continue;
    for (const auto& [shard, log] : copies_on(cluster_.machine(NodeId(n)).disk()).logs) {
      if (shard.value < 1 || shard.value > whole.size()) continue;
      std::uint64_t& best = whole[shard.value - 1];
      best = std::max(best, whole_up_to(log, committed_[shard.value - 1]).value);
    }
  }
  for (std::size_t i = 0; i < whole.size(); ++i) {
    if (whole[i] < committed_[i].size()) return true;
  }
  return false;
}

bool Atlas::struck(std::uint64_t strike, NodeId node) {
  bool asked = false;
  for (Wound& wound : wounds_) {
    if (wound.strike != strike || wound.node != node) continue;
    asked = true;
    wound.there = true;
    wound.misread = !scarred(wound);
    for (std::uint32_t s = 1; s <= committed_.size(); ++s) wound.goals[ShardId(s)] = committed_[s - 1].size();
  }
  return asked;
}

void Atlas::over(std::uint64_t strike) {
  crashes_.erase(strike);
  std::erase_if(wounds_, [strike](const Wound& wound) { return wound.strike == strike && !wound.there; });
  for (Wound& wound : wounds_) wound.over = wound.over || wound.strike == strike;
}

bool Atlas::has(NodeId node, Part part) const {
  return std::any_of(wounds_.begin(), wounds_.end(),
                     [&](const Wound& wound) { return wound.node == node && hit(wound, part); });
}

bool Atlas::scarred(const Wound& wound) const {
  const Disk& disk = cluster_.machine(wound.node).disk();
  const std::vector<std::string> files = disk.durable_names();
  // Files set aside have other names, and no part in anything.
  return std::any_of(files.begin(), files.end(),
                     [&](const std::string& file) { return hit(wound, part_of(file)) && disk.scarred(file); });
}

bool Atlas::hit(const Wound& wound, Part part) {
  return std::find(wound.parts.begin(), wound.parts.end(), part) != wound.parts.end();
}

bool Atlas::repaired(const Wound& wound) const {
  const Machine& machine = cluster_.machine(wound.node);
  const bool serves = machine.life() == Life::up && machine.node().ready();
  if (wound.misread ? !(wound.over && serves) : scarred(wound)) return false;
  const Copies copies = copies_on(machine.disk());
  if (hit(wound, Part::hard_state) && !copies.both_hard_states) return false;
  for (const auto& [shard, goal] : wound.goals) {
    const auto log = copies.logs.find(shard);
    const HeldLog held = log == copies.logs.end() ? HeldLog() : log->second;
    if (hit(wound, Part::sealed) && held.base > held.snapshot) return false;
    if (hit(wound, Part::stream) && whole_up_to(held, committed_[shard.value - 1]).value < goal) return false;
  }
  return true;
}

void Atlas::forget_repaired() {
  std::erase_if(wounds_, [this](const Wound& wound) { return wound.there && repaired(wound); });
}

std::string Atlas::untorn(NodeId node) const { return has(node, Part::hard_state) ? std::string(hard_state_file) : ""; }

bool Atlas::damaged(NodeId node) {
  forget_repaired();
  return std::any_of(wounds_.begin(), wounds_.end(), [&](const Wound& wound) { return wound.node == node; });
}

}  // namespace coffer::sim::faults
