#include "core/router/router.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include <boost/unordered/unordered_flat_map.hpp>

#include "core/base/check.h"
#include "core/router/request_parts.h"
#include "core/router/targets.h"

namespace coffer::router {

namespace {

/// Attempts of a part whose late answers are still welcome; older ones count as lost.
constexpr std::size_t open_attempts_max = 16;
/// Attempts made at once, without a rest, when a hint or a break of the link suggests another node.
constexpr std::uint32_t hops_max = 3;
/// The rest between attempts doubles up to 2^4 times retry_delay.
constexpr std::uint32_t doublings_max = 4;

std::uint32_t patience_left_ms(Instant now, Instant deadline) {
  const Duration left = deadline - now + nanoseconds(999'999);
  return static_cast<std::uint32_t>(std::max<std::int64_t>(left.millis(), 1));
}

bool said_unknown(const Answer& answer) {
  bool unknown = answer.said == Outcome::unknown;
  for (std::size_t at = 0; at < answer.results.size() && !unknown; ++at) {
    unknown = answer.results.outcome(at) == Outcome::unknown;
  }
  return unknown;
}

/// The refusal of what could not become a pending request, in the kind it seems to have.
Bytes refusal(ByteView body, Outcome status) {
  Reply reply;
  const auto kind = body.empty() ? std::uint8_t{0} : static_cast<std::uint8_t>(body[0]);
  if (is_request_kind(kind)) {
    reply.kind = static_cast<RequestKind>(kind);
  }
  reply.status = status;
  return encode(reply);
}

}  // namespace

/// A part's life: resting (until `due`) -> waiting (for the newest attempt, until `due`) -> resting or settled.
///   send       resting -> waiting
///   rest       waiting -> resting: a refusal to be asked again
///   move_on    waiting -> waiting or resting: the attempt timed out, was cut off
///   absorb     waiting or resting -> settled (request_parts.h)
/// The request has one timer: the earliest of its deadline and its parts' `due`.
struct Router::State {
  struct Place {
    Ticket ticket = 0;
    std::uint32_t part = 0;
  };
  /// One request being worked on.
  struct Work {
    Instant now;
    Ticket ticket;
    PendingRequest& request;
    RouterOutput& out;
  };

  State(RouterConfig router_config, ShardMap shard_map, Prng stream)
      : config(std::move(router_config)),
        map(std::move(shard_map)),
        prng(stream),
        targets(config.nodes, map.shards(), static_cast<std::size_t>(prng.below(1u << 20))),
        next_attempt(prng.next()) {
    check(config.attempt_timeout > Duration{}, "an attempt has time to be answered");
    check(config.retry_delay > Duration{}, "refused attempts rest");
  }

  void submit(Instant now, Ticket ticket, ByteView body, RouterOutput& out);
  void on_reply(Instant now, std::uint64_t attempt, ByteView reply, RouterOutput& out);
  void on_disconnect(Instant now, NodeId node, RouterOutput& out);
  void tick(Instant now, RouterOutput& out);

  void send(Work& work, std::size_t part_index, NodeId to);
  void rest(Work& work, Part& part);
  void refused(Work& work, std::size_t part_index, NodeId asked, const Answer& answer);
  void move_on(Work& work, std::size_t part_index, NodeId asked);
  void wake(Work& work, std::size_t part_index);
  void unanswered(Instant now, const Part& part, NodeId asked);
  void learn(const PendingRequest& request, const Part& part, NodeId asked, const Answer& answer);

  NodeId first_target(Instant now, const PendingRequest& request, const Part& part);
  NodeId led_by(Instant now, const PendingRequest& request, const Part& part) const;
  void forget_attempts(Part& part);
  void finish(Work& work, Bytes reply);
  void rearm(Work& work);
  static void trace(Work& work, TraceKind kind, ShardId shard, TransferId transfer, std::uint64_t c);

  RouterConfig config;
  ShardMap map;
  Prng prng;
  Targets targets;
  std::map<Ticket, PendingRequest> requests;
  boost::unordered_flat_map<std::uint64_t, Place> attempts;  ///< never iterated
  std::set<std::pair<Instant, Ticket>> timers;               ///< one per request, at request.wake
  /// Begins at random: an answer to an attempt made before a restart must not look like an answer to one made after it.
  std::uint64_t next_attempt;
};

// ---- inputs ----------------------------------------------------------------------------------------------------

void Router::State::submit(Instant now, Ticket ticket, ByteView body, RouterOutput& out) {
  check(!requests.contains(ticket), "a ticket names one request at a time");
  if (requests.size() >= config.requests_max) {
    out.done.push_back({ticket, refusal(body, Outcome::overloaded)});
    return;
  }
  std::optional<PendingRequest> made = PendingRequest::make(config.mode, map, body);
  if (!made) {
    out.done.push_back({ticket, refusal(body, Outcome::malformed)});
    return;
  }
  PendingRequest& request = requests.emplace(ticket, std::move(*made)).first->second;
  request.deadline = now + milliseconds(request.header().patience_ms) + config.outwait;
  request.wake = request.deadline;
  timers.emplace(request.wake, ticket);
  Work work{now, ticket, request, out};
  for (std::size_t part = 0; part < request.parts().size(); ++part) {
    send(work, part, first_target(now, request, request.parts()[part]));
  }
  rearm(work);
}

void Router::State::on_reply(Instant now, std::uint64_t attempt_id, ByteView reply, RouterOutput& out) {
  const auto place = attempts.find(attempt_id);
  if (place == attempts.end()) {
    return;
  }
  const auto [ticket, part_index] = place->second;
  attempts.erase(place);
  Work work{now, ticket, requests.at(ticket), out};
  Part& part = work.request.parts()[part_index];
  const auto at = std::find_if(part.open.begin(), part.open.end(),
                               [attempt_id](const OpenAttempt& open) { return open.id == attempt_id; });
  check(at != part.open.end(), "an attempt that can be answered is open");
  const bool newest = part.waiting && part.open.back().id == attempt_id;
  const OpenAttempt attempt = std::move(*at);
  part.open.erase(at);
  targets.reached(attempt.to, now);

  const std::optional<Answer> answer = work.request.understand(attempt, reply);
  if (!answer) {
    part.doubtful = true;  // it did something, and nobody will say what
    if (newest) {
      move_on(work, part_index, attempt.to);
    }
    rearm(work);
    return;
  }
  if (newest || targets.leader_of(part.shard) == nobody) {
    learn(work.request, part, attempt.to, *answer);
  }
  switch (work.request.absorb(part, attempt, *answer)) {
    case PendingRequest::Progress::answered:
      finish(work, work.request.answer());
      return;
    case PendingRequest::Progress::settled:
      forget_attempts(part);
      break;
    case PendingRequest::Progress::again:
      if (newest) {
        refused(work, part_index, attempt.to, *answer);
      }
      break;
  }
  rearm(work);
}

void Router::State::on_disconnect(Instant now, NodeId node, RouterOutput& out) {
  if (!targets.is_node(node)) {
    return;
  }
  targets.lost(node, now + config.attempt_timeout);
  for (auto& [ticket, request] : requests) {
    Work work{now, ticket, request, out};
    for (std::size_t at = 0; at < request.parts().size(); ++at) {
      const Part& part = request.parts()[at];
      if (!part.settled && part.waiting && part.open.back().to == node) {
        move_on(work, at, node);
      }
    }
    rearm(work);
  }
}

void Router::State::tick(Instant now, RouterOutput& out) {
  while (!timers.empty() && timers.begin()->first <= now) {
    const Ticket ticket = timers.begin()->second;
    Work work{now, ticket, requests.at(ticket), out};
    if (work.request.deadline <= now) {
      for (const Part& part : work.request.parts()) {
        // The patience may be shorter than attempt_timeout: else a dead leader would be asked for ever.
        const bool silent =
            !part.settled && part.waiting && !targets.has_answered(part.open.back().to, part.open.back().sent);
        if (silent) unanswered(now, part, part.open.back().to);
      }
      PendingRequest::GivenUp given_up = work.request.give_up();
      if (given_up.unknown) {
        trace(work, TraceKind::request_unknown, given_up.shard, given_up.transfer, 0);
      }
      finish(work, std::move(given_up.reply));
      continue;
    }
    for (std::size_t part = 0; part < work.request.parts().size(); ++part) {
      wake(work, part);
    }
    rearm(work);
  }
}

// ---- one part's next step --------------------------------------------------------------------------------------

void Router::State::send(Work& work, std::size_t part_index, NodeId to) {
  Part& part = work.request.parts()[part_index];
  const Instant asked_until = work.request.deadline - config.outwait;
  if (work.now >= asked_until) {  // too late for another: the timer is about to end the request
    part.waiting = false;
    part.due = work.request.deadline;
    return;
  }
  if (part.open.size() == open_attempts_max) {
    attempts.erase(part.open.front().id);
    part.open.erase(part.open.begin());
    part.doubtful = true;
  }
  const std::uint64_t id = next_attempt++;
  const Route route = config.mode == Mode::to_leaders ? Route::direct : Route::proxied;
  work.out.attempts.push_back(
      {to, id, work.request.attempt_body(part, route, patience_left_ms(work.now, asked_until))});
  part.open.push_back({id, to, work.now, part.items});
  attempts.emplace(id, Place{work.ticket, static_cast<std::uint32_t>(part_index)});
  part.waiting = true;
  part.due = work.now + config.attempt_timeout;
  ++part.attempts;
  const TransferId transfer = work.request.first_id(part);
  if (part.attempts == 1) {
    trace(work, TraceKind::request_routed, part.shard, transfer, part.shard.value);
  } else {
    trace(work, TraceKind::request_retried, part.shard, transfer, part.attempts);
  }
}

/// Between half and all of the delay, so that clients refused together do not come back together.
void Router::State::rest(Work& work, Part& part) {
  const std::int64_t delay = config.retry_delay.nanos << std::min(part.rests, doublings_max);
  ++part.rests;
  part.hops = 0;
  part.waiting = false;
  part.due = work.now + nanoseconds(prng.between(delay - delay / 2, delay));
}

void Router::State::refused(Work& work, std::size_t part_index, NodeId asked, const Answer& answer) {
  Part& part = work.request.parts()[part_index];
  part.next = targets.after(asked, part.suspicion, work.now);
  part.rotate = false;
  if (config.mode == Mode::to_proxies) {
    targets.leave_proxy(asked, work.now);
    rest(work, part);
    return;
  }
  const NodeId leader = led_by(work.now, work.request, part);
  const bool points_elsewhere = leader != nobody && leader != asked && answer.header.status == Outcome::not_leader;
  if (points_elsewhere && part.hops < hops_max) {
    ++part.hops;
    send(work, part_index, leader);
    return;
  }
  part.rotate = points_elsewhere;  // hints that lead in circles
  rest(work, part);
}

/// The attempt at `asked` may still execute, or have executed: its fate is open, and another node is asked.
void Router::State::move_on(Work& work, std::size_t part_index, NodeId asked) {
  Part& part = work.request.parts()[part_index];
  part.suspicion = {asked, work.now + config.attempt_timeout};
  part.next = targets.after(asked, part.suspicion, work.now);
  part.rotate = true;
  unanswered(work.now, part, asked);
  if (part.hops < hops_max) {
    ++part.hops;
    send(work, part_index, part.next);
  } else {
    rest(work, part);
  }
}

void Router::State::wake(Work& work, std::size_t part_index) {
  Part& part = work.request.parts()[part_index];
  if (part.settled || part.due > work.now) {
    return;
  }
  if (part.waiting) {
    part.hops = 0;  // the time-out was rest enough
    move_on(work, part_index, part.open.back().to);
    return;
  }
  const NodeId leader = part.rotate ? nobody : led_by(work.now, work.request, part);
  send(work, part_index, leader == nobody ? part.next : leader);
}

/// The next request asks another node first.
void Router::State::unanswered(Instant now, const Part& part, NodeId asked) {
  if (config.mode == Mode::to_proxies) {
    targets.leave_proxy(asked, now);
  } else {
    targets.forget(part.shard, asked);
    targets.turn_from(asked);
  }
}

void Router::State::learn(const PendingRequest& request, const Part& part, NodeId asked, const Answer& answer) {
  if (config.mode == Mode::to_proxies || request.any_replica() || answer.header.status == Outcome::overloaded) {
    return;
  }
  const Outcome status = answer.header.status;
  const bool leads = status == Outcome::account_busy || (!is_retryable(status) && !said_unknown(answer));
  if (leads) {
    targets.learn(part.shard, asked);
  } else if (answer.header.leader != nobody && answer.header.leader != asked) {
    targets.learn(part.shard, answer.header.leader);
  } else {
    targets.forget(part.shard, asked);
  }
}

// ---- whom to ask -----------------------------------------------------------------------------------------------

/// The leader as far as is known, unless there is cause to ask others first.
NodeId Router::State::led_by(Instant now, const PendingRequest& request, const Part& part) const {
  const NodeId leader = targets.leader_of(part.shard);
  const bool usable = config.mode == Mode::to_leaders && !request.any_replica() && leader != nobody &&
                      !targets.is_lost(leader, now) && !part.suspicion.covers(leader, now);
  return usable ? leader : nobody;
}

NodeId Router::State::first_target(Instant now, const PendingRequest& request, const Part& part) {
  if (config.mode == Mode::to_proxies) {
    return targets.proxy(now);
  }
  const NodeId leader = led_by(now, request, part);
  return leader == nobody ? targets.any(now) : leader;
}

// ---- bookkeeping -----------------------------------------------------------------------------------------------

void Router::State::forget_attempts(Part& part) {
  for (const OpenAttempt& open : part.open) {
    attempts.erase(open.id);
  }
  part.open.clear();
}

void Router::State::finish(Work& work, Bytes reply) {
  work.out.done.push_back({work.ticket, std::move(reply)});
  for (Part& part : work.request.parts()) {
    forget_attempts(part);
  }
  timers.erase({work.request.wake, work.ticket});
  requests.erase(work.ticket);
}

void Router::State::rearm(Work& work) {
  Instant earliest = work.request.deadline;
  for (const Part& part : work.request.parts()) {
    if (!part.settled) {
      earliest = std::min(earliest, part.due);
    }
  }
  if (earliest != work.request.wake) {
    timers.erase({work.request.wake, work.ticket});
    work.request.wake = earliest;
    timers.emplace(earliest, work.ticket);
  }
}

/// The router knows no clients: `a` stays 0 and `b` is the ticket; whoever gave the ticket may put both right.
void Router::State::trace(Work& work, TraceKind kind, ShardId shard, TransferId transfer, std::uint64_t c) {
  TraceEvent event;
  event.kind = kind;
  event.shard = shard;
  event.b = work.ticket;
  event.c = c;
  event.transfer = transfer;
  work.out.trace.push_back(event);
}

Router::Router(RouterConfig config, ShardMap map, Prng prng)
    : state_(std::make_unique<State>(std::move(config), std::move(map), prng)) {}

Router::~Router() = default;

void Router::submit(Instant now, Ticket ticket, ByteView body, RouterOutput& out) {
  state_->submit(now, ticket, body, out);
}

void Router::on_reply(Instant now, std::uint64_t attempt, ByteView reply, RouterOutput& out) {
  state_->on_reply(now, attempt, reply, out);
}

void Router::on_disconnect(Instant now, NodeId node, RouterOutput& out) { state_->on_disconnect(now, node, out); }

void Router::meet(NodeId node) { state_->targets.meet(node); }

void Router::hint(ShardId shard, NodeId leader) { state_->targets.learn(shard, leader); }

void Router::tick(Instant now, RouterOutput& out) { state_->tick(now, out); }

Instant Router::wake_at() const { return state_->timers.empty() ? never : state_->timers.begin()->first; }

std::size_t Router::outstanding() const { return state_->requests.size(); }

}  // namespace coffer::router
