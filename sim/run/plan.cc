#include "sim/run/plan.h"

#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "sim/kernel/streams.h"

namespace coffer::sim {

namespace {

constexpr std::uint64_t own_numbers = std::uint64_t{1} << 32;  // beyond every number a script can name

TransferId id_of(std::uint64_t number) {
  TransferId id;
  for (std::size_t i = 0; i < 8; ++i) id.bytes[15 - i] = static_cast<std::uint8_t>(number >> (8 * i));
  id.bytes[6] = 0x80;  // version 8: made by rules of our own
  id.bytes[8] = static_cast<std::uint8_t>((id.bytes[8] & 0x3f) | 0x80);
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

}  // namespace

ScriptPlan::ScriptPlan(const Script& script, std::uint32_t clients) : script_(script), clients_(clients) {
  for (std::size_t i = 0; i < script.accounts.size(); ++i) {
    const Script::Account& account = script.accounts[i];
    clients_[0].setup.push_back({Ask::What::open, i});
    if (account.balance == 0) continue;
    ScriptedCall deposit;
    deposit.operation = router::TransferOperation::deposit;
    deposit.to = account.account;
    deposit.amount = account.balance;
    deposit.currency = account.currency;
    clients_[0].setup.push_back({Ask::What::transfer, add_item(std::move(deposit))});
  }
  for (const ScriptedCall& call : script.calls) {
    clients_[call.client].calls.push_back({Ask::What::transfer, add_item(call)});
  }
}

std::size_t ScriptPlan::add_item(ScriptedCall call) {
  const std::uint64_t number = call.id != 0 ? call.id : own_numbers + ++numbers_;
  items_.push_back({std::move(call), id_of(number)});
  return items_.size() - 1;
}

void ScriptPlan::plan_final_reads() {
  final_reads_planned_ = true;
  std::deque<Ask>& reads = clients_[0].reads;
  reads.push_back({Ask::What::trial_balance, 0});
  for (std::size_t i = 0; i < script_.accounts.size(); ++i) reads.push_back({Ask::What::balance, i});
  for (std::size_t i = 0; i < items_.size(); ++i) {
    if (items_[i].asked) reads.push_back({Ask::What::status, i});
  }
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
      for (std::size_t i = 0; i < items_.size(); ++i) {
        if (items_[i].asked && !items_[i].resolved && items_[i].call.client == number) {
          return Ask{Ask::What::transfer, i};
        }
      }
      return std::nullopt;
    case Phase::final_reads:
      if (!final_reads_planned_) plan_final_reads();
      return front(client.reads);
    case Phase::over:
      break;
  }
  return std::nullopt;
}

Bytes ScriptPlan::encode(const Ask& ask, std::uint32_t client) const {
  router::Request request;
  request.header.principal = PrincipalId(client + 1);
  request.header.patience_ms = 3000;
  switch (ask.what) {
    case Ask::What::open:
    case Ask::What::balance: {
      const Script::Account& account = script_.accounts[ask.number];
      const Currency currency = currency_named(account.currency);
      if (ask.what == Ask::What::open) {
        request.header.kind = router::RequestKind::open_account;
        request.body = router::OpenAccountRequest{currency, account.account};
      } else {
        request.header.kind = router::RequestKind::balance;
        request.body = router::BalanceRequest{router::Consistency::linearizable, currency, account.account};
      }
      break;
    }
    case Ask::What::transfer: {
      const Item& item = items_[ask.number];
      request.header.patience_ms = item.call.patience_ms;
      router::TransferItem transfer{item.call.operation, currency_named(item.call.currency),
                                    item.call.amount,    item.id,
                                    item.call.from,      item.call.to};
      request.body = router::TransfersRequest{{transfer}};
      break;
    }
    case Ask::What::status: {
      const Item& item = items_[ask.number];
      const bool deposit = item.call.operation == router::TransferOperation::deposit;
      request.header.kind = router::RequestKind::transfer_status;
      request.body = router::TransferStatusRequest{item.id, deposit ? item.call.to : item.call.from};
      break;
    }
    case Ask::What::trial_balance:
      request.header.kind = router::RequestKind::trial_balance;
      request.body = router::TrialBalanceRequest{};
      break;
  }
  return router::encode(request);
}

std::optional<workload::Next> ScriptPlan::next(std::uint32_t number, Phase phase) {
  Client& client = clients_[number];
  check(!client.outstanding, "a client has one call outstanding at a time");
  const std::optional<Ask> ask = choose(number, phase);
  if (!ask) return std::nullopt;
  client.outstanding = ask;
  client.phase = phase;
  Duration think = milliseconds(1);
  if (ask->what == Ask::What::transfer) {
    items_[ask->number].asked = true;
    if (phase == Phase::running) {
      think = items_[ask->number].call.think;
      client.calls.pop_front();
    }
  }
  const std::uint64_t op = (static_cast<std::uint64_t>(number) << 32) + ++client.made;
  return workload::Next{think, op, encode(*ask, number)};
}

void ScriptPlan::on_reply(std::uint32_t number, std::uint64_t, const router::Reply& reply) {
  Client& client = clients_[number];
  check(client.outstanding.has_value(), "an answer belongs to the outstanding call");
  const Ask ask = *std::exchange(client.outstanding, std::nullopt);
  Outcome outcome = reply.status;
  if (const auto* told = std::get_if<router::TransfersReply>(&reply.body)) {
    check(told->results.size() == 1, "one transfer has one result");
    outcome = told->results[0].outcome;
  }
  if (const auto* told = std::get_if<router::TransferStatusReply>(&reply.body)) outcome = told->result.outcome;
  if (!is_definite(outcome)) return;
  if (ask.what == Ask::What::transfer) items_[ask.number].resolved = true;
  if (client.phase == Phase::setup) client.setup.pop_front();
  if (client.phase == Phase::final_reads) client.reads.pop_front();
}

Plan::Plan(const Scenario& scenario, const router::ShardMap& map, std::uint64_t seed) {
  if (scenario.script.empty()) {
    drawn_ = std::make_unique<workload::Generator>(scenario.workload, map, stream(seed, Domain::workload).next());
  } else {
    written_ = std::make_unique<ScriptPlan>(scenario.script, scenario.clients());
  }
}

std::optional<workload::Next> Plan::next(std::uint32_t client, Phase phase) {
  return drawn_ ? drawn_->next(client, phase) : written_->next(client, phase);
}

void Plan::on_reply(std::uint32_t client, std::uint64_t op, const router::Reply& reply) {
  if (drawn_) {
    drawn_->on_reply(client, op, reply);
  } else {
    written_->on_reply(client, op, reply);
  }
}

}  // namespace coffer::sim
