// Placing a hold and ending it. A hold is the single-shard case of Try: it keeps part of a balance, and nobody else is
// asked. It ends once:
//
//   captured   hold_ended and, in the same entry right behind it, an ordinary transfer of at most as much, under an id
//              derived from the hold's: within the shard, or by whichever protocol reaches the payee's. A capture ends
//              the hold whatever becomes of that transfer
//   voided     hold_ended: nothing is taken
//   expired    hold_ended, the first thing a batch decides whose stamp has passed the expiry
//
// A capture that meets a lock of two-phase commit on its own account is put off: refused without a trace, and the hold
// stays as it was. Whatever else becomes of its transfer, it has ended the hold.
//
// Stamps say when, not clocks: a capture or a voiding stamped later than the expiry finds the hold expired, and makes
// it so where nobody has. decide is pure; apply and undo are each other's inverse.
#pragma once

#include <optional>

#include "core/ledger/commands.h"
#include "core/ledger/events.h"
#include "core/txn/holds.h"
#include "core/txn/shard_state.h"

namespace coffer::txn::holding {

/// What placing makes: an event, or a refusal without a trace, or the answer it had before.
struct PlacePlan {
  Outcome outcome = Outcome::success;
  ledger::DedupNumber replayed = ledger::no_row;  ///< the row of an id bound before with the same body
  std::optional<ledger::HoldPlaced> event = {};
};
/// `stamp` is that of the entry the event would stand in.
PlacePlan decide(const ShardState& state, const ledger::PlaceHoldCommand& command, const IdRules& ids, Stamp stamp);

/// What capturing or voiding makes.
struct EndPlan {
  Outcome outcome = Outcome::success;             ///< else: refused, without a trace but for an expiry
  std::optional<ledger::HoldEnded> event = {};    ///< the end, or an expiry nobody had noted
  ledger::DedupNumber replayed = ledger::no_row;  ///< captured before: the row of the transfer with the same body
};
/// After success without `replayed` the transfer follows.
EndPlan decide(const ShardState& state, const ledger::CaptureHoldCommand& command, Stamp stamp);
/// Success without an event: it was voided before.
EndPlan decide(const ShardState& state, const ledger::VoidHoldCommand& command, Stamp stamp);
/// The end of the live hold that has expired first, if one has by `stamp`.
std::optional<ledger::HoldEnded> decide_expiry(const ShardState& state, Stamp stamp);

void apply(ShardState& state, const ledger::HoldPlaced& event, Place place);
void apply(ShardState& state, const ledger::HoldEnded& event, Place place);
void undo(ShardState& state, const ledger::HoldPlaced& event, Place place);
void undo(ShardState& state, const ledger::HoldEnded& event, Place place);

/// The hold placed under this id, or no_hold.
HoldNumber find(const ShardState& state, TenantId tenant, std::string_view account, const TransferId& id);
/// How clients see it. Requires: there is one (checked).
HoldRecord record_of(const ShardState& state, HoldNumber number);

}  // namespace coffer::txn::holding
