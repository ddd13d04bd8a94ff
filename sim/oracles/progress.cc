// O-H4. A minimum of success, so that nothing passes by doing nothing: of the transfers asked for while faults struck,
// at least one, and at least one in fifty, succeeded.
#include <memory>
#include <set>

#include "sim/oracles/calls.h"

namespace coffer::sim::oracles {

namespace {

constexpr std::uint64_t asked_per_success_max = 50;

class Progress final : public Oracle {
 public:
  explicit Progress(const Topology&) {}
  std::string_view name() const override { return "O-H4"; }

  void on_phase(SimTime, Phase phase) override { calls_.phase(phase); }

  void on_call(SimTime, std::uint32_t, std::uint64_t op, const router::Request& request) override {
    const Call& call = calls_.called(op, request);
    if (call.phase != Phase::running) return;
    for (const Asked& asked : call.items) asked_.insert(asked.key);
  }

  void on_return(SimTime, std::uint32_t, std::uint64_t op, const router::Reply& reply) override {
    const std::optional<Call> call = calls_.returned(op);
    if (!call || call->phase == Phase::setup) return;
    const std::vector<Told> answers = answers_of(*call, reply);
    for (std::size_t i = 0; i < answers.size(); ++i) {
      if (answers[i].outcome == Outcome::success) succeeded_.insert(call->items[i].key);
    }
  }

  void finish(SimTime) override {
    if (asked_.empty() || calls_.phase() < Phase::final_reads) return;
    if (!succeeded_.empty() && succeeded_.size() * asked_per_success_max >= asked_.size()) return;
    violated("of " + std::to_string(asked_.size()) + " transfers asked for, " + std::to_string(succeeded_.size()) +
             " succeeded");
  }

 private:
  Calls calls_;
  std::set<Key> asked_;
  std::set<Key> succeeded_;
};

}  // namespace

std::unique_ptr<Oracle> make_progress(const Topology& topology) { return std::make_unique<Progress>(topology); }

}  // namespace coffer::sim::oracles
