// The window of ids that carry their own time (UUIDv7): which are taken, which are refused, and which rows are
// forgotten (docs/decisions/0012-how-long-an-id-is-remembered.md, rules W1 to W6). What decides is the state of the
// shard and the stamp of the entry; the leader's settings say only when the window moves. Pure.
#pragma once

#include <cstdint>
#include <optional>

#include "core/ledger/events.h"
#include "core/txn/shard_state.h"

namespace coffer::txn::windows {

/// The window moves in steps of this part of its length, so that few entries say so.
inline constexpr std::int64_t steps_per_window = 64;
/// Rows forgotten by one event, at most.
inline constexpr std::uint64_t rows_at_once_max = 1u << 16;
/// Rows left over from an earlier step, fewer of which are not worth an event.
inline constexpr std::uint64_t rows_at_once_min = 64;

/// What an id that is not bound is told of its time: success, id_expired (W1) or id_in_future (W5). `stamp`: of the
/// entry it would be bound in.
Outcome check_time(const ShardState& state, const TransferId& id, const IdRules& rules, Stamp stamp);

/// How the window is to move in an entry with this stamp: nothing while it is not due. `at_once`: by any step, for what
/// is told of an id must stand in the log (W3).
std::optional<ledger::WindowMoved> decide(const ShardState& state, const IdRules& rules, Stamp stamp, bool at_once);

/// Whether nothing of the transfer is under way: its outcome stands, and no leg of it waits for an answer.
bool is_over(const ShardState& state, ledger::DedupNumber number);

void apply(ShardState& state, const ledger::WindowMoved& event, Place place);
void undo(ShardState& state, const ledger::WindowMoved& event, Place place);

}  // namespace coffer::txn::windows
