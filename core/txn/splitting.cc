#include "core/txn/splitting.h"

#include <map>

#include "core/base/check.h"
#include "core/txn/direct.h"
#include "core/txn/legs.h"
#include "core/txn/sources.h"
#include "core/txn/windows.h"

namespace coffer::txn::splitting {

using ledger::AccountKey;
using ledger::Book;
using ledger::Decided;
using ledger::DedupNumber;
using ledger::DedupRow;
using ledger::no_part;
using ledger::SecondPhase;
using ledger::SplitAnswered;
using ledger::SplitCommand;
using ledger::SplitDecided;
using ledger::SplitEnded;
using ledger::SplitStarted;
using Kind = AnswerDecision::Kind;

namespace {

/// The sum of the parts; nothing where one is not positive, or they are too many, or too much.
std::optional<std::int64_t> total_of(const SplitCommand& command) {
  if (command.parts.empty() || command.parts.size() > ledger::split_parts_max) return std::nullopt;
  std::optional<std::int64_t> total = 0;
  for (const SplitCommand::Part& part : command.parts) {
    if (part.amount <= 0) return std::nullopt;
    total = checked_add(*total, part.amount);
    if (!total) return std::nullopt;
  }
  return total;
}

Outcome check_grammar(const SplitCommand& command) {
  if (!is_known(command.currency) || !total_of(command)) return Outcome::malformed;
  const Outcome debit = direct::check_name(command.debit_account);
  if (debit != Outcome::success) return debit;
  for (const SplitCommand::Part& part : command.parts) {
    const Outcome credit = direct::check_name(part.credit_account);
    if (credit != Outcome::success) return credit;
    if (part.credit_account == command.debit_account) return Outcome::same_account;
  }
  return Outcome::success;
}

/// Whether the caller's map and ours agree on where the payees are.
bool maps_agree(const ShardState& state, const SplitCommand& command) {
  for (const SplitCommand::Part& part : command.parts) {
    const bool is_here = state.owns(AccountKey(command.tenant, part.credit_account).slot());
    if (part.credit_shard == ShardId() || is_here != (part.credit_shard == state.self)) return false;
  }
  return true;
}

Outcome check_debit(const ShardState& state, Decided& decided) {
  const Outcome debited = direct::refusal_of_debit(state, decided.home, Debit::fresh);
  if (debited != Outcome::success) return debited;
  decided.debit = state.book.find_pocket(decided.home, decided.amount.currency);
  if (decided.debit == no_pocket) return Outcome::currency_mismatch;
  if (state.locks.is_locked(decided.debit)) return Outcome::account_locked;
  return state.book.has_funds(decided.debit, decided.amount.minor) ? Outcome::success : Outcome::insufficient_funds;
}

/// The payee of a part in this shard.
Outcome find_payee(const ShardState& state, const AccountKey& key, Currency currency, PocketNumber& credit) {
  const AccountNumber account = state.book.find(key);
  if (account == no_account) return Outcome::credit_account_not_found;
  const Outcome credited = ledger::refusal_of(state.book.state_of(account));
  if (credited != Outcome::success) return credited;
  credit = state.book.find_pocket(account, currency);
  if (credit == no_pocket) return Outcome::currency_mismatch;
  return state.locks.is_locked(credit) ? Outcome::account_locked : Outcome::success;
}

/// Parts in the making: each sees the room that those before it take, and their legs.
class Parts {
 public:
  Parts(const ShardState& state, const SplitCommand& command, std::vector<ledger::AccountOpened>& opens)
      : state_(state), command_(command), opens_(opens) {
    for (const SplitCommand::Part& part : command.parts) at_once_ = at_once_ && part.credit_shard == state.self;
  }
  /// All payees are in this shard.
  bool at_once() const { return at_once_; }

  /// Adds the part, or says why not.
  Outcome add(const SplitCommand::Part& asked, std::vector<SplitStarted::Part>& parts) {
    SplitStarted::Part part{asked.credit_shard, {}, no_pocket, no_pocket, asked.amount, asked.credit_account};
    const bool is_here = part.target == state_.self;
    if (is_here) {
      const AccountKey key(command_.tenant, part.credit_account);
      const Outcome found = find_payee(state_, key, command_.currency, part.credit);
      if (found != Outcome::success) return found;
      if (!state_.book.may_give(part.credit, taken_[part.credit] += part.amount)) return Outcome::balance_overflow;
    } else {
      std::uint64_t& legs = legs_[part.target];
      part.leg = LegNumber(state_.phases.next(part.target).value + legs++);
    }
    if (!at_once_) {
      part.transit = transit_of(part.target);
      if (!has_room(part.transit, taken_[part.transit] += part.amount, is_here)) return Outcome::balance_overflow;
    }
    parts.push_back(part);
    return Outcome::success;
  }

 private:
  PocketNumber transit_of(ShardId target) {
    const PocketNumber known = state_.book.find_system(ledger::PocketKind::transit, command_.currency, target);
    if (known != no_pocket) return known;
    for (const ledger::AccountOpened& opens : opens_) {
      if (opens.peer == target) return opens.pocket;
    }
    opens_.push_back(legs::open_transit(state_.book, command_.currency, target, command_.principal));
    opens_.back().pocket =
        PocketNumber(state_.book.next_pocket().value + static_cast<std::uint32_t>(opens_.size() - 1));
    return opens_.back().pocket;
  }
  bool has_room(PocketNumber transit, std::int64_t amount, bool is_here) const {
    if (transit >= state_.book.next_pocket()) return !is_here || amount <= INT64_MAX / 2;  // about to be opened
    return is_here ? state_.book.may_try_through(transit, amount) : state_.book.may_send_through(transit, amount);
  }

  const ShardState& state_;
  const SplitCommand& command_;
  std::vector<ledger::AccountOpened>& opens_;
  bool at_once_ = true;
  std::map<PocketNumber, std::int64_t> taken_;  ///< room of pockets
  std::map<ShardId, std::uint64_t> legs_;
};

/// Fills in what becomes of a split whose id is free.
void start(const ShardState& state, const SplitCommand& command, StartPlan& plan) {
  SplitStarted& event = *plan.event;
  Decided& decided = event.decided;
  decided.outcome = check_debit(state, decided);
  Parts making(state, command, plan.opens);
  for (std::size_t i = 0; i < command.parts.size() && decided.outcome == Outcome::success; ++i) {
    decided.outcome = making.add(command.parts[i], event.parts);
    if (decided.outcome != Outcome::success) event.refused = static_cast<std::uint8_t>(i);
  }
  if (decided.outcome != Outcome::success) {
    event.parts.clear();
    plan.opens.clear();
  } else if (!making.at_once()) {
    decided.outcome = Outcome::pending;
  }
  plan.outcome = decided.outcome;
}

StartPlan refuse(Outcome outcome) { return {.outcome = outcome}; }

SplitNumber split_of(const ShardState& state, DedupNumber dedup) {
  const SplitNumber split = state.splits.find(dedup);
  check(split != no_split, "what is split has a row");
  return split;
}

/// What the parts have answered: success, or what the first says that refused.
struct Verdict {
  Outcome outcome = Outcome::success;
  std::uint8_t refused = no_part;
};
Verdict verdict_of(const std::vector<Outcome>& answers) {
  for (std::size_t i = 0; i < answers.size(); ++i) {
    if (answers[i] != Outcome::success) return {answers[i], static_cast<std::uint8_t>(i)};
  }
  return {};
}

std::vector<Outcome> answers_of(const ShardState& state, SplitNumber split) {
  std::vector<Outcome> answers;
  for (std::uint8_t i = 0; i < state.splits.row(split).parts; ++i) {
    answers.push_back(state.splits.part(split, i).outcome);
  }
  return answers;
}

/// The part whose Try, or second phase, is this leg.
std::uint8_t part_of(const ShardState& state, SplitNumber split, ShardId target, LegNumber leg, SecondPhase phase) {
  for (std::uint8_t i = 0; i < state.splits.row(split).parts; ++i) {
    const SplitPartRow& part = state.splits.part(split, i);
    if (part.target == target && (phase == SecondPhase::none ? part.tried : part.second) == leg) return i;
  }
  check_failed("a leg of a split is of one of its parts");
}

/// What is decided once the part `last` answers with `outcome`.
SplitDecided decide_second(const ShardState& state, SplitNumber split, std::uint8_t last, Outcome outcome) {
  const SplitRow& row = state.splits.row(split);
  const DedupRow& bound = state.dedup.row(row.dedup);
  std::vector<Outcome> answers = answers_of(state, split);
  answers[last] = outcome;
  const Verdict verdict = verdict_of(answers);
  SplitDecided event;
  event.outcome = verdict.outcome;
  event.refused = verdict.refused;
  event.id = bound.id;
  event.debit = row.debit;
  event.currency = state.book.pocket(row.debit).currency;
  std::map<ShardId, std::uint64_t> legs;
  for (std::uint8_t i = 0; i < row.parts; ++i) {
    const SplitPartRow& part = state.splits.part(split, i);
    LegNumber second;
    if (!part.is_here()) second = LegNumber(state.phases.next(part.target).value + legs[part.target]++);
    event.parts.push_back({part.target, part.tried, second, part.transit, part.credit, part.amount});
  }
  return event;
}

/// Fields that both events about a leg's answer have.
template <class Answered>
Answered about(const ShardState& state, ShardId target, const PhaseRow& row, const LegAnswer& answer,
               std::uint8_t part) {
  Answered event;
  event.part = part;
  event.target = target;
  event.leg = answer.number;
  event.id = answer.id;
  event.debit = row.debit;
  event.transit = row.transit;
  event.amount = {row.amount, state.book.pocket(row.debit).currency};
  event.target_position = answer.position;
  event.target_stamp = answer.stamp;
  return event;
}

PhaseRow first_leg(const SplitStarted& event, const SplitStarted::Part& part, DedupNumber dedup) {
  PhaseRow row;
  row.dedup = dedup;
  row.debit = event.decided.debit;
  row.transit = part.transit;
  row.amount = part.amount;
  row.credit_account = ledger::AccountName(part.credit_account);
  return row;
}

PhaseRow second_leg(const SplitRow& split, const SplitPartRow& part) {
  PhaseRow row;
  row.dedup = split.dedup;
  row.debit = split.debit;
  row.transit = part.transit;
  row.amount = part.amount;
  row.credit_account = part.credit_account;
  row.second = split.second;
  row.tried = part.tried;
  row.position = split.decided;
  row.stamp = split.decided_stamp;
  return row;
}

}  // namespace

StartPlan decide(const ShardState& state, const SplitCommand& command, const IdRules& ids, Stamp stamp) {
  const Outcome grammar = check_grammar(command);
  if (grammar != Outcome::success) return refuse(grammar);
  const AccountKey key(command.tenant, command.debit_account);
  if (!state.owns(key.slot())) return refuse(Outcome::wrong_shard);
  const AccountNumber home = state.book.find(key);
  if (home == no_account) return refuse(Outcome::account_not_found);
  const Hash128 digest = ledger::digest_of(command);
  const DedupNumber bound = state.dedup.find(home, command.id);
  if (bound != ledger::no_row) {
    const DedupRow& row = state.dedup.row(bound);
    if (row.digest != digest) return refuse(Outcome::idempotency_payload_mismatch);
    StartPlan plan = refuse(row.outcome);
    plan.replayed = bound;
    return plan;
  }
  const Outcome timely = windows::check_time(state, command.id, ids, stamp);
  if (timely != Outcome::success) return refuse(timely);
  const Outcome free = sources::check_free(state, home, command.id, ids);
  if (free != Outcome::success) return refuse(free);
  if (!maps_agree(state, command)) return refuse(Outcome::wrong_shard);
  StartPlan plan;
  Decided& decided = plan.event.emplace().decided;
  decided.operation = ledger::Operation::split;
  decided.principal = command.principal;
  decided.home = home;
  decided.amount = {*total_of(command), command.currency};
  decided.id = command.id;
  decided.digest = digest;
  start(state, command, plan);
  return plan;
}

std::optional<AnswerPlan> decide_answer(const ShardState& state, ShardId target, const LegAnswer& answer, Stamp stamp) {
  const PhaseRow* row = legs::answered_row(state, target, answer, stamp);
  if (row == nullptr) return std::nullopt;
  const SplitNumber split = split_of(state, row->dedup);
  const bool is_last = state.splits.row(split).open == 1;
  const std::uint8_t part = part_of(state, split, target, answer.number, row->second);
  AnswerPlan plan;
  plan.decision.row = row->dedup;
  if (row->second == SecondPhase::none) {
    auto event = about<SplitAnswered>(state, target, *row, answer, part);
    event.outcome = answer.outcome;
    plan.event = event;
    plan.decision.kind = Kind::split_answered;
    if (!is_last) return plan;
    plan.decided = decide_second(state, split, part, answer.outcome);
    const bool agreed = ledger::accepts(plan.decided->phase());
    plan.decision.kind = agreed ? Kind::split_confirming : Kind::split_cancelling;
    return plan;
  }
  if (answer.outcome != Outcome::success) return std::nullopt;  // a second phase is never refused
  auto event = about<SplitEnded>(state, target, *row, answer, part);
  event.phase = row->second;
  plan.event = event;
  plan.decision.kind = !is_last                       ? Kind::split_ended
                       : ledger::accepts(row->second) ? Kind::split_confirmed
                                                      : Kind::split_cancelled;
  return plan;
}

void apply(ShardState& state, const SplitStarted& event, Place place) {
  const Decided& decided = event.decided;
  SplitRow row;
  row.dedup = state.dedup.bind(direct::dedup_row(state, decided, place));
  row.debit = decided.debit;
  row.parts = static_cast<std::uint8_t>(event.parts.size());
  row.refused = event.refused;
  for (const SplitStarted::Part& part : event.parts) {
    if (part.leg != LegNumber()) ++row.open;
  }
  state.splits.begin(row);
  if (event.parts.empty()) return;
  check(state.book.pocket(decided.debit).account == decided.home, "a split takes from its home account");
  for (const SplitStarted::Part& part : event.parts) {
    const Money amount{part.amount, decided.amount.currency};
    const bool is_here = part.leg == LegNumber();
    check(is_here == (part.target == state.self), "a leg goes to another shard");
    if (is_here) legs::check_credit(state, part.credit, state.book.account(decided.home).tenant, part.credit_account);
    SplitPartRow kept;
    kept.target = part.target;
    kept.tried = part.leg;
    kept.transit = part.transit;
    kept.credit = part.credit;
    kept.amount = part.amount;
    kept.credit_account = ledger::AccountName(part.credit_account);
    kept.outcome = is_here ? Outcome::success : Outcome::pending;
    kept.ended = part.transit == no_pocket;
    if (kept.ended) {
      state.book.post(decided.debit, part.credit, amount);
    } else {
      legs::check_transit(state, part.transit, part.target);
      state.book.send_off(decided.debit, part.transit, amount);
      if (is_here) state.book.reserve(part.transit, part.credit, amount);
      if (!is_here) state.phases.start(part.target, part.leg, first_leg(event, part, row.dedup));
    }
    state.splits.add_part(kept);
  }
}

void undo(ShardState& state, const SplitStarted& event, Place) {
  const Decided& decided = event.decided;
  for (std::size_t i = event.parts.size(); i-- > 0;) {
    const SplitStarted::Part& part = event.parts[i];
    const Money amount{part.amount, decided.amount.currency};
    const bool is_here = part.leg == LegNumber();
    if (part.transit == no_pocket) {
      state.book.unpost(decided.debit, part.credit, amount);
      continue;
    }
    if (is_here) state.book.release(part.transit, part.credit, amount);
    if (!is_here) state.phases.unstart(part.target, part.leg);
    state.book.bring_back(decided.debit, part.transit, amount);
  }
  state.splits.unbegin_last();
  state.dedup.unbind_last(decided.id);
}

void apply(ShardState& state, const SplitAnswered& event, Place place) {
  const PhaseRow& row = legs::row_about(state, event, place);
  const SplitNumber split = split_of(state, row.dedup);
  SplitPartRow& part = state.splits.part(split, event.part);
  check(row.second == SecondPhase::none && part.target == event.target && part.tried == event.leg &&
            part.outcome == Outcome::pending,
        "the Try of a part is answered once");
  part.outcome = event.outcome;
  part.tried_position = event.target_position;
  part.tried_stamp = event.target_stamp;
  --state.splits.row(split).open;
  state.phases.answer(event.target, event.leg, place.position);
}

void undo(ShardState& state, const SplitAnswered& event, Place) {
  const SplitNumber split = split_of(state, state.phases.unanswer(event.target, event.leg).dedup);
  SplitPartRow& part = state.splits.part(split, event.part);
  part.outcome = Outcome::pending;
  part.tried_position = {};
  part.tried_stamp = {};
  ++state.splits.row(split).open;
}

namespace {

/// The split that an event is about which names its debit and id.
SplitNumber split_about(const ShardState& state, const SplitDecided& event) {
  const DedupNumber dedup = state.dedup.find(state.book.pocket(event.debit).account, event.id);
  check(dedup != ledger::no_row, "what is decided was begun");
  return split_of(state, dedup);
}

}  // namespace

void apply(ShardState& state, const SplitDecided& event, Place place) {
  const SplitNumber split = split_about(state, event);
  SplitRow& row = state.splits.row(split);
  const Verdict verdict = verdict_of(answers_of(state, split));
  check(row.second == SecondPhase::none && row.open == 0 && row.parts == event.parts.size() && row.parts > 0,
        "a split is decided once, when all have answered");
  check(event.outcome == verdict.outcome && event.refused == verdict.refused && row.debit == event.debit,
        "a split is decided as its parts have answered");
  row.second = event.phase();
  row.decided = place.position;
  row.decided_stamp = place.stamp;
  row.refused = event.refused;
  const bool accepts = ledger::accepts(row.second);
  for (std::uint8_t i = 0; i < row.parts; ++i) {
    const SplitDecided::Part& told = event.parts[i];
    SplitPartRow& part = state.splits.part(split, i);
    const Money amount{part.amount, event.currency};
    check(part.target == told.target && part.tried == told.tried && part.transit == told.transit &&
              part.credit == told.credit && part.amount == told.amount && !part.ended,
          "a split is decided with the parts it was begun with");
    if (part.is_here()) {
      part.ended = true;
      if (accepts) state.book.fulfil(part.transit, part.credit, amount);
      if (accepts) state.book.arrive(event.debit, part.transit, amount);
      if (!accepts) state.book.release(part.transit, part.credit, amount);
    } else {
      part.second = told.second;
      state.phases.start(part.target, part.second, second_leg(row, part));
      ++row.open;
    }
    if (!accepts) state.book.bring_back(event.debit, part.transit, amount);
  }
  if (!accepts) state.dedup.finish(row.dedup, event.outcome);
}

void undo(ShardState& state, const SplitDecided& event, Place) {
  const SplitNumber split = split_about(state, event);
  SplitRow& row = state.splits.row(split);
  const bool accepts = ledger::accepts(row.second);
  if (!accepts) state.dedup.reopen(row.dedup);
  for (std::uint8_t i = row.parts; i-- > 0;) {
    SplitPartRow& part = state.splits.part(split, i);
    const Money amount{part.amount, event.currency};
    if (!accepts) state.book.send_off(event.debit, part.transit, amount);
    if (part.is_here()) {
      if (accepts) state.book.unarrive(event.debit, part.transit, amount);
      if (accepts) state.book.unfulfil(part.transit, part.credit, amount);
      if (!accepts) state.book.reserve(part.transit, part.credit, amount);
      part.ended = false;
    } else {
      state.phases.unstart(part.target, part.second);
      part.second = {};
    }
  }
  row.open = 0;
  row.refused = no_part;
  row.decided = {};
  row.decided_stamp = {};
  row.second = SecondPhase::none;
}

void apply(ShardState& state, const SplitEnded& event, Place place) {
  const PhaseRow& row = legs::row_about(state, event, place);
  const SplitNumber number = split_of(state, row.dedup);
  SplitRow& split = state.splits.row(number);
  SplitPartRow& part = state.splits.part(number, event.part);
  check(row.second == event.phase && split.second == event.phase && part.target == event.target &&
            part.second == event.leg && !part.ended,
        "the second phase of a part ends once, as it began");
  part.ended = true;
  part.ended_position = event.target_position;
  part.ended_stamp = event.target_stamp;
  --split.open;
  if (ledger::accepts(event.phase)) {
    state.book.arrive(event.debit, event.transit, event.amount);
    if (split.open == 0) state.dedup.finish(split.dedup, Outcome::success);
  }
  state.phases.answer(event.target, event.leg, place.position);
}

void undo(ShardState& state, const SplitEnded& event, Place) {
  const SplitNumber number = split_of(state, state.phases.unanswer(event.target, event.leg).dedup);
  SplitRow& split = state.splits.row(number);
  SplitPartRow& part = state.splits.part(number, event.part);
  if (ledger::accepts(event.phase)) {
    if (split.open == 0) state.dedup.reopen(split.dedup);
    state.book.unarrive(event.debit, event.transit, event.amount);
  }
  ++split.open;
  part.ended = false;
  part.ended_position = {};
  part.ended_stamp = {};
}

SplitRecord record_of(const ShardState& state, DedupNumber number) {
  const DedupRow& bound = state.dedup.row(number);
  const SplitNumber split = split_of(state, number);
  const SplitRow& row = state.splits.row(split);
  SplitRecord record;
  record.outcome = bound.outcome;
  record.position = bound.position;
  record.stamp = bound.stamp;
  record.row = number;
  record.refused = row.refused;
  for (std::uint8_t i = 0; i < row.parts; ++i) {
    const SplitPartRow& part = state.splits.part(split, i);
    SplitPartRecord& told = record.parts.emplace_back();
    told.shard = part.target;
    if (bound.outcome == Outcome::success && part.is_here()) {
      const bool at_once = row.second == SecondPhase::none;
      told.position = at_once ? bound.position : row.decided;
      told.stamp = at_once ? bound.stamp : row.decided_stamp;
    } else if (bound.outcome == Outcome::success) {
      told.position = part.ended_position;
      told.stamp = part.ended_stamp;
    } else if (i == row.refused) {
      told.position = part.tried_position;
      told.stamp = part.tried_stamp;
    }
  }
  return record;
}

std::vector<PhaseStep> history(const ShardState& state, DedupNumber number) {
  const DedupRow& bound = state.dedup.row(number);
  const SplitNumber split = split_of(state, number);
  const SplitRow& row = state.splits.row(split);
  if (row.parts == 0 || state.splits.part(split, 0).transit == no_pocket) {
    const StepState done = row.parts == 0 ? StepState::refused : StepState::done;
    return {{TransferPhase::execute, Side::both, done, state.self, bound.position, bound.stamp}};
  }
  std::vector<PhaseStep> steps = {
      {TransferPhase::try_legs, Side::debit, StepState::done, state.self, bound.position, bound.stamp}};
  const auto add = [&](TransferPhase phase, StepState step, ShardId shard, Position position, Stamp stamp) {
    steps.push_back({phase, Side::credit, step, shard, position, stamp});
  };
  for (std::uint8_t i = 0; i < row.parts; ++i) {
    const SplitPartRow& part = state.splits.part(split, i);
    const StepState tried = part.outcome == Outcome::pending   ? StepState::sent
                            : part.outcome == Outcome::success ? StepState::done
                                                               : StepState::refused;
    add(TransferPhase::try_legs, tried, part.target, part.is_here() ? bound.position : part.tried_position,
        part.is_here() ? bound.stamp : part.tried_stamp);
  }
  if (row.second == SecondPhase::none) return steps;
  const TransferPhase phase = ledger::accepts(row.second) ? TransferPhase::confirm : TransferPhase::cancel;
  steps.push_back({phase, Side::debit, StepState::done, state.self, row.decided, row.decided_stamp});
  for (std::uint8_t i = 0; i < row.parts; ++i) {
    const SplitPartRow& part = state.splits.part(split, i);
    add(phase, part.ended ? StepState::done : StepState::sent, part.target,
        part.is_here() ? row.decided : part.ended_position, part.is_here() ? row.decided_stamp : part.ended_stamp);
  }
  return steps;
}

}  // namespace coffer::txn::splitting
