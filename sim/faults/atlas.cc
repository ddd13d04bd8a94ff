#include "sim/faults/atlas.h"

#include <algorithm>

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
    : cluster_(cluster), fair_(fair), wanted_(wanted), committed_(cluster.shards().size()) {}

void Atlas::on_committed(ShardId shard, Index index, Term term, ByteView payload) {
  if (!wanted_ || shard.value < 1 || shard.value > committed_.size()) return;
  std::vector<Mark>& log = committed_[shard.value - 1];
  if (index.value == log.size() + 1) log.push_back({term, hash128(payload)});
}

bool Atlas::permits(std::uint64_t strike, NodeId node, const std::vector<Part>& parts) {
  forget_repaired();
  const bool fair = std::all_of(parts.begin(), parts.end(), [&](Part part) { return fair_to(node, part); });
  if (!fair && fair_) {
    ++withheld_;
    return false;
  }
  broken_ = broken_ || !fair;
  wounds_.push_back({strike, node, parts, false, {}});
  return true;
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
  for (const node::ShardConfig& shard : cluster_.shards()) {
    const auto members = static_cast<std::size_t>(std::count_if(shard.members.begin(), shard.members.end(),
                                                                [&](NodeId member) { return nodes.contains(member); }));
    if (members > (shard.members.size() - 1) / 2) return true;
  }
  return false;
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
    for (std::uint32_t s = 1; s <= committed_.size(); ++s) wound.goals[ShardId(s)] = committed_[s - 1].size();
  }
  return asked;
}

void Atlas::over(std::uint64_t strike) {
  std::erase_if(wounds_, [strike](const Wound& wound) { return wound.strike == strike && !wound.there; });
}

bool Atlas::has(NodeId node, Part part) const {
  return std::any_of(wounds_.begin(), wounds_.end(), [&](const Wound& wound) {
    return wound.node == node && std::find(wound.parts.begin(), wound.parts.end(), part) != wound.parts.end();
  });
}

bool Atlas::repaired(const Wound& wound) const {
  const Disk& disk = cluster_.machine(wound.node).disk();
  for (const std::string& file : disk.durable_names()) {
    // Files set aside have other names, and no part in anything.
    const bool there = std::find(wound.parts.begin(), wound.parts.end(), part_of(file)) != wound.parts.end();
    if (there && disk.scarred(file)) return false;
  }
  const Copies copies = copies_on(disk);
  if (!copies.both_hard_states) return false;
  for (const auto& [shard, goal] : wound.goals) {
    const auto log = copies.logs.find(shard);
    const std::uint64_t whole =
        log == copies.logs.end() ? 0 : whole_up_to(log->second, committed_[shard.value - 1]).value;
    if (whole < goal) return false;
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
