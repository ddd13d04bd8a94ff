#include "tests/sim/oracles/story.h"

#include <algorithm>

#include "core/base/check.h"
#include "core/base/codec.h"

namespace coffer::sim::oracles {

namespace {

constexpr std::int64_t stamp_zero = 1'700'000'000'000'000'000;

ledger::Event opened(ledger::PocketKind kind, AccountNumber account, PocketNumber pocket, ShardId peer,
                     std::string_view name) {
  return ledger::AccountOpened{kind, default_tenant, account, pocket, usd, peer, PrincipalId(0), name};
}

AccountNumber account_of(PocketNumber pocket) { return AccountNumber(pocket.value - first.value); }

}  // namespace

TransferId id_of(std::uint8_t number) {
  TransferId id;
  id.bytes[15] = number;
  return id;
}

TransferId capture_of(std::uint8_t number) { return ledger::capture_id_of(id_of(number)); }

router::TransferItem transfer_item(std::uint8_t id, std::string_view debit, std::string_view credit,
                                   std::int64_t amount) {
  return {router::TransferOperation::transfer, usd, amount, id_of(id), debit, credit};
}

router::TransferItem deposit_item(std::uint8_t id, std::string_view account, std::int64_t amount) {
  return {router::TransferOperation::deposit, usd, amount, id_of(id), "", account};
}

ledger::Decided decided(const router::TransferItem& item, Outcome outcome, AccountNumber home, PocketNumber debit,
                        PocketNumber credit) {
  ledger::Decided decided;
  decided.operation = static_cast<ledger::Operation>(item.operation);
  decided.outcome = outcome;
  decided.home = home;
  decided.debit = debit;
  decided.credit = credit;
  decided.amount = {item.amount, item.currency};
  decided.id = item.id;
  return decided;
}

Story::Story(std::string_view oracle, Duration id_window, Duration id_grace, bool numbered_ids) {
  Topology topology;
  topology.id_window = id_window;
  topology.id_grace = id_grace;
  topology.numbered_ids = numbered_ids;
  topology.nodes = 3;
  topology.shards = 2;
  topology.members = {{n1, n2, n3}, {n1, n2, n3}};
  for (const Row& row : table()) {
    if (row.name == oracle) oracle_ = row.make(topology);
  }
  check(oracle_ != nullptr, "the oracle has a row");
  phase(Phase::setup);
}

std::vector<std::string> Story::reasons() const {
  std::vector<std::string> all;
  for (const Violation& violation : oracle_->violations()) all.push_back(violation.reason);
  return all;
}

std::vector<std::string> Story::end() {
  oracle_->finish({now_++});
  return reasons();
}

Bytes Story::payload(ShardId shard, const std::vector<ledger::Event>& events) {
  Bytes bytes;
  ByteWriter out(bytes);
  const Stamp stamp = next_stamp(shard);
  stamps_[shard] = stamp;
  const ledger::EntryHeader header{static_cast<std::uint32_t>(events.size()), positions_[shard].next(), stamp};
  ledger::encode(header, out);
  for (const ledger::Event& event : events) ledger::encode(event, out);
  return bytes;
}

Stamp Story::next_stamp(ShardId shard) const {
  const std::int64_t last = stamps_.contains(shard) ? stamps_.at(shard).nanos : 0;
  return Stamp{std::max(last, stamp_zero) + 1'000'000 * static_cast<std::int64_t>(shard.value)};
}

void Story::wait(Duration duration) { stamps_[s1].nanos += duration.nanos; }

Position Story::commit(ShardId shard, const std::vector<ledger::Event>& events) {
  const Position at = positions_[shard].next();
  const Bytes bytes = payload(shard, events);
  positions_[shard] = Position(positions_[shard].value + events.size());
  for (const ledger::Event& event : events) settle(shard, event);
  commit_bytes(shard, bytes);
  return at;
}

void Story::commit_bytes(ShardId shard, const Bytes& bytes) {
  logs_[shard].push_back(bytes);
  for (ShownDisk& disk : disks_) disk.store(*oracle_, shard, logs_[shard].size(), 1, bytes);
  oracle_->on_committed({now_++}, n1, {shard, Index(logs_[shard].size()), Term(1), EntryKind::state, bytes});
}

Stamp Story::last_stamp(ShardId shard) const { return stamps_.at(shard); }
Index Story::last_index(ShardId shard) const { return Index(logs_.at(shard).size()); }

/// The story's own books, for its reads.
void Story::settle(ShardId shard, const ledger::Event& event) {
  settle_locks(shard, event);
  std::map<PocketNumber, std::int64_t>& pockets = balances_[shard];
  const auto move = [&](PocketNumber from, PocketNumber to, Money amount) {
    pockets[from] -= amount.minor;
    pockets[to] += amount.minor;
  };
  if (const auto* transfer = std::get_if<ledger::TransferDecided>(&event)) {
    ++ids_bound_[shard];
    const ledger::Decided& d = transfer->decided;
    if (d.outcome == Outcome::success) move(d.debit, d.credit, d.amount);
  } else if (const auto* start = std::get_if<ledger::LegStarted>(&event)) {
    move(start->decided.debit, start->decided.credit, start->decided.amount);
    ++unanswered_[shard];
    ++ids_bound_[shard];
  } else if (const auto* receipt = std::get_if<ledger::LegReceived>(&event)) {
    if (receipt->outcome == Outcome::success) move(receipt->transit, receipt->credit, receipt->amount);
  } else if (const auto* answered = std::get_if<ledger::LegAnswered>(&event)) {
    if (answered->outcome != Outcome::success) move(answered->transit, answered->debit, answered->amount);
    --unanswered_[shard];
  } else if (const auto* tried = std::get_if<ledger::TryStarted>(&event)) {
    move(tried->decided.debit, tried->decided.credit, tried->decided.amount);
    ++unanswered_[shard];
    ++ids_bound_[shard];
  } else if (const auto* prepared = std::get_if<ledger::PrepareStarted>(&event)) {
    move(prepared->decided.debit, prepared->decided.credit, prepared->decided.amount);
    ++unanswered_[shard];
    ++ids_bound_[shard];
  } else if (const auto* begun = std::get_if<ledger::SecondStarted>(&event)) {
    if (begun->outcome != Outcome::success) move(begun->transit, begun->debit, begun->amount);
  } else if (const auto* taken = std::get_if<ledger::SecondReceived>(&event)) {
    if (ledger::accepts(taken->phase)) move(taken->transit, taken->credit, taken->amount);
  } else if (std::holds_alternative<ledger::SecondEnded>(event)) {
    --unanswered_[shard];
  } else if (std::holds_alternative<ledger::AccountChanged>(event)) {
    ++ids_bound_[shard];
  } else if (const auto* placed = std::get_if<ledger::HoldPlaced>(&event)) {
    ++ids_bound_[shard];
    if (placed->decided.outcome == Outcome::success) held_ += placed->decided.amount.minor;
  } else if (const auto* ended = std::get_if<ledger::HoldEnded>(&event)) {
    held_ -= ended->amount.minor;
  }
}

void Story::found() {
  for (const ShardId shard : {s1, s2}) {
    const ShardId peer = shard == s1 ? s2 : s1;
    commit(shard,
           {ledger::ShardFounded{shard, {{Slot(0), slot_count}}},
            opened(ledger::PocketKind::issue, no_account, issue, ShardId(0), ""),
            opened(ledger::PocketKind::transit, no_account, transit, peer, ""),
            opened(ledger::PocketKind::customer, account_of(first), first, ShardId(0), shard == s1 ? "a" : "b"),
            opened(ledger::PocketKind::customer, account_of(second), second, ShardId(0), shard == s1 ? "c" : "d")});
  }
}

ledger::Event Story::local(const router::TransferItem& item, Outcome outcome, AccountNumber home, PocketNumber debit,
                           PocketNumber credit) {
  return ledger::TransferDecided{decided(item, outcome, home, debit, credit)};
}

ledger::Event Story::leg_started(const LegPlan& plan, std::string_view credit_account) {
  const router::TransferItem item = transfer_item(plan.id, "a", credit_account, plan.amount);
  return ledger::LegStarted{decided(item, Outcome::pending, account_of(first), first, transit), s2,
                            LegNumber(plan.number), credit_account};
}

ledger::Event Story::leg_received(const LegPlan& plan, Outcome outcome, std::string_view credit_account) {
  const bool success = outcome == Outcome::success;
  ledger::LegReceived event;
  event.outcome = outcome;
  event.source = s1;
  event.leg = LegNumber(plan.number);
  event.id = id_of(plan.id);
  event.source_position = plan.started;
  event.source_stamp = plan.started_stamp;
  event.amount = {plan.amount, usd};
  event.transit = success ? transit : no_pocket;
  event.credit = success ? first : no_pocket;
  event.credit_account = credit_account;
  return event;
}

ledger::Event Story::leg_answered(const LegPlan& plan, Outcome outcome) {
  ledger::LegAnswered event;
  event.outcome = outcome;
  event.target = s2;
  event.leg = LegNumber(plan.number);
  event.id = id_of(plan.id);
  event.debit = first;
  event.transit = transit;
  event.amount = {plan.amount, usd};
  event.target_position = plan.received;
  event.target_stamp = plan.received_stamp;
  return event;
}

ledger::Event Story::try_started(const LegPlan& plan) {
  const auto leg = std::get<ledger::LegStarted>(leg_started(plan));
  if (asks_by == ledger::Protocol::two_phase_commit) {
    return ledger::PrepareStarted{leg.decided, leg.target, leg.leg, leg.credit_account};
  }
  return ledger::TryStarted{leg.decided, leg.target, leg.leg, leg.credit_account};
}

ledger::Event Story::try_received(const LegPlan& plan, Outcome outcome) {
  const auto leg = std::get<ledger::LegReceived>(leg_received(plan, outcome));
  ledger::TryReceived event;
  event.outcome = leg.outcome;
  event.source = leg.source;
  event.leg = leg.leg;
  event.id = leg.id;
  event.source_position = leg.source_position;
  event.source_stamp = leg.source_stamp;
  event.amount = leg.amount;
  event.transit = leg.transit;
  event.credit = leg.credit;
  event.credit_account = leg.credit_account;
  if (asks_by == ledger::Protocol::tcc) return event;
  return ledger::PrepareReceived{
      event.outcome,         event.tenant,       event.source,        event.leg,     event.id,
      event.source_position, event.source_stamp, event.amount,        event.transit, event.credit,
      event.freed_before,    event.freed_after,  event.credit_account};
}

ledger::Event Story::second_started(const LegPlan& plan, Outcome outcome) {
  ledger::SecondStarted event;
  event.protocol = asks_by;
  event.outcome = outcome;
  event.target = s2;
  event.leg = LegNumber(plan.number);
  event.second = LegNumber(plan.second);
  event.id = id_of(plan.id);
  event.debit = first;
  event.transit = transit;
  event.amount = {plan.amount, usd};
  event.target_position = plan.received;
  event.target_stamp = plan.received_stamp;
  return event;
}

ledger::SecondReceived Story::second_received(const LegPlan& plan, ledger::SecondPhase phase) {
  const bool confirms = ledger::accepts(phase);
  ledger::SecondReceived event;
  event.phase = phase;
  event.source = s1;
  event.leg = LegNumber(plan.second);
  event.tried = LegNumber(plan.number);
  event.id = id_of(plan.id);
  event.source_position = plan.second_started;
  event.source_stamp = plan.second_stamp;
  event.amount = {plan.amount, usd};
  event.transit = confirms ? transit : no_pocket;
  event.credit = confirms ? first : no_pocket;
  return event;
}

ledger::Event Story::second_ended(const LegPlan& plan, ledger::SecondPhase phase) {
  ledger::SecondEnded event;
  event.phase = phase;
  event.target = s2;
  event.leg = LegNumber(plan.second);
  event.id = id_of(plan.id);
  event.debit = first;
  event.transit = transit;
  event.amount = {plan.amount, usd};
  event.target_position = plan.second_received;
  event.target_stamp = plan.second_received_stamp;
  return event;
}

ledger::AccountChanged Story::account_changed(std::uint8_t id, ledger::Operation change, ledger::AccountState before,
                                              PocketNumber pocket) {
  return {change, before, PrincipalId(0), account_of(pocket), id_of(id)};
}

void Story::change_account(std::uint8_t id, ledger::Operation change, ledger::AccountState before) {
  const std::uint64_t op =
      call(router::ChangeAccountRequest{static_cast<router::AccountChange>(change), id_of(id), "a"});
  const Position at = commit(s1, {account_changed(id, change, before)});
  router::Reply reply;
  reply.kind = router::RequestKind::change_account;
  reply.shard = s1;
  reply.body = router::ChangeAccountReply{before == ledger::state_after(change), at};
  answer(op, reply);
  const std::uint64_t read = call(router::AccountRequest{"a"});
  reply.kind = router::RequestKind::account;
  reply.body = router::AccountReply{static_cast<router::AccountState>(ledger::state_after(change)), at, stamps_[s1]};
  answer(read, reply);
}

void Story::phase(Phase phase) {
  oracle_->on_phase({now_++}, phase);
  if (phase != Phase::over) return;
  for (const ShownDisk& disk : disks_) disk.show_all(*oracle_);
}

std::uint64_t Story::call(const router::RequestBody& body) {
  router::Request request;
  request.body = body;
  const bool is_split = std::holds_alternative<router::SplitRequest>(body);
  request.header.kind = is_split ? router::RequestKind::split : static_cast<router::RequestKind>(body.index() + 1);
  oracle_->on_call({now_++}, 0, ++ops_, request);
  return ops_;
}

void Story::answer(std::uint64_t op, const router::Reply& reply) { oracle_->on_return({now_++}, 0, op, reply); }

void Story::answer(std::uint64_t op, Outcome status) {
  router::Reply reply;
  reply.status = status;
  answer(op, reply);
}

void Story::answer(std::uint64_t op, const router::TransferResult& result) {
  router::Reply reply;
  reply.body = router::TransfersReply{{result}};
  answer(op, reply);
}

std::uint64_t Story::ask(const router::TransferItem& item) { return call(router::TransfersRequest{{item}}); }

void Story::read(std::string_view account, std::int64_t balance, ShardId shard, Position position,
                 router::Consistency consistency, std::int64_t held) {
  const std::uint64_t op = call(router::BalanceRequest{consistency, usd, account});
  router::Reply reply;
  reply.kind = router::RequestKind::balance;
  reply.body = router::BalanceReply{balance, held, shard, position, Stamp{}};
  answer(op, reply);
}

router::TransferResult Story::result(ShardId shard, Position position, Outcome outcome) {
  router::TransferResult result;
  result.outcome = outcome;
  result.shard = shard;
  result.position = position;
  result.stamp = stamps_[shard];
  return result;
}

router::TransferResult Story::result(const LegPlan& plan, Outcome outcome) {
  router::TransferResult result;
  result.outcome = outcome;
  result.shard = s1;
  result.position = plan.started;
  result.stamp = plan.started_stamp;
  result.target = s2;
  result.target_position = plan.received;
  result.target_stamp = plan.received_stamp;
  return result;
}

void Story::trial_balance(ShardId shard, std::int64_t customers, std::int64_t issued, std::int64_t in_transit) {
  const std::uint64_t op = call(router::TrialBalanceRequest{});
  router::Reply reply;
  reply.kind = router::RequestKind::trial_balance;
  reply.body = router::TrialBalanceReply{{{shard, usd, customers, issued, in_transit}}};
  answer(op, reply);
}

void Story::set_up() {
  std::vector<std::uint64_t> openings;
  for (const char* account : {"a", "b", "c", "d"}) openings.push_back(call(router::OpenAccountRequest{usd, account}));
  found();
  for (std::size_t i = 0; i < openings.size(); ++i) {
    router::Reply reply;
    reply.kind = router::RequestKind::open_account;
    reply.shard = i % 2 == 0 ? s1 : s2;
    reply.body = router::OpenAccountReply{false, Position(i < 2 ? 4 : 5)};
    answer(openings[i], reply);
  }
  deposit(1, "a", 1000);
  deposit(2, "b", 1000);
  phase(Phase::running);
}

void Story::deposit(std::uint8_t id, std::string_view account, std::int64_t amount) {
  const ShardId shard = account == "a" || account == "c" ? s1 : s2;
  const PocketNumber pocket = account == "a" || account == "b" ? first : second;
  const router::TransferItem item = deposit_item(id, account, amount);
  const std::uint64_t op = ask(item);
  const Position at = commit(shard, {local(item, Outcome::success, account_of(pocket), issue, pocket)});
  told_[id] = {std::string(account), result(shard, at)};
  answer(op, told_[id].second);
}

void Story::transfer_within(std::uint8_t id, std::int64_t amount, Outcome outcome) {
  const router::TransferItem item = transfer_item(id, "a", "c", amount);
  const std::uint64_t op = ask(item);
  const Position at = commit(s1, {local(item, outcome, account_of(first), first, second)});
  told_[id] = {"a", result(s1, at, outcome)};
  answer(op, told_[id].second);
}

LegPlan Story::start_across(std::uint8_t id, std::int64_t amount) {
  LegPlan plan;
  plan.number = ++legs_;
  plan.id = id;
  plan.amount = amount;
  plan.started = commit(s1, {leg_started(plan)});
  plan.started_stamp = stamps_[s1];
  return plan;
}

void Story::receive(LegPlan& plan, Outcome outcome) {
  plan.received = commit(s2, {leg_received(plan, outcome)});
  plan.received_stamp = stamps_[s2];
}

LegPlan Story::transfer_across(std::uint8_t id, std::int64_t amount, Outcome outcome) {
  const std::uint64_t op = ask(transfer_item(id, "a", "b", amount));
  LegPlan plan = start_across(id, amount);
  receive(plan, outcome);
  commit(s1, {leg_answered(plan, outcome)});
  told_[id] = {"a", result(plan, outcome)};
  answer(op, told_[id].second);
  return plan;
}

LegPlan Story::try_across(std::uint8_t id, std::int64_t amount) {
  LegPlan plan;
  plan.number = ++legs_;
  plan.id = id;
  plan.amount = amount;
  plan.started = commit(s1, {try_started(plan)});
  plan.started_stamp = stamps_[s1];
  return plan;
}

void Story::receive_try(LegPlan& plan, Outcome outcome) {
  plan.received = commit(s2, {try_received(plan, outcome)});
  plan.received_stamp = stamps_[s2];
}

void Story::begin_second(LegPlan& plan, Outcome outcome) {
  plan.second = ++legs_;
  plan.second_started = commit(s1, {second_started(plan, outcome)});
  plan.second_stamp = stamps_[s1];
}

void Story::receive_second(LegPlan& plan, ledger::SecondPhase phase) {
  plan.second_received = commit(s2, {second_received(plan, phase)});
  plan.second_received_stamp = stamps_[s2];
}

LegPlan Story::transfer_by_asking(std::uint8_t id, std::int64_t amount, Outcome outcome) {
  const bool confirms = outcome == Outcome::success;
  const ledger::SecondPhase phase = ledger::second_phase_of(asks_by, confirms);
  const std::uint64_t op = ask(transfer_item(id, "a", "b", amount));
  LegPlan plan = try_across(id, amount);
  receive_try(plan, outcome);
  begin_second(plan, outcome);
  receive_second(plan, phase);
  commit(s1, {second_ended(plan, phase)});
  told_[id] = {"a", result(plan, outcome)};
  if (confirms) {
    told_[id].second.target_position = plan.second_received;
    told_[id].second.target_stamp = plan.second_received_stamp;
  }
  answer(op, told_[id].second);
  return plan;
}

void Story::final_reads() {
  phase(Phase::healing);
  phase(Phase::final_reads);
  for (const ShardId shard : {s1, s2}) {
    std::map<PocketNumber, std::int64_t>& pockets = balances_[shard];
    read(shard == s1 ? "a" : "b", pockets[first], shard, positions_[shard], router::Consistency::linearizable,
         shard == s1 ? held_ : 0);
    read(shard == s1 ? "c" : "d", pockets[second], shard, positions_[shard]);
    trial_balance(shard, pockets[first] + pockets[second], pockets[issue], pockets[transit]);
  }
  for (const auto& [id, answered] : told_) {
    const std::uint64_t op = call(router::TransferStatusRequest{id_of(id), answered.first});
    router::Reply reply;
    reply.kind = router::RequestKind::transfer_status;
    reply.body = router::TransferStatusReply{router::TransferOperation::transfer, answered.second};
    answer(op, reply);
  }
  for (const auto& [id, hold] : holds_) {
    const std::uint64_t op = call(router::HoldRequest{id_of(id), "a"});
    answer(op, hold_reply(id, hold.second));
  }
  for (const auto& [id, told] : captured_) {
    const std::uint64_t op = call(router::TransferStatusRequest{capture_of(id), "a"});
    router::Reply reply;
    reply.kind = router::RequestKind::transfer_status;
    reply.body = router::TransferStatusReply{router::TransferOperation::transfer, told};
    answer(op, reply);
  }
  phase(Phase::over);
}

shard::Observation Story::replica(ShardId shard) const {
  shard::Observation replica;
  replica.shard = shard;
  replica.term = Term(1);
  replica.commit = replica.last = replica.applied = last_index(shard);
  replica.applied_term = Term(1);
  replica.position = positions_.at(shard);
  const std::map<PocketNumber, std::int64_t>& pockets = balances_.at(shard);
  const auto add = [&](std::string account, PocketNumber pocket) {
    const std::int64_t balance = pockets.contains(pocket) ? pockets.at(pocket) : 0;
    const std::int64_t held = shard == s1 && pocket == first ? held_ : 0;
    replica.pockets.push_back({std::move(account), usd, balance, held, locked_.contains({shard, pocket})});
  };
  add("sys:issue:USD", issue);
  add("sys:transit:USD:" + std::to_string(shard == s1 ? 2 : 1), transit);
  add(shard == s1 ? "a" : "b", first);
  add(shard == s1 ? "c" : "d", second);
  replica.state = {replica.applied.value, shard.value};
  replica.dedup_rows = ids_bound_.contains(shard) ? ids_bound_.at(shard) : 0;
  replica.legs_unanswered = unanswered_.contains(shard) ? unanswered_.at(shard) : 0;
  return replica;
}

void tell_clean_run(Story& story) {
  story.set_up();
  story.transfer_within(3, 100);
  story.transfer_across(4, 200);
  story.transfer_within(5, 5000, Outcome::insufficient_funds);
  story.transfer_across(6, 50, Outcome::balance_overflow);
  story.read("a", 700, s1, Position(12));
  story.read("c", 100, s1, Position(7), router::Consistency::eventual);
  story.transfer_by_asking(7, 30);
  story.transfer_by_asking(8, 20, Outcome::balance_overflow);
  story.asks_by = ledger::Protocol::two_phase_commit;
  story.transfer_by_asking(9, 30);
  story.transfer_by_asking(10, 20, Outcome::balance_overflow);
  story.change_account(11, ledger::Operation::freeze, ledger::AccountState::open);
  story.transfer_within(12, 1, Outcome::account_frozen);
  story.change_account(13, ledger::Operation::freeze, ledger::AccountState::frozen);
  story.change_account(14, ledger::Operation::unfreeze, ledger::AccountState::frozen);
  story.transfer_within(15, 1);
  story.place_hold(16, 100);
  story.place_hold(17, 50);
  story.place_hold(18, 20, milliseconds(5));
  story.place_hold(19, 10, seconds(100));
  story.place_hold(20, 30, seconds(100));
  story.capture_hold(0, 16, 60);
  story.void_hold(1, 17);
  story.expire_hold(2, 18);
  story.capture_hold(3, 19, 10, Outcome::balance_overflow);
  for (const ShardId shard : {s1, s2}) {
    shard::Observation replica = story.replica(shard);
    story.oracle().on_replica({}, n2, replica);
    story.oracle().on_replica_undone({}, n2, replica, 0);
  }
  story.final_reads();
}

}  // namespace coffer::sim::oracles
