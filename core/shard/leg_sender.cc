#include "core/shard/leg_sender.h"

#include <algorithm>

namespace coffer::shard {

namespace {

LegNumber before(LegNumber number) { return LegNumber(number.value - 1); }

}  // namespace

LegSender::LegSender(Duration resend_interval, std::uint32_t in_flight_max)
    : resend_interval_(resend_interval), in_flight_max_(in_flight_max) {}

std::map<ShardId, std::uint64_t> LegSender::start(const txn::StateMachine& state) {
  targets_.clear();
  std::map<ShardId, std::uint64_t> resumed;
  for (const ShardId shard : state.leg_targets()) {
    Target& target = targets_[shard];
    target.committed = before(state.next_leg(shard));
    target.freed = before(state.first_unanswered(shard));
    target.sent = target.freed;
    if (target.committed > target.freed) {
      resumed[shard] = target.committed.value - target.freed.value;
    }
  }
  return resumed;
}

void LegSender::stop() { targets_.clear(); }

void LegSender::started_committed(ShardId target, LegNumber last) {
  Target& t = targets_[target];
  t.committed = std::max(t.committed, last);
}

void LegSender::answered_committed(ShardId target, LegNumber last) {
  Target& t = targets_[target];
  t.freed = std::max(t.freed, last);
}

std::vector<LegsMessage> LegSender::due(Instant now, const txn::StateMachine& state) {
  std::vector<LegsMessage> messages;
  for (auto& [shard, target] : targets_) {
    const LegNumber first = state.first_unanswered(shard);
    if (first > target.committed) {
      target.resend_at = never;  // everything sendable is answered
      target.sent = std::max(target.sent, target.committed);
      continue;
    }
    target.sent = std::max(target.sent, before(first));
    if (target.resend_at == never || first != target.waiting_for) {  // progress: the clock starts anew
      target.waiting_for = first;
      target.resend_at = now + resend_interval_;
    } else if (now >= target.resend_at) {
      target.sent = before(first);
      target.resend_at = now + resend_interval_;
    }
    const LegNumber window_end(std::min(target.committed.value, first.value + in_flight_max_ - 1));
    if (target.sent >= window_end) {
      continue;
    }
    LegsMessage message{state.self(), shard, target.freed, {}};
    const LegNumber end(std::min<std::uint64_t>(window_end.value, target.sent.value + legs_per_message_max));
    for (LegNumber number = target.sent.next(); number <= end; number = number.next()) {
      message.legs.push_back(state.leg(shard, number));
    }
    target.sent = end;
    messages.push_back(std::move(message));
  }
  return messages;
}

Instant LegSender::wake_at() const {
  Instant at = never;
  for (const auto& [shard, target] : targets_) {
    at = std::min(at, target.resend_at);
  }
  return at;
}

}  // namespace coffer::shard
