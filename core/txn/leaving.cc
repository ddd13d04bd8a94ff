#include "core/txn/leaving.h"

#include <algorithm>

#include "core/base/check.h"
#include "core/txn/windows.h"

namespace coffer::txn::leaving {

std::optional<ledger::RowsLeft> decide(const ShardState& state, const IdRules& rules) {
  if (rules.rows_in_memory == 0 || !state.founded) return std::nullopt;
  if (!state.dedup.has_attic()) return ledger::RowsLeft{true, 0, 0};
  const std::uint64_t queued = state.dedup.queued();
  const std::uint64_t step = std::clamp<std::uint64_t>(rules.rows_in_memory / 16, 1, rows_at_once_min);
  if (queued < rules.rows_in_memory + step) return std::nullopt;
  const std::uint64_t before = state.dedup.left();
  const std::uint64_t end = before + std::min(queued - rules.rows_in_memory, rows_at_once_max);
  std::uint64_t after = before;
  while (after < end && windows::is_over(state, state.dedup.queued_at(after))) ++after;
  if (after - before < step) return std::nullopt;
  return ledger::RowsLeft{false, before, after};
}

void apply(ShardState& state, const ledger::RowsLeft& event, Place place) {
  if (event.opens) return state.dedup.open_attic();
  for (std::uint64_t at = event.before; at < event.after; ++at) {
    check(at < state.dedup.queued_end() && windows::is_over(state, state.dedup.queued_at(at)),
          "what is running does not leave");
  }
  state.dedup.leave(event.before, event.after, place.position);
}

void undo(ShardState& state, const ledger::RowsLeft& event, Place) {
  if (event.opens) return state.dedup.close_attic();
  state.dedup.return_left(event.before, event.after);
}

}  // namespace coffer::txn::leaving
