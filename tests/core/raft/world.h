// A small deterministic world for whole groups: replicas with disks that lose what was not synced, and now and then
// what was; links that lose, duplicate and reorder; snapshots that are taken and installed; groups that change their
// members. The safety properties of Raft (thesis, figure 3.2) are judged from outside after every call (safety.h).
// Nothing happens by itself: a driver (the random one of cluster_test.cc, or a transcript) chooses every event.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/raft/raft.h"
#include "tests/core/raft/safety.h"

namespace coffer::raft::test {

class World {
 public:
  /// Nodes 1..`nodes`; the first `founders` of them found the group (0: all).
  World(std::uint32_t nodes, std::uint64_t seed, std::uint32_t founders = 0);

  // Every call below is one event. Calls about crashed members do nothing.
  void tick(std::uint32_t id);
  /// The `position`-th message on the link, counted from the oldest. With `keep` the link delivers it again later.
  void deliver(std::uint32_t from, std::uint32_t to, std::size_t position = 0, bool keep = false);
  void drop(std::uint32_t from, std::uint32_t to, std::size_t position = 0);
  /// Completes the `count` oldest writes.
  void sync(std::uint32_t id, std::size_t count = SIZE_MAX);
  std::optional<Index> propose(std::uint32_t id, std::string_view text);
  bool read(std::uint32_t id, std::uint64_t read_id);
  bool reconfigure(std::uint32_t id, const std::vector<NodeId>& voters);
  bool transfer(std::uint32_t id, std::uint32_t to);
  /// Takes a snapshot at `through`; once its mark is synced, the log is compacted. False if that is not committed here
  /// or covered already.
  bool snapshot(std::uint32_t id, Index through);
  /// Installs the newest durable snapshot of `from`. False unless it is news.
  bool install(std::uint32_t to, std::uint32_t from);
  /// The `survive` oldest unsynced writes reach the disk all the same; what waited for them is never sent.
  void crash(std::uint32_t id, std::size_t survive = 0);
  /// Of a crashed member: its disk loses the last `count` entries it had kept, and knows that it may have. With
  /// `evidence` it has seen how far they went. False, and nothing is lost, where that would be too much for any group:
  /// see may_lose in world.cc.
  bool lose_tail(std::uint32_t id, std::size_t count, bool evidence = false);
  void restart(std::uint32_t id);
  void reconnect(std::uint32_t a, std::uint32_t b);
  void sleep(Duration duration) { now_ = now_ + duration; }
  /// Syncs and delivers everything, oldest first, until nothing is left to do.
  void settle();

  Instant now() const { return now_; }
  Member& member(std::uint32_t id) { return members_[id - 1]; }
  std::uint32_t size() const { return static_cast<std::uint32_t>(members_.size()); }
  std::size_t queued(std::uint32_t from, std::uint32_t to) const;
  /// The member that leads the latest term; 0 if none.
  std::uint32_t leader() const;
  /// Members that their leaders said need a snapshot, and have not installed one since.
  const std::set<std::uint32_t>& in_need() const { return in_need_; }
  const Safety& safety() const { return safety_; }
  /// Traces and messages of the last event, one line each; for transcripts.
  const std::vector<std::string>& story() const { return story_; }
  std::string state_of(std::uint32_t id) const;

  struct Counters {
    std::uint64_t elections = 0, commits = 0, truncations = 0, lost_tails = 0, reads = 0, crashes = 0;
    std::uint64_t transfers = 0, joint = 0, rolled_back = 0, compactions = 0, installs = 0, installs_kept = 0;
    std::uint64_t damages = 0, settled_by_leader = 0, settled_by_all = 0, quorums_lost = 0;
  };
  const Counters& counters() const { return counters_; }

 private:
  template <class Call>
  void event(std::uint32_t id, Call call);
  void absorb(Member& member, Output& out, const Before& before);
  void tell_reads(Member& member, const Output& out);
  void store(Member& member, const Write& write);
  void transmit(NodeId from, const Outgoing& outgoing);
  void count(const Output& out);
  bool may_lose(const Member& loser, std::size_t count) const;

  Instant now_{};
  std::uint64_t seed_;
  std::vector<Member> members_;
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::deque<Bytes>> links_;
  std::set<std::uint32_t> in_need_;
  Safety safety_;
  Counters counters_;
  std::vector<std::string> story_;
};

}  // namespace coffer::raft::test
