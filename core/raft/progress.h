// What a leader knows of one follower's log, and how far it has sent ahead of that.
//
//   probing   --an answer confirms the entry before `next`----------->  streaming
//   streaming --a rejection, silence, a new connection--------------->  probing
//   either    --`next` needs what is compacted: needs_snapshot()----->  snapshot
//   snapshot  --a success at or after the leader's base: accepted()-->  streaming
//   snapshot  --a new connection------------------------------------->  probing
//
// Probing sends one append and waits for its answer (heartbeats, which are empty appends at the same place, ask again).
// Streaming advances `next` without waiting (thesis, section 10.2.2), at most appends_in_flight_max appends and about
// window_bytes_max bytes ahead (R29). Snapshot sends no entries; heartbeats at the leader's base find out when it is
// over. Invariants: match < next; the last append in flight ends at next - 1; match falls only by lost() (R11).
#pragma once

#include <cstdint>
#include <deque>

#include "core/base/ids.h"
#include "core/base/time.h"

namespace coffer::raft {

/// Heartbeats without an advance, while appends are in flight, after which they are taken for lost.
inline constexpr std::uint32_t silent_beats_max = 2;

/// How far a leader may run ahead of one follower's answers.
struct Window {
  std::uint32_t appends_max;
  std::uint64_t bytes_max;  ///< of entries; one append may go beyond
};

class Progress {
 public:
  enum class State : std::uint8_t { probing, streaming, snapshot };

  /// Of a follower of a leader just elected, or just added, whose log ends at `last` (thesis, figure 3.1: nextIndex).
  Progress(NodeId node, Index last, Instant now) : node_(node), next_(last.next()), heard_(now) {}

  NodeId node() const { return node_; }
  Index match() const { return match_; }
  Index next() const { return next_; }
  State state() const { return state_; }
  bool needs_snapshot() const { return state_ == State::snapshot; }
  std::size_t in_flight() const { return in_flight_.size(); }
  std::uint64_t bytes_in_flight() const { return bytes_in_flight_; }

  /// Whether an append with entries may go now.
  bool may_send(const Window& window) const;
  /// An append with entries from next() to `last` went out. Requires: last >= next() (checked).
  void sent(Index last, std::uint64_t bytes);
  /// A success answer: the follower's log matches ours up to `index`. True if that was news.
  /// `base`: where the leader's log begins; it ends a need for a snapshot.
  bool accepted(Index index, Index base);
  /// A rejection: the follower's log surely does not match beyond `hint`. True if there is something to ask again;
  /// false for answers to what is no longer asked.
  bool rejected(Index hint);
  /// A rejection by a follower that may have lost what it had acknowledged: match() falls to the hint.
  void lost(Index hint);
  /// What comes next is compacted: no entries until the follower has a snapshot.
  void need_snapshot();
  /// A heartbeat is about to go; gives up what is in flight after too many of them without an advance.
  void beat();
  /// Forgets what was sent beyond match(): it may have been lost.
  void probe_from_match();

  /// Any answer in the leader's term: when, to which read round, and what the follower says of itself.
  void answered(Instant now, std::uint64_t round, bool uncertain, bool complete);
  /// The highest round of a heartbeat or append this follower has answered in the leader's term.
  std::uint64_t round() const { return round_; }
  Instant heard() const { return heard_; }
  bool uncertain() const { return uncertain_; }

  /// Whether a learner may become a voter: it answers, is certain and complete, and the last round of catching up was
  /// shorter than an election time-out (thesis, section 4.2.1). A round ends when the follower holds what the leader
  /// held when it began. Begins and ends rounds: to be asked often, in the leader's term.
  bool caught_up(Instant now, Index last, Duration election_timeout);

 private:
  struct Append {
    Index last;
    std::uint64_t bytes;
  };

  void probe(Index next);
  void forget_in_flight();

  NodeId node_;
  Index match_;
  Index next_;
  State state_ = State::probing;
  bool asked_ = false;            ///< probing only: an append with entries is out
  std::deque<Append> in_flight_;  ///< streaming only
  std::uint64_t bytes_in_flight_ = 0;
  std::uint32_t silent_beats_ = 0;
  std::uint64_t round_ = 0;
  Instant heard_;
  bool uncertain_ = false;
  bool complete_ = false;  ///< not before it has said so
  // Catching up; only learners are asked.
  bool in_round_ = false;
  bool last_round_short_ = false;
  Instant round_began_;
  Index round_target_;
};

}  // namespace coffer::raft
