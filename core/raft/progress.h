// What a leader knows of one follower's log, and how far it has sent ahead of that.
//
//   probing   --an answer confirms the entry before `next`-->  streaming
//   streaming --a rejection, silence, a new connection------>  probing
//
// Probing sends one append and waits for its answer (heartbeats, which are empty appends at the same place, ask again).
// Streaming advances `next` without waiting (thesis, section 10.2.2), at most appends_in_flight_max appends ahead.
// Invariants: match never falls; match < next; the last append in flight ends at next - 1.
#pragma once

#include <cstdint>
#include <deque>

#include "core/base/ids.h"

namespace coffer::raft {

/// Heartbeats without an advance, while appends are in flight, after which they are taken for lost.
inline constexpr std::uint32_t silent_beats_max = 2;

class Progress {
 public:
  /// Of a follower of a leader just elected, whose log ends at `last` (thesis, figure 3.1: nextIndex).
  Progress(NodeId node, Index last) : node_(node), next_(last.next()) {}

  NodeId node() const { return node_; }
  Index match() const { return match_; }
  Index next() const { return next_; }
  bool probing() const { return probing_; }
  std::size_t in_flight() const { return in_flight_.size(); }

  /// Whether an append with entries may go now.
  bool may_send(std::uint32_t appends_in_flight_max) const;
  /// An append with entries from next() to `last` went out. Requires: last >= next() (checked).
  void sent(Index last);
  /// A success answer: the follower's log matches ours up to `index`. True if that was news.
  bool accepted(Index index);
  /// A rejection: the follower's log surely does not match beyond `hint`. True if there is something to ask again;
  /// false for answers to what is no longer asked.
  bool rejected(Index hint);
  /// A heartbeat is about to go; gives up what is in flight after too many of them without an advance.
  void beat();
  /// Forgets what was sent beyond match(): it may have been lost.
  void probe_from_match();

  /// The highest round of a heartbeat or append this follower has answered in the leader's term.
  std::uint64_t round() const { return round_; }
  void answered(std::uint64_t round);

 private:
  void probe(Index next);

  NodeId node_;
  Index match_;
  Index next_;
  bool probing_ = true;
  bool asked_ = false;           ///< probing only: an append with entries is out
  std::deque<Index> in_flight_;  ///< streaming only: last index of each append
  std::uint32_t silent_beats_ = 0;
  std::uint64_t round_ = 0;
};

}  // namespace coffer::raft
