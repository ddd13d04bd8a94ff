#include "sim/ladder/smallest.h"

#include <algorithm>
#include <utility>

#include "core/base/check.h"

namespace coffer::sim::ladder {

namespace {

class Shrinker {
 public:
  Shrinker(const Design& design, const Plan& plan) : design_(design), plan_(plan) {
    const Outcome whole = run(design_, plan_);
    check(whole.finding.verdict != Verdict::pass, "only a failure is made smaller");
    wanted_ = whole.finding;
  }

  Smallest shrink() {
    bool smaller = true;
    while (smaller) {
      smaller = drop(&Plan::faults);
      smaller = drop(&Plan::transfers) || smaller;
      smaller = simplify() || smaller;
    }
    return {plan_, run(design_, plan_, true), runs_};
  }

 private:
  bool take(Plan candidate) {
    ++runs_;
    const Finding found = run(design_, candidate).finding;
    if (found.verdict != wanted_.verdict || found.oracle != wanted_.oracle) return false;
    plan_ = std::move(candidate);
    return true;
  }

  /// Pieces of one list, the largest first.
  template <class Item>
  bool drop(std::vector<Item> Plan::*list) {
    bool smaller = false;
    for (std::size_t piece = (plan_.*list).size(); piece > 0; piece /= 2) {
      for (std::size_t from = 0; from < (plan_.*list).size();) {
        Plan candidate = plan_;
        auto& items = candidate.*list;
        const auto first = items.begin() + static_cast<std::ptrdiff_t>(from);
        items.erase(first, first + static_cast<std::ptrdiff_t>(std::min(piece, items.size() - from)));
        if (take(std::move(candidate))) {
          smaller = true;
        } else {
          from += piece;
        }
      }
    }
    return smaller;
  }

  /// What is easier to tell: nobody is barred, faults strike whole and short.
  bool simplify() {
    bool smaller = false;
    for (std::size_t account = 0; account < plan_.accounts.size(); ++account) {
      if (!plan_.accounts[account].barred) continue;
      Plan candidate = plan_;
      candidate.accounts[account].barred = false;
      smaller = take(std::move(candidate)) || smaller;
    }
    for (std::size_t i = 0; i < plan_.faults.size(); ++i) {
      Plan whole = plan_;
      if (whole.faults[i].per_mille != 1000) {
        whole.faults[i].per_mille = 1000;
        smaller = take(std::move(whole)) || smaller;
      }
      Plan brief = plan_;
      brief.faults[i].lasts = brief.faults[i].lasts / 2;
      if (brief.faults[i].lasts >= milliseconds(1)) smaller = take(std::move(brief)) || smaller;
    }
    return smaller;
  }

  const Design& design_;
  Plan plan_;
  Finding wanted_;
  std::uint64_t runs_ = 0;
};

}  // namespace

Smallest smallest(const Design& design, const Plan& plan) { return Shrinker(design, plan).shrink(); }

}  // namespace coffer::sim::ladder
