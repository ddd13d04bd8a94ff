// Everything that happens inside one shard: founding it, opening pockets, and transfers whose two sides are here, as
// deposits and withdrawals always are. decide is pure; apply and undo are each other's inverse.
#pragma once

#include "core/ledger/commands.h"
#include "core/ledger/events.h"
#include "core/txn/shard_state.h"

namespace coffer::txn::direct {

/// Whether the command follows grammar and limits: success, malformed, reserved_account or same_account. Needs no
/// state.
Outcome check_grammar(const ledger::TransferCommand& command);
/// Whether a client may name this account: success, malformed or reserved_account.
Outcome check_name(std::string_view account);
/// Whether the caller's map and ours agree on where a transfer's credit account is.
bool maps_agree(const ShardState& state, const ledger::TransferCommand& transfer);
/// What the state of the account says to a new debit, or to one that was promised before.
Outcome refusal_of_debit(const ShardState& state, AccountNumber account, Debit debit);

/// The part of the event that does not depend on where the money goes.
ledger::Decided decided_for(const ledger::TransferCommand& command, AccountNumber home, const Hash128& digest);
/// An event with this outcome. A refusal posts nothing, but binds the id for ever.
Plan conclude(const ledger::Decided& decided, Outcome outcome);

// What decides fills in `decided` as far as it resolves it.

/// A transfer between two accounts of this shard. `credit` is the credit account's key.
Plan decide_transfer(const ShardState& state, ledger::Decided& decided, const ledger::AccountKey& credit, Debit debit);
/// A deposit or withdrawal: the other side is the currency's issue pocket, opened when first needed.
Plan decide_external(const ShardState& state, ledger::Decided& decided);

void apply(ShardState& state, const ledger::ShardFounded& event, Place place);
void apply(ShardState& state, const ledger::AccountOpened& event, Place place);
void apply(ShardState& state, const ledger::TransferDecided& event, Place place);
void undo(ShardState& state, const ledger::ShardFounded& event, Place place);
void undo(ShardState& state, const ledger::AccountOpened& event, Place place);
void undo(ShardState& state, const ledger::TransferDecided& event, Place place);

/// The dedup row an event binds. Requires: the home account exists and is this shard's (checked).
ledger::DedupRow dedup_row(const ShardState& state, const ledger::Decided& decided, Place place);

}  // namespace coffer::txn::direct
