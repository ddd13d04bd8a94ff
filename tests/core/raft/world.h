// A small deterministic world for whole groups: replicas with disks that lose what was not synced, links that lose,
// duplicate and reorder, and the safety properties of Raft (thesis, figure 3.2) judged from outside after every call.
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

namespace coffer::raft::test {

/// What one Output asks to be stored, and what waits for it.
struct Write {
  std::optional<HardState> hard_state;
  std::optional<Index> truncated_from;
  std::vector<Entry> appended;
  std::uint64_t generation = 0;
  Index last;
  std::vector<Outgoing> held;  ///< messages that leave after the sync
};

struct Disk {
  HardState hard_state;
  std::vector<Entry> log;
  void store(const Write& write);
};

struct Member {
  NodeId id;
  std::optional<Raft> raft;  ///< none while crashed
  Disk disk;
  std::deque<Write> unsynced;
  std::map<std::uint64_t, Index> reads;  ///< outstanding: what was committed anywhere when the read was asked
  std::uint64_t incarnation = 0;
};

/// Judges from what it is shown; knows no rule of the implementation.
class Safety {
 public:
  void led(const Member& member);
  void committed(const Member& member, Index from, const std::vector<Member>& members);
  void logs(const std::vector<Member>& members);
  void breach(std::string what);

  Index highest_committed() const { return Index(committed_.size()); }
  const std::vector<std::string>& breaches() const { return breaches_; }

 private:
  std::map<Term, NodeId> leaders_;
  std::vector<Entry> committed_;  ///< entry i at position i - 1, as first seen committed
  std::vector<std::string> breaches_;
};

class World {
 public:
  World(std::uint32_t members, std::uint64_t seed);

  // Every call below is one event. Calls about crashed members do nothing.
  void tick(std::uint32_t id);
  /// The `position`-th message on the link, counted from the oldest. With `keep` the link delivers it again later.
  void deliver(std::uint32_t from, std::uint32_t to, std::size_t position = 0, bool keep = false);
  void drop(std::uint32_t from, std::uint32_t to, std::size_t position = 0);
  /// Completes the `count` oldest writes.
  void sync(std::uint32_t id, std::size_t count = SIZE_MAX);
  std::optional<Index> propose(std::uint32_t id, std::string_view text);
  bool read(std::uint32_t id, std::uint64_t read_id);
  /// The `survive` oldest unsynced writes reach the disk all the same; what waited for them is never sent.
  void crash(std::uint32_t id, std::size_t survive = 0);
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
  const Safety& safety() const { return safety_; }
  /// Traces and messages of the last event, one line each; for transcripts.
  const std::vector<std::string>& story() const { return story_; }
  std::string state_of(std::uint32_t id) const;

  struct Counters {
    std::uint64_t elections = 0, commits = 0, truncations = 0, lost_tails = 0, reads = 0, crashes = 0;
  };
  const Counters& counters() const { return counters_; }

 private:
  template <class Call>
  void event(std::uint32_t id, Call call);
  void absorb(Member& member, Output& out, bool led_before, Index commit_before);
  void transmit(NodeId from, const Outgoing& outgoing);
  void count(const Output& out);

  Instant now_{};
  std::uint64_t seed_;
  std::vector<Member> members_;
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::deque<Bytes>> links_;
  Safety safety_;
  Counters counters_;
  std::vector<std::string> story_;
};

}  // namespace coffer::raft::test
