// Rows that leave the state for the attic, an index on disk of what was bound long ago: which leave, and when
// (docs/decisions/0012-how-long-an-id-is-remembered.md, section 3, rules G1 and G2). Which have left is state, moved by
// a logged event; the leader's settings say only when it is written. Pure.
#pragma once

#include <cstdint>
#include <optional>

#include "core/ledger/events.h"
#include "core/txn/shard_state.h"

namespace coffer::txn::leaving {

/// Rows that leave by one event, at most.
inline constexpr std::uint64_t rows_at_once_max = 1u << 16;
/// Rows too many in memory, fewer of which are not worth an event; of small limits a sixteenth of the limit.
inline constexpr std::uint64_t rows_at_once_min = 64;

/// What is to leave before an entry is decided: the first event opens the attic. Nothing while it is not due.
std::optional<ledger::RowsLeft> decide(const ShardState& state, const IdRules& rules);

void apply(ShardState& state, const ledger::RowsLeft& event, Place place);
void undo(ShardState& state, const ledger::RowsLeft& event, Place place);

}  // namespace coffer::txn::leaving
