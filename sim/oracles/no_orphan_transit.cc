// O-T3. No orphan transit: once quiet, what a source's transit account holds for a target is what the target's transit
// account lacks for that source, pair by pair and currency by currency; at any time the difference is exactly the legs
// that are on their way.
#include <map>
#include <memory>

#include "sim/oracles/legs.h"

namespace coffer::sim::oracles {

namespace {

Sum transit_of(const ShardBook& book, ShardId peer, Currency currency) {
  for (const auto& [number, pocket] : book.pockets()) {
    if (pocket.kind == PocketKind::transit && pocket.peer == peer && pocket.currency == currency) {
      return pocket.balance();
    }
  }
  return 0;
}

/// Whether the target has credited: by a saga's leg, or by the Confirm of a Try.
bool has_arrived(const Legs::Flow& flow, const Leg& leg) {
  if (leg.step == Leg::Step::credit) return leg.received && leg.received->outcome == Outcome::success;
  const Leg* second = flow.find(leg.second);
  return second != nullptr && second->step != Leg::Step::cancel && second->step != Leg::Step::abort &&
         second->received.has_value();
}

/// Whether the source has taken the money from its account, and not brought it back: with a split's Cancel, which may
/// come after the success of this Try.
bool has_left(const Legs::Flow& flow, const Leg& leg) {
  if (!leg.of_split) return !leg.answered || leg.answered->outcome == Outcome::success;
  const Leg* second = flow.find(leg.second);
  return second == nullptr || second->step != Leg::Step::cancel;
}

class NoOrphanTransit final : public Oracle {
 public:
  explicit NoOrphanTransit(const Topology& topology) : legs_(topology) {}
  std::string_view name() const override { return "O-T3"; }

  void on_phase(SimTime now, Phase phase) override {
    quiet_ = phase >= Phase::final_reads;
    judge(now);
  }

  void on_committed(SimTime, NodeId, const CommittedEntry& entry) override {
    legs_.committed(entry);  // what contradicts is O-T2's to tell
  }

  void finish(SimTime now) override { judge(now); }

 private:
  /// The pair's two transit accounts hold money of both directions: legs there and legs back.
  struct Pair {
    ShardId low;
    ShardId high;
    Currency currency;
    auto operator<=>(const Pair&) const = default;
  };

  void judge(SimTime) {
    if (!violations().empty()) return;
    std::map<Pair, Sum> on_the_way;
    for (const auto& [route, flow] : legs_.flows()) {
      for (const Leg& leg : flow.legs) {
        if (leg.is_second()) continue;  // its Try's money
        const Money amount = leg.started.decided.amount;
        const Pair pair{std::min(route.source, route.target), std::max(route.source, route.target), amount.currency};
        on_the_way[pair] += 0;
        const bool left_source = has_left(flow, leg);
        const bool at_target = has_arrived(flow, leg);
        if (left_source && !at_target) on_the_way[pair] += amount.minor;
      }
    }
    for (const auto& [pair, expected] : on_the_way) judge(pair, quiet_ ? 0 : expected);
  }

  void judge(const Pair& pair, Sum expected) {
    const Book& book = legs_.book();
    if (!book.knows(pair.low) || !book.knows(pair.high)) return;
    const Sum at_low = transit_of(book.shard(pair.low), pair.high, pair.currency);
    const Sum at_high = transit_of(book.shard(pair.high), pair.low, pair.currency);
    if (at_low + at_high == expected) return;
    violated(
        "between " + text(pair.low) + " and " + text(pair.high) + " " + to_string(pair.currency) + " " +
        text(at_low + at_high) + " minor units are in transit (" + text(at_low) + " and " + text(at_high) + "), " +
        (quiet_ ? "and nothing is on its way any more" : "and legs worth " + text(expected) + " are on their way"));
  }

  Legs legs_;
  bool quiet_ = false;
};

}  // namespace

std::unique_ptr<Oracle> make_no_orphan_transit(const Topology& topology) {
  return std::make_unique<NoOrphanTransit>(topology);
}

}  // namespace coffer::sim::oracles
