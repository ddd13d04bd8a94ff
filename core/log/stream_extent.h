// What the stream knows of one group's log without holding its entries: where it stands, the terms in it, and which
// segments the entries lie in. Written by the calls of the log's owner and by the fold that reads the stream back.
//
//   base ─── (base, last]: the log ─── last          entries up to and including `base` are in a snapshot
//
// A call changes the extent at once. settle() says that everything called so far went into one frame: only then does it
// count for standing(), which a segment's first frame repeats, and for lowest_segment(), below which nothing is needed.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>

#include "core/base/entry.h"
#include "core/base/ids.h"

namespace coffer::log {

/// Where a log stands between two frames.
struct Standing {
  LogPlace base;
  LogPlace last;  ///< the last entry, or `base` when there is none
  constexpr bool operator==(const Standing&) const = default;
};

class LogExtent {
 public:
  LogExtent() = default;
  /// A log whose entries lie in earlier segments.
  explicit LogExtent(const Standing& standing);

  const LogPlace& base() const { return base_; }
  LogPlace last() const;
  /// Whether the log holds this place, its base included. Entries that lie in earlier segments have no known term.
  bool holds(const LogPlace& place) const;

  /// Requires: `index` follows last() (checked).
  void append(Index index, Term term);
  /// Requires: base().index < from <= last().index + 1 (checked).
  void truncate(Index from);
  /// Entries up to `base` need not stay. `keeps`: those behind it do, otherwise the log is empty behind `base`.
  /// Requires: base.index >= base().index, and with `keeps` <= last().index (checked).
  void restore(const LogPlace& base, bool keeps);

  /// All calls so far are in one frame of `segment`.
  void settle(std::uint64_t segment);
  /// As of the last settle().
  const Standing& standing() const { return standing_; }
  /// The first segment with an entry behind the base, as of the last settle(); nothing when there is none.
  std::optional<std::uint64_t> lowest_segment() const;

 private:
  struct TermRun {
    Index first;
    Term term;
  };
  struct Placement {
    Index first;
    std::uint64_t segment;
  };
  std::optional<Term> term_at(Index index) const;
  void touch(Index from);

  LogPlace base_;
  Index last_;
  std::deque<TermRun> terms_;  ///< from base_ on, ascending
  Standing standing_;
  std::deque<Placement> placements_;   ///< ascending in both; each holds up to the next one's first
  std::optional<Index> changed_from_;  ///< entries from here on are new since the last settle()
  bool changed_ = false;
};

}  // namespace coffer::log
