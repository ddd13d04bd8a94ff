// What TC/C and two-phase commit have in common: they ask the credit side before anything is given to it, and then tell
// both sides what the answers say.
//
//   target  receive  tried, prepared      the question: the credit side promises to take the money, or refuses
//   source  answer   second_started       both sides have answered: the second phase is decided, and leaves as a leg
//   target  receive  second_received      it is done; it can never be refused
//   source  answer   second_ended         the end
//
// decide is pure; apply and undo are each other's inverse. Where the protocols differ is in their second phases: see
// SecondPhase (core/ledger/protocol.h) and the switches in asking.cc.
#pragma once

#include <optional>

#include "core/ledger/events.h"
#include "core/txn/legs.h"
#include "core/txn/shard_state.h"

namespace coffer::txn::asking {

/// Target: whether the credit side can promise to take the money: as legs::resolve_credit, with room to keep.
legs::Credit resolve_promise(const ShardState& state, ShardId source, const LegRequest& leg);

/// Target: the event of a question: try_received or prepare_received. Requires: it is the next leg.
template <class Received>
Receipt decide_question(const ShardState& state, ShardId source, const LegRequest& leg, LegNumber freed_through) {
  const legs::Credit credit = resolve_promise(state, source, leg);
  auto event = legs::received<Received>(source, leg);
  event.freed_before = state.inbox.freed(source);
  event.freed_after = legs::freed_after(state, source, leg, freed_through);
  event.outcome = credit.outcome;
  event.transit = credit.transit;
  event.credit = credit.credit;
  return {.kind = LegDecision::Kind::decided, .opens = credit.opens, .event = event};
}

/// Target: a second phase, of a question that was answered here; else a gap. Requires: it is the next leg.
Receipt decide_second(const ShardState& state, ShardId source, const LegRequest& leg, LegNumber freed_through);

/// Source: the answer to a question begins a second phase, the answer to a second phase ends the transfer.
std::optional<Settlement> decide_answer(const ShardState& state, ShardId target, const LegAnswer& answer, Stamp stamp);

/// Applies try_received or prepare_received, but for locks.
template <class Received>
void take_question(ShardState& state, const Received& event, ledger::Protocol protocol, Place place) {
  legs::check_received(state, event.source, event.source_stamp, place);
  state.inbox.receive(event.source, event.leg, {event.id, place.position, place.stamp, event.outcome},
                      event.freed_before, event.freed_after);
  const bool prepared = protocol == ledger::Protocol::two_phase_commit;
  state.tries.add(event.source, event.leg,
                  {event.id, event.transit, event.credit, event.amount.minor, false, prepared});
  if (event.outcome != Outcome::success) return;
  legs::check_transit(state, event.transit, event.source);
  legs::check_credit(state, event.credit, event.tenant, event.credit_account);
  state.book.reserve(event.transit, event.credit, event.amount);
}

/// The inverse of take_question.
template <class Received>
void untake_question(ShardState& state, const Received& event) {
  if (event.outcome == Outcome::success) state.book.release(event.transit, event.credit, event.amount);
  state.tries.remove(event.source, event.leg);
  state.inbox.unreceive(event.source, event.leg, event.freed_before, event.freed_after);
}

void apply(ShardState& state, const ledger::SecondStarted& event, Place place);
void apply(ShardState& state, const ledger::SecondReceived& event, Place place);
void apply(ShardState& state, const ledger::SecondEnded& event, Place place);
void undo(ShardState& state, const ledger::SecondStarted& event, Place place);
void undo(ShardState& state, const ledger::SecondReceived& event, Place place);
void undo(ShardState& state, const ledger::SecondEnded& event, Place place);

}  // namespace coffer::txn::asking
