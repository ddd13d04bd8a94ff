// O-L1. Double entry: per currency, customer, issue and transit balances sum to zero in every shard, at every committed
// prefix by the independent book, in every replica's own pockets, and in every trial balance told. Since each shard's
// sum is zero, so is the sum over all. The last trial balance leaves no shard and no currency out. Once quiet, transit
// alone sums to zero over all shards.
#include <map>
#include <memory>
#include <set>
#include <utility>

#include "sim/oracles/book.h"
#include "sim/oracles/calls.h"

namespace coffer::sim::oracles {

namespace {

/// What one shard holds of one currency.
struct Sums {
  Sum customers = 0;
  Sum issue = 0;
  Sum transit = 0;

  Sum& of(PocketKind kind) {
    switch (kind) {
      case PocketKind::customer:
        return customers;
      case PocketKind::issue:
        return issue;
      case PocketKind::transit:
        return transit;
    }
    return customers;
  }
  Sum total() const { return customers + issue + transit; }
};

std::map<Currency, Sums> sums_of(const ShardBook& book) {
  std::map<Currency, Sums> sums;
  for (const auto& [number, pocket] : book.pockets()) sums[pocket.currency].of(pocket.kind) += pocket.balance();
  return sums;
}

std::string told(const Sums& sums) {
  return "customers " + text(sums.customers) + " + issue " + text(sums.issue) + " + transit " + text(sums.transit) +
         " = " + text(sums.total());
}

class Conservation final : public Oracle {
 public:
  explicit Conservation(const Topology& topology) : book_(topology) {}
  std::string_view name() const override { return "O-L1"; }

  void on_phase(SimTime, Phase phase) override { calls_.phase(phase); }

  void on_committed(SimTime, NodeId, const CommittedEntry& entry) override {
    if (!violations().empty() || !book_.committed(entry)) return;
    for (const auto& [currency, sums] : sums_of(book_.shard(entry.shard))) {
      if (sums.total() == 0) continue;
      violated(text(entry.shard) + " holds " + to_string(currency) + " that came from nowhere after entry " +
               std::to_string(entry.index.value) + ": " + told(sums));
    }
  }

  void on_replica(SimTime, NodeId node, const shard::Observation& replica) override {
    if (!violations().empty()) return;
    std::map<Currency, Sum> sums;
    for (const shard::PocketObservation& pocket : replica.pockets) sums[pocket.currency] += pocket.balance;
    for (const auto& [currency, sum] : sums) {
      if (sum == 0) continue;
      violated("the pockets of " + text(replica.shard) + " on node " + std::to_string(node.value) + " at entry " +
               std::to_string(replica.applied.value) + " sum to " + to_string(currency) + " " + text(sum) +
               " minor units instead of 0");
    }
  }

  void on_call(SimTime, std::uint32_t, std::uint64_t op, const router::Request& request) override {
    calls_.called(op, request);
  }

  void on_return(SimTime, std::uint32_t, std::uint64_t op, const router::Reply& reply) override {
    const std::optional<Call> call = calls_.returned(op);
    const auto* body = std::get_if<router::TrialBalanceReply>(&reply.body);
    if (!call || body == nullptr || !violations().empty()) return;
    for (const router::TrialBalanceReply::Row& row : body->rows) {
      if (call->phase == Phase::final_reads) told_.emplace(row.shard, row.currency);
      const Sums sums{row.customers, row.issue, row.transit};
      if (sums.total() != 0) {
        violated("the trial balance told of " + text(row.shard) + " in " + to_string(row.currency) +
                 " is not zero: " + told(sums));
      } else if (call->phase == Phase::final_reads && book_.knows(row.shard)) {
        compare_with_book(row, sums);
      }
    }
  }

  void finish(SimTime) override {
    if (calls_.phase() < Phase::final_reads || !violations().empty()) return;
    std::map<Currency, Sum> transit;
    for (std::uint32_t shard = 1; shard <= book_.shards(); ++shard) {
      for (const auto& [currency, sums] : sums_of(book_.shard(ShardId(shard)))) transit[currency] += sums.transit;
    }
    for (const auto& [currency, sum] : transit) {
      if (sum == 0) continue;
      violated("the run is quiet, and the transit accounts of all shards still hold " + to_string(currency) + " " +
               text(sum) + " minor units");
    }
    look_for_missing();
  }

 private:
  /// Every shard that holds a currency has told of it in the end.
  void look_for_missing() {
    for (std::uint32_t shard = 1; shard <= book_.shards() && !told_.empty(); ++shard) {
      for (const auto& [currency, sums] : sums_of(book_.shard(ShardId(shard)))) {
        if (told_.contains({ShardId(shard), currency}) || !violations().empty()) continue;
        violated("the final trial balance tells nothing of " + to_string(currency) + " in " + text(ShardId(shard)));
      }
    }
  }

  void compare_with_book(const router::TrialBalanceReply::Row& row, const Sums& sums) {
    const Sums expected = sums_of(book_.shard(row.shard))[row.currency];
    if (sums.customers == expected.customers && sums.issue == expected.issue && sums.transit == expected.transit)
      return;
    violated("the final trial balance told of " + text(row.shard) + " in " + to_string(row.currency) + " is " +
             told(sums) + ", the book says " + told(expected));
  }

  Book book_;
  Calls calls_;
  std::set<std::pair<ShardId, Currency>> told_;  ///< by the final trial balance
};

}  // namespace

std::unique_ptr<Oracle> make_conservation(const Topology& topology) { return std::make_unique<Conservation>(topology); }

}  // namespace coffer::sim::oracles
