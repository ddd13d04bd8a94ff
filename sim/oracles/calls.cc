#include "sim/oracles/calls.h"

#include <optional>
#include <variant>

namespace coffer::sim::oracles {

namespace {

Asked asked(TenantId tenant, const router::TransferItem& item) {
  return {{tenant, std::string(item.home()), item.id},
          {static_cast<Operation>(item.operation),
           std::string(item.debit),
           std::string(item.credit),
           {item.amount, item.currency}}};
}

struct Fill {
  Call& call;
  void operator()(const router::TransfersRequest& body) const {
    for (const router::TransferItem& item : body.items) call.items.push_back(asked(call.tenant, item));
  }
  void operator()(const router::OpenAccountRequest& body) const {
    call.currency = body.currency;
    call.account = body.account;
  }
  void operator()(const router::BalanceRequest& body) const {
    call.consistency = body.consistency;
    call.currency = body.currency;
    call.account = body.account;
  }
  void operator()(const router::TransferStatusRequest& body) const {
    call.id = body.id;
    call.account = body.account;
  }
  void operator()(const router::TrialBalanceRequest&) const {}
  void operator()(const router::NodeStatusRequest&) const {}
  void operator()(const router::ReconfigureRequest&) const {}
  void operator()(const router::TransferLeadershipRequest&) const {}
  void operator()(const router::ChangeAccountRequest& body) const {
    call.change = static_cast<AccountChange>(body.change);
    call.id = body.id;
    call.account = body.account;
  }
  void operator()(const router::AccountRequest& body) const { call.account = body.account; }
  void operator()(const router::PlaceHoldRequest& body) const {
    of_hold(body);
    const Money amount{body.amount, body.currency};
    call.items.push_back({call.hold(), {Operation::hold, call.account, {}, amount, body.expires_in_ms}});
  }
  void operator()(const router::CaptureHoldRequest& body) const {
    of_hold(body);
    const Money amount{body.amount, body.currency};
    call.items.push_back({{call.tenant, call.account, captured_as(body.id)},
                          {Operation::transfer, call.account, std::string(body.credit), amount}});
  }
  void operator()(const router::VoidHoldRequest& body) const { of_hold(body); }
  void operator()(const router::HoldRequest& body) const { of_hold(body); }
  void operator()(const router::SplitRequest& body) const {
    of_hold(body);
    Asked asked{call.hold(), {Operation::split, call.account, {}, {0, body.currency}}, {}};
    for (const router::SplitRequest::Part& part : body.parts) {
      asked.body.amount.minor = checked_add(asked.body.amount.minor, part.amount).value_or(INT64_MAX);
      asked.body.credit += payee_text(part.credit, part.amount);
      asked.payees.emplace_back(part.credit);
    }
    call.items.push_back(std::move(asked));
  }

 private:
  template <class Body>
  void of_hold(const Body& body) const {
    call.id = body.id;
    call.account = body.account;
  }
};

}  // namespace

Call call_of(Phase phase, const router::Request& request) {
  Call call;
  call.phase = phase;
  call.kind = request.header.kind;
  call.tenant = request.header.tenant;
  std::visit(Fill{call}, request.body);
  return call;
}

std::vector<Told> answers_of(const Call& call, const router::Reply& reply) {
  // A capture in another currency than its hold's: said of the request, and never logged. O-L6 looks at it.
  const bool of_request = call.kind == router::RequestKind::capture_hold && reply.status == Outcome::currency_mismatch;
  if (of_request) return {Told{Outcome::malformed, false, {}}};
  if (reply.status != Outcome::success) return std::vector<Told>(call.items.size(), Told{reply.status, false, {}});
  std::vector<Told> all;
  const auto* placed = std::get_if<router::PlaceHoldReply>(&reply.body);
  const auto* captured = std::get_if<router::CaptureHoldReply>(&reply.body);
  if (call.kind == router::RequestKind::place_hold && placed != nullptr) {
    all.push_back({placed->result.outcome, true, placed->result});
  }
  if (call.kind == router::RequestKind::capture_hold && captured != nullptr) {
    all.push_back({captured->result.outcome, true, captured->result});
  }
  const auto* split = std::get_if<router::SplitReply>(&reply.body);
  if (call.kind == router::RequestKind::split && split != nullptr) {
    all.push_back({split->result.outcome, true, split->result});
  }
  if (call.kind != router::RequestKind::transfers) return all;
  const auto* body = std::get_if<router::TransfersReply>(&reply.body);
  if (body == nullptr || body->results.size() != call.items.size()) return all;
  for (const router::TransferResult& result : body->results) all.push_back({result.outcome, true, result});
  return all;
}

const Call& Calls::called(std::uint64_t op, const router::Request& request) {
  return open_[op] = call_of(phase_, request);
}

std::optional<Call> Calls::returned(std::uint64_t op) {
  const auto found = open_.find(op);
  if (found == open_.end()) return std::nullopt;
  Call call = std::move(found->second);
  open_.erase(found);
  return call;
}

}  // namespace coffer::sim::oracles
