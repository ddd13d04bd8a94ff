#include "core/txn/state_machine.h"

#include <algorithm>
#include <array>
#include <map>
#include <utility>
#include <variant>

#include "core/base/check.h"
#include "core/base/codec.h"
#include "core/base/uuid_number.h"
#include "core/txn/machine_state.h"
#include "core/txn/protocols.h"

namespace coffer::txn {

using ledger::AccountKey;
using ledger::DedupNumber;
using ledger::Event;

namespace {

constexpr std::size_t batch_bytes_at_first = 4096;
constexpr std::size_t read_ahead = 16;   ///< events
constexpr std::size_t count_offset = 4;  ///< of entry.count

void undo_event(ShardState& state, const Event& event, Place place) {
  using accounts::undo;
  using asking::undo;
  using direct::undo;
  using holding::undo;
  using leaving::undo;
  using saga::undo;
  using sources::undo;
  using splitting::undo;
  using tcc::undo;
  using two_phase_commit::undo;
  using windows::undo;
  std::visit([&](const auto& what) { undo(state, what, place); }, event);
}

/// Starts loading what applying an event will look at.
struct Prefetch {
  const ShardState& state;

  void operator()(const ledger::ShardFounded&) const {}
  void operator()(const ledger::AccountOpened& event) const {
    state.book.prefetch(AccountKey(event.tenant, event.name));
  }
  void operator()(const ledger::TransferDecided& event) const { load(event.decided); }
  void operator()(const ledger::LegStarted& event) const { load(event.decided); }
  void operator()(const ledger::LegReceived& event) const { state.book.prefetch_pocket(event.credit); }
  void operator()(const ledger::LegAnswered& event) const { state.book.prefetch_pocket(event.debit); }
  void operator()(const ledger::TryStarted& event) const { load(event.decided); }
  void operator()(const ledger::TryReceived& event) const { state.book.prefetch_pocket(event.credit); }
  void operator()(const ledger::SecondStarted& event) const { state.book.prefetch_pocket(event.debit); }
  void operator()(const ledger::SecondReceived& event) const { state.book.prefetch_pocket(event.credit); }
  void operator()(const ledger::SecondEnded& event) const { state.book.prefetch_pocket(event.debit); }
  void operator()(const ledger::PrepareStarted& event) const { load(event.decided); }
  void operator()(const ledger::PrepareReceived& event) const { state.book.prefetch_pocket(event.credit); }
  void operator()(const ledger::AccountChanged&) const {}
  void operator()(const ledger::HoldPlaced& event) const { load(event.decided); }
  void operator()(const ledger::HoldEnded& event) const { state.book.prefetch_pocket(event.pocket); }
  void operator()(const ledger::WindowMoved&) const {}
  void operator()(const ledger::SourceOpened&) const {}
  void operator()(const ledger::RowsLeft&) const {}
  void operator()(const ledger::SplitStarted& event) const { load(event.decided); }
  void operator()(const ledger::SplitAnswered&) const {}
  void operator()(const ledger::SplitDecided& event) const { state.book.prefetch_pocket(event.debit); }
  void operator()(const ledger::SplitEnded& event) const { state.book.prefetch_pocket(event.debit); }

 private:
  void load(const ledger::Decided& decided) const {
    state.book.prefetch_pocket(decided.debit);
    state.book.prefetch_pocket(decided.credit);
    state.dedup.prefetch(decided.id);
  }
};

/// Reads an entry whose events nobody has checked yet; malformed bytes are divergence.
std::vector<Event> decode_events(ByteReader& in, std::uint32_t count) {
  std::vector<Event> events;
  for (std::uint32_t i = 0; i < count; ++i) {
    events.push_back(ledger::decode_event(in));
    check(in.ok(), "a committed entry consists of events");
  }
  check(in.done(), "a committed entry ends with its last event");
  return events;
}

/// How an entry in the making decides.
struct Terms {
  Stamp stamp;
  ledger::Protocol protocol;
  const IdRules& ids;
};

/// A transfer whose id is free and whose credit account is where its command says: always an event.
Plan send_on(const ShardState& state, const ledger::TransferCommand& command, ledger::Decided& decided,
             ledger::Protocol protocol, Debit debit) {
  if (command.credit_shard != state.self) {
    return row_of(protocol).start(state, decided, command.credit_shard, command.credit_account, debit);
  }
  return direct::decide_transfer(state, decided, AccountKey(command.tenant, command.credit_account), debit);
}

Plan decide(const ShardState& state, const ledger::TransferCommand& command, const Terms& terms) {
  const auto refuse = [](Outcome outcome) {
    Plan plan;
    plan.outcome = outcome;
    return plan;
  };
  const Outcome grammar = direct::check_grammar(command);
  if (grammar != Outcome::success) return refuse(grammar);
  const AccountKey home_key(command.tenant, command.home_account());
  if (!state.owns(home_key.slot())) return refuse(Outcome::wrong_shard);
  const AccountNumber home = state.book.find(home_key);
  if (home == no_account) return refuse(Outcome::account_not_found);
  const Hash128 digest = ledger::digest_of(command);
  const DedupNumber bound = state.dedup.find(home, command.id);
  if (bound != ledger::no_row) {
    const ledger::DedupRow& row = state.dedup.row(bound);
    if (row.digest != digest) return refuse(Outcome::idempotency_payload_mismatch);
    Plan plan = refuse(row.outcome);
    plan.replayed = bound;
    return plan;
  }
  const Outcome timely = windows::check_time(state, command.id, terms.ids, terms.stamp);
  if (timely != Outcome::success) return refuse(timely);
  const sources::Order order = sources::check_order(state, home, command.id, terms.ids);
  if (order.outcome != Outcome::success) {
    Plan plan = refuse(order.outcome);
    plan.expected = order.expected;
    return plan;
  }
  ledger::Decided decided = direct::decided_for(command, home, digest);
  if (command.operation != ledger::Operation::transfer) return direct::decide_external(state, decided);
  if (!direct::maps_agree(state, command)) return refuse(Outcome::wrong_shard);
  return send_on(state, command, decided, terms.protocol, Debit::fresh);
}

ExpiredHold expired_by(const ShardState& state, const ledger::HoldEnded& event) {
  return {event.id, event.amount, state.holds.row(event.hold).expires};
}

}  // namespace

// ---- Batch ----------------------------------------------------------------------------------------------------------

Batch::Batch(StateMachine& state, Stamp stamp, ledger::Protocol protocol, const IdRules& ids)
    : state_(state), stamp_(stamp), protocol_(protocol), ids_(ids) {
  check(stamp > state.last_stamp(), "stamps increase");
}

template <class What>
void Batch::record(const What& event) {
  StateMachine::State& state = *state_.state_;
  ByteWriter out(payload_);
  if (count_ == 0) {
    state.begin(stamp_);
    state.batch_open = true;
    payload_.reserve(std::max(batch_bytes_at_first, state.last_batch_bytes + state.last_batch_bytes / 8));
    ledger::encode(ledger::EntryHeader{0, state.last_position.next(), stamp_}, out);
  }
  state.fold(event);
  ledger::encode(event, out);
  ++count_;
}

void Batch::found(ShardId shard, const std::vector<ledger::SlotRange>& ranges) {
  record(ledger::ShardFounded{shard, ranges});
}

void Batch::move_window() {
  if (const auto event = windows::decide(*state_.state_, ids_, stamp_, false)) record(*event);
}

void Batch::let_rows_leave() {
  if (const auto event = leaving::decide(*state_.state_, ids_)) record(*event);
}

/// That an id has expired is told only of what the log says so (W3).
void Batch::log_expiry(const TransferId& id) {
  const ShardState& state = *state_.state_;
  if (id_number_of(id)) return;  // a later number of its source stands there
  if (state.dedup.has_passed(id)) return;
  const auto event = windows::decide(state, ids_, stamp_, true);
  check(event.has_value(), "the window moves on to what has passed");
  record(*event);
}

Outcome Batch::open_account(const ledger::OpenAccountCommand& command, bool& already) {
  already = false;
  const ShardState& state = *state_.state_;
  if (ledger::is_reserved(command.account)) return Outcome::reserved_account;
  if (!ledger::is_account_name(command.account) || !is_known(command.currency)) return Outcome::malformed;
  const AccountKey key(command.tenant, command.account);
  if (!state.owns(key.slot())) return Outcome::wrong_shard;
  const AccountNumber known = state.book.find(key);
  if (known != no_account && state.book.state_of(known) == ledger::AccountState::closed) return Outcome::account_closed;
  already = known != no_account && state.book.find_pocket(known, command.currency) != no_pocket;
  if (already) return Outcome::success;
  ledger::AccountOpened event;
  event.tenant = command.tenant;
  event.account = known == no_account ? state.book.next_account() : known;
  event.pocket = state.book.next_pocket();
  event.currency = command.currency;
  event.principal = command.principal;
  event.name = command.account;
  record(event);
  return Outcome::success;
}

ChangeDecision Batch::change_account(const ledger::ChangeAccountCommand& command) {
  const ShardState& state = *state_.state_;
  const accounts::ChangePlan plan = accounts::decide(state, command, ids_, stamp_);
  if (plan.outcome == Outcome::id_expired) log_expiry(command.id);
  if (plan.replayed != ledger::no_row) return {plan.outcome, true, state.dedup.row(plan.replayed).position};
  if (!plan.event) return {plan.outcome, false, {}};
  record(*plan.event);
  return {plan.outcome, plan.event->before == ledger::state_after(command.change), state.last_position};
}

std::vector<ExpiredHold> Batch::expire_holds(std::size_t bytes_max) {
  const ShardState& state = *state_.state_;
  std::vector<ExpiredHold> expired;
  while (bytes() < bytes_max) {
    const std::optional<ledger::HoldEnded> event = holding::decide_expiry(state, stamp_);
    if (!event) break;
    expired.push_back(expired_by(state, *event));
    record(*event);
  }
  return expired;
}

PlaceDecision Batch::place_hold(const ledger::PlaceHoldCommand& command) {
  const ShardState& state = *state_.state_;
  const holding::PlacePlan plan = holding::decide(state, command, ids_, stamp_);
  if (plan.outcome == Outcome::id_expired) log_expiry(command.id);
  PlaceDecision decision{plan.outcome, plan.replayed != ledger::no_row, {}, {}, {}};
  if (plan.event) record(*plan.event);
  if (!plan.event && !decision.replayed) return decision;
  const DedupNumber bound = plan.event ? state.dedup.last() : plan.replayed;
  decision.position = state.dedup.row(bound).position;
  decision.stamp = state.dedup.row(bound).stamp;
  if (plan.outcome == Outcome::success) decision.expires = state.holds.row(state.holds.find(bound)).expires;
  return decision;
}

CaptureDecision Batch::capture_hold(const ledger::CaptureHoldCommand& command) {
  const ShardState& state = *state_.state_;
  const holding::EndPlan plan = holding::decide(state, command, stamp_);
  const ledger::TransferCommand transfer = command.transfer();
  CaptureDecision decision;
  decision.status = plan.outcome;
  if (plan.outcome == Outcome::hold_expired && plan.event) decision.expired = expired_by(state, *plan.event);
  decision.transfer = transfer.id;
  if (plan.replayed != ledger::no_row) {
    decision.decision = {state.dedup.row(plan.replayed).outcome, true, record_of(state, plan.replayed)};
    return decision;
  }
  if (!plan.event) return decision;
  const AccountNumber home = state.book.pocket(plan.event->pocket).account;
  record(*plan.event);
  if (plan.outcome != Outcome::success) return decision;
  // What the hold kept is free again: there are funds.
  ledger::Decided decided = direct::decided_for(transfer, home, ledger::digest_of(transfer));
  decision.decision = carry_out(send_on(state, transfer, decided, protocol_, Debit::promised));
  return decision;
}

VoidDecision Batch::void_hold(const ledger::VoidHoldCommand& command) {
  const ShardState& state = *state_.state_;
  const holding::EndPlan plan = holding::decide(state, command, stamp_);
  VoidDecision decision;
  decision.outcome = plan.outcome;
  if (plan.outcome == Outcome::hold_expired && plan.event) decision.expired = expired_by(state, *plan.event);
  if (plan.event) record(*plan.event);
  decision.already = plan.outcome == Outcome::success && !plan.event;
  if (plan.outcome == Outcome::success) decision.position = state_.last_position();
  return decision;
}

Decision Batch::transfer(const ledger::TransferCommand& command) {
  const Plan plan = decide(*state_.state_, command, {stamp_, protocol_, ids_});
  if (plan.outcome == Outcome::id_expired) log_expiry(command.id);
  if (plan.makes != Plan::Makes::nothing) {
    if (const auto opens = sources::opening(*state_.state_, plan.decided, ids_)) record(*opens);
  }
  return carry_out(plan);
}

SplitDecision Batch::split(const ledger::SplitCommand& command) {
  const ShardState& state = *state_.state_;
  const splitting::StartPlan plan = splitting::decide(state, command, ids_, stamp_);
  if (plan.outcome == Outcome::id_expired) log_expiry(command.id);
  SplitDecision decision{plan.outcome, plan.replayed != ledger::no_row, {}};
  for (const ledger::AccountOpened& opens : plan.opens) record(opens);
  if (plan.event) record(*plan.event);
  if (!plan.event && !decision.replayed) return decision;
  const DedupNumber bound = plan.event ? state.dedup.last() : plan.replayed;
  decision.record = splitting::record_of(state, bound);
  return decision;
}

Decision Batch::carry_out(const Plan& plan) {
  const ShardState& state = *state_.state_;
  Decision decision;
  decision.outcome = plan.outcome;
  decision.expected = plan.expected;
  if (plan.replayed != ledger::no_row) {
    decision.replayed = true;
    decision.record = record_of(state, plan.replayed);
  }
  if (plan.opens) record(*plan.opens);
  switch (plan.makes) {
    case Plan::Makes::nothing:
      return decision;
    case Plan::Makes::transfer_decided:
      record(ledger::TransferDecided{plan.decided});
      break;
    case Plan::Makes::leg_started:
      record(ledger::LegStarted{plan.decided, plan.target, state.phases.next(plan.target), plan.credit_account});
      break;
    case Plan::Makes::try_started:
      record(ledger::TryStarted{plan.decided, plan.target, state.phases.next(plan.target), plan.credit_account});
      break;
    case Plan::Makes::prepare_started:
      record(ledger::PrepareStarted{plan.decided, plan.target, state.phases.next(plan.target), plan.credit_account});
      break;
  }
  decision.record = record_of(state, state.dedup.last());
  return decision;
}

void Batch::warm(std::span<const ledger::TransferCommand> commands) const {
  const ShardState& state = *state_.state_;
  const std::size_t count = std::min(commands.size(), warm_max);
  std::array<AccountNumber, 2 * warm_max> accounts;
  std::size_t found = 0;
  // Each round looks at what the round before has asked for.
  for (std::size_t i = 0; i < count; ++i) {
    state.book.prefetch(AccountKey(commands[i].tenant, commands[i].debit_account));
    state.book.prefetch(AccountKey(commands[i].tenant, commands[i].credit_account));
    state.dedup.prefetch(commands[i].id);
  }
  for (std::size_t i = 0; i < count; ++i) {
    for (const std::string_view name : {commands[i].debit_account, commands[i].credit_account}) {
      accounts[found] = state.book.prefetch_account(AccountKey(commands[i].tenant, name));
      if (accounts[found] != no_account) ++found;
    }
  }
  for (std::size_t i = 0; i < found; ++i) state.book.prefetch_newest_pocket(accounts[i]);
}

LegDecision Batch::receive_leg(ShardId source, const LegRequest& leg, LegNumber freed_through) {
  const ProtocolRow& protocol = row_of(ledger::protocol_of(leg.step));
  const Receipt receipt = protocol.receive(*state_.state_, source, leg, freed_through, stamp_);
  if (receipt.opens) record(*receipt.opens);
  if (receipt.event) std::visit([this](const auto& event) { record(event); }, *receipt.event);
  LegDecision decision{receipt.kind, {}};
  if (receipt.kind == LegDecision::Kind::decided || receipt.kind == LegDecision::Kind::repeated) {
    decision.answer = *state_.recorded_answer(source, leg.number);
  }
  return decision;
}

AnswerDecision Batch::answer_leg(ShardId target, const LegAnswer& answer) {
  const ShardState& state = *state_.state_;
  const LegNumber first = state.phases.first_unanswered(target);
  if (answer.number != first || first == state.phases.next(target)) return {};
  if (state.dedup.row(state.phases.unanswered(target, first).dedup).operation == ledger::Operation::split) {
    const std::optional<splitting::AnswerPlan> plan = splitting::decide_answer(state, target, answer, stamp_);
    if (!plan) return {};
    std::visit([this](const auto& event) { record(event); }, plan->event);
    if (plan->decided) record(*plan->decided);
    return plan->decision;
  }
  const ProtocolRow& protocol = row_of(ledger::protocol_of(state.step_of(target, first)));
  const std::optional<Settlement> settled = protocol.answer(state, target, answer, stamp_);
  if (!settled) return {};
  std::visit([this](const auto& event) { record(event); }, settled->event);
  return settled->decision;
}

Bytes Batch::finish() {
  check(count_ > 0, "an entry has events");
  ByteWriter(payload_).patch_u32(count_offset, count_);
  StateMachine::State& state = *state_.state_;
  state.batch_open = false;
  state.last_batch_bytes = payload_.size();
  count_ = 0;
  if (payload_.capacity() > 2 * payload_.size()) payload_.shrink_to_fit();  // the log keeps it for long
  return std::move(payload_);
}

// ---- Folding --------------------------------------------------------------------------------------------------------

StateMachine::StateMachine(ShardId self) : state_(std::make_unique<State>(self)) {}

StateMachine::~StateMachine() = default;

StateMachine::StateMachine(const StateMachine& other) : state_(std::make_unique<State>(*other.state_)) {}

void StateMachine::apply_entry(ByteView payload) {
  if (payload.empty()) return;
  State& state = *state_;
  ByteReader in(payload);
  const ledger::EntryHeader header = ledger::decode_header(in);
  check(in.ok(), "a committed entry has a header");
  check(header.first_position == state.last_position.next(), "entries are applied without gaps");
  state.begin(header.stamp);
  // Events are read some way ahead of being folded, so that what they touch is on its way from memory.
  std::array<Event, read_ahead> ahead;
  for (std::uint64_t i = 0; i < std::uint64_t{header.count} + read_ahead; ++i) {
    Event& place = ahead[i % read_ahead];
    if (i >= read_ahead) std::visit([&state](const auto& event) { state.fold(event); }, place);
    if (i >= header.count) continue;
    place = ledger::decode_event(in);
    check(in.ok(), "a committed entry consists of events");
    std::visit(Prefetch{state}, place);
  }
  check(in.done(), "a committed entry ends with its last event");
}

void StateMachine::undo_entry(ByteView payload) {
  if (payload.empty()) return;
  State& state = *state_;
  check(!state.batch_open, "a batch is finished before it is undone");
  ByteReader in(payload);
  const ledger::EntryHeader header = ledger::decode_header(in);
  check(in.ok(), "an applied entry has a header");
  check(header.first_position.value + header.count - 1 == state.last_position.value, "the last entry is undone first");
  check(!state.marks.empty() && state.marks.back().stamp == header.stamp, "a committed entry is never undone");
  const std::vector<Event> events = decode_events(in, header.count);
  for (std::size_t i = events.size(); i-- > 0;) {
    undo_event(state, events[i], {state.last_position, header.stamp});
    state.last_position = Position(state.last_position.value - 1);
  }
  state.marks.pop_back();
  state.last_stamp = state.marks.empty() ? state.committed_stamp : state.marks.back().stamp;
}

void StateMachine::committed(Position position) {
  State& state = *state_;
  std::size_t done = 0;
  while (done < state.marks.size() && state.marks[done].last <= position) ++done;
  if (done == 0) return;
  const EntryMark last = state.marks[done - 1];
  state.committed_stamp = last.stamp;
  state.marks.erase(state.marks.begin(), state.marks.begin() + static_cast<std::ptrdiff_t>(done));
  state.dedup.committed(last.last);
  state.phases.committed(last.last);
  state.inbox.committed(last.last);
}

}  // namespace coffer::txn
