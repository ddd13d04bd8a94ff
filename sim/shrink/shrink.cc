#include "sim/shrink/shrink.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "core/base/check.h"
#include "sim/run/scenario_sense.h"

namespace coffer::sim::shrink {

namespace {

/// A hunt for the smallest: what it has, and whether it may go on.
class Hunt {
 public:
  Hunt(const Scenario& scenario, const Listener& listener) : listener_(listener) {
    report_.scenario = scenario;
    RunOptions watched;
    watched.strikes = &strikes_;
    report_.result = run(scenario, scenario.seed, watched);
    report_.runs = 1;
    report_.signature = signature_of(report_.result);
    const Verdict verdict = report_.signature.verdict;
    check(verdict != Verdict::pass && verdict != Verdict::unknown, "only what fails is made smaller");
    report_.scenario.expect = report_.result.oracle;
  }

  Report hunt() {
    write_out_faults();
    bool smaller = true;
    while (smaller && may_go_on()) {
      smaller = false;
      for (const auto pass :
           {&Hunt::less_time, &Hunt::fewer_shards, &Hunt::fewer_nodes, &Hunt::fewer_faults, &Hunt::fewer_clients,
            &Hunt::fewer_operations, &Hunt::fewer_kinds, &Hunt::lesser_faults}) {
        smaller = (this->*pass)() || smaller;
      }
    }
    report_.finished = may_go_on();
    return std::move(report_);
  }

 private:
  bool may_go_on() const { return !listener_.may_go_on || listener_.may_go_on(); }

  /// Whether it fails in the same way; then it is what there is from now on.
  bool keep(Scenario candidate) {
    if (!may_go_on() || !nonsense(candidate).empty()) return false;
    ++report_.runs;
    RunResult result = run(candidate, candidate.seed);
    if (signature_of(result) != report_.signature) return false;
    report_.scenario = std::move(candidate);
    report_.result = std::move(result);
    if (listener_.on_smaller) listener_.on_smaller(report_);
    return true;
  }

  /// Changes one thing of a copy and keeps the copy if it may.
  template <class Change>
  bool change(Change make) {
    Scenario candidate = report_.scenario;
    make(candidate);
    return keep(std::move(candidate));
  }

  /// The least value from `least` on that still fails, by halving; it need not be the least of all.
  template <class Get>
  bool lower(Get field, std::uint64_t least) {
    bool any = false;
    std::uint64_t low = least;
    while (low < field(report_.scenario)) {
      const std::uint64_t middle = low + (field(report_.scenario) - low) / 2;
      if (change([&](Scenario& s) { field(s) = static_cast<std::remove_reference_t<decltype(field(s))>>(middle); })) {
        any = true;
      } else {
        low = middle + 1;
      }
    }
    return any;
  }

  void write_out_faults() {
    const bool drawn = std::any_of(report_.scenario.faults.begin(), report_.scenario.faults.end(),
                                   [](const faults::FaultSpec& one) { return one.when != faults::When::at; });
    if (drawn) change([&](Scenario& s) { s.faults = strikes_; });
  }

  bool less_time() {
    return report_.scenario.limits.running_min > Duration{} && change([](Scenario& s) { s.limits.running_min = {}; });
  }

  bool fewer_shards() {
    bool any = false;
    while (report_.scenario.shards > 1 && change([](Scenario& s) { --s.shards; })) any = true;
    return any;
  }

  bool fewer_nodes() {
    bool any = false;
    while (report_.scenario.nodes > report_.scenario.spares + 1 && change([](Scenario& s) { --s.nodes; })) any = true;
    return any;
  }

  /// Pieces of half, a quarter, … of the list, down to one.
  bool fewer_faults() {
    bool any = false;
    for (std::size_t piece = (report_.scenario.faults.size() + 1) / 2; piece > 0;
         piece = piece == 1 ? 0 : (piece + 1) / 2) {
      std::size_t at = 0;
      while (at < report_.scenario.faults.size()) {
        const bool gone = change([&](Scenario& s) {
          const auto first = s.faults.begin() + static_cast<std::ptrdiff_t>(at);
          s.faults.erase(first, s.faults.begin() + static_cast<std::ptrdiff_t>(std::min(at + piece, s.faults.size())));
        });
        any = any || gone;
        if (!gone) at += piece;
      }
    }
    return any;
  }

  bool fewer_clients() {
    return lower(
        [](auto& s) -> auto& { return s.workload.clients; }, 1);
  }

  bool fewer_operations() {
    const bool fewer = lower(
        [](auto& s) -> auto& { return s.workload.operations; }, 0);
    return lower(
               [](auto& s) -> auto& { return s.workload.batch_max; }, 1) ||
           fewer;
  }

  bool fewer_kinds() {
    bool any = false;
    for (const auto kind : {&workload::Config::cross_shard_per_mille, &workload::Config::overdraft_per_mille,
                            &workload::Config::missing_account_per_mille, &workload::Config::wrong_currency_per_mille,
                            &workload::Config::duplicate_per_mille, &workload::Config::other_body_per_mille,
                            &workload::Config::read_per_mille, &workload::Config::deposit_per_mille,
                            &workload::Config::withdrawal_per_mille, &workload::Config::hot_accounts}) {
      if (report_.scenario.workload.*kind == 0) continue;
      any = change([&](Scenario& s) { s.workload.*kind = 0; }) || any;
    }
    any = (report_.scenario.workload.currencies > 1 && change([](Scenario& s) { s.workload.currencies = 1; })) || any;
    return lower(
               [](auto& s) -> auto& { return s.workload.accounts; }, 2) ||
           any;
  }

  /// Shorter, on fewer nodes.
  bool lesser_faults() {
    bool any = false;
    for (std::size_t i = 0; i < report_.scenario.faults.size(); ++i) {
      while (report_.scenario.faults[i].count > 1 && change([&](Scenario& s) { --s.faults[i].count; })) any = true;
      const auto shorter = [i](Scenario& s) {
        s.faults[i].lasts_max = s.faults[i].lasts_max / 2;
        s.faults[i].lasts_min = std::min(s.faults[i].lasts_min, s.faults[i].lasts_max);
      };
      while (report_.scenario.faults[i].lasts_max > milliseconds(1) && change(shorter)) any = true;
    }
    return any;
  }

  const Listener& listener_;
  std::vector<faults::FaultSpec> strikes_;
  Report report_;
};

}  // namespace

Report smallest(const Scenario& scenario, const Listener& listener) { return Hunt(scenario, listener).hunt(); }

}  // namespace coffer::sim::shrink
