// O-T1. Every transaction across shards ends: once the run is quiet, every leg that was started has its answer in the
// log of its source; for TC/C that is the Try and the second phase its answer began, so that no room is kept for ever.
#include <memory>

#include "sim/oracles/legs.h"

namespace coffer::sim::oracles {

namespace {

class SagaEnds final : public Oracle {
 public:
  explicit SagaEnds(const Topology& topology) : legs_(topology) {}
  std::string_view name() const override { return "O-T1"; }

  void on_phase(SimTime, Phase phase) override { phase_ = phase; }

  void on_committed(SimTime, NodeId, const CommittedEntry& entry) override {
    legs_.committed(entry);  // what contradicts is O-T2's to tell
  }

  void finish(SimTime) override {
    if (phase_ < Phase::final_reads) return;  // never became quiet: the runner's to tell
    for (const auto& [route, flow] : legs_.flows()) {
      for (const Leg& leg : flow.legs) {
        if (leg.answered) continue;
        violated(text(route, leg.started.leg) + " (" + std::string(text(leg.step)) + " of transfer " +
                 text(leg.started.decided.id) + "), started in " + text(route.source, leg.started_at) + ", " +
                 (leg.received ? "was received and never answered" : "was never received"));
      }
    }
  }

 private:
  Legs legs_;
  Phase phase_ = Phase::setup;
};

}  // namespace

std::unique_ptr<Oracle> make_saga_ends(const Topology& topology) { return std::make_unique<SagaEnds>(topology); }

}  // namespace coffer::sim::oracles
