#include "sim/oracles/state_fold.h"

namespace coffer::sim::oracles {

namespace {

class Folding {
 public:
  Folding(StateRows& rows, Stamp stamp) : rows_(rows), stamp_(stamp) {}

  void operator()(const ShardFounded& event) {
    rows_.founded = true;
    rows_.ranges = event.ranges;
  }

  void operator()(const AccountOpened& event) {
    if (event.kind == PocketKind::customer && event.account.value == rows_.accounts.size()) {
      rows_.accounts.push_back({event.tenant, event.name});
    }
    rows_.pockets.push_back({event.account, event.currency, event.peer, event.kind, 0, 0});
  }

  void operator()(const TransferDecided& event) { bind(event.decided, event.decided.outcome); }

  void operator()(const LegStarted& event) {
    DedupRow& row = bind(event.decided, Outcome::pending);
    row.link = {event.target, event.leg, {}, {}};
    Outgoing& flow = rows_.outgoing[event.target];
    flow.next = event.leg.next();
    flow.rows.push_back({static_cast<std::uint32_t>(rows_.dedup.size() - 1), event.decided.debit, event.decided.credit,
                         event.decided.amount.minor, event.credit_account});
    hold(flow.rows.back(), event.decided.amount.minor);
  }

  void operator()(const LegReceived& event) {
    Incoming& flow = rows_.incoming[event.source];
    flow.next = event.leg.next();
    flow.rows.push_back({event.id, rows_.last_position, stamp_, event.outcome});
    flow.freed = event.freed_after;
    const std::uint64_t kept = flow.next.value - flow.freed.value - 1;
    if (kept < flow.rows.size()) {
      flow.rows.erase(flow.rows.begin(), flow.rows.end() - static_cast<std::ptrdiff_t>(kept));
    }
  }

  void operator()(const LegAnswered& event) {
    Outgoing& flow = rows_.outgoing[event.target];
    if (flow.rows.empty()) return;
    const PhaseRow leg = flow.rows.front();
    flow.rows.erase(flow.rows.begin());
    flow.first_unanswered = event.leg.next();
    hold(leg, -leg.amount);
    if (leg.dedup >= rows_.dedup.size()) return;
    DedupRow& row = rows_.dedup[leg.dedup];
    row.outcome = event.outcome;
    row.link = {event.target, event.leg, event.target_position, event.target_stamp};
  }

 private:
  DedupRow& bind(const Decided& event, Outcome outcome) {
    rows_.dedup.push_back(
        {event.home, event.id, event.digest, rows_.last_position, stamp_, event.operation, outcome, {}});
    return rows_.dedup.back();
  }

  /// Both sides of a leg know how much of their balance waits for its answer.
  void hold(const PhaseRow& leg, std::int64_t amount) {
    for (const PocketNumber pocket : {leg.debit, leg.transit}) {
      if (pocket.value < rows_.pockets.size()) rows_.pockets[pocket.value].pending += amount;
    }
  }

  StateRows& rows_;
  Stamp stamp_;
};

}  // namespace

StateRows empty_state(ShardId shard) {
  StateRows rows;
  rows.shard = shard;
  return rows;
}

void fold(const Entry& entry, StateRows& rows) {
  Folding folding(rows, entry.stamp);
  for (const Event& event : entry.events) {
    rows.last_position = rows.last_position.next();
    rows.last_stamp = entry.stamp;
    std::visit(folding, event);
    for (const Posting& posting : postings_of(event)) {
      if (posting.pocket.value < rows.pockets.size())
        rows.pockets[posting.pocket.value].balance += posting.amount.minor;
    }
  }
}

}  // namespace coffer::sim::oracles
