// O-L3. No customer pocket is below what is held of it, nor below zero: after any committed event by the independent
// book; and below zero in no replica's state.
#include <memory>

#include "sim/oracles/book.h"

namespace coffer::sim::oracles {

namespace {

class Floor final : public Oracle {
 public:
  explicit Floor(const Topology& topology) : book_(topology) {}
  std::string_view name() const override { return "O-L3"; }

  void on_committed(SimTime, NodeId, const CommittedEntry& entry) override {
    if (!violations().empty() || !book_.committed(entry)) return;
    const ShardBook& book = book_.shard(entry.shard);
    const Position before = book.at(Index(entry.index.value - 1)).position;
    for (const auto& [number, pocket] : book.pockets()) {
      if (pocket.kind != PocketKind::customer) continue;
      judge(entry.shard, pocket, pocket.history, before);
      judge(entry.shard, pocket, pocket.held, before);
      if (!violations().empty()) return;
    }
  }

  void on_replica(SimTime, NodeId node, const shard::Observation& replica) override {
    if (!violations().empty()) return;
    for (const shard::PocketObservation& pocket : replica.pockets) {
      if (pocket.balance >= 0 || pocket.account.starts_with("sys:")) continue;
      violated("node " + std::to_string(node.value) + " holds account " + pocket.account + " at " +
               to_string(pocket.currency) + " " + std::to_string(pocket.balance) + " minor units in " +
               text(replica.shard) + " at entry " + std::to_string(replica.applied.value));
      return;
    }
  }

 private:
  /// After each of these changes that is newer.
  void judge(ShardId shard, const Pocket& pocket, const std::vector<Pocket::Change>& changes, Position before) {
    for (auto change = changes.rbegin(); change != changes.rend() && change->position > before; ++change) {
      const Sum balance = pocket.balance_at(change->position);
      const Sum held = pocket.held_at(change->position);
      if (balance >= held && held >= 0) continue;
      violated("account " + pocket.name + " has " + to_string(pocket.currency) + " " + text(balance) +
               " minor units after " + text(shard, change->position) +
               (held == 0 ? std::string() : ", and " + text(held) + " of them are held"));
      return;
    }
  }

  Book book_;
};

}  // namespace

std::unique_ptr<Oracle> make_floor(const Topology& topology) { return std::make_unique<Floor>(topology); }

}  // namespace coffer::sim::oracles
