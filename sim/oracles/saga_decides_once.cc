// O-T2. A leg is decided once: one receipt, one answer, the answer is the receipt's outcome, never both done and
// compensated. A Try is answered once, and what its answer says is done once: confirmed or cancelled, never both, and
// in the pockets it was tried in. Legs are contiguous and first in, first out; nothing is received before its start
// committed, nothing answered before its receipt committed, nothing freed before its answer committed.
#include <memory>

#include "sim/oracles/legs.h"

namespace coffer::sim::oracles {

namespace {

class SagaDecidesOnce final : public Oracle {
 public:
  explicit SagaDecidesOnce(const Topology& topology) : legs_(topology) {}
  std::string_view name() const override { return "O-T2"; }

  void on_committed(SimTime, NodeId, const CommittedEntry& entry) override {
    auto reason = legs_.committed(entry);
    if (reason && violations().empty()) violated(std::move(*reason));
  }

 private:
  Legs legs_;
};

}  // namespace

std::unique_ptr<Oracle> make_saga_decides_once(const Topology& topology) {
  return std::make_unique<SagaDecidesOnce>(topology);
}

}  // namespace coffer::sim::oracles
