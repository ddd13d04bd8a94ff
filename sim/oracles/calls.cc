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
  if (reply.status != Outcome::success) return std::vector<Told>(call.items.size(), Told{reply.status, false, {}});
  std::vector<Told> all;
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
