// O-R4. What the wallet stands on is on the disks of a majority: each committed entry, from the moment a replica first
// calls it committed until the end of the run; the votes of each leader, at the moment it leads. On each disk durable
// terms and votes never go back, no log is ahead of its term, and none begins behind entries that no snapshot there
// holds. Together with O-L1, which sums up what has committed: no money is made or lost over what is durable on a
// quorum.
//
// Reads the disks themselves, as a power cut would leave them. An entry counts on a disk when it and all entries before
// it are the committed ones, in the stream or in a whole published snapshot. A disk is read on from where it ended, and
// anew after each crash and at the end of the run.
//
// A majority is one of the configuration that the replica used which committed last; of both halves while joint.
//
// Damage. What a fault did to a disk is not the wallet's loss: until the replica has settled it counts as holding what
// it held, or acknowledged and believes to hold, if some member has a whole copy; an acknowledgement may still be under
// way when the disk is hit, and what it is for commits later. Only faults that were announced excuse, and no longer
// than until the replica has come back certain; with a snapshot of its own lost, not until it takes part again. Of two
// copies of the hard state one may be lost: then term and vote may go back to the other one, but not behind what both
// have held. Nothing was told before both did.
#include <algorithm>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "sim/oracles/book.h"
#include "sim/oracles/configurations.h"
#include "sim/oracles/disk_log.h"
#include "sim/oracles/sealed_decode.h"
#include "sim/oracles/stream_decode.h"

namespace coffer::sim::oracles {

namespace {

struct Segment {
  std::string file;
  Bytes contents;        ///< without the zeros at its end
  std::size_t size = 0;  ///< with them
};

struct NodeDisk {
  StreamReader stream;
  std::uint64_t first_segment = 1;
  /// As shown last: all of them until the node has recovered, then those that the stream has not reached.
  std::map<std::uint64_t, Segment> shown;
  bool stale = false;  ///< something has been shown that stream and logs do not know
  std::map<ShardId, DiskLog> logs;
  std::map<ShardId, std::set<Index>> snapshots;  ///< whole and of the committed term
  bool settling = false;                         ///< shown anew, and not yet whole
};

/// The log of a replica, as it was when it ended: terms_chain by index - base.
struct Believed {
  std::uint64_t base = 0;
  std::vector<Hash128> chains;
};

/// What is known of one replica beyond its disk.
struct Standing {
  bool doubtful = false;               ///< damage was announced before it booted
  bool recovered = false;              ///< in this incarnation
  bool marked = false;                 ///< its durable hard state calls it uncertain
  bool snapshot_hit = false;           ///< one of its snapshots was damaged in this incarnation
  bool unsupplied = false;             ///< ... or in an earlier one, and it has not been awake with a whole one since
  std::uint64_t once = 0;              ///< so many committed entries it held at the best
  std::uint64_t synced_last = 0;       ///< end of its log when its stream became durable last
  std::vector<DiskLog> held;           ///< on its disk, each time that was damaged
  std::vector<Believed> acknowledged;  ///< by it when it ended with a damaged disk
};

std::string of_node(NodeId node) { return "node " + std::to_string(node.value); }
std::string of_term(Term term) { return "term " + std::to_string(term.value); }

class Durable final : public Oracle {
 public:
  explicit Durable(const Topology& topology) : configurations_(topology), shards_(topology.shards) {
    for (std::uint32_t s = 1; s <= topology.shards; ++s) {
      in_force_.push_back(configurations_.committed(ShardId(s)).front().configuration);
    }
    committed_.resize(topology.shards);
  }
  std::string_view name() const override { return "O-R4"; }

  void on_damaged(SimTime, NodeId node, std::string_view file) override {
    if (damaged_.insert(node).second) remember_disk(node);
    if (const auto name = sealed_name(file); name && name->kind == SealedKind::snapshot) {
      standings_[{node, name->shard}].snapshot_hit = true;
    }
    if (file != hard_state_name) return;
    damaged_ballots_.insert(node);
    doubtful_ballots_.insert(node);
  }

  void on_durable(SimTime, NodeId node, std::string_view file, ByteView contents) override {
    if (!violations().empty()) return;
    if (file == hard_state_name) {
      hard_state_shown(node, contents, damaged_ballots_.erase(node) > 0);
    } else if (const auto name = sealed_name(file)) {
      sealed_shown(node, *name, contents);
    } else if (const auto segment = segment_number(file)) {
      segment_shown(node, file, *segment, contents);
      if (disks_[node].settling) return;
      for (std::uint32_t s = 1; s <= shards_; ++s) {
        standings_[{node, ShardId(s)}].synced_last = configurations_.logs().log(node, ShardId(s)).last();
      }
    }
  }

  void on_committed(SimTime, NodeId node, const CommittedEntry& entry) override {
    if (!violations().empty() || !configurations_.knows(entry.shard)) return;
    configurations_.committed(node, entry);
    std::vector<StoredEntry>& log = committed_[entry.shard.value - 1];
    if (entry.index.value != log.size() + 1) return;  // seen before; O-R1 judges gaps and contradictions
    log.push_back({entry.term, entry.kind, hash128(entry.payload)});
    in_force_[entry.shard.value - 1] = decided_by(node, entry);
    judge(entry.shard, "first seen on " + of_node(node));
  }

  void on_trace(SimTime, NodeId node, const TraceEvent& event) override {
    if (!violations().empty() || !configurations_.knows(event.shard)) return;
    configurations_.traced(node, event);  // what contradicts is O-R3's to tell
    if (event.kind == TraceKind::committed) {
      decisions_[{node, event.shard}].push_back({event.index, configurations_.in_use(node, event.shard)});
    } else if (event.kind == TraceKind::became_leader) {
      elected(node, event.shard, event.term);
    } else if (event.kind == TraceKind::recovered) {
      standings_[{node, event.shard}].recovered = true;
      opened(node);
    } else if (takes_part(event.kind)) {
      opened(node);  // a disk without a log has nothing to recover
      bool& unsupplied = standings_[{node, event.shard}].unsupplied;
      unsupplied = unsupplied && lacks_snapshot(disk_of(node), event.shard);
    }
  }

  void on_disk_emptied(SimTime, NodeId node) override {
    if (emptied_.insert(node).second) remember_disk(node);
    for (auto* ballots : {&ballots_, &promised_}) {
      std::erase_if(*ballots, [&](const auto& at) { return at.first.first == node; });
    }
  }

  void on_crash(SimTime, NodeId node) override {
    if (damaged_.contains(node) || emptied_.contains(node)) remember_acknowledged(node);
    configurations_.crashed(node);
    std::erase_if(decisions_, [&](const auto& at) { return at.first.first == node; });
    forget(node);
  }

  void on_restart(SimTime, NodeId node) override {
    NodeDisk& disk = disk_of(node);
    if (std::exchange(disk.settling, false)) whole(node, disk);
    judge_all("and then " + of_node(node) + " crashed");
    booting_.insert(node);
    const bool damaged = damaged_.erase(node) > 0;
    for (std::uint32_t s = 1; s <= shards_; ++s) {
      Standing& standing = standings_[{node, ShardId(s)}];
      standing.doubtful = damaged || (standing.doubtful && (!standing.recovered || standing.marked));
      standing.unsupplied = standing.unsupplied || standing.snapshot_hit;
      standing.snapshot_hit = false;
      standing.recovered = false;
      standing.synced_last = 0;
      if (standing.doubtful || emptied_.contains(node)) continue;
      standing.held.clear();
      standing.acknowledged.clear();
    }
  }

  void on_phase(SimTime, Phase phase) override {
    if (phase != Phase::over) return;
    for (auto& [node, disk] : disks_) forget(node);
  }

  void finish(SimTime) override {
    for (auto& [node, disk] : disks_) whole(node, disk_of(node));
    judge_all("looked at again in the end");
  }

 private:
  using Replica = std::pair<NodeId, ShardId>;
  struct Decision {
    Index up_to;
    Configuration configuration;
  };

  void opened(NodeId node) {
    doubtful_ballots_.erase(node);
    if (booting_.erase(node) == 0) return;
    NodeDisk& disk = disk_of(node);
    std::erase_if(disk.shown, [&](const auto& segment) { return segment.first <= disk.stream.segment(); });
    judge_all("and then " + of_node(node) + " opened its disk");
  }

  void forget(NodeId node) {
    disks_[node] = NodeDisk{};
    disks_[node].settling = true;
  }

  /// The configuration in use when the replica moved its commit index over this entry.
  Configuration decided_by(NodeId node, const CommittedEntry& entry) {
    std::deque<Decision>& decisions = decisions_[{node, entry.shard}];
    while (!decisions.empty() && decisions.front().up_to < entry.index) decisions.pop_front();
    return decisions.empty() ? configurations_.in_use(node, entry.shard) : decisions.front().configuration;
  }

  // --- what is on a disk ----------------------------------------------------------------------------------------

  void segment_shown(NodeId node, std::string_view file, std::uint64_t number, ByteView contents) {
    NodeDisk& disk = disks_[node];
    if (is_opening(node, disk)) {
      disk.stale = show(disk, file, number, contents) || disk.stale;
      return;
    }
    if (read(node, disk, file, contents)) judge_all("and then " + of_node(node) + " cut its log");
    if (number > disk.stream.segment()) {
      show(disk, file, number, contents);
    } else {
      disk.shown.erase(number);
    }
  }

  /// Whether it is new.
  static bool show(NodeDisk& disk, std::string_view file, std::uint64_t number, ByteView contents) {
    Segment& shown = disk.shown[number];
    const ByteView written = contents.first(written_size(contents));
    const bool same = shown.size == contents.size() &&
                      std::equal(written.begin(), written.end(), shown.contents.begin(), shown.contents.end());
    if (!same) shown = {std::string(file), Bytes(written.begin(), written.end()), contents.size()};
    return !same;
  }

  /// Up to the last block that is not blank.
  static std::size_t written_size(ByteView contents) {
    static const Bytes blank(4096);
    std::size_t size = contents.size();
    while (size >= blank.size() &&
           std::memcmp(contents.data() + size - blank.size(), blank.data(), blank.size()) == 0) {
      size -= blank.size();
    }
    return size;
  }

  bool is_opening(NodeId node, const NodeDisk& disk) const { return disk.settling || booting_.contains(node); }

  /// Behind damage the stream is read again when it begins behind it, for nobody needs what is before any more.
  /// A node that opens its disk may cut what a read that went astray has shown it to be torn, write a damaged header
  /// again, and begin its stream elsewhere, or where it began before: it is read anew, when somebody asks for it.
  NodeDisk& disk_of(NodeId node) {
    NodeDisk& disk = disks_[node];
    if (!std::exchange(disk.stale, false)) return disk;
    disk.stream = StreamReader(disk.first_segment);
    disk.logs.clear();
    for (const auto& [number, segment] : disk.shown) {
      Bytes contents = segment.contents;
      contents.resize(segment.size);
      read(node, disk, segment.file, contents);
    }
    return disk;
  }

  /// Whether committed entries went.
  bool read(NodeId node, NodeDisk& disk, std::string_view file, ByteView contents) {
    bool committed_went = false;
    for (const Record& record : disk.stream.read(file, contents)) {
      if (auto reason = fold(node, disk, record, committed_went)) {
        violated("the disk of " + of_node(node) + ": " + *reason);
        return false;
      }
    }
    if (disk.stream.malformed().empty()) return committed_went;
    violated("the disk of " + of_node(node) + ": " + disk.stream.malformed());
    return false;
  }

  std::optional<std::string> fold(NodeId node, NodeDisk& disk, const Record& record, bool& committed_went) {
    if (const auto* entry = std::get_if<EntryOnDisk>(&record)) {
      const Term known = ballots_[{node, entry->shard}].term;
      if (auto reason = disk.logs[entry->shard].append(*entry)) return reason;
      if (entry->term <= known) return std::nullopt;
      return text(entry->shard) + " entry " + std::to_string(entry->index.value) + " is of " + of_term(entry->term) +
             ", and the durable hard state only of " + of_term(known);
    }
    if (const auto* standing = std::get_if<StandingOnDisk>(&record)) {
      return disk.logs[standing->shard].stands(*standing);
    }
    const auto* base = std::get_if<BaseOnDisk>(&record);
    const auto* cut = std::get_if<CutOnDisk>(&record);
    const ShardId shard = base != nullptr ? base->shard : cut->shard;
    if (!configurations_.knows(shard)) return text(shard) + " is no shard of this world";
    const std::uint64_t before = matched(node, disk, shard);
    auto reason = base != nullptr ? disk.logs[shard].restore(*base) : disk.logs[shard].cut(*cut);
    if (!reason && base != nullptr) reason = uncovered(node, disk, shard);
    committed_went = committed_went || matched(node, disk, shard) < before;
    return reason;
  }

  static bool takes_part(TraceKind kind) {
    return kind == TraceKind::became_follower || kind == TraceKind::became_pre_candidate || kind == TraceKind::voted ||
           kind == TraceKind::appended || kind == TraceKind::recovery_asked;
  }

  static bool lacks_snapshot(const NodeDisk& disk, ShardId shard) {
    const auto log = disk.logs.find(shard);
    return log != disk.logs.end() && log->second.base().index.value > covered(disk, shard);
  }

  /// A log begins only behind what a snapshot on the same disk holds.
  std::optional<std::string> uncovered(NodeId node, const NodeDisk& disk, ShardId shard) {
    const auto log = disk.logs.find(shard);
    if (log == disk.logs.end() || excused(node, shard)) return std::nullopt;
    const std::uint64_t base = log->second.base().index.value;
    if (base <= covered(disk, shard)) return std::nullopt;
    return text(shard) + " begins behind entry " + std::to_string(base) + ", and " +
           (covered(disk, shard) == 0
                ? std::string("no whole snapshot is there")
                : "the newest whole snapshot ends at entry " + std::to_string(covered(disk, shard)));
  }

  /// All files have been shown.
  void whole(NodeId node, NodeDisk& disk) {
    if (!violations().empty() || emptied_.contains(node)) return;
    for (const auto& [shard, log] : disk.logs) {
      auto reason = uncovered(node, disk, shard);
      if (!reason && log.has_gap() && !excused(node, shard)) {
        reason = text(shard) + " begins behind entry " + std::to_string(log.base().index.value) +
                 ", and the entries that follow are not in the stream";
      }
      if (reason) return violated("the disk of " + of_node(node) + ": " + *reason);
    }
  }

  void sealed_shown(NodeId node, const SealedName& name, ByteView contents) {
    if (name.kind != SealedKind::snapshot || !configurations_.knows(name.shard)) return;
    std::string why;
    const auto file = decode_sealed(name, contents, why);
    const std::vector<StoredEntry>& committed = committed_[name.shard.value - 1];
    const bool counts = file && name.last.value >= 1 && name.last.value <= committed.size() &&
                        committed[name.last.value - 1].term == file->last_term;
    std::set<Index>& snapshots = disks_[node].snapshots[name.shard];
    if (counts) {
      snapshots.insert(name.last);
    } else {
      snapshots.erase(name.last);  // O-E1 and O-E3 tell what is wrong with it
    }
  }

  /// What both copies hold may have been told, and is not forgotten.
  void note_promises(NodeId node, ByteView file) {
    const std::optional<HardStateOnDisk> older = decode_older_hard_state(file);
    if (!older) return;
    for (const auto& [shard, ballot] : older->ballots) {
      Ballot& promised = promised_[{node, shard}];
      if (!goes_back(ballot, promised)) promised = ballot;
    }
  }

  static bool goes_back(const Ballot& now, const Ballot& known) {
    return now.term < known.term || (now.term == known.term && known.vote != nobody && now.vote != known.vote);
  }

  /// Of a file that a fault has changed only what is newer counts, until the node has read what is left.
  void hard_state_shown(NodeId node, ByteView file, bool damaged) {
    note_promises(node, file);
    const bool reread = booting_.contains(node) && doubtful_ballots_.contains(node);
    HardStateOnDisk shown = decode_hard_state(file).value_or(HardStateOnDisk());
    for (const auto& [at, known] : ballots_) {
      if (at.first != node || known.term == Term(0)) continue;
      Ballot& now = shown.ballots[at.second];
      if (!goes_back(now, known) || (reread && !goes_back(now, promised_[at]))) continue;
      if (damaged) {
        now = known;
        continue;
      }
      violated("the disk of " + of_node(node) + ": in " + text(at.second) + " a vote for node " +
               std::to_string(known.vote.value) + " in " + of_term(known.term) + " was durable, and now one for node " +
               std::to_string(now.vote.value) + " in " + of_term(now.term) + " is");
      return;
    }
    for (const auto& [shard, ballot] : shown.ballots) {
      ballots_[{node, shard}] = ballot;
      standings_[{node, shard}].marked = ballot.uncertain;
      if (ballot.vote != nobody) votes_[{node, shard}][ballot.term] = ballot.vote;
    }
    NodeDisk& disk = disks_[node];
    disk.first_segment = shown.first_segment;
    const bool elsewhere = is_opening(node, disk)
                               ? disk.first_segment != disk.stream.first_segment()
                               : disk.first_segment > std::max<std::uint64_t>(disk.stream.segment(), 1);
    disk.stale = disk.stale || elsewhere;
  }

  static std::uint64_t covered(const NodeDisk& disk, ShardId shard) {
    const auto found = disk.snapshots.find(shard);
    return found == disk.snapshots.end() || found->second.empty() ? 0 : found->second.rbegin()->value;
  }

  std::uint64_t matched(NodeId node, NodeDisk& disk, ShardId shard) {
    const std::uint64_t found = disk.logs[shard].matched(committed_[shard.value - 1], covered(disk, shard));
    std::uint64_t& once = standings_[{node, shard}].once;
    once = std::max(once, found);
    return found;
  }

  // --- what a majority holds ------------------------------------------------------------------------------------

  bool excused(NodeId node, ShardId shard) {
    const Standing& standing = standings_[{node, shard}];
    return emptied_.contains(node) || damaged_.contains(node) ||
           (standing.unsupplied && lacks_snapshot(disk_of(node), shard)) ||
           (standing.doubtful && (!standing.recovered || standing.marked));
  }

  /// So many committed entries the node holds; with a damaged disk: held, or believes to hold.
  std::uint64_t counted(NodeId node, ShardId shard) {
    const std::uint64_t held = matched(node, disk_of(node), shard);
    if (!excused(node, shard)) return held;
    Standing& standing = standings_[{node, shard}];
    if (damaged_.contains(node)) standing.once = std::max(standing.once, committed_of(believed(node, shard), shard));
    for (const Believed& log : standing.acknowledged) {
      standing.once = std::max(standing.once, committed_of(log, shard));
    }
    for (DiskLog& log : standing.held) {
      standing.once = std::max(standing.once, log.matched(committed_[shard.value - 1], log.base().index.value));
    }
    return std::max(held, standing.once);
  }

  /// What the replica's log holds that its disk has said to be durable.
  Believed believed(NodeId node, ShardId shard) {
    const TracedLog& log = configurations_.logs().log(node, shard);
    Believed believed{log.base(), {}};
    const std::uint64_t end = std::min(log.last(), standings_[{node, shard}].synced_last);
    for (std::uint64_t i = log.base(); i <= end; ++i) believed.chains.push_back(log.at(i).terms_chain);
    return believed;
  }

  /// So many entries from the first on are the committed ones.
  std::uint64_t committed_of(const Believed& log, ShardId shard) {
    const std::vector<LoggedEntry>& committed = configurations_.logs().committed(shard);
    std::uint64_t end = std::min<std::uint64_t>(log.base + log.chains.size(), committed.size() + 1);
    while (end > log.base + 1) {
      --end;
      if (log.chains[end - log.base] == committed[end - 1].terms_chain) return end;
    }
    return 0;
  }

  void remember_disk(NodeId node) {
    NodeDisk& disk = disk_of(node);
    if (disk.settling) return;  // not read to its end; what it held was remembered, or is there
    for (const auto& [shard, log] : disk.logs) standings_[{node, shard}].held.push_back(log);
  }

  void remember_acknowledged(NodeId node) {
    for (std::uint32_t s = 1; s <= shards_; ++s) {
      standings_[{node, ShardId(s)}].acknowledged.push_back(believed(node, ShardId(s)));
    }
  }

  /// A vote counts when it was durable. So does a later term: who may vote no more in this one may have told an answer
  /// that the same write made durable as the later term.
  void elected(NodeId leader, ShardId shard, Term term) {
    const Configuration used = configurations_.in_use(leader, shard);
    if (used.deciders().size() == 1) return;  // nobody is told before the first entry has committed
    NodeSet votes;
    for (const NodeId member : used.deciders().nodes()) {
      const std::map<Term, NodeId>& given = votes_[{member, shard}];
      const auto vote = given.find(term);
      const bool for_leader = vote != given.end() && vote->second == leader;
      if (for_leader || ballots_[{member, shard}].term > term) votes.add(member);
    }
    if (has_quorum(used, votes)) return;
    violated(of_node(leader) + " leads " + text(shard) + " in " + of_term(term) + " by the durable votes of nodes " +
             text(votes) + ", which are no quorum of " + text(used));
  }

  void judge_all(const std::string& when) {
    for (std::uint32_t shard = 1; shard <= shards_; ++shard) judge(ShardId(shard), when);
  }

  void judge(ShardId shard, const std::string& when) {
    if (!violations().empty()) return;
    const std::uint64_t due = committed_[shard.value - 1].size();
    const Configuration& in_force = in_force_[shard.value - 1];
    const std::uint64_t safe = std::min(on_majority(in_force.voters, shard), on_majority(in_force.outgoing, shard));
    if (safe < due) return lacking(shard, safe, when);
    std::uint64_t whole_copy = 0;
    for (auto& [node, disk] : disks_) whole_copy = std::max(whole_copy, matched(node, disk_of(node), shard));
    if (whole_copy < due) lacking(shard, whole_copy, when);
  }

  std::uint64_t on_majority(NodeSet members, ShardId shard) {
    if (members.empty()) return UINT64_MAX;
    std::vector<std::uint64_t> held;
    for (const NodeId member : members.nodes()) held.push_back(counted(member, shard));
    std::sort(held.begin(), held.end(), std::greater<>());
    return held[held.size() / 2];
  }

  void lacking(ShardId shard, std::uint64_t at, const std::string& when) {
    const std::vector<StoredEntry>& committed = committed_[shard.value - 1];
    const Configuration& in_force = in_force_[shard.value - 1];
    std::size_t copies = 0;
    std::string ends;
    for (const NodeId member : in_force.deciders().nodes()) {
      NodeDisk& disk = disk_of(member);
      const std::uint64_t held = matched(member, disk, shard);
      const std::uint64_t last = std::max(disk.logs[shard].last(), covered(disk, shard));
      if (held > at) ++copies;
      ends += "; " + of_node(member) + " ends at entry " + std::to_string(last);
      if (held < last && held < committed.size()) {
        ends += " and differs from entry " + std::to_string(held + 1) + " on";
      }
      if (excused(member, shard)) ends += " (damaged)";
    }
    violated(text(shard) + " entry " + std::to_string(at + 1) + " of " + of_term(committed[at].term) +
             " has committed, " + when + ", and is durable on " + std::to_string(copies) + " of " +
             std::to_string(in_force.deciders().size()) + " disks" + ends);
  }

  Configurations configurations_;
  std::uint32_t shards_;
  std::vector<std::vector<StoredEntry>> committed_;  ///< by shard - 1
  std::vector<Configuration> in_force_;              ///< by shard - 1
  std::map<Replica, std::deque<Decision>> decisions_;
  std::map<NodeId, NodeDisk> disks_;
  std::map<Replica, Standing> standings_;
  std::set<NodeId> damaged_;           ///< announced since the last boot
  std::set<NodeId> damaged_ballots_;   ///< announced, and not shown since
  std::set<NodeId> doubtful_ballots_;  ///< announced, and not recovered since
  std::set<NodeId> booting_;           ///< and not recovered yet
  std::set<NodeId> emptied_;
  std::map<Replica, Ballot> ballots_;   ///< durable now; a crash takes none of them
  std::map<Replica, Ballot> promised_;  ///< durable in both copies
  std::map<Replica, std::map<Term, NodeId>> votes_;
};

}  // namespace

std::unique_ptr<Oracle> make_durable(const Topology& topology) { return std::make_unique<Durable>(topology); }

}  // namespace coffer::sim::oracles
