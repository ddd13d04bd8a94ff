#include "sim/shrink/recorder.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <tuple>
#include <utility>

#include "core/base/uuid_number.h"
#include "core/base/uuid_time.h"
#include "sim/observe/sim_time.h"

namespace coffer::sim::shrink {

namespace {

/// Of an id that carries its own time; the millisecond in which the run began counts as the one after.
std::int64_t made_ms_of(const TransferId& id) {
  const std::optional<std::uint64_t> made = time_ms_of(id);
  if (!made) return 0;
  const std::int64_t since = static_cast<std::int64_t>(*made) - wall_epoch.nanos / 1'000'000;
  return since == 0 ? 1 : since;
}

}  // namespace

Recorder::Recorder(const Scenario& scenario)
    : clients_(scenario.clients()), drawn_(scenario.script.empty()), numbered_ids_(scenario.tuning.numbered_ids) {
  script_.clients = clients_;
  script_.tenants = scenario.workload.tenants;
  script_.think_mean = scenario.workload.think_mean;
  script_.again_max = scenario.workload.batch_max;
  script_.patience_ms = scenario.workload.patience_ms;
}

void Recorder::event(SimTime now, std::uint64_t, const Event&) {
  if (phase_ == Phase::running) running_ = now - running_since_;
}

void Recorder::phase(SimTime now, Phase phase) {
  phase_ = phase;
  if (phase == Phase::running) running_since_ = now;
}

/// Without the numbers that nobody names again.
Script Recorder::script() const {
  Script script = script_;
  for (Script::Account& account : script.accounts) {
    const bool named = std::any_of(script.calls.begin(), script.calls.end(),
                                   [&](const ScriptedCall& call) { return call.id == account.id; });
    if (!named) account.id = 0;
  }
  return script;
}

/// The operator's calls are no client's: faults give its orders.
void Recorder::call(SimTime now, std::uint32_t client, std::uint64_t, const router::Request& request) {
  if (!drawn_ || client >= clients_) return;
  if (phase_ == Phase::setup) at_setup(client, request);
  if (phase_ == Phase::running) while_running(now, client, request);
}

template <class Named>
void Recorder::name(Named& what, const TransferId& id) {
  what.id = number_of(id);
  what.made_ms = made_ms_of(id);
  if constexpr (requires { what.source; }) {
    const std::optional<IdNumber> said = id_number_of(id);
    if (numbered_ids_ && said) std::tie(what.source, what.number) = std::pair(said->source, said->number);
  }
}

void Recorder::at_setup(std::uint32_t client, const router::Request& request) {
  const auto account_of = [&](std::string_view name, Currency currency) {
    return std::find_if(script_.accounts.begin(), script_.accounts.end(), [&](const Script::Account& one) {
      return one.account == name && one.currency == to_string(currency) &&
             one.client % script_.tenants == client % script_.tenants;
    });
  };
  if (const auto* open = std::get_if<router::OpenAccountRequest>(&request.body)) {
    if (account_of(open->account, open->currency) != script_.accounts.end()) return;  // asked again
    script_.accounts.push_back({std::string(open->account), to_string(open->currency), 0, client, 0});
  }
  if (const auto* funding = std::get_if<router::TransfersRequest>(&request.body)) {
    for (const router::TransferItem& item : funding->items) {
      const auto account = account_of(item.credit, item.currency);
      if (account == script_.accounts.end()) continue;
      account->balance = item.amount;
      name(*account, item.id);
    }
  }
}

std::uint32_t Recorder::number_of(const TransferId& id) {
  return numbers_.try_emplace(id, static_cast<std::uint32_t>(numbers_.size() + 1)).first->second;
}

/// Whether it is about a hold, which this writes.
bool Recorder::write_hold(ScriptedCall& call, const router::RequestBody& body) {
  if (const auto* hold = std::get_if<router::PlaceHoldRequest>(&body)) {
    call.operation = CallKind::hold;
    call.account = hold->account;
    call.amount = hold->amount;
    call.currency = to_string(hold->currency);
    call.expires_in = milliseconds(static_cast<std::int64_t>(hold->expires_in_ms));
    name(call, hold->id);
  } else if (const auto* capture = std::get_if<router::CaptureHoldRequest>(&body)) {
    call.operation = CallKind::capture;
    call.account = capture->account;
    call.to = capture->credit;
    call.amount = capture->amount;
    call.currency = to_string(capture->currency);
    name(call, capture->id);
  } else if (const auto* voided = std::get_if<router::VoidHoldRequest>(&body)) {
    call.operation = CallKind::void_hold;
    call.account = voided->account;
    name(call, voided->id);
  } else if (const auto* read = std::get_if<router::HoldRequest>(&body)) {
    call.operation = CallKind::hold_state;
    call.account = read->account;
    name(call, read->id);
  } else {
    return false;
  }
  return true;
}

void Recorder::while_running(SimTime now, std::uint32_t client, const router::Request& request) {
  ScriptedCall call;
  call.client = client;
  call.at = now - running_since_;
  call.patience_ms = request.header.patience_ms;
  if (const auto* transfers = std::get_if<router::TransfersRequest>(&request.body)) {
    if (transfers->items.size() > 1) call.batch = ++batches_;
    for (const router::TransferItem& item : transfers->items) {
      call.operation = static_cast<CallKind>(item.operation);
      call.from = item.debit;
      call.to = item.credit;
      call.amount = item.amount;
      call.currency = to_string(item.currency);
      name(call, item.id);
      script_.calls.push_back(call);
    }
    return;
  }
  if (const auto* open = std::get_if<router::OpenAccountRequest>(&request.body)) {
    call.operation = CallKind::open;
    call.account = open->account;
    call.currency = to_string(open->currency);
  } else if (const auto* balance = std::get_if<router::BalanceRequest>(&request.body)) {
    call.operation = CallKind::balance;
    call.account = balance->account;
    call.currency = to_string(balance->currency);
    call.eventual = balance->consistency == router::Consistency::eventual;
  } else if (const auto* status = std::get_if<router::TransferStatusRequest>(&request.body)) {
    call.operation = CallKind::status;
    call.account = status->account;
    name(call, status->id);
  } else if (const auto* change = std::get_if<router::ChangeAccountRequest>(&request.body)) {
    call.operation = change->change == router::AccountChange::freeze     ? CallKind::freeze
                     : change->change == router::AccountChange::unfreeze ? CallKind::unfreeze
                                                                         : CallKind::close;
    call.account = change->account;
    name(call, change->id);
  } else if (const auto* split = std::get_if<router::SplitRequest>(&request.body)) {
    call.operation = CallKind::split;
    call.account = split->account;
    call.currency = to_string(split->currency);
    name(call, split->id);
    for (const router::SplitRequest::Part& part : split->parts) {
      call.parts.push_back({std::string(part.credit), part.amount});
    }
  } else if (const auto* account = std::get_if<router::AccountRequest>(&request.body)) {
    call.operation = CallKind::account;
    call.account = account->account;
  } else if (!write_hold(call, request.body)) {
    return;
  }
  script_.calls.push_back(std::move(call));
}

}  // namespace coffer::sim::shrink
