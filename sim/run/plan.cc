#include "sim/run/plan.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "core/base/check.h"
#include "core/base/uuid_number.h"
#include "core/base/uuid_time.h"
#include "core/ledger/commands.h"
#include "sim/kernel/streams.h"
#include "sim/observe/sim_time.h"
#include "sim/workload/asks.h"

namespace coffer::sim {

namespace {

// The last of a client's holds that expire soon is waited for, once all else is done: as with a drawn workload.
constexpr Duration soon = seconds(4);
constexpr Duration patience_with_leaders = milliseconds(3500);
constexpr std::uint64_t own_numbers = std::uint64_t{1} << 32;  // beyond every number a script can name

/// `made_ms`: of an id that carries its own time, in milliseconds of the run; 0: it does not. `version` of others.
TransferId id_of(std::uint64_t number, std::int64_t made_ms, std::uint8_t version) {
  TransferId id;
  for (std::size_t i = 0; i < 8; ++i) id.bytes[15 - i] = static_cast<std::uint8_t>(number >> (8 * i));
  id.bytes[6] = static_cast<std::uint8_t>(version << 4);
  id.bytes[8] = static_cast<std::uint8_t>((id.bytes[8] & 0x3f) | 0x80);
  if (made_ms != 0) return uuid_made_at(static_cast<std::uint64_t>(wall_epoch.nanos / 1'000'000 + made_ms), id);
  return id;
}

bool is_definite(Outcome outcome) {
  return outcome != Outcome::pending && outcome != Outcome::unknown && outcome != Outcome::in_flight &&
         !is_retryable(outcome);
}

Currency currency_named(const std::string& code) {
  const auto currency = parse_currency(code);
  check(currency.has_value(), "a script's currencies are known");
  return *currency;
}

router::TransferOperation operation_of(CallKind kind) {
  check(moves_money(kind), "a transfer moves money");
  return static_cast<router::TransferOperation>(kind);
}

bool same_body(const ScriptedCall& a, const ScriptedCall& b) {
  return a.operation == b.operation && a.from == b.from && a.to == b.to && a.amount == b.amount &&
         a.currency == b.currency;
}

router::RequestKind kind_of(CallKind kind) {
  switch (kind) {
    case CallKind::transfer:
    case CallKind::deposit:
    case CallKind::withdrawal:
      return router::RequestKind::transfers;
    case CallKind::open:
      return router::RequestKind::open_account;
    case CallKind::balance:
      return router::RequestKind::balance;
    case CallKind::status:
      return router::RequestKind::transfer_status;
    case CallKind::freeze:
    case CallKind::unfreeze:
    case CallKind::close:
      return router::RequestKind::change_account;
    case CallKind::account:
      return router::RequestKind::account;
    case CallKind::hold:
      return router::RequestKind::place_hold;
    case CallKind::capture:
      return router::RequestKind::capture_hold;
    case CallKind::void_hold:
      return router::RequestKind::void_hold;
    case CallKind::hold_state:
      return router::RequestKind::hold;
    case CallKind::split:
      return router::RequestKind::split;
  }
  check_failed("a call is of a known kind");
}

router::AccountChange change_of(CallKind kind) {
  check(changes_account(kind), "a change is a freeze, an unfreeze or a close");
  return kind == CallKind::freeze     ? router::AccountChange::freeze
         : kind == CallKind::unfreeze ? router::AccountChange::unfreeze
                                      : router::AccountChange::close;
}

/// Of a hold, or a split: what is asked again, word by word, until it has a definite answer.
bool is_asked_until_definite(router::RequestKind kind) {
  return kind == router::RequestKind::split || kind == router::RequestKind::place_hold ||
         kind == router::RequestKind::capture_hold || kind == router::RequestKind::void_hold;
}

/// The account that decides it.
const std::string& home_of(const ScriptedCall& call) {
  return call.operation == CallKind::deposit ? call.to : call.from;
}

}  // namespace

// Version 8: made by rules of our own; but where these are others' rules, 4.
ScriptPlan::ScriptPlan(const Script& script, std::uint32_t clients, std::uint64_t seed, bool numbered_ids)
    : script_(script), clients_(clients), id_version_(numbered_ids ? 4 : 8) {
  for (std::uint32_t i = 0; i < clients; ++i) clients_[i].think = workload::think_stream(seed, i);
  plan_setup();
  plan_calls();
}

TransferId ScriptPlan::id_of_call(const ScriptedCall& call, bool has_own) {
  if (call.source != 0) return uuid_numbered({call.source, call.number});
  return id_of(has_own && call.id == 0 ? own_numbers + ++numbers_ : call.id, call.made_ms, id_version_);
}

std::size_t ScriptPlan::item_of(const ScriptedCall& call) {
  const TransferId id = id_of_call(call, true);
  std::vector<std::size_t>& known = by_id_[{tenant_of(call.client), id}];
  for (const std::size_t item : known) {
    if (same_body(*items_[item].call, call)) return item;
  }
  items_.push_back({&call, id});
  known.push_back(items_.size() - 1);
  return items_.size() - 1;
}

void ScriptPlan::plan_setup() {
  for (const Script::Account& account : script_.accounts) {
    std::deque<Ask>& setup = clients_[account.client].setup;
    Ask opening;
    opening.kind = router::RequestKind::open_account;
    opening.pocket = {tenant_of(account.client), account.account, currency_named(account.currency)};
    setup.push_back(opening);
    if (account.balance == 0) continue;
    ScriptedCall deposit;
    deposit.client = account.client;
    deposit.operation = CallKind::deposit;
    deposit.to = account.account;
    deposit.amount = account.balance;
    deposit.currency = account.currency;
    deposit.id = account.id;
    deposit.made_ms = account.made_ms;
    Ask funding;
    funding.kind = router::RequestKind::transfers;
    funding.items = {item_of(deposits_.emplace_back(std::move(deposit)))};
    setup.push_back(std::move(funding));
  }
}

void ScriptPlan::plan_calls() {
  for (const ScriptedCall& call : script_.calls) {
    std::deque<Ask>& calls = clients_[call.client].calls;
    const ScriptedCall* before = calls.empty() ? nullptr : calls.back().written;
    const bool together = call.batch != 0 && moves_money(call.operation) && before != nullptr &&
                          moves_money(before->operation) && before->batch == call.batch;
    if (!together) {
      Ask ask;
      ask.written = &call;
      calls.push_back(std::move(ask));
    }
    Ask& ask = calls.back();
    ask.kind = kind_of(call.operation);
    if (moves_money(call.operation)) {
      ask.items.push_back(item_of(call));
      continue;
    }
    ask.pocket.tenant = tenant_of(call.client);
    ask.pocket.account = call.account;
    if (names_pocket(call.operation)) ask.pocket.currency = currency_named(call.currency);
    changes_accounts_ = changes_accounts_ || changes_account(call.operation);
    if (changes_account(call.operation)) ask.change = change_of(call.operation);
    const bool has_own_id =
        changes_account(call.operation) || call.operation == CallKind::hold || call.operation == CallKind::split;
    ask.id = id_of_call(call, has_own_id);
    if (is_of_hold(call.operation) || call.operation == CallKind::split) ask.hold = &call;
  }
}

void ScriptPlan::plan_final_reads() {
  final_reads_planned_ = true;
  std::size_t turn = 0;
  const auto give = [&](Ask ask) {
    while (tenant_of(static_cast<std::uint32_t>(turn % clients_.size())) != ask.pocket.tenant) ++turn;
    clients_[turn++ % clients_.size()].reads.push_back(std::move(ask));
  };
  Ask ask;
  ask.kind = router::RequestKind::trial_balance;
  ask.pocket.tenant = tenant_of(0);
  give(ask);
  ask.kind = router::RequestKind::balance;
  for (const Pocket& pocket : opened_) {
    ask.pocket = pocket;
    give(ask);
  }
  ask.kind = router::RequestKind::account;
  for (const Pocket& pocket : opened_) {
    if (!changes_accounts_) break;
    ask.pocket = pocket;
    give(ask);
  }
  ask.kind = router::RequestKind::transfer_status;
  std::set<std::tuple<TenantId, std::string, TransferId>> asked;
  for (const Item& item : items_) {
    const TenantId tenant = tenant_of(item.call->client);
    if (!item.asked || !asked.emplace(tenant, home_of(*item.call), item.id).second) continue;
    ask.pocket = {tenant, home_of(*item.call), {}};
    ask.id = item.id;
    give(ask);
  }
  plan_reads_of_holds(give);
}

void ScriptPlan::plan_reads_of_holds(const std::function<void(Ask)>& give) {
  Ask ask;
  ask.kind = router::RequestKind::hold;
  for (const auto& [tenant, account, id] : holds_) {
    ask.pocket = {tenant, account, {}};
    ask.id = id;
    give(ask);
  }
  ask.kind = router::RequestKind::transfer_status;
  for (const auto& [tenant, account, id] : captures_) {
    ask.pocket = {tenant, account, {}};
    ask.id = ledger::capture_id_of(id);
    give(ask);
  }
  for (const auto& [tenant, account, id] : splits_) {
    ask.pocket = {tenant, account, {}};
    ask.id = id;
    give(ask);
  }
}

/// Some of what this client still has to learn.
std::optional<ScriptPlan::Ask> ScriptPlan::unresolved(std::uint32_t number) const {
  if (!clients_[number].open_openings.empty()) return clients_[number].open_openings.front();
  if (!clients_[number].open_changes.empty()) return clients_[number].open_changes.front();
  Ask ask;
  ask.kind = router::RequestKind::transfers;
  for (std::size_t i = 0; i < items_.size() && ask.items.size() < script_.again_max; ++i) {
    if (items_[i].asked && !items_[i].resolved && items_[i].call->client == number) ask.items.push_back(i);
  }
  if (!ask.items.empty()) return ask;
  const Client& client = clients_[number];
  if (client.awaited.empty() || client.has_waited) return std::nullopt;
  return *std::max_element(client.awaited.begin(), client.awaited.end(), [](const Ask& one, const Ask& other) {
    return one.hold->expires_in < other.hold->expires_in;
  });
}

std::optional<ScriptPlan::Ask> ScriptPlan::choose(std::uint32_t number, Phase phase) {
  Client& client = clients_[number];
  const auto front = [](std::deque<Ask>& asks) { return asks.empty() ? std::nullopt : std::optional(asks.front()); };
  switch (phase) {
    case Phase::setup:
      return front(client.setup);
    case Phase::running:
      return front(client.calls);
    case Phase::healing:
      return unresolved(number);
    case Phase::final_reads:
      if (!final_reads_planned_) plan_final_reads();
      return front(client.reads);
    case Phase::over:
      break;
  }
  return std::nullopt;
}

/// Draws always, so that a call that is written out thinks neither more nor less for it.
Duration ScriptPlan::think(Client& client, const Ask& ask, Phase phase, Duration spent) const {
  const Duration drawn{client.think.exponential(script_.think_mean.nanos)};
  if (ask.kind == router::RequestKind::hold && phase == Phase::healing) {
    return ask.hold->expires_in + patience_with_leaders;
  }
  if (ask.written != nullptr) return std::max(ask.written->at - spent, ask.written->think);
  if (script_.think_mean == Duration{}) return milliseconds(1);
  const bool hurried = phase == Phase::setup || phase == Phase::final_reads;
  return hurried ? drawn / 16 : drawn;
}

Bytes ScriptPlan::encode(const Ask& ask, std::uint32_t client) const {
  router::Request request;
  request.header.kind = ask.kind;
  request.header.tenant = tenant_of(client);
  request.header.principal = PrincipalId(client + 1);
  request.header.patience_ms = ask.written != nullptr ? ask.written->patience_ms : script_.patience_ms;
  switch (ask.kind) {
    case router::RequestKind::open_account:
      request.body = router::OpenAccountRequest{ask.pocket.currency, ask.pocket.account};
      break;
    case router::RequestKind::balance: {
      const bool eventual = ask.written != nullptr && ask.written->eventual;
      request.body =
          router::BalanceRequest{eventual ? router::Consistency::eventual : router::Consistency::linearizable,
                                 ask.pocket.currency, ask.pocket.account};
      break;
    }
    case router::RequestKind::transfers: {
      router::TransfersRequest body;
      for (const std::size_t number : ask.items) {
        const ScriptedCall& call = *items_[number].call;
        body.items.push_back({operation_of(call.operation), currency_named(call.currency), call.amount,
                              items_[number].id, call.from, call.to});
      }
      request.body = std::move(body);
      break;
    }
    case router::RequestKind::transfer_status:
      request.body = router::TransferStatusRequest{ask.id, ask.pocket.account};
      break;
    case router::RequestKind::change_account:
      request.body = router::ChangeAccountRequest{ask.change, ask.id, ask.pocket.account};
      break;
    case router::RequestKind::account:
      request.body = router::AccountRequest{ask.pocket.account};
      break;
    case router::RequestKind::place_hold: {
      const auto expires_in_ms = static_cast<std::uint64_t>(ask.hold->expires_in.millis());
      request.body =
          router::PlaceHoldRequest{ask.pocket.currency, ask.hold->amount, ask.id, expires_in_ms, ask.pocket.account};
      break;
    }
    case router::RequestKind::capture_hold:
      request.body =
          router::CaptureHoldRequest{ask.pocket.currency, ask.hold->amount, ask.id, ask.pocket.account, ask.hold->to};
      break;
    case router::RequestKind::void_hold:
      request.body = router::VoidHoldRequest{ask.id, ask.pocket.account};
      break;
    case router::RequestKind::hold:
      request.body = router::HoldRequest{ask.id, ask.pocket.account};
      break;
    case router::RequestKind::split: {
      router::SplitRequest body{ask.pocket.currency, ask.id, ask.pocket.account, {}};
      for (const ScriptedPart& part : ask.hold->parts) body.parts.push_back({part.amount, part.to});
      request.body = std::move(body);
      break;
    }
    case router::RequestKind::trial_balance:
      request.body = router::TrialBalanceRequest{};
      break;
    case router::RequestKind::node_status:
    case router::RequestKind::reconfigure:
    case router::RequestKind::transfer_leadership:
      check_failed("a script moves money, not replicas");
  }
  return router::encode(request);
}

std::optional<workload::Next> ScriptPlan::next(std::uint32_t number, Phase phase, Duration spent) {
  Client& client = clients_[number];
  check(!client.outstanding, "a client has one call outstanding at a time");
  std::optional<Ask> ask = choose(number, phase);
  if (!ask) return std::nullopt;
  client.phase = phase;
  for (const std::size_t item : ask->items) items_[item].asked = true;
  const Named named{ask->pocket.tenant, ask->pocket.account, ask->id};
  if (ask->kind == router::RequestKind::place_hold) holds_.insert(named);
  if (ask->kind == router::RequestKind::capture_hold) captures_.insert(named);
  if (ask->kind == router::RequestKind::split) splits_.insert(named);
  if (ask->kind == router::RequestKind::hold && phase == Phase::healing) client.has_waited = true;
  if (phase == Phase::running) client.calls.pop_front();
  const Duration pause = think(client, *ask, phase, spent);
  const std::uint64_t op = (static_cast<std::uint64_t>(number) << 32) + ++client.made;
  workload::Next next{pause, op, encode(*ask, number)};
  client.outstanding = std::move(ask);
  return next;
}

bool ScriptPlan::settle(Client& client, const Ask& ask, const router::Reply& reply) {
  if (ask.kind == router::RequestKind::transfers) {
    const auto* told = std::get_if<router::TransfersReply>(&reply.body);
    bool all = true;
    for (std::size_t i = 0; i < ask.items.size(); ++i) {
      const bool has_result = told != nullptr && i < told->results.size();
      Item& item = items_[ask.items[i]];
      item.resolved = item.resolved || is_definite(has_result ? told->results[i].outcome : reply.status);
      all = all && item.resolved;
    }
    return all;
  }
  if (ask.kind == router::RequestKind::open_account) {
    std::erase_if(client.open_openings, [&](const Ask& open) { return open.pocket == ask.pocket; });
    if (reply.status == Outcome::success) opened_.insert(ask.pocket);
    if (!is_definite(reply.status) && client.phase != Phase::setup) client.open_openings.push_back(ask);
  }
  settle_write(client, ask, reply);
  return is_definite(workload::outcome_of(reply));
}

void ScriptPlan::settle_write(Client& client, const Ask& ask, const router::Reply& reply) {
  if (is_asked_until_definite(ask.kind) || ask.kind == router::RequestKind::change_account) {
    std::erase_if(client.open_changes, [&](const Ask& open) {
      return open.kind == ask.kind && open.id == ask.id && open.pocket == ask.pocket && open.hold == ask.hold;
    });
    if (!is_definite(workload::outcome_of(reply))) client.open_changes.push_back(ask);
    if (!client.open_changes.empty()) client.open_changes.back().written = nullptr;  // asked again while healing
  }
  const auto* placed = std::get_if<router::PlaceHoldReply>(&reply.body);
  if (placed != nullptr && placed->result.outcome == Outcome::success && ask.hold->expires_in <= soon) {
    Ask read;
    read.kind = router::RequestKind::hold;
    read.pocket = {ask.pocket.tenant, ask.pocket.account, {}};
    read.id = ask.id;
    read.hold = ask.hold;
    client.awaited.push_back(std::move(read));
  }
  const auto* read = std::get_if<router::HoldReply>(&reply.body);
  if (read == nullptr || read->state == router::HoldState::held) return;
  std::erase_if(client.awaited,
                [&](const Ask& one) { return one.id == ask.id && one.pocket.account == ask.pocket.account; });
}

void ScriptPlan::on_reply(std::uint32_t number, std::uint64_t, const router::Reply& reply) {
  Client& client = clients_[number];
  check(client.outstanding.has_value(), "an answer belongs to the outstanding call");
  const Ask ask = *std::exchange(client.outstanding, std::nullopt);
  if (!settle(client, ask, reply)) return;
  if (client.phase == Phase::setup) client.setup.pop_front();
  if (client.phase == Phase::final_reads) client.reads.pop_front();
}

Plan::Plan(const Scenario& scenario, const router::ShardMap& map, std::uint64_t seed) {
  const std::uint64_t drawn_from = stream(seed, Domain::workload).next();
  if (scenario.script.empty()) {
    drawn_ = std::make_unique<workload::Generator>(scenario.workload, map, drawn_from);
  } else {
    written_ =
        std::make_unique<ScriptPlan>(scenario.script, scenario.clients(), drawn_from, scenario.tuning.numbered_ids);
  }
}

std::optional<workload::Next> Plan::next(std::uint32_t client, Phase phase, Duration spent, SimTime now) {
  return drawn_ ? drawn_->next(client, phase, now) : written_->next(client, phase, spent);
}

void Plan::on_reply(std::uint32_t client, std::uint64_t op, const router::Reply& reply) {
  if (drawn_) {
    drawn_->on_reply(client, op, reply);
  } else {
    written_->on_reply(client, op, reply);
  }
}

}  // namespace coffer::sim
