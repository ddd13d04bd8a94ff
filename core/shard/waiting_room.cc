#include "core/shard/waiting_room.h"

#include <algorithm>

#include "core/base/check.h"

namespace coffer::shard {

void WaitingRoom::admit(Ticket ticket, Caller caller, router::Reply reply, Needs needs, Instant deadline) {
  check(ticket <= last_ticket_, "a ticket was given out before it is used");
  const bool fresh = waiting_.emplace(ticket, Waiting{caller, std::move(reply), needs, deadline}).second;
  check(fresh, "a ticket is used once");
  if (needs.depends_on > committed_) {
    by_index_.emplace(needs.depends_on, ticket);
  }
  by_deadline_.emplace(deadline, ticket);
  settle_if_complete(ticket);
}

void WaitingRoom::wait_for_leg(Ticket ticket, std::uint32_t item, ShardId target, LegNumber leg, bool original) {
  by_leg_.emplace(Leg{target, leg}, LegWaiter{ticket, item, original});
}

void WaitingRoom::committed(Index index) {
  committed_ = std::max(committed_, index);
  while (!by_index_.empty() && by_index_.begin()->first <= committed_) {
    const Ticket ticket = by_index_.begin()->second;
    by_index_.erase(by_index_.begin());
    settle_if_complete(ticket);
  }
}

void WaitingRoom::round_confirmed(Ticket ticket) {
  const auto found = waiting_.find(ticket);
  if (found != waiting_.end()) {
    found->second.needs.round = false;
    settle_if_complete(ticket);
  }
}

void WaitingRoom::leg_answered(ShardId target, const txn::LegAnswer& answer, Index logged_at) {
  const auto [first, last] = by_leg_.equal_range(Leg{target, answer.number});
  for (auto at = first; at != last; ++at) {
    const LegWaiter& waiter = at->second;
    const auto found = waiting_.find(waiter.ticket);
    if (found == waiting_.end()) {
      continue;  // its caller's patience ended first
    }
    Waiting& waiting = found->second;
    auto& results = std::get<router::TransfersReply>(waiting.reply.body).results;
    router::TransferResult& result = results[waiter.item];
    result.outcome = answer.outcome;
    result.target_position = answer.position;
    result.target_stamp = answer.stamp;
    --waiting.needs.legs;
    if (!waiter.original || answer.outcome != Outcome::success) {
      waiting.needs.depends_on = std::max(waiting.needs.depends_on, logged_at);
      by_index_.emplace(logged_at, waiter.ticket);
    }
    settle_if_complete(waiter.ticket);
  }
  by_leg_.erase(first, last);
}

void WaitingRoom::settle_if_complete(Ticket ticket) {
  const auto found = waiting_.find(ticket);
  if (found == waiting_.end()) {
    return;
  }
  Waiting& waiting = found->second;
  if (waiting.needs.depends_on > committed_ || waiting.needs.round || waiting.needs.legs > 0) {
    return;
  }
  by_deadline_.erase({waiting.deadline, ticket});
  ready_.push_back({waiting.caller, std::move(waiting.reply)});
  waiting_.erase(found);
}

std::vector<Answer> WaitingRoom::take_ready() { return std::exchange(ready_, {}); }

void WaitingRoom::forget_unresolved(const Waiting& waiting, router::TransfersReply& reply) const {
  const bool may_be_undone = waiting.needs.depends_on > committed_ || waiting.needs.round;
  for (router::TransferResult& result : reply.results) {
    if (may_be_undone || result.outcome == Outcome::pending) {
      result = {};
      result.outcome = Outcome::unknown;
    }
  }
}

void WaitingRoom::give_up(Waiting& waiting) {
  router::Reply& reply = waiting.reply;
  if (auto* transfers = std::get_if<router::TransfersReply>(&reply.body)) {
    forget_unresolved(waiting, *transfers);
  } else if (reply.kind == router::RequestKind::open_account) {
    reply.status = Outcome::unknown;
    reply.body = std::monostate{};
  } else {
    reply.status = Outcome::not_leader;
    reply.body = std::monostate{};
  }
  ready_.push_back({waiting.caller, std::move(reply)});
}

void WaitingRoom::abandon() {
  for (auto& [ticket, waiting] : waiting_) {
    give_up(waiting);
  }
  waiting_.clear();
  by_index_.clear();
  by_leg_.clear();
  by_deadline_.clear();
}

void WaitingRoom::expire(Instant now) {
  while (!by_deadline_.empty() && by_deadline_.begin()->first <= now) {
    const auto found = waiting_.find(by_deadline_.begin()->second);
    by_deadline_.erase(by_deadline_.begin());
    give_up(found->second);
    waiting_.erase(found);
  }
}

Instant WaitingRoom::wake_at() const { return by_deadline_.empty() ? never : by_deadline_.begin()->first; }

}  // namespace coffer::shard
