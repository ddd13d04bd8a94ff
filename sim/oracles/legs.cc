#include "sim/oracles/legs.h"

namespace coffer::sim::oracles {

namespace {

/// How a leg ends by its answer.
std::string_view ending(Leg::Step step, Outcome outcome) {
  const bool success = outcome == Outcome::success;
  switch (step) {
    case Leg::Step::credit:
      return success ? " is done" : " is compensated";
    case Leg::Step::try_credit:
      return success ? " is to be confirmed" : " is to be cancelled";
    case Leg::Step::prepare:
      return success ? " is to be committed" : " is to be aborted";
    case Leg::Step::confirm:
      return " is confirmed";
    case Leg::Step::cancel:
      return " is cancelled";
    case Leg::Step::commit:
      return " is committed";
    case Leg::Step::abort:
      return " is aborted";
  }
  return " is answered";
}

Leg::Step step_of(SecondPhase phase) {
  if (is_of_locks(phase)) return accepts(phase) ? Leg::Step::commit : Leg::Step::abort;
  return accepts(phase) ? Leg::Step::confirm : Leg::Step::cancel;
}

}  // namespace

std::string text(const Legs::Route& route, LegNumber leg) {
  return "leg " + std::to_string(leg.value) + " from " + text(route.source) + " to " + text(route.target);
}

std::string_view text(Leg::Step step) {
  switch (step) {
    case Leg::Step::credit:
      return "a credit";
    case Leg::Step::try_credit:
      return "a Try";
    case Leg::Step::confirm:
      return "a Confirm";
    case Leg::Step::cancel:
      return "a Cancel";
    case Leg::Step::prepare:
      return "a prepare";
    case Leg::Step::commit:
      return "a Commit";
    case Leg::Step::abort:
      return "an Abort";
  }
  return "a step unheard of";
}

const Leg* Legs::Flow::find(LegNumber leg) const {
  return leg.value >= 1 && leg.value <= legs.size() ? &legs[leg.value - 1] : nullptr;
}

std::optional<std::string> Legs::committed(const CommittedEntry& committed) {
  const ShardId shard = committed.shard;
  const std::optional<Entry> entry = book_.committed(committed);
  if (!entry) return std::nullopt;
  At at{shard, book_.shard(shard).at(Index(committed.index.value - 1)).position, entry->stamp};
  Reason first;
  for (const Event& event : entry->events) {
    at.position = at.position.next();
    Reason reason = judge(at, event);
    if (!first) first = std::move(reason);
  }
  return first;
}

Legs::Reason Legs::judge(const At& at, const Event& event) {
  if (const auto* start = std::get_if<LegStarted>(&event)) return started(at, *start, {});
  if (const auto* receipt = std::get_if<LegReceived>(&event)) return received(at, *receipt, Leg::Step::credit);
  if (const auto* answer = std::get_if<LegAnswered>(&event)) return answered(at, *answer, Leg::Step::credit);
  if (const auto* start = std::get_if<TryStarted>(&event)) {
    Leg leg;
    leg.step = Leg::Step::try_credit;
    return started(at, start->leg, std::move(leg));
  }
  if (const auto* receipt = std::get_if<TryReceived>(&event)) {
    return received(at, receipt->leg, Leg::Step::try_credit);
  }
  if (const auto* start = std::get_if<PrepareStarted>(&event)) {
    Leg leg;
    leg.step = Leg::Step::prepare;
    return started(at, start->leg, std::move(leg));
  }
  if (const auto* receipt = std::get_if<PrepareReceived>(&event)) {
    return received(at, receipt->leg, Leg::Step::prepare);
  }
  if (const auto* start = std::get_if<SecondStarted>(&event)) return second_started(at, *start);
  if (const auto* receipt = std::get_if<SecondReceived>(&event)) return second_received(at, *receipt);
  if (const auto* end = std::get_if<SecondEnded>(&event)) return second_ended(at, *end);
  if (const auto* split = std::get_if<SplitStarted>(&event)) return split_started(at, *split);
  if (const auto* answer = std::get_if<SplitAnswered>(&event))
    return answered(at, answer->tried, Leg::Step::try_credit);
  if (const auto* split = std::get_if<SplitDecided>(&event)) return split_decided(at, *split);
  if (const auto* end = std::get_if<SplitEnded>(&event)) return second_ended(at, end->ended);
  return std::nullopt;
}

Legs::Reason Legs::started(const At& at, const LegStarted& event, Leg leg) {
  const Route route{at.shard, event.target};
  Flow& flow = flows_[route];
  if (event.leg.value != flow.legs.size() + 1) {
    return text(route, event.leg) + " was started in " + text(at.shard, at.position) + " after leg " +
           std::to_string(flow.legs.size());
  }
  leg.started = event;
  leg.started_at = at.position;
  leg.started_stamp = at.stamp;
  flow.legs.push_back(std::move(leg));
  return std::nullopt;
}

Legs::Reason Legs::received(const At& at, const LegReceived& event, Leg::Step step) {
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
  if (leg.step != step) {
    return leg_name + " was received in " + text(at.shard, at.position) + " as " + std::string(text(step)) +
           ", and was started as " + std::string(text(leg.step));
  }
  const LegStarted& start = leg.started;
  if (event.tenant != book_.shard(route.source).tenant_of(start.decided.home) || event.id != start.decided.id ||
      event.amount != start.decided.amount || event.credit_account != start.credit_account ||
      event.source_position != leg.started_at || event.source_stamp != leg.started_stamp) {
    return leg_name + " was received in " + text(at.shard, at.position) + " as something else than was started in " +
           text(route.source, leg.started_at);
  }
  if (at.stamp <= event.source_stamp) return leg_name + " was received with a stamp that is not later than its start's";
  if (event.outcome == Outcome::success || is_logged(event.outcome)) return std::nullopt;
  return leg_name + " was received with '" + std::string(name(event.outcome)) + "', which is no outcome of a leg";
}

/// As a leg received, and of the Try it says, with the pockets that Try named.
Legs::Reason Legs::second_received(const At& at, const SecondReceived& event) {
  const Route route{event.source, at.shard};
  LegReceived receipt;
  receipt.outcome = Outcome::success;
  receipt.source = event.source;
  receipt.leg = event.leg;
  receipt.id = event.id;
  receipt.source_position = event.source_position;
  receipt.source_stamp = event.source_stamp;
  receipt.amount = event.amount;
  receipt.transit = event.transit;
  receipt.credit = event.credit;
  receipt.freed_before = event.freed_before;
  receipt.freed_after = event.freed_after;
  if (const Leg* leg = flows_[route].find(event.leg)) {
    receipt.tenant = book_.shard(route.source).tenant_of(leg->started.decided.home);
    receipt.credit_account = leg->started.credit_account;
  }
  if (Reason reason = received(at, receipt, step_of(event.phase))) return reason;
  const Leg& leg = flows_[route].legs[event.leg.value - 1];
  const Leg* tried = flows_[route].find(event.tried);
  const std::string words = text(route, event.leg) + ", received in " + text(at.shard, at.position);
  if (event.tried != leg.tried || tried == nullptr || !tried->received) {
    return words + ", ends the Try of leg " + std::to_string(event.tried.value) + ", and was started for leg " +
           std::to_string(leg.tried.value);
  }
  if (tried->received->transit != event.transit || tried->received->credit != event.credit) {
    return words + ", moves money between other pockets than its Try in " + text(at.shard, tried->received_at) +
           " kept room in";
  }
  return std::nullopt;
}

Legs::Reason Legs::answered(const At& at, const LegAnswered& event, Leg::Step step) {
  const Route route{at.shard, event.target};
  Flow& flow = flows_[route];
  const std::string leg_name = text(route, event.leg);
  const std::string words = leg_name + std::string(ending(step, event.outcome));
  if (event.leg.value <= flow.answered && event.leg.value >= 1) {
    const Leg& leg = flow.legs[event.leg.value - 1];
    const std::string_view before = ending(leg.step, leg.answered->outcome);
    return words + " in " + text(at.shard, at.position) + ", and was already" + std::string(before.substr(3)) + " in " +
           text(at.shard, leg.answered_at);
  }
  if (event.leg.value != flow.answered + 1 || event.leg.value > flow.legs.size()) {
    return words + " in " + text(at.shard, at.position) + " after the answer of leg " + std::to_string(flow.answered);
  }
  ++flow.answered;
  Leg& leg = flow.legs[event.leg.value - 1];
  leg.answered = event;
  leg.answered_at = at.position;
  if (leg.step != step) {
    return words + " in " + text(at.shard, at.position) + ", and was started as " + std::string(text(leg.step));
  }
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

/// The answer to a question, and the start of what follows from it.
Legs::Reason Legs::second_started(const At& at, const SecondStarted& event) {
  const Route route{at.shard, event.tried.target};
  Reason reason = answered(at, event.tried, event.of_locks ? Leg::Step::prepare : Leg::Step::try_credit);
  Leg second;
  second.step = step_of(event.phase());
  second.tried = event.tried.leg;
  LegStarted start;
  if (const Leg* tried = flows_[route].find(event.tried.leg)) start = tried->started;
  start.target = event.tried.target;
  start.leg = event.second;
  Reason also = started(at, start, std::move(second));
  if (also) return reason ? reason : also;
  if (event.tried.leg < event.second) flows_[route].legs[event.tried.leg.value - 1].second = event.second;
  return reason;
}

/// Every part in another shard is a leg like others.
Legs::Reason Legs::split_started(const At& at, const SplitStarted& event) {
  Reason first;
  for (const SplitStarted::Part& part : event.parts) {
    if (part.is_here()) continue;
    Leg leg;
    leg.step = Leg::Step::try_credit;
    leg.of_split = true;
    LegStarted start{event.decided, part.target, part.leg, part.credit_account};
    start.decided.credit = part.transit;
    start.decided.amount.minor = part.amount;
    Reason reason = started(at, start, std::move(leg));
    if (!first) first = std::move(reason);
  }
  return first;
}

/// What follows from the answers to all Tries, each of which is there.
Legs::Reason Legs::split_decided(const At& at, const SplitDecided& event) {
  Reason first;
  for (const SplitDecided::Part& part : event.parts) {
    if (part.is_here()) continue;
    const Route route{at.shard, part.target};
    const Leg* tried = flows_[route].find(part.tried);
    if (tried == nullptr || !tried->of_split || !tried->answered || tried->second != LegNumber() ||
        tried->started.decided.id != event.id || tried->started.decided.amount.minor != part.amount) {
      return text(route, part.tried) + " is decided in " + text(at.shard, at.position) +
             ", and it is no Try of this split that was answered and not decided";
    }
    Leg second;
    second.step = step_of(event.phase());
    second.tried = part.tried;
    second.of_split = true;
    LegStarted start = tried->started;
    start.leg = part.second;
    Reason reason = started(at, start, std::move(second));
    if (!reason) flows_[route].legs[part.tried.value - 1].second = part.second;
    if (!first) first = std::move(reason);
  }
  return first;
}

Legs::Reason Legs::second_ended(const At& at, const SecondEnded& event) {
  LegAnswered answer;
  answer.outcome = Outcome::success;
  answer.target = event.target;
  answer.leg = event.leg;
  answer.id = event.id;
  answer.debit = event.debit;
  answer.transit = event.transit;
  answer.amount = event.amount;
  answer.target_position = event.target_position;
  answer.target_stamp = event.target_stamp;
  return answered(at, answer, step_of(event.phase));
}

}  // namespace coffer::sim::oracles
