#include "sim/oracles/transfers.h"

#include <algorithm>

namespace coffer::sim::oracles {

namespace {

/// The account's name of a customer pocket; nothing for unknown and system pockets.
std::string name_of(const ShardBook& book, PocketNumber number) {
  const Pocket* pocket = book.pocket(number);
  return pocket != nullptr && pocket->kind == PocketKind::customer ? pocket->name : std::string();
}

TransferPhase phase_of(SecondPhase phase) {
  if (is_of_locks(phase)) return accepts(phase) ? TransferPhase::commit : TransferPhase::abort;
  return accepts(phase) ? TransferPhase::confirm : TransferPhase::cancel;
}

/// Nothing for events that are no step of a transfer.
struct StepOf {
  using Step = std::optional<Transfers::Done>;
  template <class Event>
  Step operator()(const Event&) const {
    return std::nullopt;
  }
  Step operator()(const TransferDecided& event) const {
    return Transfers::Done{
        event.decided.id, TransferPhase::execute, Side::both, event.decided.outcome != Outcome::success, {}};
  }
  Step operator()(const LegStarted& event) const {
    return Transfers::Done{event.decided.id, TransferPhase::execute, Side::debit, false, {}};
  }
  Step operator()(const LegReceived& event) const {
    return Transfers::Done{event.id, TransferPhase::execute, Side::credit, event.outcome != Outcome::success, {}};
  }
  Step operator()(const LegAnswered& event) const {
    if (event.outcome == Outcome::success) return std::nullopt;
    return Transfers::Done{event.id, TransferPhase::compensate, Side::debit, false, {}};
  }
  Step operator()(const TryStarted& event) const {
    return Transfers::Done{event.leg.decided.id, TransferPhase::try_legs, Side::debit, false, {}};
  }
  Step operator()(const TryReceived& event) const {
    return Transfers::Done{
        event.leg.id, TransferPhase::try_legs, Side::credit, event.leg.outcome != Outcome::success, {}};
  }
  Step operator()(const PrepareStarted& event) const {
    return Transfers::Done{event.leg.decided.id, TransferPhase::prepare, Side::debit, false, {}};
  }
  Step operator()(const PrepareReceived& event) const {
    return Transfers::Done{
        event.leg.id, TransferPhase::prepare, Side::credit, event.leg.outcome != Outcome::success, {}};
  }
  Step operator()(const SecondStarted& event) const {
    return Transfers::Done{event.tried.id, phase_of(event.phase()), Side::debit, false, {}};
  }
  Step operator()(const SecondReceived& event) const {
    return Transfers::Done{event.id, phase_of(event.phase), Side::credit, false, {}};
  }
  Step operator()(const SplitStarted& event) const {
    const Outcome outcome = event.decided.outcome;
    if (outcome == Outcome::pending) {
      return Transfers::Done{event.decided.id, TransferPhase::try_legs, Side::debit, false, {}, has_own(event.parts)};
    }
    const bool refused = outcome != Outcome::success;
    return Transfers::Done{event.decided.id, TransferPhase::execute, Side::both, refused, {}};
  }
  Step operator()(const SplitDecided& event) const {
    return Transfers::Done{event.id, phase_of(event.phase()), Side::debit, false, {}, has_own(event.parts)};
  }
  template <class Part>
  static bool has_own(const std::vector<Part>& parts) {
    return std::any_of(parts.begin(), parts.end(), [](const Part& part) { return part.is_here(); });
  }
};

}  // namespace

void Transfers::committed(const CommittedEntry& committed) {
  const ShardId shard = committed.shard;
  const std::optional<Entry> entry = book_.committed(committed);
  if (!entry) return;
  Position position = book_.shard(shard).at(Index(committed.index.value - 1)).position;
  const HoldEnded* captured = nullptr;
  for (const Event& event : entry->events) {
    position = position.next();
    read({shard, position, entry->stamp, captured != nullptr}, event);
    captured = capture_pending(captured, event);
    std::optional<Done> step = std::visit(StepOf{}, event);
    if (!step) continue;
    step->stamp = entry->stamp;
    done_.emplace(std::pair(shard, position), *step);
    steps_.emplace(step->id, step->phase, step->side, step->refused);
    if (step->both_sides) steps_.emplace(step->id, step->phase, Side::credit, step->refused);
  }
}

void Transfers::read(const Receipt& at, const Event& event) {
  const ShardId shard = at.shard;
  if (const auto* local = std::get_if<TransferDecided>(&event)) {
    decided(at, local->decided, nullptr);
  } else if (const auto* leg = std::get_if<LegStarted>(&event)) {
    decided(at, leg->decided, leg);
  } else if (const auto* tried = std::get_if<TryStarted>(&event)) {
    decided(at, tried->leg.decided, &tried->leg);
  } else if (const auto* prepared = std::get_if<PrepareStarted>(&event)) {
    decided(at, prepared->leg.decided, &prepared->leg);
  } else if (const auto* held = std::get_if<HoldPlaced>(&event)) {
    placed(at, *held);
  } else if (const auto* receipt = std::get_if<LegReceived>(&event)) {
    settled(at, {receipt->source, shard, receipt->leg}, receipt->outcome);
  } else if (const auto* tested = std::get_if<TryReceived>(&event)) {
    // A Try that succeeded settles nothing: its Confirm will.
    if (tested->leg.outcome != Outcome::success) {
      settled(at, {tested->leg.source, shard, tested->leg.leg}, tested->leg.outcome);
    }
  } else if (const auto* asked = std::get_if<PrepareReceived>(&event)) {
    if (asked->leg.outcome != Outcome::success) {
      settled(at, {asked->leg.source, shard, asked->leg.leg}, asked->leg.outcome);
    }
  } else if (const auto* second = std::get_if<SecondReceived>(&event)) {
    if (accepts(second->phase)) settled(at, {second->source, shard, second->tried}, Outcome::success);
    if (accepts(second->phase)) confirmed({second->source, shard, second->tried});
  } else if (const auto* parted = std::get_if<SplitStarted>(&event)) {
    split(at, *parted);
  } else if (const auto* agreed = std::get_if<SplitDecided>(&event)) {
    split(at, *agreed);
  } else if (const auto* answer = std::get_if<LegAnswered>(&event)) {
    answered({shard, answer->target, answer->leg});
    noted({shard, answer->target, answer->leg}, TransferPhase::execute, answer->outcome != Outcome::success);
  } else if (const auto* begun = std::get_if<SecondStarted>(&event)) {
    if (!accepts(begun->phase())) answered({shard, begun->tried.target, begun->tried.leg});
    const auto found = legs_.find({shard, begun->tried.target, begun->tried.leg});
    if (found != legs_.end()) legs_[{shard, begun->tried.target, begun->second}] = found->second;
    noted({shard, begun->tried.target, begun->tried.leg},
          begun->of_locks ? TransferPhase::prepare : TransferPhase::try_legs, !accepts(begun->phase()));
  } else if (const auto* ended = std::get_if<SecondEnded>(&event)) {
    answered({shard, ended->target, ended->leg});
    noted({shard, ended->target, ended->leg}, phase_of(ended->phase), false);
  }
}

/// How long it was to be kept follows from its entry's stamp; a refusal says nothing of it.
void Transfers::placed(const Receipt& at, const HoldPlaced& event) {
  Record& record = decided(at, event.decided, nullptr);
  record.expires = event.expires;
  record.body_known = record.body_known && event.decided.outcome == Outcome::success;
  if (!record.body_known) return;
  record.body.expires_in_ms = static_cast<std::uint64_t>((event.expires.nanos - at.stamp.nanos) / 1'000'000);
}

void Transfers::split(const Receipt& at, const SplitStarted& event) {
  Record& record = decided(at, event.decided, nullptr);
  const Outcome outcome = event.decided.outcome;
  record.body.credit.clear();
  for (const SplitStarted::Part& part : event.parts) record.body.credit += payee_text(part.credit_account, part.amount);
  record.body_known = outcome == Outcome::pending || outcome == Outcome::success;
  if (outcome != Outcome::pending) return;
  const ShardBook& book = book_.shard(at.shard);
  const Key key{book.tenant_of(event.decided.home), book.account(event.decided.home).value_or(""), event.decided.id};
  const Place place{key, records_[key].size() - 1};
  for (const SplitStarted::Part& part : event.parts) {
    if (part.is_here()) continue;
    parts_[{at.shard, part.target, part.leg}] = place;
    ++unconfirmed_[place];
  }
}

/// A refusal stands here; a success where the last payee has its money.
void Transfers::split(const Receipt& at, const SplitDecided& event) {
  for (const SplitDecided::Part& part : event.parts) {
    const auto found = parts_.find({at.shard, part.target, part.tried});
    if (part.is_here() || found == parts_.end()) continue;
    Record& record = records_[found->second.first][found->second.second];
    if (!accepts(event.phase()) && record.outcome == Outcome::pending) record.outcome = event.outcome;
  }
}

void Transfers::confirmed(const LegName& tried) {
  const auto found = parts_.find(tried);
  if (found == parts_.end()) return;
  const Place place = found->second;
  parts_.erase(found);
  Record& record = records_[place.first][place.second];
  if (--unconfirmed_[place] == 0 && record.outcome == Outcome::pending) record.outcome = Outcome::success;
}

Record& Transfers::decided(const Receipt& at, const Decided& event, const LegStarted* leg) {
  const ShardId shard = at.shard;
  const ShardBook& book = book_.shard(shard);
  const Key key{book.tenant_of(event.home), book.account(event.home).value_or(""), event.id};
  Record record;
  record.shard = shard;
  record.position = at.position;
  record.stamp = at.stamp;
  record.captures = at.captures;
  record.outcome = leg != nullptr ? Outcome::pending : event.outcome;
  record.body = {event.operation, name_of(book, event.debit), name_of(book, event.credit), event.amount};
  if (leg != nullptr) {
    record.body.credit = leg->credit_account;
    record.target = leg->target;
    record.leg = leg->leg;
  }
  const bool debit_known = event.operation == Operation::deposit || !record.body.debit.empty();
  const bool has_credit = event.operation == Operation::transfer || event.operation == Operation::deposit;
  const bool credit_known = !has_credit || !record.body.credit.empty();
  record.body_known = debit_known && credit_known;
  std::vector<Record>& records = records_[key];
  if (leg != nullptr) legs_[{shard, leg->target, leg->leg}] = {key, records.size()};
  return records.emplace_back(std::move(record));
}

void Transfers::settled(const Receipt& at, const LegName& leg, Outcome outcome) {
  const auto found = legs_.find(leg);
  if (found == legs_.end()) return;  // O-T2 tells
  Record& record = records_[found->second.first][found->second.second];
  if (record.outcome != Outcome::pending) return;  // O-T2 tells
  record.outcome = outcome;
  record.target_position = at.position;
  record.target_stamp = at.stamp;
}

void Transfers::answered(const LegName& leg) {
  const auto found = legs_.find(leg);
  if (found != legs_.end()) records_[found->second.first][found->second.second].answered = true;
}

void Transfers::noted(const LegName& leg, TransferPhase phase, bool refused) {
  const auto found = legs_.find(leg);
  if (found != legs_.end()) noted_.emplace(found->second.first, phase, refused);
}

const std::vector<Record>& Transfers::records(const Key& key) const {
  static const std::vector<Record> none;
  const auto found = records_.find(key);
  return found == records_.end() ? none : found->second;
}

const Transfers::Done* Transfers::done_at(ShardId shard, Position position) const {
  const auto found = done_.find({shard, position});
  return found == done_.end() ? nullptr : &found->second;
}

bool Transfers::has_done(const TransferId& id, TransferPhase phase, Side side, bool refused) const {
  return steps_.contains({id, phase, side, refused});
}

bool Transfers::has_noted(const Key& key, TransferPhase phase, bool refused) const {
  return noted_.contains({key, phase, refused});
}

std::string payee_text(std::string_view account, std::int64_t amount) {
  return std::string(account) + " " + std::to_string(amount) + ", ";
}

std::string text(const Key& key) { return "transfer " + text(key.id) + " of account '" + key.home + "'"; }

}  // namespace coffer::sim::oracles
