#include "core/txn/tcc.h"

#include "core/txn/asking.h"
#include "core/txn/legs.h"
#include "core/txn/phase_history.h"

namespace coffer::txn::tcc {

using ledger::Decided;
using ledger::LegStep;
using ledger::TryReceived;
using ledger::TryStarted;

namespace {

Plan decide_start(const ShardState& state, Decided& decided, ShardId target, std::string_view credit_account,
                  Debit debit) {
  return legs::start(state, decided, target, credit_account, debit, Plan::Makes::try_started);
}

Receipt decide_receive(const ShardState& state, ShardId source, const LegRequest& leg, LegNumber freed_through,
                       Stamp stamp) {
  const LegDecision::Kind place = legs::place_of(state, source, leg, stamp);
  if (place != LegDecision::Kind::decided) return {.kind = place};
  return leg.step == LegStep::try_credit ? asking::decide_question<TryReceived>(state, source, leg, freed_through)
                                         : asking::decide_second(state, source, leg, freed_through);
}

std::vector<PhaseStep> history(const ShardState& state, ledger::DedupNumber number) {
  return asking_history(state, number, {TransferPhase::try_legs, TransferPhase::confirm, TransferPhase::cancel});
}

}  // namespace

ProtocolRow row() {
  return {ledger::Protocol::tcc,
          "tcc",
          "Try both sides, then Confirm or Cancel both; the coordinator beside the debit account",
          decide_start,
          decide_receive,
          asking::decide_answer,
          history};
}

void apply(ShardState& state, const TryStarted& event, Place place) {
  legs::begin(state, event, ledger::Protocol::tcc, place);
}

void undo(ShardState& state, const TryStarted& event, Place) { legs::unbegin(state, event); }

void apply(ShardState& state, const TryReceived& event, Place place) {
  asking::take_question(state, event, ledger::Protocol::tcc, place);
}

void undo(ShardState& state, const TryReceived& event, Place) { asking::untake_question(state, event); }

}  // namespace coffer::txn::tcc
