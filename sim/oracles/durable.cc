// O-R4. What the wallet stands on is on the disks of a majority: each committed entry, from the moment a replica first
// calls it committed until the end of the run; the votes of each leader, at the moment it leads. On each disk durable
// terms and votes never go back, and no log is ahead of its term. Together with O-L1, which sums up what has committed:
// no money is made or lost over what is durable on a quorum.
//
// Reads the disks themselves, as a power cut would leave them. Compares prefixes: an entry counts on a disk when it and
// all entries before it are the committed ones, which log matching promises. A disk is read on from where it ended, and
// anew after each crash and at the end of the run.
#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "core/base/hash.h"
#include "sim/oracles/book.h"
#include "sim/oracles/stream_decode.h"

namespace coffer::sim::oracles {

namespace {

struct Stored {
  Term term;
  Hash128 payload;
  bool operator==(const Stored&) const = default;
};

/// One shard's log on one disk.
struct DurableLog {
  std::vector<Stored> entries;
  std::size_t matched = 0;  ///< so many entries from the first are the committed ones
};

struct NodeDisk {
  StreamReader stream;
  std::map<ShardId, DurableLog> logs;
  bool settling = false;  ///< shown anew, and not yet whole
};

std::string of_node(NodeId node) { return "node " + std::to_string(node.value); }
std::string of_term(Term term) { return "term " + std::to_string(term.value); }

class Durable final : public Oracle {
 public:
  explicit Durable(const Topology& topology) : members_(topology.members), committed_(topology.members.size()) {}
  std::string_view name() const override { return "O-R4"; }

  void on_durable(SimTime, NodeId node, std::string_view file, ByteView contents) override {
    if (!violations().empty()) return;
    if (file == hard_state_name) {
      ballots_shown(node, contents);
    } else {
      stream_shown(node, file, contents);
    }
  }

  void on_committed(SimTime, NodeId node, ShardId shard, Index index, Term term, ByteView payload) override {
    if (!violations().empty() || !knows(shard)) return;
    std::vector<Stored>& log = committed_[shard.value - 1];
    if (index.value != log.size() + 1) return;  // seen before; O-R1 judges gaps and contradictions
    log.push_back({term, hash128(payload)});
    judge(shard, "first seen on " + of_node(node));
  }

  void on_trace(SimTime, NodeId node, const TraceEvent& event) override {
    if (!violations().empty() || event.kind != TraceKind::became_leader || !knows(event.shard)) return;
    elected(node, event.shard, event.term);
  }

  void on_crash(SimTime, NodeId node) override { forget(node); }

  void on_restart(SimTime, NodeId node) override {
    disks_[node].settling = false;
    judge_all("and then " + of_node(node) + " crashed");
  }

  void on_phase(SimTime, Phase phase) override {
    if (phase != Phase::over) return;
    for (auto& [node, disk] : disks_) forget(node);
  }

  void finish(SimTime) override { judge_all("looked at again in the end"); }

 private:
  bool knows(ShardId shard) const { return shard.value >= 1 && shard.value <= members_.size(); }

  void forget(NodeId node) {
    disks_[node] = NodeDisk{};
    disks_[node].settling = true;
  }

  void stream_shown(NodeId node, std::string_view file, ByteView contents) {
    NodeDisk& disk = disks_[node];
    bool committed_cut = false;
    for (const Record& record : disk.stream.read(file, contents)) {
      if (const auto* entry = std::get_if<EntryOnDisk>(&record)) {
        appended(node, disk.logs[entry->shard], *entry);
      } else {
        const CutOnDisk& cut = std::get<CutOnDisk>(record);
        committed_cut = cut_back(node, disk.logs[cut.shard], cut) || committed_cut;
      }
      if (!violations().empty()) return;
    }
    if (!disk.stream.malformed().empty()) {
      violated("the disk of " + of_node(node) + ": " + disk.stream.malformed());
    } else if (committed_cut && !disk.settling) {
      judge_all("and then " + of_node(node) + " cut its log");
    }
  }

  void appended(NodeId node, DurableLog& log, const EntryOnDisk& entry) {
    const auto where = [&] {
      return "the disk of " + of_node(node) + ": " + text(entry.shard) + " entry " + std::to_string(entry.index.value);
    };
    if (entry.index.value != log.entries.size() + 1) {
      violated(where() + " stands behind entry " + std::to_string(log.entries.size()));
      return;
    }
    const Term known = ballots_[{node, entry.shard}].term;
    if (entry.term > known) {
      violated(where() + " is of " + of_term(entry.term) + ", and the durable hard state only of " + of_term(known));
      return;
    }
    log.entries.push_back({entry.term, hash128(entry.payload)});
  }

  /// True when committed entries went.
  bool cut_back(NodeId node, DurableLog& log, const CutOnDisk& cut) {
    if (cut.from.value == 0 || cut.from.value > log.entries.size() + 1) {
      violated("the disk of " + of_node(node) + ": " + text(cut.shard) + " is cut from entry " +
               std::to_string(cut.from.value) + " on, and ends at entry " + std::to_string(log.entries.size()));
      return false;
    }
    if (knows(cut.shard)) match(log, committed_[cut.shard.value - 1]);
    log.entries.resize(cut.from.value - 1);
    const bool committed = log.matched > log.entries.size();
    log.matched = std::min(log.matched, log.entries.size());
    return committed;
  }

  void ballots_shown(NodeId node, ByteView file) {
    std::map<ShardId, Ballot> shown = decode_hard_state(file).value_or(std::map<ShardId, Ballot>());
    for (const auto& [at, known] : ballots_) {
      if (at.first != node || known.term == Term(0)) continue;
      const Ballot now = shown[at.second];
      const bool changed = now.term == known.term && known.vote != nobody && now.vote != known.vote;
      if (now.term >= known.term && !changed) continue;
      violated("the disk of " + of_node(node) + ": in " + text(at.second) + " a vote for node " +
               std::to_string(known.vote.value) + " in " + of_term(known.term) + " was durable, and now one for node " +
               std::to_string(now.vote.value) + " in " + of_term(now.term) + " is");
      return;
    }
    for (const auto& [shard, ballot] : shown) {
      ballots_[{node, shard}] = ballot;
      if (ballot.vote != nobody) votes_[{node, shard}][ballot.term] = ballot.vote;
    }
  }

  /// A vote counts when it was durable. So does a later term: who may vote no more in this one may have told an answer
  /// that the same write made durable as the later term.
  void elected(NodeId leader, ShardId shard, Term term) {
    const std::vector<NodeId>& members = members_[shard.value - 1];
    if (members.size() == 1) return;  // nobody is told before the first entry has committed
    std::size_t votes = 0;
    std::string whose;
    for (const NodeId member : members) {
      const std::map<Term, NodeId>& given = votes_[{member, shard}];
      const auto vote = given.find(term);
      const bool for_leader = vote != given.end() && vote->second == leader;
      if (!for_leader && ballots_[{member, shard}].term <= term) continue;
      ++votes;
      whose += (whose.empty() ? " of node " : ", ") + std::to_string(member.value);
    }
    if (votes > members.size() / 2) return;
    violated(of_node(leader) + " leads " + text(shard) + " in " + of_term(term) + " by " + std::to_string(votes) +
             " durable votes" + whose + ", of " + std::to_string(members.size()) + " members");
  }

  static void match(DurableLog& log, const std::vector<Stored>& committed) {
    const std::size_t end = std::min(log.entries.size(), committed.size());
    while (log.matched < end && log.entries[log.matched] == committed[log.matched]) ++log.matched;
  }

  void judge_all(const std::string& when) {
    for (std::uint32_t shard = 1; shard <= members_.size(); ++shard) judge(ShardId(shard), when);
  }

  void judge(ShardId shard, const std::string& when) {
    if (!violations().empty()) return;
    const std::vector<NodeId>& members = members_[shard.value - 1];
    const std::vector<Stored>& committed = committed_[shard.value - 1];
    std::vector<std::size_t> matched;
    for (const NodeId member : members) {
      DurableLog& log = disks_[member].logs[shard];
      match(log, committed);
      matched.push_back(log.matched);
    }
    std::sort(matched.begin(), matched.end(), std::greater<>());
    const std::size_t on_majority = matched[members.size() / 2];
    if (on_majority < committed.size()) lacking(shard, on_majority, when);
  }

  void lacking(ShardId shard, std::size_t at, const std::string& when) {
    const std::vector<NodeId>& members = members_[shard.value - 1];
    std::size_t copies = 0;
    std::string ends;
    for (const NodeId member : members) {
      const DurableLog& log = disks_[member].logs[shard];
      if (log.matched > at) ++copies;
      ends += "; " + of_node(member) + " ends at entry " + std::to_string(log.entries.size());
      if (log.matched < log.entries.size() && log.matched < committed_[shard.value - 1].size()) {
        ends += " and differs from entry " + std::to_string(log.matched + 1) + " on";
      }
    }
    violated(text(shard) + " entry " + std::to_string(at + 1) + " of " + of_term(committed_[shard.value - 1][at].term) +
             " has committed, " + when + ", and is durable on " + std::to_string(copies) + " of " +
             std::to_string(members.size()) + " disks" + ends);
  }

  std::vector<std::vector<NodeId>> members_;    ///< by shard - 1
  std::vector<std::vector<Stored>> committed_;  ///< by shard - 1
  std::map<NodeId, NodeDisk> disks_;
  std::map<std::pair<NodeId, ShardId>, Ballot> ballots_;  ///< durable now; a crash takes none of them
  std::map<std::pair<NodeId, ShardId>, std::map<Term, NodeId>> votes_;
};

}  // namespace

std::unique_ptr<Oracle> make_durable(const Topology& topology) { return std::make_unique<Durable>(topology); }

}  // namespace coffer::sim::oracles
