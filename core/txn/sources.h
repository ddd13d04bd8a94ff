// Sources: who numbers what an account moves, 1, 2, 3, … in ids that say so (core/base/uuid_number.h). Each number is
// decided once, in its order: one that comes too early is a gap, one that comes again is a repetition
// (docs/decisions/0012-how-long-an-id-is-remembered.md, section 2; rules N1 to N7). Which source is known at which
// account is state of the shard; the leader's settings say only whether one may be added. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/ledger/events.h"
#include "core/txn/shard_state.h"

namespace coffer::txn::sources {

/// What an id that is not bound is told of its number.
struct Order {
  Outcome outcome = Outcome::success;  ///< or id_gap, id_expired, in_flight: the number before it is not done with
  std::uint64_t expected = 0;          ///< after id_gap: the number to come
};

/// Of the id of a transfer, deposit or withdrawal of `home`. Success of ids without a number, and of those whose source
/// is neither known nor to be known.
Order check_order(const ShardState& state, AccountNumber home, const TransferId& id, const IdRules& rules);
/// Of the id of anything else: success, or id_is_numbered.
Outcome check_free(const ShardState& state, AccountNumber home, const TransferId& id, const IdRules& rules);
/// What makes the id's source known, where it is not and shall be. Requires: check_order was success (checked in
/// apply).
std::optional<ledger::SourceOpened> opening(const ShardState& state, const ledger::Decided& decided,
                                            const IdRules& rules);
/// What the status of a transfer is that is not bound: transfer_not_found, id_expired if it may have been, and
/// id_is_numbered where only its account could tell. `account` empty: it was not named.
Outcome why_not_found(const ShardState& state, TenantId tenant, std::string_view account, const TransferId& id);

void apply(ShardState& state, const ledger::SourceOpened& event, Place place);
void undo(ShardState& state, const ledger::SourceOpened& event, Place place);

}  // namespace coffer::txn::sources
