#include "core/txn/phase_history.h"

#include "core/txn/protocols.h"
#include "core/txn/splitting.h"

namespace coffer::txn {

namespace {

StepState state_of(Outcome outcome) {
  if (outcome == Outcome::pending) return StepState::sent;
  return outcome == Outcome::success ? StepState::done : StepState::refused;
}

}  // namespace

std::vector<PhaseStep> history_of(const ShardState& state, ledger::DedupNumber number) {
  const ledger::DedupRow& row = state.dedup.row(number);
  if (row.operation == ledger::Operation::split) return splitting::history(state, number);
  if (row.link != ledger::no_row) return row_of(state.dedup.link(number).protocol).history(state, number);
  return {{TransferPhase::execute, Side::both, state_of(row.outcome), state.self, row.position, row.stamp}};
}

std::vector<PhaseStep> executing_history(const ShardState& state, ledger::DedupNumber number) {
  const ledger::DedupRow& row = state.dedup.row(number);
  const ledger::LegLink& link = state.dedup.link(number);
  std::vector<PhaseStep> steps = {
      {TransferPhase::execute, Side::debit, StepState::done, state.self, row.position, row.stamp},
      {TransferPhase::execute, Side::credit, state_of(row.outcome), link.target, link.target_position,
       link.target_stamp}};
  if (state_of(row.outcome) == StepState::refused) {
    steps.push_back({TransferPhase::compensate, Side::debit, StepState::done, state.self, {}, {}});
  }
  return steps;
}

std::vector<PhaseStep> asking_history(const ShardState& state, ledger::DedupNumber number, const AskingPhases& phases) {
  const ledger::DedupRow& row = state.dedup.row(number);
  const ledger::LegLink& link = state.dedup.link(number);
  const bool is_open = link.leg >= state.phases.first_unanswered(link.target);
  const PhaseRow open = is_open ? state.phases.unanswered(link.target, link.leg) : PhaseRow{};
  std::vector<PhaseStep> steps = {{phases.ask, Side::debit, StepState::done, state.self, row.position, row.stamp}};
  const auto add = [&](TransferPhase phase, Side side, StepState step, Position position, Stamp stamp) {
    steps.push_back({phase, side, step, side == Side::debit ? state.self : link.target, position, stamp});
  };
  if (is_open && open.second == ledger::SecondPhase::none) {
    add(phases.ask, Side::credit, StepState::sent, {}, {});
    return steps;
  }
  const StepState last = is_open ? StepState::sent : StepState::done;
  if (state_of(row.outcome) == StepState::refused) {
    add(phases.ask, Side::credit, StepState::refused, link.target_position, link.target_stamp);
    add(phases.refuse, Side::debit, StepState::done, open.position, open.stamp);
    add(phases.refuse, Side::credit, last, {}, {});
  } else {
    add(phases.ask, Side::credit, StepState::done, {}, {});
    add(phases.accept, Side::debit, StepState::done, open.position, open.stamp);
    add(phases.accept, Side::credit, last, link.target_position, link.target_stamp);
  }
  return steps;
}

}  // namespace coffer::txn
