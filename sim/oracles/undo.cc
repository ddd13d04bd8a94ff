// O-E2. Undoing entries from the end gives the earlier state: the book's fold of the shorter prefix, with what was held
// and locked there, and with the digest that replicas had there on their way forward.
#include <memory>

#include "sim/oracles/fold.h"

namespace coffer::sim::oracles {

namespace {

class UndoGivesEarlierState final : public Oracle {
 public:
  explicit UndoGivesEarlierState(const Topology& topology) : fold_(topology) {}
  std::string_view name() const override { return "O-E2"; }

  void on_committed(SimTime, NodeId, const CommittedEntry& entry) override {
    if (auto reason = fold_.committed(entry)) violated("after an undo: " + std::move(*reason));
  }
  void on_replica_undone(SimTime, NodeId node, const shard::Observation& replica, std::size_t entries) override {
    auto reason = fold_.claimed(node, replica);
    if (reason) violated("after undoing " + std::to_string(entries) + " entries: " + std::move(*reason));
  }
  void on_replica(SimTime, NodeId node, const shard::Observation& replica) override {
    fold_.seen(node, replica);  // what is wrong with it before any undo is O-E1's to say
  }

 private:
  Fold fold_;
};

}  // namespace

std::unique_ptr<Oracle> make_undo(const Topology& topology) {
  return std::make_unique<UndoGivesEarlierState>(topology);
}

}  // namespace coffer::sim::oracles
