// Linearizable reads without log entries: rounds of heartbeats that prove, after a read arrived, that this leader still
// led. Reads that arrive while a round is under way wait for the next one, which is how they are batched.
// Source: Raft thesis, section 6.4. Invariant R14 (docs/PROTOCOLS.md).
//
//   add() -> waiting -> begin() -> asked -> acknowledged() -> proven -> take_proven(), once an entry of the own term
//   has committed. drop() takes them from everywhere when leadership is lost.
#pragma once

#include <cstdint>
#include <vector>

namespace coffer::raft {

class ReadRounds {
 public:
  void add(std::uint64_t read_id) { waiting_.push_back(read_id); }
  /// The latest round begun; 0 before the first. Appends carry it and their answers echo it.
  std::uint64_t round() const { return round_; }
  /// A round was begun and a majority has not answered it yet.
  bool under_way() const { return under_way_; }
  bool has_waiting() const { return !waiting_.empty(); }
  bool has_proven() const { return !proven_.empty(); }
  /// The latest round that a majority has answered.
  std::uint64_t proven_round() const { return under_way_ ? round_ - 1 : round_; }

  /// Begins a round for all that wait. Requires: none under way (checked).
  void begin();
  /// A majority has answered the round under way (checked).
  void acknowledged();
  /// Moves the proven reads to the end of `ids`.
  void take_proven(std::vector<std::uint64_t>& ids);
  /// Moves every read to the end of `ids`. Round numbers go on, so that no answer to an old round fits a new one.
  void drop(std::vector<std::uint64_t>& ids);

 private:
  std::vector<std::uint64_t> waiting_;
  std::vector<std::uint64_t> asked_;
  std::vector<std::uint64_t> proven_;
  std::uint64_t round_ = 0;
  bool under_way_ = false;
};

}  // namespace coffer::raft
