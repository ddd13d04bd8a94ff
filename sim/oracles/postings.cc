// O-L2. Every committed entry can be read by the grammar, continues positions and stamps, and every event in it moves a
// positive amount between two different, known pockets of one currency, of the kinds its operation calls for.
#include <map>
#include <memory>

#include "sim/oracles/book.h"

namespace coffer::sim::oracles {

namespace {

/// Which kinds of pockets an event takes from and gives to, and whose transit pocket it is.
struct Shape {
  PocketKind from = PocketKind::customer;
  PocketKind to = PocketKind::customer;
  ShardId peer;
};

struct ShapeOf {
  Shape operator()(const ShardFounded&) const { return {}; }
  Shape operator()(const AccountOpened&) const { return {}; }
  Shape operator()(const TransferDecided& event) const {
    switch (event.decided.operation) {
      case Operation::transfer:
        return {};
      case Operation::deposit:
        return {PocketKind::issue, PocketKind::customer, {}};
      case Operation::withdrawal:
        return {PocketKind::customer, PocketKind::issue, {}};
      case Operation::hold:
      case Operation::split:
        return {};
    }
    return {};
  }
  Shape operator()(const LegStarted& event) const { return {PocketKind::customer, PocketKind::transit, event.target}; }
  Shape operator()(const LegReceived& event) const { return {PocketKind::transit, PocketKind::customer, event.source}; }
  Shape operator()(const LegAnswered& event) const { return {PocketKind::transit, PocketKind::customer, event.target}; }
  Shape operator()(const TryStarted& event) const { return (*this)(event.leg); }
  Shape operator()(const TryReceived&) const { return {}; }
  Shape operator()(const SecondStarted& event) const { return (*this)(event.tried); }
  Shape operator()(const SecondReceived& event) const {
    return {PocketKind::transit, PocketKind::customer, event.source};
  }
  Shape operator()(const SecondEnded&) const { return {}; }
  Shape operator()(const PrepareStarted& event) const { return (*this)(event.leg); }
  Shape operator()(const PrepareReceived&) const { return {}; }
  Shape operator()(const AccountChanged&) const { return {}; }
  Shape operator()(const HoldPlaced&) const { return {}; }
  Shape operator()(const HoldEnded&) const { return {}; }
  Shape operator()(const WindowMoved&) const { return {}; }
  Shape operator()(const SourceOpened&) const { return {}; }
  Shape operator()(const RowsLeft&) const { return {}; }
  // Whose transit pockets they are, judge_split looks at.
  Shape operator()(const SplitStarted& event) const {
    const bool at_once = event.decided.outcome == Outcome::success;
    return {PocketKind::customer, at_once ? PocketKind::customer : PocketKind::transit, {}};
  }
  Shape operator()(const SplitAnswered&) const { return {}; }
  Shape operator()(const SplitDecided&) const { return {PocketKind::transit, PocketKind::customer, {}}; }
  Shape operator()(const SplitEnded&) const { return {}; }
};

class PostingsBalance final : public Oracle {
 public:
  explicit PostingsBalance(const Topology& topology) : book_(topology), stamps_(topology.shards) {}
  std::string_view name() const override { return "O-L2"; }

  void on_committed(SimTime, NodeId, const CommittedEntry& committed) override {
    const ShardId shard = committed.shard;
    if (!violations().empty() || !book_.knows(shard)) return;
    const ShardBook& book = book_.shard(shard);
    if (committed.index != book.last().next()) return;
    const Position before = book.position();
    const std::optional<Entry> entry = book_.committed(committed);
    const std::string where = text(shard) + " entry " + std::to_string(committed.index.value);
    if (!entry) {
      violated(where + " does not follow the grammar of events (" + std::to_string(committed.payload.size()) +
               " bytes)");
      return;
    }
    if (entry->events.empty()) return;
    if (entry->first_position != before.next()) {
      violated(where + " starts at position " + std::to_string(entry->first_position.value) + " after position " +
               std::to_string(before.value));
      return;
    }
    Stamp& stamp = stamps_[shard.value - 1];
    if (entry->stamp <= stamp) {
      violated(where + " is stamped " + std::to_string(entry->stamp.nanos) + ", not later than " +
               std::to_string(stamp.nanos) + " before it");
      return;
    }
    stamp = entry->stamp;
    Position position = before;
    for (const Event& event : entry->events) {
      position = position.next();
      judge(book, text(shard, position), event);
    }
  }

 private:
  void judge(const ShardBook& book, const std::string& where, const Event& event) {
    const std::vector<Posting> postings = postings_of(event);
    if (postings.empty() || !violations().empty()) return;
    std::map<Currency, Sum> sums;
    for (const Posting& posting : postings) {
      sums[posting.amount.currency] += posting.amount.minor;
      const Pocket* pocket = book.pocket(posting.pocket);
      if (pocket == nullptr) {
        violated(where + " moves money of pocket " + std::to_string(posting.pocket.value) + ", which was never opened");
        return;
      }
      if (pocket->currency != posting.amount.currency) {
        violated(where + " moves " + to_string(posting.amount.currency) + " in a pocket of " +
                 to_string(pocket->currency));
        return;
      }
    }
    for (const auto& [currency, sum] : sums) {
      if (sum != 0) violated(where + ": its postings in " + to_string(currency) + " sum to " + text(sum));
    }
    if (const auto* started = std::get_if<SplitStarted>(&event)) return judge_split(book, where, postings, *started);
    if (const auto* decided = std::get_if<SplitDecided>(&event)) return judge_split(book, where, postings, *decided);
    judge_sides(book, where, postings, std::visit(ShapeOf{}, event));
  }

  /// Money goes one way, between pockets of the right kinds, and each part through its shard's.
  template <class Split>
  void judge_split(const ShardBook& book, const std::string& where, const std::vector<Posting>& postings,
                   const Split& split) {
    const Shape shape = ShapeOf{}(split);
    for (const Posting& posting : postings) {
      const PocketKind kind = posting.amount.minor < 0 ? shape.from : shape.to;
      if (posting.amount.minor != 0 && book.pocket(posting.pocket)->kind == kind) continue;
      violated(where + " moves " + std::to_string(posting.amount.minor) + " of pocket " +
               std::to_string(posting.pocket.value) + ", which is not of the right kind");
    }
    for (const auto& part : split.parts) {
      if (part.amount <= 0) violated(where + " has a part of " + std::to_string(part.amount));
      const Pocket* transit = book.pocket(part.transit);
      if (transit == nullptr || transit->peer == part.target) continue;
      violated(where + " uses the transit pocket of " + text(transit->peer) + " for money of " + text(part.target));
    }
  }

  void judge_sides(const ShardBook& book, const std::string& where, const std::vector<Posting>& postings,
                   const Shape& shape) {
    const Posting& from = postings.front();
    const Posting& to = postings.back();
    if (to.amount.minor <= 0) violated(where + " moves " + std::to_string(to.amount.minor) + ", which is not positive");
    if (from.pocket == to.pocket) {
      violated(where + " moves money from pocket " + std::to_string(from.pocket.value) + " to itself");
    }
    const Pocket* source = book.pocket(from.pocket);
    const Pocket* sink = book.pocket(to.pocket);
    if (source->kind != shape.from || sink->kind != shape.to) {
      violated(where + " moves money between pockets of the wrong kinds");
    }
    for (const Pocket* pocket : {source, sink}) {
      if (pocket->kind != PocketKind::transit || pocket->peer == shape.peer) continue;
      violated(where + " uses the transit pocket of " + text(pocket->peer) + " for money of " + text(shape.peer));
    }
  }

  Book book_;
  std::vector<Stamp> stamps_;  ///< by shard - 1: of the last entry with events
};

}  // namespace

std::unique_ptr<Oracle> make_postings(const Topology& topology) { return std::make_unique<PostingsBalance>(topology); }

}  // namespace coffer::sim::oracles
