// A replica's log as consensus sees it: entries dense from index 1, all in memory, and how far they are durable.
// The generation counts truncations, so that the completion of a write to a suffix that was since replaced cannot be
// taken for the durability of the new one (A-B-A). Owned by one Raft; no threads.
// Source: Raft thesis, sections 3.5 and 3.6.1.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "core/base/entry.h"
#include "core/base/ids.h"

namespace coffer::raft {

/// Requires: index > 0 (checked).
Index previous(Index index);

class LogView {
 public:
  /// Requires: dense from index 1, terms never falling (checked). All of it is durable.
  explicit LogView(std::vector<Entry> recovered);

  Index last_index() const { return Index(entries_.size()); }
  Term last_term() const { return term_at(last_index()); }
  /// Term 0 for index 0. Requires: index <= last_index() (checked).
  Term term_at(Index index) const;
  /// Requires: 1 <= index <= last_index() (checked).
  const Entry& at(Index index) const;
  /// Whether the log holds an entry at `index` with `term`; true for (0, 0).
  bool matches(Index index, Term term) const;
  /// Whether a log ending in (last_index, last_term) is at least as up-to-date as this one (section 3.6.1).
  bool covered_by(Index last_index, Term last_term) const;
  /// Where a leader whose (prev_index, prev_term) does not match should continue: everything after the answer and up
  /// to prev_index surely conflicts or is missing, whole terms at a time (end of section 3.5).
  /// Ensures: answer < prev_index. Requires: !matches(prev_index, prev_term) (checked).
  Index last_possible_match(Index prev_index, Term prev_term) const;
  /// Entries from `from` on, at least one, at most `bytes_max` bytes of payload beyond the first. Payloads are shared.
  /// Requires: 1 <= from <= last_index() (checked).
  std::vector<Entry> slice(Index from, std::size_t bytes_max) const;

  /// Requires: entry.index == last_index() + 1, entry.term >= last_term() (checked).
  void append(Entry entry);
  /// Removes the entries at and after `from`; begins a new generation. Requires: 1 <= from <= last_index() (checked).
  void truncate_from(Index from);

  std::uint64_t generation() const { return generation_; }
  /// Entries up to here survive a crash.
  Index durable() const { return durable_; }
  /// What was handed out up to `last` while `generation` was current is durable. Other generations are ignored.
  void persisted(std::uint64_t generation, Index last);

 private:
  std::deque<Entry> entries_;  ///< entry i at position i - 1
  std::uint64_t generation_ = 0;
  Index durable_;
};

}  // namespace coffer::raft
