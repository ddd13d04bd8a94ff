#include "tests/core/txn/world.h"

#include <algorithm>
#include <map>
#include <utility>

#include "core/base/check.h"
#include "core/txn/frozen_state.h"
#include "core/txn/state_loader.h"

namespace coffer::txn::testing {

namespace {

constexpr std::array accounts = {"a", "b", "c", "d", "e", "f", "g", "h", "i"};
constexpr std::array currencies = {usd, eur};

void check_balanced(const StateMachine& state) {
  for (const TrialBalanceRow& row : state.trial_balance()) {
    check(row.customers + row.issue + row.transit == 0, "every entry balances to zero within its shard");
  }
  for (const StateMachine::PocketRow& row : state.pockets()) {
    check(row.kind != ledger::PocketKind::customer || row.balance >= 0, "no customer is below zero");
  }
}

}  // namespace

struct World::Shard {
  /// A state frozen after `entries` entries of the log, and as much of its export as was asked for.
  struct Frozen {
    std::size_t entries;
    std::unique_ptr<FrozenState> state;
    Bytes exported;
  };

  Shard(ShardId id, std::uint32_t shards)
      : self(id), leader(id.value, shards), follower(folded(id, leader.log)), model(id, shards), before(model) {
    states.push_back(exported(StateMachine(id)));
    states.push_back(exported(leader.state));
    ends.push_back(leader.state.last_position());
  }

  ShardId self;
  Leader leader;
  StateMachine follower;
  Model model;
  Model before;  ///< the model when the open batch began
  std::optional<Batch> batch;
  ledger::Protocol protocol = ledger::Protocol::saga;  ///< of the open batch
  Stamp stamp;                                         ///< of the open batch
  std::vector<Bytes> states;                           ///< export after so many entries of the log
  std::vector<Position> ends;                          ///< last position of each entry of the log
  std::size_t committed = 0;                           ///< entries the leader knows committed
  std::map<ShardId, std::vector<SentLeg>> sent;
  std::vector<Frozen> frozen;
  std::vector<ledger::CaptureHoldCommand> placed;  ///< what would capture each hold, perhaps undone, that was placed
};

World::World(std::uint32_t shards, std::vector<ledger::Protocol> protocols)
    : shards_(shards), protocols_(std::move(protocols)) {
  for (std::uint32_t shard = 1; shard <= shards; ++shard) {
    all_.push_back(std::make_unique<Shard>(ShardId(shard), shards));
    stamp_ = std::max(stamp_, all_.back()->leader.state.last_stamp().nanos);
  }
}

World::~World() = default;

World::Shard& World::shard_at(std::uint64_t number) { return *all_[number % all_.size()]; }

Batch& World::batch_of(Shard& shard) {
  if (!shard.batch) {
    shard.before = shard.model;
    ++stamp_;
    shard.protocol = protocols_[static_cast<std::size_t>(stamp_) % protocols_.size()];
    shard.stamp = Stamp{stamp_};
    shard.batch.emplace(shard.leader.state, shard.stamp, shard.protocol);
    if (stamp_ % 5 != 0) {  // else what has expired is still held, and found so
      const std::size_t expired = shard.batch->expire_holds(SIZE_MAX).size();
      check(expired == shard.model.expire(shard.stamp), "holds expire as in the model");
      expired_ += expired;
    }
  }
  return *shard.batch;
}

void World::step(const Step& step) {
  Shard& shard = shard_at(step.shard);
  switch (step.kind % kinds_) {
    case 0:
    case 1:
      return open(shard, step);
    case 2:
    case 3:
    case 4:
    case 5:
    case 6:
    case 7:
      return transfer(shard, step);
    case 8:
    case 9:
    case 10:
      return deliver_some(shard, shard_at(step.debit), step.id);
    case 11:
    case 12:
      return answer_some(shard, shard_at(step.debit), step.id);
    case 13:
      finish(shard, true);
      return freeze(shard, step.id);
    case 14:
      return finish(shard, false);
    case 15:
      return change(shard, step);
    case 16:
    case 17:
      return place(shard, step);
    case 18:
    case 19:
      return end_hold(shard, step);
    case 20:
      finish(shard, true);
      return commit(shard, step.id);
    default:
      return split(shard, step);
  }
}

void World::open(Shard& shard, const Step& step) {
  const char* account = accounts[step.debit % accounts.size()];
  const TenantId tenant(step.id % 8 == 0);
  const Currency currency = currencies[step.credit % currencies.size()];
  bool already = false;
  const Outcome outcome = batch_of(shard).open_account({tenant, PrincipalId(1), account, currency}, already);
  check(outcome == shard.model.open(tenant, account, currency), "accounts open as in the model");
  outcomes_[static_cast<std::size_t>(outcome)] += 1;
}

/// Mostly undone again, and rarely a close: else nothing would move any more.
void World::change(Shard& shard, const Step& step) {
  using ledger::Operation;
  const std::uint8_t draw = step.amount % 64;
  const Operation what = draw < 20 ? Operation::freeze : draw == 20 ? Operation::close : Operation::unfreeze;
  const char* account = accounts[step.debit % accounts.size()];
  const TenantId tenant(step.credit % 8 == 0);
  const TransferId id = id_of(step.id % 64);
  const ChangeDecision decision = batch_of(shard).change_account({what, id, tenant, PrincipalId(1), account});
  check(decision.outcome == shard.model.change(what, tenant, account, id), "accounts change as in the model");
  outcomes_[static_cast<std::size_t>(decision.outcome)] += 1;
}

/// Few ids, and as few durations, so that the same hold is placed again, and many expire.
void World::place(Shard& shard, const Step& step) {
  ledger::PlaceHoldCommand command;
  command.id = id_of(step.id % 6);
  command.tenant = TenantId(step.credit / 16 % 8 == 7);
  command.account = accounts[step.debit % accounts.size()];
  command.amount = {step.amount % 64 - 1, currencies[step.debit / 16 % 4 == 0]};
  command.expires_in = nanoseconds(step.credit % 8 == 0 ? 0 : 4 << step.credit % 8);
  const PlaceDecision decision = batch_of(shard).place_hold(command);
  check(decision.outcome == shard.model.place(command, shard.stamp), "holds are placed as in the model");
  outcomes_[static_cast<std::size_t>(decision.outcome)] += 1;
  if (decision.outcome != Outcome::success) return;
  ledger::CaptureHoldCommand& capture = shard.placed.emplace_back();
  capture.id = command.id;
  capture.tenant = command.tenant;
  capture.account = command.account;
  capture.amount = command.amount;
}

/// Mostly one of the latest that were placed.
void World::end_hold(Shard& shard, const Step& step) {
  ledger::CaptureHoldCommand command;
  command.id = id_of(step.id % 6);
  command.tenant = TenantId(step.credit / 16 % 8 == 7);
  command.account = accounts[step.debit % accounts.size()];
  command.amount = {step.amount % 64 - 1, currencies[step.debit / 16 % 4 == 0]};
  if (!shard.placed.empty() && step.id % 4 != 0) {
    command = shard.placed[shard.placed.size() - 1 - step.debit % std::min<std::size_t>(shard.placed.size(), 5)];
    const std::int64_t other = step.credit < 192 ? -(step.amount % 16) : 1;  // sometimes more than is held
    command.amount.minor = std::max<std::int64_t>(command.amount.minor + other, 1);
  }
  end_hold(shard, step, command);
}

void World::end_hold(Shard& shard, const Step& step, ledger::CaptureHoldCommand command) {
  const TransferId id = command.id;
  const TenantId tenant = command.tenant;
  const std::string account(command.account);
  Batch& batch = batch_of(shard);
  Outcome outcome = Outcome::success;
  if (step.amount % 4 == 0) {
    const ledger::VoidHoldCommand release{id, tenant, PrincipalId(1), account};
    outcome = batch.void_hold(release).outcome;
    check(outcome == shard.model.release(release, shard.stamp), "holds are voided as in the model");
  } else {
    command.credit_account = accounts[step.credit % accounts.size()];
    command.credit_shard = shard_of(tenant, command.credit_account, shards_);
    const CaptureDecision decision = batch.capture_hold(command);
    outcome = decision.status == Outcome::success ? decision.decision.outcome : decision.status;
    check(outcome == shard.model.capture(command, shard.protocol, shard.stamp), "holds are captured as in the model");
  }
  outcomes_[static_cast<std::size_t>(outcome)] += 1;
  const auto found = shard.leader.state.find_hold(tenant, account, id);
  constexpr std::array names = {"held", "captured", "voided", "expired"};
  check((found ? names[static_cast<std::size_t>(found->end)] : "") == shard.model.hold_state(tenant, account, id),
        "holds are where the model has them");
}

void World::transfer(Shard& shard, const Step& step) {
  // Few ids, so that many are used again with the same body or another.
  const std::uint64_t id = step.id % 64;
  const std::int64_t amount = step.amount < 200   ? step.amount - 1
                              : step.amount < 240 ? INT64_MAX / 2
                                                  : INT64_MAX - (step.amount - 240);
  const char* debit = accounts[step.debit % accounts.size()];
  const char* credit = accounts[step.credit % accounts.size()];
  const Currency currency = currencies[step.debit / 16 % 4 == 0];
  ledger::TransferCommand command = step.kind % kinds_ == 2   ? deposit_of(id, credit, amount, currency)
                                    : step.kind % kinds_ == 3 ? withdrawal_of(id, debit, amount, currency)
                                                              : transfer_of(id, debit, credit, amount, currency);
  command.tenant = TenantId(step.credit / 16 % 8 == 7);
  if (command.operation == ledger::Operation::transfer) {
    command.credit_shard = shard_of(command.tenant, credit, shards_);
  }
  const Decision decision = batch_of(shard).transfer(command);
  const Outcome expected = shard.model.transfer(command, shard.protocol);
  check(decision.outcome == expected, "transfers end as in the model");
  outcomes_[static_cast<std::size_t>(expected)] += 1;
  if (!is_logged(expected) && expected != Outcome::pending) return;
  const auto record = shard.leader.state.find_transfer(command.tenant, command.home_account(), command.id);
  check(record && record->outcome == expected && record->position == decision.record.position,
        "what was decided is recorded");
}

void World::split(Shard& shard, const Step& step) {
  const std::string debit = accounts[step.debit % accounts.size()];
  const TenantId tenant(step.credit / 16 % 8 == 7);
  std::vector<ledger::SplitCommand::Part> parts;
  for (std::size_t i = 0; i < 1 + step.amount % 5u; ++i) {
    const char* credit = accounts[(step.credit + i * (1 + step.id % 2u)) % accounts.size()];
    const std::int64_t minor = step.amount < 230 ? step.amount / 5 : INT64_MAX / 4 + step.amount;
    parts.push_back({credit, minor, shard_of(tenant, credit, shards_)});
  }
  ledger::SplitCommand command;
  command.id = id_of(step.id % 64);
  command.tenant = tenant;
  command.debit_account = debit;
  command.currency = currencies[step.debit / 16 % 4 == 0];
  command.parts = parts;
  const SplitDecision decision = batch_of(shard).split(command);
  const Outcome expected = shard.model.split(command);
  check(decision.outcome == expected, "splits end as in the model");
  outcomes_[static_cast<std::size_t>(expected)] += 1;
  if (!is_logged(expected) && expected != Outcome::pending) return;
  const auto record = shard.leader.state.find_transfer(tenant, debit, command.id);
  check(record && record->outcome == expected && record->position == decision.record.position,
        "what was decided is recorded");
  check(record->operation == ledger::Operation::split && shard.leader.state.split(record->row).outcome == expected,
        "a split has a record of its own");
}

void World::deliver_some(Shard& source, Shard& target, std::uint64_t draw) {
  const std::uint64_t sent = source.sent[target.self].size();
  const std::uint64_t expected = target.model.next_expected(source.self);
  // Half of them in order, the rest repeated, early, or so old that nobody remembers.
  if (draw % 2 == 0 && expected <= sent) return deliver(source, target, expected);
  if (sent > 0) deliver(source, target, draw / 2 % sent + 1);
}

void World::answer_some(Shard& source, Shard& target, std::uint64_t draw) {
  const std::uint64_t received = target.model.next_expected(source.self) - 1;
  const std::uint64_t due = source.model.answered(target.self) + 1;
  if (draw % 2 == 0 && due <= received) return answer(source, target, due);
  if (received > 0) answer(source, target, draw / 2 % received + 1);
}

void World::deliver(Shard& source, Shard& target, std::uint64_t number) {
  const std::vector<SentLeg>& sent = source.sent[target.self];
  finish(target, true);  // the next batch is stamped after everything sent
  LegRequest leg = sent[number - 1].leg;
  leg.credit_account = sent[number - 1].credit_account;
  const std::uint64_t expected = target.model.next_expected(source.self);
  const LegNumber done(source.follower.first_unanswered(target.self).value - 1);  // committed, not speculative
  const bool was_kept = target.leader.state.recorded_answer(source.self, leg.number).has_value();
  const LegDecision decision = batch_of(target).receive_leg(source.self, leg, done);
  legs_[static_cast<std::size_t>(decision.kind)] += 1;
  if (number > expected) return check(decision.kind == LegDecision::Kind::gap, "later legs wait");
  if (number == expected) {
    const Outcome outcome = target.model.receive(source.self, source.model.legs(target.self).at(number - 1));
    check(decision.kind == LegDecision::Kind::decided && decision.answer.outcome == outcome,
          "legs end as in the model");
    return;
  }
  check(decision.kind == (was_kept ? LegDecision::Kind::repeated : LegDecision::Kind::freed), "older legs are old");
  check(was_kept || number <= done.value, "only answered legs are freed");
  check(!was_kept || decision.answer.outcome == target.model.received(source.self, number), "answers are repeated");
}

void World::answer(Shard& source, Shard& target, std::uint64_t number) {
  finish(target, true);  // answers are told once committed
  finish(source, true);
  const auto answer = target.leader.state.recorded_answer(source.self, LegNumber(number));
  if (!answer) return;
  const bool is_due = number == source.model.answered(target.self) + 1;
  const AnswerDecision decision = batch_of(source).answer_leg(target.self, *answer);
  check((decision.kind != AnswerDecision::Kind::ignored) == is_due, "answers are logged in order and once");
  if (!is_due) return;
  source.model.answer(target.self, answer->outcome);
  ++answers_[static_cast<std::size_t>(decision.kind)];
}

void World::finish(Shard& shard, bool keep) {
  if (!shard.batch) return;
  const std::uint32_t events = shard.batch->events();
  std::optional<Bytes> payload;
  if (events > 0) payload = shard.batch->finish();
  shard.batch.reset();
  if (!payload) return;
  if (!keep) {
    shard.leader.state.undo_entry(*payload);
    shard.model = shard.before;
    ++undone_;
    return compare(shard);
  }
  shard.leader.log.push_back(*payload);
  shard.follower.apply_entry(*payload);
  shard.states.push_back(exported(shard.leader.state));
  shard.ends.push_back(shard.leader.state.last_position());
  compare(shard);
  send_legs(shard);
}

void World::commit(Shard& shard, std::uint64_t draw) {
  shard.committed += draw % (shard.ends.size() - shard.committed + 1);
  if (shard.committed == 0) return;
  shard.leader.state.committed(shard.ends[shard.committed - 1]);
  compare(shard);
}

void World::compare(Shard& shard) {
  const StateMachine& state = shard.leader.state;
  check(exported(state) == shard.states.back(), "undo is the inverse of apply");
  check(exported(shard.follower) == shard.states.back(), "a follower is where its leader is");
  check(state.pockets() == shard.follower.pockets(), "what is held and locked is the same, too");
  check_balanced(state);
  shard.model.each_balance(
      [&](TenantId tenant, const std::string& account, Currency currency, std::int64_t minor, std::int64_t held) {
        check(state.balance(tenant, account, currency) == Money{minor, currency}, "balances are the model's");
        check(state.held(tenant, account, currency) == Money{held, currency}, "what is held is the model's");
        check(state.account_state(tenant, account) == shard.model.state(tenant, account), "states are the model's");
      });
}

void World::freeze(Shard& shard, std::uint64_t draw) {
  if (!freezes_) return;
  export_frozen(shard, 1 + draw * 16);
  if (draw % 4 != 0) return;
  shard.frozen.push_back({shard.leader.log.size(), shard.leader.state.freeze(), {}});
  check(shard.frozen.back().state->size_estimate() == shard.states.back().size(), "an export's size is known before");
  ++frozen_;
  if (draw % 16 == 0) unwind_leader(shard);  // views hold through undo and apply
}

/// Exports some more of each frozen state.
void World::export_frozen(Shard& shard, std::size_t bytes) {
  for (Shard::Frozen& frozen : shard.frozen) {
    const std::size_t before = frozen.exported.size();
    const std::uint64_t left = frozen.state->remaining();
    const bool wrote = frozen.state->next_chunk(frozen.exported, bytes);
    check(wrote == (left > 0), "an export says when it ends");
    check(frozen.exported.size() - before == std::min<std::uint64_t>(bytes, left), "chunks have the size asked for");
  }
}

void World::thaw() {
  for (const auto& shard : all_) {
    finish(*shard, true);
    export_frozen(*shard, SIZE_MAX / 2);
    for (const Shard::Frozen& frozen : shard->frozen) {
      check(frozen.exported == shard->states[frozen.entries], "a frozen state stays as it was");
      live_on(*shard, frozen.entries, frozen.exported);
    }
    shard->frozen.clear();
  }
}

/// As a replica that starts from a snapshot: folds the log after it, undoes it again down to the snapshot, not further.
void World::live_on(const Shard& shard, std::size_t entries, ByteView snapshot) {
  StateLoader loader(shard.self);
  for (std::size_t at = 0; at < snapshot.size(); at += 100) {
    check(loader.feed(snapshot.subspan(at, std::min<std::size_t>(100, snapshot.size() - at))).has_value(),
          "an export is well-formed");
  }
  Result<std::unique_ptr<StateMachine>> loaded = loader.finish();
  check(loaded.has_value(), "an export is whole");
  StateMachine& state = **loaded;
  check(exported(state) == shard.states[entries], "loading is the inverse of exporting");
  const std::vector<StateMachine::PocketRow> then = state.pockets();
  for (std::size_t at = entries; at < shard.leader.log.size(); ++at) {
    state.apply_entry(shard.leader.log[at]);
    check(exported(state) == shard.states[at + 1], "a loaded state goes on as the one exported");
  }
  check(state.size_estimate() == shard.states.back().size(), "sizes agree after loading");
  check(state.pockets() == shard.leader.state.pockets(), "what is held and locked is as with who was never loaded");
  for (std::size_t at = shard.leader.log.size(); at > entries; --at) {
    state.undo_entry(shard.leader.log[at - 1]);
    check(exported(state) == shard.states[at - 1], "undo is the inverse of apply after loading");
  }
  check(state.pockets() == then, "what was held and locked is so again");
}

void World::send_legs(Shard& shard) {
  for (const ShardId target : shard.leader.state.leg_targets()) {
    std::vector<SentLeg>& sent = shard.sent[target];
    for (LegNumber number(sent.size() + 1); number < shard.leader.state.next_leg(target); number = number.next()) {
      const LegRequest leg = shard.leader.state.leg(target, number);
      sent.push_back({std::string(leg.credit_account), leg});
    }
  }
}

void World::settle() {
  for (const auto& shard : all_) finish(*shard, true);
  // Answers may begin further legs, whose answers begin none; a split's begin them only when all have come.
  for (int round = 0; round < 3; ++round) {
    for (const auto& source : all_) {
      for (const auto& target : all_) {
        const std::uint64_t sent = source->sent[target->self].size();
        for (std::uint64_t number = 1; number <= sent; ++number) deliver(*source, *target, number);
        for (std::uint64_t number = 1; number <= sent; ++number) answer(*source, *target, number);
        finish(*source, true);
      }
    }
  }
  for (const auto& source : all_) {
    for (const auto& target : all_) {
      check(source->leader.state.first_unanswered(target->self) == source->leader.state.next_leg(target->self),
            "every transfer ends");
    }
  }
  std::map<Currency, __int128> transit;
  for (const auto& shard : all_) {
    for (const TrialBalanceRow& row : shard->leader.state.trial_balance()) transit[row.currency] += row.transit;
  }
  for (const auto& [currency, sum] : transit) check(sum == 0, "transit sums to zero once quiet");
}

/// As a leader that steps down: what is not committed is undone, then comes again.
void World::unwind_leader(Shard& shard) {
  StateMachine& state = shard.leader.state;
  for (std::size_t entries = shard.leader.log.size(); entries > shard.committed; --entries) {
    state.undo_entry(shard.leader.log[entries - 1]);
    check(exported(state) == shard.states[entries - 1], "undo is the inverse of apply");
  }
  for (std::size_t entries = shard.committed; entries < shard.leader.log.size(); ++entries) {
    state.apply_entry(shard.leader.log[entries]);
  }
  check(exported(state) == shard.states.back(), "apply after undo is apply");
}

void World::unwind() {
  for (const auto& shard : all_) {
    finish(*shard, true);
    unwind_leader(*shard);
    StateMachine state = folded(shard->self, shard->leader.log);
    check(exported(state) == shard->states.back(), "a fold from nothing is the state");
    for (std::size_t entries = shard->leader.log.size(); entries > 0; --entries) {
      state.undo_entry(shard->leader.log[entries - 1]);
      check(exported(state) == shard->states[entries - 1], "undo is the inverse of apply");
    }
    for (std::size_t entries = 0; entries < shard->leader.log.size(); ++entries) {
      state.apply_entry(shard->leader.log[entries]);
      check(exported(state) == shard->states[entries + 1], "apply after undo is apply");
    }
  }
}

}  // namespace coffer::txn::testing
