#include "core/txn/windows.h"

#include <algorithm>

#include "core/base/check.h"
#include "core/base/uuid_time.h"

namespace coffer::txn::windows {

namespace {

constexpr std::int64_t nanos_per_ms = 1'000'000;

/// The last millisecond that is surely older than the window, by the stamp too; 0: there is none.
std::uint64_t passed_by(const IdRules& rules, Stamp stamp) {
  if (!rules.now) return 0;
  const std::int64_t surely = std::min(stamp.nanos, rules.now->earliest.nanos);
  const std::int64_t end = surely - rules.window.nanos - 1;
  return end < 0 ? 0 : static_cast<std::uint64_t>(end / nanos_per_ms);
}

/// The first row, from `first` on, that stays when ids up to `passed_ms` have passed (W4).
std::uint64_t first_to_stay(const ShardState& state, std::uint64_t first, std::uint64_t passed_ms, Duration grace) {
  const auto grace_ms = static_cast<std::uint64_t>(grace.millis());
  if (passed_ms <= grace_ms) return first;
  const std::uint64_t end = std::min(state.dedup.windowed_end(), first + rows_at_once_max);
  for (; first < end; ++first) {
    const ledger::DedupNumber number = state.dedup.windowed_at(first);
    const std::optional<std::uint64_t> made = time_ms_of(state.dedup.row(number).id);
    if (!made || *made > passed_ms - grace_ms || !is_over(state, number)) break;
  }
  return first;
}

}  // namespace

bool is_over(const ShardState& state, ledger::DedupNumber number) {
  const ledger::DedupRow& row = state.dedup.row(number);
  if (row.outcome == Outcome::pending) return false;
  if (row.link == ledger::no_row) return true;
  const ledger::LegLink& link = state.dedup.link(number);
  return link.leg < state.phases.first_unanswered(link.target);
}

Outcome check_time(const ShardState& state, const TransferId& id, const IdRules& rules, Stamp stamp) {
  const std::optional<std::uint64_t> made = time_ms_of(id);
  if (!made) return Outcome::success;
  if (state.dedup.has_passed(id)) return Outcome::id_expired;
  if (rules.window <= Duration{} || !rules.now) return Outcome::success;
  if (*made <= passed_by(rules, stamp)) return Outcome::id_expired;
  const std::int64_t latest = std::max(stamp.nanos, rules.now->latest.nanos) + ledger::id_ahead_max.nanos;
  return static_cast<std::int64_t>(*made) > latest / nanos_per_ms ? Outcome::id_in_future : Outcome::success;
}

std::optional<ledger::WindowMoved> decide(const ShardState& state, const IdRules& rules, Stamp stamp, bool at_once) {
  if (rules.window <= Duration{}) return std::nullopt;
  const ledger::IdWindow before = state.dedup.window();
  ledger::IdWindow after = before;
  const auto step = static_cast<std::uint64_t>(std::max<std::int64_t>(rules.window.millis() / steps_per_window, 1));
  const std::uint64_t due = passed_by(rules, stamp);
  if (due >= before.passed_ms + (at_once ? 1 : step)) after.passed_ms = due;
  if (after.passed_ms == 0) return std::nullopt;
  after.first = first_to_stay(state, before.first, after.passed_ms, rules.grace);
  const bool is_due = after.passed_ms != before.passed_ms || after.first - before.first >= rows_at_once_min;
  if (!is_due) return std::nullopt;
  return ledger::WindowMoved{before, after};
}

void apply(ShardState& state, const ledger::WindowMoved& event, Place place) {
  for (std::uint64_t at = event.before.first; at < event.after.first; ++at) {
    check(at < state.dedup.windowed_end() && is_over(state, state.dedup.windowed_at(at)),
          "what is running is not forgotten");
  }
  check(event.after.passed_ms <= static_cast<std::uint64_t>(place.stamp.nanos / nanos_per_ms),
        "an id has passed only when its time has come");
  state.dedup.move_window(event.before, event.after, place.position);
}

void undo(ShardState& state, const ledger::WindowMoved& event, Place) {
  state.dedup.unmove_window(event.before, event.after);
}

}  // namespace coffer::txn::windows
