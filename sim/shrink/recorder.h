// Writes down, call by call, what the clients of a run did: the accounts they opened at setup, and what they called
// while faults could strike, each with its time. As a script in place of the workload it was drawn from, the same
// happens again, and each call can go without the others changing. Single-threaded.
#pragma once

#include <cstdint>
#include <map>

#include "sim/run/onlooker.h"
#include "sim/run/scenario.h"

namespace coffer::sim::shrink {

class Recorder : public Onlooker {
 public:
  /// `scenario`: of the run to come.
  explicit Recorder(const Scenario& scenario);

  void event(SimTime now, std::uint64_t sequence, const Event& event) override;
  void phase(SimTime now, Phase phase) override;
  void call(SimTime now, std::uint32_t client, std::uint64_t op, const router::Request& request) override;

  /// Empty where the scenario has one already.
  Script script() const;
  /// How long faults could strike, so far.
  Duration running() const { return running_; }

 private:
  void at_setup(std::uint32_t client, const router::Request& request);
  void while_running(SimTime now, std::uint32_t client, const router::Request& request);
  bool write_hold(ScriptedCall& call, const router::RequestBody& body);
  std::uint32_t number_of(const TransferId& id);
  /// Gives a call, or a deposit at setup, its transaction's number and time.
  template <class Named>
  void name(Named& what, const TransferId& id);

  std::uint32_t clients_;
  bool drawn_;
  bool numbered_ids_;
  Script script_;
  Phase phase_ = Phase::setup;
  SimTime running_since_;
  Duration running_;
  std::map<TransferId, std::uint32_t> numbers_;  ///< from 1, in the order of their first call
  std::uint32_t batches_ = 0;
};

}  // namespace coffer::sim::shrink
