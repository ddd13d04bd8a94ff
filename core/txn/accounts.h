// Freezing, unfreezing and closing an account, with all its pockets. What is new is then refused; what was promised
// before goes through, whatever became of the account in between: money comes back to a frozen account, and a Confirm
// gives it what its Try kept room for. An account is closed only when it is empty and nothing is pending in it, so
// that nothing can come to it any more. decide is pure; apply and undo are each other's inverse.
#pragma once

#include <optional>

#include "core/ledger/commands.h"
#include "core/ledger/events.h"
#include "core/txn/shard_state.h"

namespace coffer::txn::accounts {

/// What a change makes: an event, or a refusal without a trace, or the answer it had before.
struct ChangePlan {
  Outcome outcome = Outcome::success;
  ledger::DedupNumber replayed = ledger::no_row;  ///< the row of an id bound before to the same change
  std::optional<ledger::AccountChanged> event = {};
};
/// success, wrong_shard, malformed, reserved_account, account_not_found, account_closed (for ever), account_not_empty,
/// idempotency_payload_mismatch, id_expired, id_in_future.
ChangePlan decide(const ShardState& state, const ledger::ChangeAccountCommand& command, const IdRules& ids,
                  Stamp stamp);

void apply(ShardState& state, const ledger::AccountChanged& event, Place place);
void undo(ShardState& state, const ledger::AccountChanged& event, Place place);

}  // namespace coffer::txn::accounts
