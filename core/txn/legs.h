// What protocols do alike with legs: the checks of either side before money leaves for another shard or arrives from
// one. Pure.
#pragma once

#include <optional>
#include <string_view>

#include "core/ledger/events.h"
#include "core/txn/shard_state.h"

namespace coffer::txn::legs {

/// Source: the debit of a transfer to another shard, refused or to be followed by an event of this kind. Opens the
/// transit pocket when first needed.
Plan start(const ShardState& state, ledger::Decided& decided, ShardId target, std::string_view credit_account,
           Plan::Makes makes);

/// Target: what the number of a leg says. Decided: it is the next one, well-formed, and stamped before `stamp`.
LegDecision::Kind place_of(const ShardState& state, ShardId source, const LegRequest& leg, Stamp stamp);
/// Outcomes up to here are freed by a leg that comes with `freed_through`.
LegNumber freed_after(const ShardState& state, ShardId source, const LegRequest& leg, LegNumber freed_through);

/// Target: whether the credit side takes the money.
struct Credit {
  Outcome outcome = Outcome::success;
  PocketNumber transit = no_pocket;  ///< both are no_pocket after a refusal
  PocketNumber credit = no_pocket;
  std::optional<ledger::AccountOpened> opens = {};  ///< the transit pocket, when first needed
};
Credit resolve_credit(const ShardState& state, ShardId source, const LegRequest& leg);

/// The event of a leg received: leg_received or try_received.
template <class Received>
Received received(ShardId source, const LegRequest& leg) {
  Received event;
  event.tenant = leg.tenant;
  event.source = source;
  event.leg = leg.number;
  event.id = leg.id;
  event.source_position = leg.source_position;
  event.source_stamp = leg.source_stamp;
  event.amount = leg.amount;
  event.credit_account = leg.credit_account;
  return event;
}

/// Source: the row of the first unanswered leg if this is its answer; else null.
const PhaseRow* answered_row(const ShardState& state, ShardId target, const LegAnswer& answer, Stamp stamp);

/// apply's checks: what no decide makes. They end the process.
void check_transit(const ShardState& state, PocketNumber transit, ShardId peer);
void check_credit(const ShardState& state, PocketNumber credit, TenantId tenant, std::string_view account);

}  // namespace coffer::txn::legs
