#include "core/txn/two_phase_commit.h"

#include "core/txn/asking.h"
#include "core/txn/legs.h"
#include "core/txn/phase_history.h"

namespace coffer::txn::two_phase_commit {

using ledger::Decided;
using ledger::LegStep;
using ledger::PrepareReceived;
using ledger::PrepareStarted;

namespace {

Plan decide_start(const ShardState& state, Decided& decided, ShardId target, std::string_view credit_account,
                  Debit debit) {
  return legs::start(state, decided, target, credit_account, debit, Plan::Makes::prepare_started);
}

Receipt decide_receive(const ShardState& state, ShardId source, const LegRequest& leg, LegNumber freed_through,
                       Stamp stamp) {
  const LegDecision::Kind place = legs::place_of(state, source, leg, stamp);
  if (place != LegDecision::Kind::decided) return {.kind = place};
  return leg.step == LegStep::prepare ? asking::decide_question<PrepareReceived>(state, source, leg, freed_through)
                                      : asking::decide_second(state, source, leg, freed_through);
}

std::vector<PhaseStep> history(const ShardState& state, ledger::DedupNumber number) {
  return asking_history(state, number, {TransferPhase::prepare, TransferPhase::commit, TransferPhase::abort});
}

}  // namespace

ProtocolRow row() {
  return {ledger::Protocol::two_phase_commit,
          "two_phase_commit",
          "lock and prepare both sides, then commit or abort both; the coordinator beside the debit account",
          decide_start,
          decide_receive,
          asking::decide_answer,
          history};
}

void apply(ShardState& state, const PrepareStarted& event, Place place) {
  legs::begin(state, event, ledger::Protocol::two_phase_commit, place);
  state.locks.lock(event.decided.debit);
}

void undo(ShardState& state, const PrepareStarted& event, Place) {
  state.locks.unlock(event.decided.debit);
  legs::unbegin(state, event);
}

void apply(ShardState& state, const PrepareReceived& event, Place place) {
  asking::take_question(state, event, ledger::Protocol::two_phase_commit, place);
  if (event.outcome == Outcome::success) state.locks.lock(event.credit);
}

void undo(ShardState& state, const PrepareReceived& event, Place) {
  if (event.outcome == Outcome::success) state.locks.unlock(event.credit);
  asking::untake_question(state, event);
}

}  // namespace coffer::txn::two_phase_commit
