// A replica's log as consensus sees it: entries dense after a base, all in memory, and how far they are durable. The
// base is the place a snapshot covers; what lies before it is committed and no longer here.
// The generation counts truncations and logs replaced by snapshots, so that the completion of a write to a suffix that
// was since replaced cannot be taken for the durability of the new one (A-B-A). Owned by one Raft; no threads.
// Source: Raft thesis, sections 3.5 and 3.6.1; chapter 5 for the base.
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
  /// Requires: dense from base.index + 1, terms never falling (checked). All of it is durable.
  LogView(LogPlace base, std::vector<Entry> recovered);

  /// (0, 0), or the last place that is compacted.
  LogPlace base() const { return base_; }
  Index last_index() const { return Index(base_.index.value + entries_.size()); }
  Term last_term() const { return entries_.empty() ? base_.term : entries_.back().term; }
  LogPlace last() const { return {last_index(), last_term()}; }
  /// Requires: base().index <= index <= last_index() (checked).
  Term term_at(Index index) const;
  /// Requires: base().index < index <= last_index() (checked).
  const Entry& at(Index index) const;
  /// Whether the log is known to hold an entry at `index` with `term`; true for the base. False before the base.
  bool matches(Index index, Term term) const;
  /// Whether a log ending in (last_index, last_term) is at least as up-to-date as this one (section 3.6.1).
  bool covered_by(Index last_index, Term last_term) const;
  /// Where a leader whose (prev_index, prev_term) does not match should continue: everything after the answer and up
  /// to prev_index surely conflicts or is missing, whole terms at a time (end of section 3.5).
  /// Ensures: base().index <= answer < prev_index. Requires: prev_index > base().index, no match there (checked).
  Index last_possible_match(Index prev_index, Term prev_term) const;
  /// Entries from `from` on and not beyond `through`, at least one, at most `bytes_max` bytes of payload beyond the
  /// first. Payloads are shared. Requires: base().index < from <= through <= last_index() (checked).
  std::vector<Entry> slice(Index from, Index through, std::size_t bytes_max) const;

  /// Requires: entry.index == last_index() + 1, entry.term >= last_term() (checked).
  void append(Entry entry);
  /// Removes the entries at and after `from`; begins a new generation.
  /// Requires: base().index < from <= last_index() (checked).
  void truncate_from(Index from);
  /// Forgets the entries up to `through`, which becomes the base. Requires: base().index <= through <= last_index()
  /// (checked).
  void compact(Index through);
  /// The log begins after `base` from now on. What it holds behind that very entry stays; if it does not hold it,
  /// nothing stays, and a new generation begins. Requires: base.index >= base().index (checked).
  void restore(LogPlace base);

  std::uint64_t generation() const { return generation_; }
  /// Entries up to here survive a crash. May lie before the base: what a snapshot covers was perhaps never written
  /// here.
  Index durable() const { return durable_; }
  /// Where the log would end if the process died now, as far as its entries go.
  LogPlace durable_place() const { return durable_ < base_.index ? LogPlace() : LogPlace{durable_, term_at(durable_)}; }
  /// What was handed out up to `last` while `generation` was current is durable. Other generations are ignored.
  void persisted(std::uint64_t generation, Index last);

 private:
  std::size_t position(Index index) const { return static_cast<std::size_t>(index.value - base_.index.value - 1); }

  LogPlace base_;
  std::deque<Entry> entries_;  ///< entry i at position i - base - 1
  std::uint64_t generation_ = 0;
  Index durable_;
};

}  // namespace coffer::raft
