// What protocols do alike with legs: the checks of either side before money leaves for another shard or arrives from
// one. Pure.
#pragma once

#include <optional>
#include <string_view>

#include "core/base/check.h"
#include "core/ledger/events.h"
#include "core/txn/direct.h"
#include "core/txn/shard_state.h"

namespace coffer::txn::legs {

/// The opening of a transit pocket for `peer`, as the next pocket.
ledger::AccountOpened open_transit(const ledger::Book& book, Currency currency, ShardId peer, PrincipalId principal);

/// Source: the debit of a transfer to another shard, refused or to be followed by an event of this kind. Opens the
/// transit pocket when first needed.
Plan start(const ShardState& state, ledger::Decided& decided, ShardId target, std::string_view credit_account,
           Debit debit, Plan::Makes makes);

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

/// The event of a leg received: leg_received, try_received or prepare_received.
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

// What apply checks is what no decide makes: it ends the process.
void check_received(const ShardState& state, ShardId source, Stamp source_stamp, Place place);
void check_transit(const ShardState& state, PocketNumber transit, ShardId peer);
void check_credit(const ShardState& state, PocketNumber credit, TenantId tenant, std::string_view account);
/// The row an event of the source is about: leg_answered, second_started, commit_decided or second_ended.
template <class Sent>
const PhaseRow& row_about(const ShardState& state, const Sent& event, Place place) {
  const PhaseRow& row = state.phases.unanswered(event.target, event.leg);
  check(row.debit == event.debit && row.transit == event.transit && row.amount == event.amount.minor &&
            state.dedup.row(row.dedup).id == event.id,
        "an answer is about the leg that was started");
  check(event.target_stamp < place.stamp, "an answer is logged after it was given");
  return row;
}

/// Applies leg_started, try_started or, but for the lock, prepare_started: debit -> transit, the phase row, and the id
/// bound.
template <class Started>
void begin(ShardState& state, const Started& event, ledger::Protocol protocol, Place place) {
  const ledger::Decided& decided = event.decided;
  check(event.target != state.self, "a leg goes to another shard");
  check_transit(state, decided.credit, event.target);
  check(state.book.pocket(decided.debit).account == decided.home, "a leg takes from its home account");
  PhaseRow row;
  row.dedup = state.dedup.bind(direct::dedup_row(state, decided, place), {event.target, protocol, event.leg, {}, {}});
  row.debit = decided.debit;
  row.transit = decided.credit;
  row.amount = decided.amount.minor;
  row.credit_account = ledger::AccountName(event.credit_account);
  state.phases.start(event.target, event.leg, row);
  state.book.send_off(decided.debit, decided.credit, decided.amount);
}

/// The inverse of begin.
template <class Started>
void unbegin(ShardState& state, const Started& event) {
  const ledger::Decided& decided = event.decided;
  state.book.bring_back(decided.debit, decided.credit, decided.amount);
  state.phases.unstart(event.target, event.leg);
  state.dedup.unbind_last(decided.id);
}

}  // namespace coffer::txn::legs
