#include "sim/oracles/state_fold.h"

#include <algorithm>
#include <optional>
#include <tuple>

namespace coffer::sim::oracles {

namespace {

constexpr std::uint8_t by_saga = 1;
constexpr std::uint8_t by_tcc = 2;
constexpr std::uint8_t by_two_phase_commit = 3;

class Folding {
 public:
  Folding(StateRows& rows, Stamp stamp, Leaving* leaving) : rows_(rows), stamp_(stamp), leaving_(leaving) {}

  void operator()(const ShardFounded& event) {
    rows_.founded = true;
    rows_.ranges = event.ranges;
  }

  void operator()(const AccountOpened& event) {
    if (event.kind == PocketKind::customer && event.account.value == rows_.accounts.size()) {
      rows_.accounts.push_back({event.tenant, event.name, AccountState::open});
    }
    rows_.pockets.push_back({event.account, event.currency, event.peer, event.kind, 0, 0});
  }

  void operator()(const TransferDecided& event) { bind(event.decided, event.decided.outcome); }

  void operator()(const LegStarted& event) { start(event, by_saga); }

  void operator()(const LegReceived& event) {
    take(event.source, event.leg, event.id, event.outcome, event.freed_after);
  }

  void operator()(const LegAnswered& event) {
    const std::optional<PhaseRow> leg = answered(event.target, event.leg);
    if (!leg) return;
    hold(*leg, -leg->amount);
    settle(*leg, event, event.leg, by_saga);
  }

  void operator()(const TryStarted& event) { start(event.leg, by_tcc); }
  void operator()(const PrepareStarted& event) { start(event.leg, by_two_phase_commit); }

  void operator()(const TryReceived& event) { promise(event.leg, false); }
  void operator()(const PrepareReceived& event) { promise(event.leg, true); }

  void promise(const LegReceived& leg, bool prepared) {
    take(leg.source, leg.leg, leg.id, leg.outcome, leg.freed_after);
    const TryRow row{leg.source, leg.leg, leg.id, leg.transit, leg.credit, leg.amount.minor, false, prepared};
    const auto later = [](const TryRow& a, const TryRow& b) {
      return std::tie(a.source, a.leg) < std::tie(b.source, b.leg);
    };
    rows_.tries.insert(std::upper_bound(rows_.tries.begin(), rows_.tries.end(), row, later), row);
    keep_room(row, row.amount);
  }

  /// The answer to the Try; a Confirm keeps the money where it is, a Cancel has brought it back.
  void operator()(const SecondStarted& event) {
    std::optional<PhaseRow> leg = answered(event.tried.target, event.tried.leg);
    if (!leg) return;
    leg->second = {event.phase(), event.tried.leg, rows_.last_position, stamp_};
    Outgoing& flow = rows_.outgoing[event.tried.target];
    flow.next = event.second.next();
    flow.rows.push_back(*leg);
    DedupRow* const bound = row_of(leg->dedup);
    if (bound != nullptr && bound->link) bound->link->leg = event.second;
    if (accepts(event.phase())) return;
    hold(*leg, -leg->amount);
    settle(*leg, event.tried, event.second, event.of_locks ? by_two_phase_commit : by_tcc);
  }

  void operator()(const SecondReceived& event) {
    take(event.source, event.leg, event.id, Outcome::success, event.freed_after);
    for (auto row = rows_.tries.begin(); row != rows_.tries.end(); ++row) {
      if (row->source != event.source || row->leg != event.tried) continue;
      keep_room(*row, -row->amount);
      rows_.tries.erase(row);
      return;
    }
  }

  void operator()(const SecondEnded& event) {
    const std::optional<PhaseRow> leg = answered(event.target, event.leg);
    if (!leg || !accepts(event.phase)) return;
    hold(*leg, -leg->amount);
    LegAnswered confirmed;
    confirmed.outcome = Outcome::success;
    confirmed.target = event.target;
    confirmed.target_position = event.target_position;
    confirmed.target_stamp = event.target_stamp;
    settle(*leg, confirmed, event.leg, is_of_locks(event.phase) ? by_two_phase_commit : by_tcc);
  }

  void operator()(const AccountChanged& event) {
    if (event.account.value < rows_.accounts.size()) rows_.accounts[event.account.value].state = event.after();
    add({event.account,
         event.id,
         {},
         rows_.last_position,
         stamp_,
         static_cast<Operation>(event.change),
         Outcome::success,
         {}});
  }

  void operator()(const WindowMoved& event) {
    rows_.passed_ms = event.passed_ms;
    const std::uint64_t end = rows_.first_windowed + rows_.windowed.size();
    const std::uint64_t first = std::clamp(event.first, rows_.first_windowed, end);
    rows_.windowed.erase(rows_.windowed.begin(),
                         rows_.windowed.begin() + static_cast<std::ptrdiff_t>(first - rows_.first_windowed));
    rows_.first_windowed = first;
  }

  void operator()(const RowsLeft& event) {
    if (event.opens) {
      if (leaving_ != nullptr && rows_.has_attic) leaving_->breach = "opens an attic that is open";
      rows_.has_attic = true;
      return;
    }
    const std::uint64_t end = rows_.left + rows_.queued.size();
    const bool is_there = rows_.has_attic && event.before == rows_.left && event.after <= end;
    if (leaving_ != nullptr && !is_there) leaving_->breach = "lets rows leave that do not stand in front";
    const std::uint64_t after = std::clamp(event.after, rows_.left, end);
    for (std::uint64_t place = rows_.left; leaving_ != nullptr && place < after; ++place) {
      const DedupRow& row = rows_.queued[place - rows_.left];
      leaving_->left.push_back({row, row.outcome == Outcome::pending || is_under_way(queued_number(place))});
    }
    rows_.queued.erase(rows_.queued.begin(), rows_.queued.begin() + static_cast<std::ptrdiff_t>(after - rows_.left));
    rows_.left = after;
  }

  void operator()(const SourceOpened& event) {
    DedupRow row;
    row.home = event.home;
    row.id = empty_id_of(event.source);
    row.position = rows_.last_position;
    row.stamp = stamp_;
    row.outcome = Outcome::success;
    rows_.numbered.push_back(row);
  }

  void operator()(const HoldPlaced& event) {
    const std::uint32_t number = bind(event.decided, event.decided.outcome);
    if (event.decided.outcome != Outcome::success) return;
    rows_.holds.push_back({number, event.decided.debit, event.decided.amount.minor, event.expires, 0});
  }

  void operator()(const HoldEnded& event) {
    if (event.hold < rows_.holds.size()) rows_.holds[event.hold].end = static_cast<std::uint8_t>(event.how);
  }

  void operator()(const SplitStarted& event) {
    const std::uint32_t number = bind(event.decided, event.decided.outcome);
    SplitRow split;
    split.dedup = number;
    split.debit = event.decided.debit;
    split.refused = event.refused;
    for (const SplitStarted::Part& part : event.parts) {
      SplitRow::Part& row = split.parts.emplace_back();
      row.target = part.target;
      row.tried = part.leg;
      row.transit = part.transit;
      row.credit = part.credit;
      row.amount = part.amount;
      row.credit_account = part.credit_account;
      row.outcome = part.is_here() ? Outcome::success : Outcome::pending;
      row.ended = event.decided.outcome == Outcome::success;
      if (row.ended) continue;
      const PhaseRow leg{number, split.debit, part.transit, part.amount, part.credit_account, {}};
      hold(leg, part.amount);
      if (part.is_here()) wait_here(row, part.amount);
      if (!part.is_here()) send(part.target, part.leg, leg);
    }
    rows_.splits.push_back(std::move(split));
  }

  void operator()(const SplitAnswered& event) {
    const std::optional<PhaseRow> leg = answered(event.tried.target, event.tried.leg);
    SplitRow::Part* part = leg ? part_of(leg->dedup, event.part) : nullptr;
    if (part == nullptr) return;
    part->outcome = event.tried.outcome;
    part->tried_position = event.tried.target_position;
    part->tried_stamp = event.tried.target_stamp;
  }

  void operator()(const SplitDecided& event) {
    for (SplitRow& split : rows_.splits) {
      const bool is_it = split.dedup < rows_.dedup.size() && rows_.dedup[split.dedup].id == event.id &&
                         split.debit == event.debit && split.parts.size() == event.parts.size();
      if (!is_it) continue;
      split.second = static_cast<std::uint8_t>(event.phase());
      split.refused = event.refused;
      split.decided = rows_.last_position;
      split.decided_stamp = stamp_;
      for (std::size_t i = 0; i < split.parts.size(); ++i) decide(event, split, split.parts[i], event.parts[i]);
      if (!accepts(event.phase())) rows_.dedup[split.dedup].outcome = event.outcome;
    }
  }

  void operator()(const SplitEnded& event) {
    const std::optional<PhaseRow> leg = answered(event.ended.target, event.ended.leg);
    SplitRow::Part* part = leg ? part_of(leg->dedup, event.part) : nullptr;
    if (part == nullptr) return;
    part->ended = true;
    part->ended_position = event.ended.target_position;
    part->ended_stamp = event.ended.target_stamp;
    if (!accepts(event.ended.phase)) return;
    hold(*leg, -leg->amount);
    for (const SplitRow& split : rows_.splits) {
      if (split.dedup != leg->dedup) continue;
      const bool all = std::all_of(split.parts.begin(), split.parts.end(), [](const auto& each) { return each.ended; });
      if (all) rows_.dedup[split.dedup].outcome = Outcome::success;
    }
  }

 private:
  /// The part of the split that this id is bound to; null where there is none.
  SplitRow::Part* part_of(std::uint32_t dedup, std::uint8_t part) {
    for (SplitRow& split : rows_.splits) {
      if (split.dedup == dedup && part < split.parts.size()) return &split.parts[part];
    }
    return nullptr;
  }

  void decide(const SplitDecided& event, const SplitRow& split, SplitRow::Part& row, const SplitDecided::Part& part) {
    const bool agreed = accepts(event.phase());
    PhaseRow leg{split.dedup, split.debit, row.transit, row.amount, row.credit_account, {}};
    if (row.tried == LegNumber()) {
      wait_here(row, -row.amount);
      row.ended = true;
    } else {
      row.second = part.second;
      leg.second = {event.phase(), row.tried, split.decided, split.decided_stamp};
      send(row.target, part.second, leg);
    }
    if (!agreed || row.tried == LegNumber()) hold(leg, -row.amount);
  }

  void send(ShardId target, LegNumber number, const PhaseRow& leg) {
    Outgoing& flow = rows_.outgoing[target];
    flow.next = number.next();
    flow.rows.push_back(leg);
  }

  /// Room in the transit pocket of the own shard, and in the payee's.
  void wait_here(const SplitRow::Part& part, std::int64_t amount) {
    for (const PocketNumber pocket : {part.transit, part.credit}) {
      if (pocket.value < rows_.pockets.size()) rows_.pockets[pocket.value].pending += amount;
    }
  }

  /// The UUIDv8 of a source that has not numbered anything yet.
  static TransferId empty_id_of(std::uint64_t source) {
    TransferId id;
    for (std::size_t i = 0; i < 6; ++i) id.bytes[i] = static_cast<std::uint8_t>(source >> (12 + 8 * (5 - i)));
    id.bytes[6] = static_cast<std::uint8_t>(0x80 + (source >> 8) % 16);
    id.bytes[7] = static_cast<std::uint8_t>(source % 256);
    id.bytes[8] = 0x80;
    return id;
  }
  /// The place of the row that an id of a source's takes over.
  std::optional<std::uint64_t> place_of(const DedupRow& row) const {
    const std::optional<Numbered> said = numbered_as(row.id);
    if (!said) return std::nullopt;
    const TransferId wanted = empty_id_of(said->source);
    for (std::size_t place = 0; place < rows_.numbered.size(); ++place) {
      const DedupRow& there = rows_.numbered[place];
      const bool is_its = std::equal(wanted.bytes.begin(), wanted.bytes.begin() + 8, there.id.bytes.begin());
      if (there.home == row.home && is_its) return place;
    }
    return std::nullopt;
  }

  /// The row's number.
  std::uint32_t add(const DedupRow& row) {
    if (const std::optional<std::uint64_t> place = place_of(row)) {
      rows_.numbered[*place] = row;
      return numbered_number(*place);
    }
    if (rows_.passed_ms > 0 && row.operation < Operation::hold && has_end(row.id, row.stamp)) {
      rows_.windowed.push_back(row);
      return windowed_number(rows_.first_windowed + rows_.windowed.size() - 1);
    }
    if (rows_.has_attic && row.operation <= Operation::withdrawal && !numbered_as(row.id)) {
      rows_.queued.push_back(row);
      return queued_number(rows_.left + rows_.queued.size() - 1);
    }
    rows_.dedup.push_back(row);
    return static_cast<std::uint32_t>(rows_.dedup.size() - 1);
  }

  /// A leg of the row waits for its answer.
  bool is_under_way(std::uint32_t number) const {
    return std::any_of(rows_.outgoing.begin(), rows_.outgoing.end(), [number](const auto& flow) {
      const std::vector<PhaseRow>& legs = flow.second.rows;
      return std::any_of(legs.begin(), legs.end(), [number](const PhaseRow& leg) { return leg.dedup == number; });
    });
  }

  DedupRow* row_of(std::uint32_t number) {
    if (number < rows_.dedup.size()) return &rows_.dedup[number];
    if (number >= queued_number(0)) {
      constexpr std::uint64_t queued_places = std::uint64_t{1} << 28;
      const std::uint64_t at = (number % queued_places + queued_places - rows_.left % queued_places) % queued_places;
      return at < rows_.queued.size() ? &rows_.queued[at] : nullptr;
    }
    if (number >= numbered_number(0)) {
      const std::uint32_t place = number - numbered_number(0);
      return place < rows_.numbered.size() ? &rows_.numbered[place] : nullptr;
    }
    constexpr std::uint64_t places = std::uint64_t{1} << 30;
    const std::uint64_t place = (number % places + places - rows_.first_windowed % places) % places;
    return number >= windowed_number(0) && place < rows_.windowed.size() ? &rows_.windowed[place] : nullptr;
  }

  std::uint32_t bind(const Decided& event, Outcome outcome) {
    return add({event.home, event.id, event.digest, rows_.last_position, stamp_, event.operation, outcome, {}});
  }

  void start(const LegStarted& event, std::uint8_t protocol) {
    const std::uint32_t number = bind(event.decided, Outcome::pending);
    DedupRow& row = *row_of(number);
    row.link = {event.target, event.leg, {}, {}, protocol};
    Outgoing& flow = rows_.outgoing[event.target];
    flow.next = event.leg.next();
    flow.rows.push_back(
        {number, event.decided.debit, event.decided.credit, event.decided.amount.minor, event.credit_account, {}});
    hold(flow.rows.back(), event.decided.amount.minor);
  }

  void take(ShardId source, LegNumber leg, const TransferId& id, Outcome outcome, LegNumber freed) {
    Incoming& flow = rows_.incoming[source];
    flow.next = leg.next();
    flow.rows.push_back({id, rows_.last_position, stamp_, outcome});
    flow.freed = freed;
    const std::uint64_t kept = flow.next.value - flow.freed.value - 1;
    if (kept < flow.rows.size()) {
      flow.rows.erase(flow.rows.begin(), flow.rows.end() - static_cast<std::ptrdiff_t>(kept));
    }
  }

  /// The row of the leg in front, which this is the answer to.
  std::optional<PhaseRow> answered(ShardId target, LegNumber leg) {
    Outgoing& flow = rows_.outgoing[target];
    if (flow.rows.empty()) return std::nullopt;
    PhaseRow row = flow.rows.front();
    flow.rows.erase(flow.rows.begin());
    flow.first_unanswered = leg.next();
    return row;
  }

  void settle(const PhaseRow& leg, const LegAnswered& answer, LegNumber last, std::uint8_t protocol) {
    DedupRow* const bound = row_of(leg.dedup);
    if (bound == nullptr) return;
    DedupRow& row = *bound;
    row.outcome = answer.outcome;
    row.link = {answer.target, last, answer.target_position, answer.target_stamp, protocol};
  }

  /// A Try that was not refused has room kept for it in both pockets.
  void keep_room(const TryRow& row, std::int64_t amount) {
    for (const PocketNumber pocket : {row.transit, row.credit}) {
      if (pocket.value < rows_.pockets.size()) rows_.pockets[pocket.value].pending += amount;
    }
  }

  /// Both sides of a leg know how much of their balance waits for its answer.
  void hold(const PhaseRow& leg, std::int64_t amount) {
    for (const PocketNumber pocket : {leg.debit, leg.transit}) {
      if (pocket.value < rows_.pockets.size()) rows_.pockets[pocket.value].pending += amount;
    }
  }

  StateRows& rows_;
  Stamp stamp_;
  Leaving* leaving_;
};

}  // namespace

StateRows empty_state(ShardId shard) {
  StateRows rows;
  rows.shard = shard;
  return rows;
}

void fold(const Entry& entry, StateRows& rows, Leaving* leaving) {
  Folding folding(rows, entry.stamp, leaving);
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
