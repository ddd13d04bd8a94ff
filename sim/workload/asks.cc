#include "sim/workload/asks.h"

#include <utility>
#include <variant>

#include "core/base/check.h"
#include "core/router/single_result.h"

namespace coffer::sim::workload {

bool is_definite(Outcome outcome) {
  return outcome != Outcome::unknown && outcome != Outcome::in_flight && outcome != Outcome::pending &&
         !is_retryable(outcome);
}

Ask opening(const std::string& account, Currency currency) {
  Ask ask;
  ask.kind = router::RequestKind::open_account;
  ask.account = account;
  ask.currency = currency;
  return ask;
}

Ask transfers(std::vector<std::size_t> items) {
  Ask ask;
  ask.items = std::move(items);
  return ask;
}

Ask balance(const std::string& account, Currency currency, router::Consistency consistency) {
  Ask ask;
  ask.kind = router::RequestKind::balance;
  ask.account = account;
  ask.currency = currency;
  ask.consistency = consistency;
  return ask;
}

Ask change(router::AccountChange change, const std::string& account, const TransferId& id) {
  Ask ask;
  ask.kind = router::RequestKind::change_account;
  ask.change = change;
  ask.account = account;
  ask.id = id;
  return ask;
}

Ask state_of(const std::string& account) {
  Ask ask;
  ask.kind = router::RequestKind::account;
  ask.account = account;
  return ask;
}

Ask status(const std::string& account, const TransferId& id) {
  Ask ask;
  ask.kind = router::RequestKind::transfer_status;
  ask.account = account;
  ask.id = id;
  return ask;
}

Ask of_hold(router::RequestKind kind, const Hold& hold) {
  Ask ask;
  ask.kind = kind;
  ask.account = hold.account;
  ask.id = hold.id;
  if (kind != router::RequestKind::place_hold) return ask;
  ask.currency = hold.currency;
  ask.amount = hold.amount;
  ask.expires_in_ms = hold.expires_in_ms;
  return ask;
}

Ask capturing(const Hold& hold, const Capture& capture) {
  Ask ask = of_hold(router::RequestKind::capture_hold, hold);
  ask.currency = capture.currency;
  ask.amount = capture.amount;
  ask.credit = capture.credit;
  return ask;
}

Ask splitting(const Split& split) {
  Ask ask;
  ask.kind = router::RequestKind::split;
  ask.account = split.account;
  ask.id = split.id;
  ask.currency = split.currency;
  ask.payees = split.payees;
  return ask;
}

Outcome outcome_of(const router::Reply& reply) {
  if (const router::TransferResult* result = router::single_result(reply)) return result->outcome;
  if (const auto* told = std::get_if<router::TransferStatusReply>(&reply.body)) return told->result.outcome;
  return reply.status;
}

Bytes encode(const Ask& ask, const router::RequestHeader& header, Items& items) {
  router::Request request;
  request.header = header;
  request.header.kind = ask.kind;
  switch (ask.kind) {
    case router::RequestKind::transfers: {
      router::TransfersRequest body;
      for (const std::size_t item : ask.items) body.items.push_back(items[item].view());
      request.body = std::move(body);
      break;
    }
    case router::RequestKind::open_account:
      request.body = router::OpenAccountRequest{ask.currency, ask.account};
      break;
    case router::RequestKind::change_account:
      request.body = router::ChangeAccountRequest{ask.change, ask.id, ask.account};
      break;
    case router::RequestKind::account:
      request.body = router::AccountRequest{ask.account};
      break;
    case router::RequestKind::place_hold:
      request.body = router::PlaceHoldRequest{ask.currency, ask.amount, ask.id, ask.expires_in_ms, ask.account};
      break;
    case router::RequestKind::capture_hold:
      request.body = router::CaptureHoldRequest{ask.currency, ask.amount, ask.id, ask.account, ask.credit};
      break;
    case router::RequestKind::void_hold:
      request.body = router::VoidHoldRequest{ask.id, ask.account};
      break;
    case router::RequestKind::hold:
      request.body = router::HoldRequest{ask.id, ask.account};
      break;
    case router::RequestKind::split: {
      router::SplitRequest body{ask.currency, ask.id, ask.account, {}};
      for (const Payee& payee : ask.payees) body.parts.push_back({payee.amount, payee.account});
      request.body = std::move(body);
      break;
    }
    case router::RequestKind::balance:
      request.body = router::BalanceRequest{ask.consistency, ask.currency, ask.account};
      break;
    case router::RequestKind::transfer_status:
      request.body = router::TransferStatusRequest{ask.id, ask.account};
      break;
    case router::RequestKind::trial_balance:
      request.body = router::TrialBalanceRequest{};
      break;
    case router::RequestKind::node_status:
      request.body = router::NodeStatusRequest{};
      break;
    case router::RequestKind::reconfigure:
    case router::RequestKind::transfer_leadership:
      check_failed("the workload moves money, not replicas");
  }
  return router::encode(request);
}

}  // namespace coffer::sim::workload
