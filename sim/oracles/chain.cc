// O-E3. The chain of SHA-256 over the committed entries of a group is unbroken and equal on all replicas, and history
// has no gap. Every published sealed file stands on that chain: a history file holds exactly the committed entries it
// says, between the right heads; a snapshot names the head at its entry. Files of one name have the same bytes on every
// replica. No node compacts what is not in history there, unless a snapshot it installed held it already; and once
// quiet every member with a vote holds, without a gap, the history of all that its log has let go.
//
// Computed from the entries shown committed and from the durable bytes of all disks.
#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include "sim/oracles/book.h"
#include "sim/oracles/configurations.h"
#include "sim/oracles/sealed_decode.h"

namespace coffer::sim::oracles {

namespace {

struct Chained {
  Term term;
  Sha256 head{};  ///< after this entry
};

std::string of_node(NodeId node) { return "node " + std::to_string(node.value); }

std::string called(const SealedName& name) {
  const std::string_view what = name.kind == SealedKind::snapshot ? "the snapshot of "
                                : name.kind == SealedKind::attic  ? "the attic file of "
                                                                  : "the history of ";
  return std::string(what) + text(name.shard) + " up to entry " + std::to_string(name.last.value);
}

class HistoryChain final : public Oracle {
 public:
  explicit HistoryChain(const Topology& topology) : configurations_(topology), chains_(topology.shards) {}
  std::string_view name() const override { return "O-E3"; }

  void on_trace(SimTime, NodeId node, const TraceEvent& event) override {
    if (!violations().empty() || !configurations_.knows(event.shard)) return;
    configurations_.traced(node, event);
    std::uint64_t& gone = released_[{node, event.shard}];
    if (event.kind == TraceKind::recovered || event.kind == TraceKind::restored) {
      gone = std::max(gone, event.index.value);
    } else if (event.kind == TraceKind::compacted) {
      compacted(node, event.shard, event.index.value);
      gone = std::max(gone, event.index.value);
    }
  }

  void on_committed(SimTime, NodeId node, const CommittedEntry& entry) override {
    if (!configurations_.knows(entry.shard)) return;
    configurations_.committed(node, entry);
    std::vector<Chained>& chain = chains_[entry.shard.value - 1];
    if (entry.index.value != chain.size() + 1) return;
    const Sha256 before = chain.empty() ? Sha256{} : chain.back().head;
    chain.push_back({entry.term, chained(before, {entry.index, entry.term, entry.kind, entry.payload})});
  }

  void on_damaged(SimTime, NodeId node, std::string_view file) override {
    damaged_.insert({node, std::string(file)});
    if (const auto name = sealed_name(file)) excused_.insert({node, *name});
  }

  void on_durable(SimTime, NodeId node, std::string_view file, ByteView contents) override {
    const auto name = sealed_name(file);
    if (!name || !configurations_.knows(name->shard) || !violations().empty()) return;
    std::set<std::string>& spellings = files_[{node, *name}];
    if (contents.empty()) {
      spellings.erase(std::string(file));
      return;
    }
    spellings.insert(std::string(file));
    if (damaged_.erase({node, std::string(file)}) > 0) return;
    if (auto reason = judge(node, *name, contents)) violated(of_node(node) + ": " + called(*name) + " " + *reason);
  }

  void on_disk_emptied(SimTime, NodeId node) override { emptied_.insert(node); }

  /// All files are shown anew.
  void on_crash(SimTime, NodeId node) override {
    configurations_.crashed(node);
    std::erase_if(files_, [&](const auto& at) { return at.first.first == node; });
  }
  void on_phase(SimTime, Phase phase) override {
    quiet_ = phase == Phase::over;
    if (quiet_) files_.clear();
  }

  void finish(SimTime) override {
    for (const auto& [replica, gone] : released_) {
      const auto& [node, shard] = replica;
      const NodeSet voters = configurations_.committed(shard).back().configuration.deciders();
      if (!quiet_ || !violations().empty() || emptied_.contains(node) || !voters.has(node)) continue;
      const std::uint64_t held = history_of(node, shard);
      if (held >= gone) continue;
      violated(of_node(node) + " has let the entries of " + text(shard) + " go up to entry " + std::to_string(gone) +
               ", and its history " +
               (held == 0 ? "does not begin with entry 1" : "has a gap behind entry " + std::to_string(held)));
    }
  }

 private:
  using Replica = std::pair<NodeId, ShardId>;

  bool is_there(NodeId node, const SealedName& name) const {
    const auto found = files_.find({node, name});
    return (found != files_.end() && !found->second.empty()) || excused_.contains({node, name});
  }

  /// The last entry up to which the node's history files follow one another from entry 1 on.
  std::uint64_t history_of(NodeId node, ShardId shard) const {
    std::uint64_t held = 0;
    for (const auto& [name, published] : published_) {  // ascending by last entry
      if (name.kind != SealedKind::history || name.shard != shard || !is_there(node, name)) continue;
      if (published.first != held + 1) break;
      held = name.last.value;
    }
    return held;
  }

  void compacted(NodeId node, ShardId shard, std::uint64_t index) {
    if (index <= released_[{node, shard}]) return;
    const bool covered = std::any_of(published_.begin(), published_.end(), [&](const auto& file) {
      const SealedName& name = file.first;
      return name.kind == SealedKind::history && name.shard == shard && name.last.value >= index &&
             file.second.first <= index && is_there(node, name);
    });
    if (covered) return;
    violated(of_node(node) + " forgets the entries of " + text(shard) + " up to entry " + std::to_string(index) +
             ", which is in no history file there");
  }

  std::optional<std::string> judge(NodeId node, const SealedName& name, ByteView contents) {
    const Hash128 digest = hash128(contents);
    const auto [found, is_first] = published_.try_emplace(name, Published{digest, node, 0});
    if (!is_first && found->second.digest == digest) return std::nullopt;
    std::string why;
    const auto file = decode_sealed(name, contents, why);
    if (!file) return "is published and not whole: " + why;
    if (!is_first) return "has other bytes than on " + of_node(found->second.by);
    const std::vector<Chained>& chain = chains_[name.shard.value - 1];
    if (name.last.value == 0 || name.last.value > chain.size()) {
      return "is published, and only " + std::to_string(chain.size()) + " entries had committed";
    }
    found->second.first = file->first.value;
    const Chained& last = chain[name.last.value - 1];
    if (file->last_term != last.term) {
      return "names term " + std::to_string(file->last_term.value) + " for its last entry, and term " +
             std::to_string(last.term.value) + " committed there";
    }
    if (file->chain_after != last.head) return "ends with another head of the chain than the committed entries give";
    return name.kind == SealedKind::history ? judge_history(*file, chain) : std::nullopt;
  }

  static std::optional<std::string> judge_history(const SealedFile& file, const std::vector<Chained>& chain) {
    const std::uint64_t first = file.first.value;
    if (first == 0 || first > file.name.last.value) return "begins at entry " + std::to_string(first);
    Sha256 head = first == 1 ? Sha256{} : chain[first - 2].head;
    if (file.chain_before != head) return "begins with another head of the chain than the committed entries give";
    const auto entries = decode_history(file.payload);
    if (!entries) return "does not follow the grammar of histories";
    std::uint64_t index = first;
    for (const HistoryEntry& entry : *entries) {
      if (entry.index.value != index || index > file.name.last.value) {
        return "holds entry " + std::to_string(entry.index.value) + " where entry " + std::to_string(index) +
               " should be";
      }
      head = chained(head, entry);
      if (head != chain[index - 1].head) return "holds another entry " + std::to_string(index) + " than committed";
      ++index;
    }
    if (index == file.name.last.value + 1) return std::nullopt;
    return "ends with entry " + std::to_string(index - 1);
  }

  struct Published {
    Hash128 digest;
    NodeId by;
    std::uint64_t first = 0;  ///< entry in it
  };

  Configurations configurations_;
  std::vector<std::vector<Chained>> chains_;  ///< by shard - 1
  std::map<SealedName, Published> published_;
  std::map<std::pair<NodeId, SealedName>, std::set<std::string>> files_;  ///< there now, under these names
  std::map<Replica, std::uint64_t> released_;         ///< entries up to here are not in its log any more
  std::set<std::pair<NodeId, std::string>> damaged_;  ///< what is shown next
  std::set<std::pair<NodeId, SealedName>> excused_;   ///< faults have been at them
  std::set<NodeId> emptied_;
  bool quiet_ = false;
};

}  // namespace

std::unique_ptr<Oracle> make_chain(const Topology& topology) { return std::make_unique<HistoryChain>(topology); }

}  // namespace coffer::sim::oracles
