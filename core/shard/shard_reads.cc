// Answers from the state of this replica. Who may tell them, and when, is decided in shard_batch.cc.
#include "core/shard/shard.h"

namespace coffer::shard {

router::Reply Shard::read(const router::Request& request) const {
  router::Reply reply;
  switch (request.header.kind) {
    case router::RequestKind::balance:
      reply = read_balance(request);
      break;
    case router::RequestKind::account:
      reply = read_account(request);
      break;
    case router::RequestKind::transfer_status:
      reply = read_transfer(request);
      break;
    case router::RequestKind::trial_balance:
      reply = read_trial_balance();
      break;
    case router::RequestKind::hold:
      reply = read_hold(request);
      break;
    case router::RequestKind::transfers:
    case router::RequestKind::open_account:
    case router::RequestKind::change_account:
    case router::RequestKind::place_hold:
    case router::RequestKind::capture_hold:
    case router::RequestKind::void_hold:
    case router::RequestKind::split:
    case router::RequestKind::node_status:
    case router::RequestKind::reconfigure:
    case router::RequestKind::transfer_leadership:
      check_failed("only reads are answered from the state");
  }
  reply.kind = request.header.kind;
  reply.shard = config_.shard;
  return reply;
}

router::Reply Shard::read_balance(const router::Request& request) const {
  const auto& asked = std::get<router::BalanceRequest>(request.body);
  const TenantId tenant = request.header.tenant;
  router::Reply reply;
  if (!state_->owns(slot_of(tenant, asked.account))) {
    reply.status = Outcome::wrong_shard;
  } else if (!state_->account_exists(tenant, asked.account)) {
    reply.status = Outcome::account_not_found;
  } else if (const auto balance = state_->balance(tenant, asked.account, asked.currency)) {
    const std::int64_t held = state_->held(tenant, asked.account, asked.currency)->minor;
    reply.body =
        router::BalanceReply{balance->minor, held, config_.shard, state_->last_position(), state_->last_stamp()};
  } else {
    reply.status = Outcome::currency_mismatch;
  }
  return reply;
}

router::Reply Shard::read_account(const router::Request& request) const {
  const auto& asked = std::get<router::AccountRequest>(request.body);
  const TenantId tenant = request.header.tenant;
  router::Reply reply;
  if (!state_->owns(slot_of(tenant, asked.account))) {
    reply.status = Outcome::wrong_shard;
  } else if (const auto state = state_->account_state(tenant, asked.account)) {
    reply.body =
        router::AccountReply{static_cast<router::AccountState>(*state), state_->last_position(), state_->last_stamp()};
  } else {
    reply.status = Outcome::account_not_found;
  }
  return reply;
}

router::Reply Shard::read_hold(const router::Request& request) const {
  const auto& asked = std::get<router::HoldRequest>(request.body);
  const TenantId tenant = request.header.tenant;
  router::Reply reply;
  if (!state_->owns(slot_of(tenant, asked.account))) {
    reply.status = Outcome::wrong_shard;
  } else if (!state_->account_exists(tenant, asked.account)) {
    reply.status = Outcome::account_not_found;
  } else if (const auto hold = state_->find_hold(tenant, asked.account, asked.id)) {
    const auto state = static_cast<router::HoldState>(static_cast<std::uint8_t>(hold->end) + 1);
    reply.body = router::HoldReply{state,          hold->amount.currency,   hold->amount.minor,  hold->expires,
                                   hold->transfer, state_->last_position(), state_->last_stamp()};
  } else {
    reply.status = Outcome::hold_not_found;
  }
  return reply;
}

router::Reply Shard::read_transfer(const router::Request& request) const {
  const auto& asked = std::get<router::TransferStatusRequest>(request.body);
  const TenantId tenant = request.header.tenant;
  router::Reply reply;
  if (!asked.account.empty() && !state_->owns(slot_of(tenant, asked.account))) {
    reply.status = Outcome::wrong_shard;
    return reply;
  }
  const auto record = asked.account.empty() ? state_->find_transfer(tenant, asked.id)
                                            : state_->find_transfer(tenant, asked.account, asked.id);
  if (!record) {
    reply.status = state_->why_not_found(tenant, asked.account, asked.id);
    return reply;
  }
  router::TransferStatusReply status;
  status.operation = static_cast<router::TransferOperation>(record->operation);
  status.result = {record->outcome, false,          config_.shard,           record->position,
                   record->stamp,   record->target, record->target_position, record->target_stamp};
  status.protocol = record->target == ShardId() ? 0 : static_cast<std::uint8_t>(record->protocol);
  status.steps = state_->history(*record);
  if (record->operation == ledger::Operation::split && status.steps.size() > 1) {
    status.protocol = static_cast<std::uint8_t>(ledger::Protocol::tcc);
  }
  reply.body = std::move(status);
  return reply;
}

router::Reply Shard::read_trial_balance() const {
  router::TrialBalanceReply rows;
  for (const txn::TrialBalanceRow& row : state_->trial_balance()) {
    rows.rows.push_back({config_.shard, row.currency, row.customers, row.issue, row.transit});
  }
  router::Reply reply;
  reply.body = std::move(rows);
  return reply;
}

}  // namespace coffer::shard
