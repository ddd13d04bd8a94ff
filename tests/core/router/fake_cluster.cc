#include "tests/core/router/fake_cluster.h"

#include <algorithm>

#include "core/base/hash.h"

namespace coffer::router {

namespace {

const std::vector<NodeId> nodes = {NodeId{1}, NodeId{2}, NodeId{3}};

ShardMap halves() {
  return ShardMap({{ShardId{1}, Slot{0}, slot_count / 2}, {ShardId{2}, Slot{slot_count / 2}, slot_count}});
}

constexpr std::uint32_t requests = 6;
constexpr std::uint32_t accounts = 6;

}  // namespace

FakeCluster::FakeCluster(const FakeWorld& world)
    : world_(world),
      prng_(world.seed, 1),
      map_(halves()),
      router_({world.mode, nodes, milliseconds(400), milliseconds(20), 100}, halves(), Prng(world.seed, 2)) {}

std::string FakeCluster::run(FakeSightings& seen) {
  plan();
  while (failure_.empty() && (!events_.empty() || router_.outstanding() > 0)) {
    const Instant next = events_.empty() ? never : events_.begin()->first.first;
    if (router_.wake_at() <= next) {
      now_ = std::max(now_, router_.wake_at());
      router_.tick(now_, out_);
      take_output();
      continue;
    }
    now_ = next;
    Event event = std::move(events_.begin()->second);
    events_.erase(events_.begin());
    happen(event);
    take_output();
  }
  compare(seen);
  return failure_;
}

void FakeCluster::later(std::int64_t ms_max, Event event) {
  const Instant when = now_ + microseconds(prng_.between(0, ms_max * 1000));
  events_.emplace(std::pair(when, ++sequence_), std::move(event));
}

void FakeCluster::plan() {
  for (std::uint32_t number = 0; number < accounts; ++number) {
    const std::string name = "acct" + std::to_string(number);
    accounts_[name] = prng_.chance(600);
    if (!accounts_[name] && prng_.chance(700)) {
      Event open{EventKind::open};
      open.name = name;
      later(4000, std::move(open));
    }
  }
  for (const ShardId shard : map_.shards()) {
    leaders_[shard] = prng_.chance(200) ? nobody : nodes[prng_.below(nodes.size())];
    for (std::uint64_t change = prng_.below(4); change > 0; --change) {
      Event elect{EventKind::elect};
      elect.shard = shard;
      elect.node = prng_.chance(300) ? nobody : nodes[prng_.below(nodes.size())];
      later(4000, std::move(elect));
    }
  }
  for (std::uint64_t breaks = prng_.below(4); breaks > 0; --breaks) {
    Event disconnect{EventKind::disconnect};
    disconnect.node = nodes[prng_.below(nodes.size())];
    later(4000, std::move(disconnect));
  }
  for (Ticket ticket = 1; ticket <= requests; ++ticket) {
    Event submit{EventKind::submit};
    submit.ticket = ticket;
    later(2000, std::move(submit));
  }
}

Bytes FakeCluster::make_request(Asked& asked, std::uint32_t patience_ms) {
  Request request;
  request.header.patience_ms = patience_ms;
  TransfersRequest body;
  const std::uint64_t count = 1 + prng_.below(5);
  std::vector<std::string> homes;
  for (std::uint64_t at = 0; at < count; ++at) {
    homes.push_back("acct" + std::to_string(prng_.below(accounts)));
  }
  for (const std::string& home : homes) {
    Item item;
    item.id.bytes[0] = static_cast<std::uint8_t>(items_.size() + 1);
    item.home = home;
    item.same_account = prng_.chance(50);
    item.bound_elsewhere = prng_.chance(50);
    item.poor = prng_.chance(200);
    asked.ids.push_back(item.id);
    items_[item.id] = item;
    body.items.push_back({TransferOperation::transfer, currency_of("USD"), 100, item.id, home,
                          item.same_account ? std::string_view(home) : std::string_view("bob")});
  }
  request.body = std::move(body);
  return encode(request);
}

void FakeCluster::happen(Event& event) {
  switch (event.kind) {
    case EventKind::submit: {
      const auto patience_ms = static_cast<std::uint32_t>(prng_.between(1, 3000));
      Asked& asked = asked_[event.ticket];
      asked.deadline = now_ + milliseconds(patience_ms);
      asked.body = make_request(asked, patience_ms);
      router_.submit(now_, event.ticket, asked.body, out_);
      break;
    }
    case EventKind::attempt:
      serve(event);
      break;
    case EventKind::reply:
      router_.on_reply(now_, event.attempt, event.bytes, out_);
      break;
    case EventKind::settle:
      execute(items_.at(event.id));
      break;
    case EventKind::elect:
      leaders_[event.shard] = event.node;
      break;
    case EventKind::open:
      accounts_[event.name] = true;
      break;
    case EventKind::disconnect:
      router_.on_disconnect(now_, event.node, out_);
      break;
  }
}

void FakeCluster::take_output() {
  RouterOutput made = std::exchange(out_, {});
  for (const TraceEvent& event : made.trace) {
    retried_ += event.kind == TraceKind::request_retried;
  }
  for (const RouterOutput::Attempt& attempt : made.attempts) {
    take_attempt(attempt);
  }
  for (const RouterOutput::Done& done : made.done) {
    take_done(done);
  }
}

/// Every attempt must be a well-formed part of the request that has these ids.
void FakeCluster::take_attempt(const RouterOutput::Attempt& attempt) {
  const auto request = decode_request(attempt.body);
  if (!request) {
    return fail("an attempt is malformed");
  }
  const auto& items = std::get<TransfersRequest>(request->body).items;
  const auto owner = std::find_if(asked_.begin(), asked_.end(), [&](const auto& each) {
    return std::find(each.second.ids.begin(), each.second.ids.end(), items.front().id) != each.second.ids.end();
  });
  if (owner == asked_.end() || owner->second.done > 0) {
    return fail("an attempt was made for nothing that is outstanding");
  }
  const Result<Request> original = decode_request(owner->second.body);
  const auto& all = std::get<TransfersRequest>(original->body).items;
  auto from = all.begin();
  for (const TransferItem& item : items) {
    from = std::find_if(from, all.end(), [&](const TransferItem& each) { return each.id == item.id; });
    if (from == all.end() || from->debit != item.debit || from->credit != item.credit || from->amount != item.amount ||
        from->currency != item.currency) {
      return fail("an attempt carries other items than its request");
    }
    if (world_.mode == Mode::to_leaders && map_.shard_of(default_tenant, item.home()) != request->header.shard) {
      return fail("an attempt carries an item of another shard");
    }
  }
  if (now_ + milliseconds(request->header.patience_ms - 1) >= owner->second.deadline) {
    return fail("an attempt has more patience than the client");
  }
  if (!attempts_.emplace(attempt.attempt, owner->first).second) {
    return fail("an attempt's number was used before");
  }
  if (!prng_.chance(world_.loss_per_mille)) {
    Event event{EventKind::attempt};
    event.node = attempt.to;
    event.attempt = attempt.attempt;
    event.bytes = attempt.body;
    later(world_.delay_ms_max, std::move(event));
  }
}

void FakeCluster::take_done(const RouterOutput::Done& done) {
  Asked& asked = asked_.at(done.ticket);
  if (++asked.done > 1) {
    return fail("a request was answered twice");
  }
  if (now_ > asked.deadline) {
    return fail("a request was answered after its deadline");
  }
  const auto reply = decode_reply(done.reply);
  if (!reply || reply->kind != RequestKind::transfers) {
    return fail("an answer is malformed");
  }
  asked.told_status = reply->status;
  if (reply->status == Outcome::success) {
    asked.told = std::get<TransfersReply>(reply->body).results;
  }
}

void FakeCluster::serve(const Event& event) {
  const auto request = decode_request(event.bytes);
  const Bytes reply = encode(answer(event.node, *request));
  for (int copy = prng_.chance(100) ? 2 : 1; copy > 0; --copy) {
    if (!prng_.chance(world_.loss_per_mille)) {
      Event back{EventKind::reply};
      back.attempt = event.attempt;
      back.bytes = reply;
      if (prng_.chance(10)) {
        back.bytes.resize(prng_.below(back.bytes.size()));
      }
      later(world_.delay_ms_max, std::move(back));
    }
  }
}

Reply FakeCluster::answer(NodeId node, const Request& request) {
  Reply reply;
  reply.shard = request.header.shard;
  if (world_.mode == Mode::to_leaders && leaders_.at(reply.shard) != node) {
    reply.status = prng_.chance(800) ? Outcome::not_leader : Outcome::no_leader;
    reply.leader = prng_.chance(700) ? leaders_.at(reply.shard) : NodeId(static_cast<std::uint32_t>(prng_.below(5)));
    return reply;
  }
  if (trouble()) {
    constexpr Outcome nuisances[] = {Outcome::overloaded, Outcome::draining, Outcome::no_leader, Outcome::wrong_shard};
    reply.status = nuisances[prng_.below(std::size(nuisances))];
    return reply;
  }
  TransfersReply body;
  for (const TransferItem& item : std::get<TransfersRequest>(request.body).items) {
    body.results.push_back(answer_item(item, map_.shard_of(default_tenant, item.home())));
  }
  if (trouble() && trouble()) {  // leadership was lost before any of it could be told
    reply.status = Outcome::unknown;
    return reply;
  }
  reply.body = std::move(body);
  return reply;
}

TransferResult FakeCluster::answer_item(const TransferItem& asked, ShardId shard) {
  Item& item = items_.at(asked.id);
  TransferResult result;
  result.shard = shard;
  result.replayed = item.truth != Outcome::pending;
  if (item.same_account) {
    result.outcome = Outcome::same_account;
  } else if (item.bound_elsewhere) {
    result.outcome = Outcome::idempotency_payload_mismatch;
  } else if (trouble()) {
    constexpr Outcome nuisances[] = {Outcome::in_flight, Outcome::overloaded, Outcome::unknown, Outcome::unknown};
    result.outcome = nuisances[prng_.below(std::size(nuisances))];
    if (result.outcome == Outcome::unknown && accounts_.at(item.home) && prng_.chance(500)) {
      Event settle{EventKind::settle};
      settle.id = item.id;
      later(3000, std::move(settle));
    }
  } else if (item.truth == Outcome::pending && !accounts_.at(item.home)) {
    result.outcome = Outcome::account_not_found;
    item.refused_once = true;
  } else {
    execute(item);
    result.outcome = item.truth;
  }
  return result;
}

void FakeCluster::execute(Item& item) {
  if (item.truth == Outcome::pending) {
    item.truth = item.poor ? Outcome::insufficient_funds : Outcome::success;
  }
}

void FakeCluster::fail(const char* what) {
  if (failure_.empty()) {
    failure_ = what;
  }
}

/// Everything has arrived by now: what was told must be so.
void FakeCluster::compare(FakeSightings& seen) {
  seen.retried += retried_;
  for (const auto& [ticket, asked] : asked_) {
    if (asked.done != 1 || asked.told_status != Outcome::success || asked.told.size() != asked.ids.size()) {
      return fail("a request was not answered item by item");
    }
    for (std::size_t at = 0; at < asked.ids.size(); ++at) {
      const Item& item = items_.at(asked.ids[at]);
      const Outcome told = asked.told[at].outcome;
      const bool executed = item.truth != Outcome::pending;
      seen.withheld += item.refused_once && executed && told != Outcome::account_not_found;
      if (told == Outcome::unknown) {
        ++(executed ? seen.unknown_done : seen.unknown_not_done);
      } else if (is_logged(told)) {
        ++(told == Outcome::success ? seen.succeeded : seen.refused);
        if (told != item.truth) {
          fail("a logged outcome was told that is not in the log");
        }
      } else {
        seen.account_not_found += told == Outcome::account_not_found;
        seen.not_executed += told == Outcome::no_leader || told == Outcome::overloaded || told == Outcome::in_flight;
        if (executed || told == Outcome::pending) {
          fail("a transfer told as not executed was executed");
        }
      }
    }
  }
}

}  // namespace coffer::router
