#include "sim/oracles/legs.h"

namespace coffer::sim::oracles {

std::string text(const Legs::Route& route, LegNumber leg) {
  return "leg " + std::to_string(leg.value) + " from " + text(route.source) + " to " + text(route.target);
}

std::optional<std::string> Legs::committed(const CommittedEntry& committed) {
  const ShardId shard = committed.shard;
  const std::optional<Entry> entry = book_.committed(committed);
  if (!entry) return std::nullopt;
  At at{shard, book_.shard(shard).at(Index(committed.index.value - 1)).position, entry->stamp};
  Reason first;
  for (const Event& event : entry->events) {
    at.position = at.position.next();
    Reason reason;
    if (const auto* start = std::get_if<LegStarted>(&event)) reason = started(at, *start);
    if (const auto* receipt = std::get_if<LegReceived>(&event)) reason = received(at, *receipt);
    if (const auto* answer = std::get_if<LegAnswered>(&event)) reason = answered(at, *answer);
    if (!first) first = std::move(reason);
  }
  return first;
}

Legs::Reason Legs::started(const At& at, const LegStarted& event) {
  const Route route{at.shard, event.target};
  Flow& flow = flows_[route];
  if (event.leg.value != flow.legs.size() + 1) {
    return text(route, event.leg) + " was started in " + text(at.shard, at.position) + " after leg " +
           std::to_string(flow.legs.size());
  }
  Leg leg;
  leg.started = event;
  leg.started_at = at.position;
  leg.started_stamp = at.stamp;
  flow.legs.push_back(std::move(leg));
  return std::nullopt;
}

Legs::Reason Legs::received(const At& at, const LegReceived& event) {
  const Route route{event.source, at.shard};
  Flow& flow = flows_[route];
  const std::string leg_name = text(route, event.leg);
  if (event.leg.value <= flow.received && event.leg.value >= 1) {
    return leg_name + " was received twice: in " + text(at.shard, flow.legs[event.leg.value - 1].received_at) +
           " and in " + text(at.shard, at.position);
  }
  if (event.leg.value != flow.received + 1) {
    return leg_name + " was received after leg " + std::to_string(flow.received);
  }
  if (event.leg.value > flow.legs.size()) return leg_name + " was received before its start had committed";
  if (event.freed_after.value > flow.answered) {
    return leg_name + " frees outcomes up to leg " + std::to_string(event.freed_after.value) + ", and only " +
           std::to_string(flow.answered) + " answers had been logged by the source";
  }
  ++flow.received;
  Leg& leg = flow.legs[event.leg.value - 1];
  leg.received = event;
  leg.received_at = at.position;
  leg.received_stamp = at.stamp;
  const LegStarted& start = leg.started;
  if (event.id != start.decided.id || event.amount != start.decided.amount ||
      event.credit_account != start.credit_account || event.source_position != leg.started_at ||
      event.source_stamp != leg.started_stamp) {
    return leg_name + " was received in " + text(at.shard, at.position) + " as something else than was started in " +
           text(route.source, leg.started_at);
  }
  if (at.stamp <= event.source_stamp) return leg_name + " was received with a stamp that is not later than its start's";
  if (event.outcome == Outcome::success || is_logged(event.outcome)) return std::nullopt;
  return leg_name + " was received with '" + std::string(name(event.outcome)) + "', which is no outcome of a leg";
}

Legs::Reason Legs::answered(const At& at, const LegAnswered& event) {
  const Route route{at.shard, event.target};
  Flow& flow = flows_[route];
  const std::string leg_name = text(route, event.leg);
  const std::string words = leg_name + (event.outcome == Outcome::success ? " is done" : " is compensated");
  if (event.leg.value <= flow.answered && event.leg.value >= 1) {
    const Leg& leg = flow.legs[event.leg.value - 1];
    return words + " in " + text(at.shard, at.position) + ", and was already " +
           (leg.answered->outcome == Outcome::success ? "done" : "compensated") + " in " +
           text(at.shard, leg.answered_at);
  }
  if (event.leg.value != flow.answered + 1 || event.leg.value > flow.legs.size()) {
    return words + " in " + text(at.shard, at.position) + " after the answer of leg " + std::to_string(flow.answered);
  }
  ++flow.answered;
  Leg& leg = flow.legs[event.leg.value - 1];
  leg.answered = event;
  leg.answered_at = at.position;
  if (!leg.received) return words + " in " + text(at.shard, at.position) + " before the target had decided";
  if (leg.received->outcome != event.outcome) {
    return words + " in " + text(at.shard, at.position) + " with '" + std::string(name(event.outcome)) +
           "', and the target decided '" + std::string(name(leg.received->outcome)) + "' in " +
           text(route.target, leg.received_at);
  }
  const Decided& start = leg.started.decided;
  if (event.id != start.id || event.amount != start.amount || event.debit != start.debit ||
      event.transit != start.credit || event.target_position != leg.received_at ||
      event.target_stamp != leg.received_stamp) {
    return words + " in " + text(at.shard, at.position) + " as something else than was started in " +
           text(route.source, leg.started_at);
  }
  return std::nullopt;
}

}  // namespace coffer::sim::oracles
