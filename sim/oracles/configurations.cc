#include "sim/oracles/configurations.h"

#include <algorithm>
#include <bit>

#include "core/base/check.h"
#include "core/base/codec.h"
#include "sim/oracles/book.h"

namespace coffer::sim::oracles {

namespace {

constexpr std::size_t deciders_max = 16;

bool has_majority(NodeSet of, NodeSet nodes) { return (of & nodes).size() > of.size() / 2; }

std::string of_entry(std::uint64_t index, Term term) {
  return "entry " + std::to_string(index) + " of term " + std::to_string(term.value);
}

}  // namespace

std::size_t NodeSet::size() const { return static_cast<std::size_t>(std::popcount(bits_)); }

std::vector<NodeId> NodeSet::nodes() const {
  std::vector<NodeId> all;
  for (std::uint32_t n = 1; n < 64; ++n) {
    if (has(NodeId(n))) all.emplace_back(n);
  }
  return all;
}

NodeSet set_of(const std::vector<NodeId>& nodes) {
  NodeSet set;
  for (const NodeId node : nodes) set.add(node);
  return set;
}

bool has_quorum(const Configuration& configuration, NodeSet nodes) {
  return has_majority(configuration.voters, nodes) &&
         (configuration.outgoing.empty() || has_majority(configuration.outgoing, nodes));
}

bool always_overlap(const Configuration& a, const Configuration& b) {
  const NodeSet all = a.deciders() | b.deciders();
  const std::vector<NodeId> nodes = all.nodes();
  check(nodes.size() <= deciders_max, "quorums are compared in small groups");
  for (std::uint32_t choice = 0; choice < 1u << nodes.size(); ++choice) {
    NodeSet some;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
      if ((choice >> i & 1) != 0) some.add(nodes[i]);
    }
    if (has_quorum(a, some) && has_quorum(b, all.without(some))) return false;
  }
  return true;
}

std::string text(NodeSet nodes) {
  std::string text;
  for (const NodeId node : nodes.nodes()) text += (text.empty() ? "" : ",") + std::to_string(node.value);
  return "{" + text + "}";
}

std::string text(const Configuration& configuration) {
  if (configuration.outgoing.empty()) return text(configuration.voters);
  return text(configuration.voters) + " joint with " + text(configuration.outgoing);
}

/// Each set: u8 count, then so many u32, ascending.
std::optional<Configuration> decode_configuration(ByteView payload) {
  ByteReader in(payload);
  Configuration configuration;
  for (NodeSet* set : {&configuration.voters, &configuration.outgoing, &configuration.learners}) {
    const std::uint8_t count = in.u8();
    NodeId last;
    for (std::uint8_t i = 0; i < count && in.ok(); ++i) {
      const auto node = in.id<NodeId>();
      if (node <= last || node.value >= 64) return std::nullopt;
      set->add(node);
      last = node;
    }
  }
  const bool apart = (configuration.deciders() & configuration.learners).empty();
  return in.done() && apart && !configuration.voters.empty() ? std::optional(configuration) : std::nullopt;
}

Configurations::Configurations(const Topology& topology) {
  for (const std::vector<NodeId>& members : topology.members) {
    founding_.push_back({set_of(members), {}, {}});
    committed_.push_back({{Index(0), Term(0), founding_.back()}});
  }
}

std::optional<std::string> Configurations::traced(NodeId node, const TraceEvent& event) {
  if (event.shard == ShardId(0) || !knows(event.shard)) return std::nullopt;
  logs_.traced(node, event);
  const Replica replica{node, event.shard};
  std::optional<std::string> reason;
  const auto claimed = claimed_.find(replica);
  if (event.kind == TraceKind::configuration_changed || event.kind == TraceKind::configuration_rolled_back) {
    const Configuration configuration{NodeSet(event.a), NodeSet(event.b), NodeSet(event.c)};
    const std::optional<Term> term = logs_.term_at(node, event.shard, event.index.value);
    claimed_[replica] = {event.index, configuration, !term};
    if (term && event.index.value > logs_.log(node, event.shard).base()) {
      reason = learned(event.shard, {event.index.value, *term}, configuration);
    }
  } else if (event.kind == TraceKind::appended && claimed != claimed_.end() && claimed->second.ahead &&
             claimed->second.from == event.index) {
    claimed->second.ahead = false;
    reason = learned(event.shard, {event.index.value, event.term}, claimed->second.configuration);
  }
  if (event.kind == TraceKind::became_leader || event.kind == TraceKind::became_follower ||
      event.kind == TraceKind::became_candidate) {
    Term& term = terms_[replica];
    term = std::max(term, event.term);
  }
  return reason;
}

void Configurations::crashed(NodeId node) {
  logs_.crashed(node);
  for (auto claim = claimed_.begin(); claim != claimed_.end();) {
    claim = claim->first.first == node ? claimed_.erase(claim) : std::next(claim);
  }
}

std::optional<std::string> Configurations::committed(NodeId node, const CommittedEntry& entry) {
  if (!knows(entry.shard)) return std::nullopt;
  const bool first = entry.index.value == logs_.committed(entry.shard).size() + 1;
  logs_.committed(entry);
  if (!first) return std::nullopt;
  if (entry.kind != EntryKind::configuration) {
    if (!known_[entry.shard].contains({entry.index.value, entry.term})) return std::nullopt;
    return text(entry.shard) + " " + of_entry(entry.index.value, entry.term) +
           " has committed, and is a configuration to one replica, and none to another";
  }
  const std::optional<Configuration> configuration = decode_configuration(entry.payload);
  if (!configuration) {
    return text(entry.shard) + " " + of_entry(entry.index.value, entry.term) +
           " has committed, and does not follow the grammar of configurations";
  }
  const Term seen_in = std::max(terms_[{node, entry.shard}], entry.term);
  committed_[entry.shard.value - 1].push_back({entry.index, seen_in, *configuration});
  return learned(entry.shard, {entry.index.value, entry.term}, *configuration);
}

std::optional<std::string> Configurations::learned(ShardId shard, Place place, const Configuration& configuration) {
  const auto [found, is_first] = known_[shard].try_emplace(place, configuration);
  if (is_first || found->second == configuration) return std::nullopt;
  return text(shard) + " " + of_entry(place.first, place.second) + " is the configuration " + text(found->second) +
         " to one replica, and " + text(configuration) + " to another";
}

Configuration Configurations::in_use(NodeId node, ShardId shard) {
  return before(node, shard, logs_.log(node, shard).last() + 1);
}

Configuration Configurations::before(NodeId node, ShardId shard, std::uint64_t index) {
  const auto* entry = latest(node, shard, index);
  return entry == nullptr ? founding_[shard.value - 1] : entry->second;
}

std::uint64_t Configurations::last_change(NodeId node, ShardId shard, std::uint64_t before_index) {
  const auto* entry = latest(node, shard, before_index);
  return entry == nullptr ? 0 : entry->first.first;
}

const std::pair<const Configurations::Place, Configuration>* Configurations::latest(NodeId node, ShardId shard,
                                                                                    std::uint64_t end) {
  const std::map<Place, Configuration>& known = known_[shard];
  for (auto entry = known.rbegin(); entry != known.rend(); ++entry) {
    const auto& [index, term] = entry->first;
    if (index < end && logs_.term_at(node, shard, index) == term) return &*entry;
  }
  return nullptr;
}

std::optional<std::string> Configurations::misused(NodeId node, ShardId shard) {
  const auto claimed = claimed_.find({node, shard});
  if (claimed == claimed_.end()) return std::nullopt;
  const Configuration by_log = in_use(node, shard);
  const Configuration& used = claimed->second.configuration;
  if (used == by_log) return std::nullopt;
  return "node " + std::to_string(node.value) + " uses the configuration " + text(used) + " of " + text(shard) +
         ", and the latest in its log is " + text(by_log);
}

}  // namespace coffer::sim::oracles
