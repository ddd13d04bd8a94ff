#include "core/shard/waiting_room.h"

#include <algorithm>

#include "core/base/check.h"

namespace coffer::shard {

namespace {

/// The result in a reply that a leg's answer makes known.
router::TransferResult& result_at(router::ReplyBody& body, std::uint32_t item) {
  if (auto* capture = std::get_if<router::CaptureHoldReply>(&body)) {
    return capture->result;
  }
  return std::get<router::TransfersReply>(body).results[item];
}

}  // namespace

void tell(const txn::SplitRecord& record, router::SplitReply& reply) {
  reply.result.outcome = record.outcome;
  reply.result.position = record.position;
  reply.result.stamp = record.stamp;
  reply.refused = record.refused;
  reply.parts.clear();
  for (const txn::SplitPartRecord& part : record.parts) {
    reply.parts.push_back({part.shard, part.position, part.stamp});
  }
}

void WaitingRoom::admit(Ticket ticket, Caller caller, router::Reply reply, Needs needs, Instant deadline) {
  check(ticket <= last_ticket_, "a ticket was given out before it is used");
  for (const LegNeed& need : needs.legs) {
    by_leg_.emplace(Leg{need.target, need.leg}, LegWaiter{ticket, need.item, need.original});
  }
  if (needs.split) {
    by_split_.emplace(needs.split->row, ticket);
  }
  const std::size_t legs_open = needs.legs.size() + (needs.split ? 1 : 0);
  const auto [place, fresh] =
      waiting_.emplace(ticket, Waiting{caller, std::move(reply), std::move(needs), legs_open, deadline});
  check(fresh, "a ticket is used once");
  by_deadline_.emplace(deadline, ticket);
  depend_on(ticket, place->second, place->second.needs.depends_on);
  settle_if_complete(ticket);
}

void WaitingRoom::depend_on(Ticket ticket, Waiting& waiting, Index index) {
  by_index_.erase({waiting.needs.depends_on, ticket});
  waiting.needs.depends_on = std::max(waiting.needs.depends_on, index);
  if (waiting.needs.depends_on > committed_) {
    by_index_.emplace(waiting.needs.depends_on, ticket);
  }
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
  const std::vector<std::pair<Leg, LegWaiter>> answered(first, last);
  by_leg_.erase(first, last);
  for (const auto& [leg, waiter] : answered) {
    Waiting& waiting = waiting_.at(waiter.ticket);
    router::TransferResult& result = result_at(waiting.reply.body, waiter.item);
    result.outcome = answer.outcome;
    result.target_position = answer.position;
    result.target_stamp = answer.stamp;
    --waiting.legs_open;
    if (!waiter.original || answer.outcome != Outcome::success) {
      depend_on(waiter.ticket, waiting, logged_at);
    }
    settle_if_complete(waiter.ticket);
  }
}

void WaitingRoom::leg_continued(ShardId target, LegNumber leg, LegNumber further) {
  const auto [first, last] = by_leg_.equal_range(Leg{target, leg});
  const std::vector<std::pair<Leg, LegWaiter>> waiters(first, last);
  by_leg_.erase(first, last);
  for (const auto& [unused, waiter] : waiters) {
    by_leg_.emplace(Leg{target, further}, waiter);
    for (LegNeed& need : waiting_.at(waiter.ticket).needs.legs) {
      if (need.item == waiter.item) {
        need.leg = further;
      }
    }
  }
}

void WaitingRoom::split_told(const txn::SplitRecord& record, Index logged_at) {
  const auto [first, last] = by_split_.equal_range(record.row);
  const std::vector<std::pair<std::uint32_t, Ticket>> told(first, last);
  by_split_.erase(first, last);
  for (const auto& [row, ticket] : told) {
    Waiting& waiting = waiting_.at(ticket);
    tell(record, std::get<router::SplitReply>(waiting.reply.body));
    --waiting.legs_open;
    if (!waiting.needs.split->original || record.outcome != Outcome::success) {
      depend_on(ticket, waiting, logged_at);
    }
    settle_if_complete(ticket);
  }
}

void WaitingRoom::settle_if_complete(Ticket ticket) {
  const auto found = waiting_.find(ticket);
  check(found != waiting_.end(), "only what waits is settled");
  Waiting& waiting = found->second;
  if (waiting.needs.depends_on > committed_ || waiting.needs.round || waiting.legs_open > 0) {
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
  } else if (router::is_ledger_write(reply.kind)) {
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
  by_split_.clear();
  by_deadline_.clear();
}

void WaitingRoom::expire(Instant now) {
  while (!by_deadline_.empty() && by_deadline_.begin()->first <= now) {
    const Ticket ticket = by_deadline_.begin()->second;
    const auto found = waiting_.find(ticket);
    stop_waiting(ticket, found->second);
    give_up(found->second);
    waiting_.erase(found);
  }
}

void WaitingRoom::stop_waiting(Ticket ticket, const Waiting& waiting) {
  by_deadline_.erase({waiting.deadline, ticket});
  by_index_.erase({waiting.needs.depends_on, ticket});
  if (waiting.needs.split) {
    const auto [first, last] = by_split_.equal_range(waiting.needs.split->row);
    const auto found = std::find_if(first, last, [&](const auto& entry) { return entry.second == ticket; });
    if (found != last) {
      by_split_.erase(found);
    }
  }
  for (const LegNeed& need : waiting.needs.legs) {
    const auto [first, last] = by_leg_.equal_range(Leg{need.target, need.leg});
    const auto found = std::find_if(first, last, [&](const auto& entry) {
      return entry.second.ticket == ticket && entry.second.item == need.item;
    });
    if (found != last) {
      by_leg_.erase(found);
    }
  }
}

Instant WaitingRoom::wake_at() const { return by_deadline_.empty() ? never : by_deadline_.begin()->first; }

}  // namespace coffer::shard
