#include "sim/ladder/plan.h"

#include <algorithm>

#include "sim/kernel/streams.h"

namespace coffer::sim::ladder {

namespace {

/// Whole microseconds, so that a saved plan is short.
Duration between(Prng& prng, Duration low, Duration high) {
  return microseconds(prng.between(low.nanos / 1000, high.nanos / 1000));
}

std::vector<Account> draw_accounts(Prng& prng) {
  std::vector<Account> accounts;
  for (std::uint32_t a = 0; a < accounts_count; ++a) accounts.push_back({prng.between(0, 4) * 50, false});
  accounts[prng.below(accounts_count)].balance = 200;  // somebody has money
  for (int i = 0; i < 3; ++i) {
    if (prng.chance(500)) accounts[prng.below(accounts_count)].barred = true;
  }
  return accounts;
}

Transfer draw_transfer(Prng& prng) {
  Transfer transfer;
  transfer.from = static_cast<std::uint32_t>(prng.below(accounts_count));
  transfer.to = static_cast<std::uint32_t>((transfer.from + 1 + prng.below(accounts_count - 1)) % accounts_count);
  transfer.amount = (1 + prng.between(0, 3)) * 50;
  transfer.patient = prng.chance(600);
  return transfer;
}

/// In bursts: designs differ where transfers meet. And one when everything has healed: whoever cannot answer that has
/// not.
std::vector<Transfer> draw_transfers(Prng& prng) {
  std::vector<Transfer> transfers;
  const std::uint64_t bursts = 3 + prng.below(4);
  for (std::uint64_t burst = 0; burst < bursts; ++burst) {
    const Duration begins = between(prng, seconds(1), work_ends);
    const std::uint64_t size = 1 + prng.below(4);
    const Duration spread = between(prng, milliseconds(0), milliseconds(20));
    for (std::uint64_t i = 0; i < size; ++i) {
      Transfer transfer = draw_transfer(prng);
      transfer.number = static_cast<std::uint32_t>(transfers.size() + 1);
      transfer.at = begins + between(prng, Duration{}, spread);
      if (i > 0 && prng.chance(400)) {  // the same user pays again, from this account or the other
        const Transfer& before = transfers.back();
        transfer.from = prng.chance(500) ? before.from : sibling_of(before.from);
        if (transfer.to == transfer.from) transfer.to = (transfer.from + 2) % accounts_count;
      }
      transfers.push_back(transfer);
    }
  }
  Transfer last = draw_transfer(prng);
  last.number = static_cast<std::uint32_t>(transfers.size() + 1);
  last.at = heal_at + seconds(1);
  last.patient = true;
  transfers.push_back(last);
  return transfers;
}

bool of_messages(FaultKind kind) {
  return kind == FaultKind::drop || kind == FaultKind::delay || kind == FaultKind::duplicate ||
         kind == FaultKind::reorder;
}

Fault draw_fault(Prng& prng, FaultKind kind, const std::vector<Transfer>& transfers) {
  Fault fault;
  fault.kind = kind;
  const Transfer& near = transfers[prng.below(transfers.size() - 1)];  // not the last
  const Duration offset = of_messages(kind) ? between(prng, Duration{}, milliseconds(4)) - milliseconds(3)
                                            : between(prng, Duration{}, milliseconds(8));
  const Duration anywhere = between(prng, Duration{}, work_ends);
  fault.at = prng.chance(800) ? near.at + offset : anywhere;
  const Duration brief = between(prng, milliseconds(2), milliseconds(600));
  const Duration lengthy = between(prng, milliseconds(600), seconds(4));
  fault.lasts = prng.chance(kind == FaultKind::pause ? 100 : 500) ? brief : lengthy;
  fault.one = static_cast<std::uint32_t>(prng.below(2520));  // divisible by every number of nodes up to ten
  fault.other = prng.chance(300) ? 0 : static_cast<std::uint32_t>(prng.below(2520));
  fault.per_mille = static_cast<std::uint32_t>(100 + prng.below(900));
  const Duration little = between(prng, milliseconds(1), milliseconds(40));
  const Duration much = between(prng, milliseconds(40), seconds(2));
  fault.extra = prng.chance(500) ? little : much;
  return fault;
}

}  // namespace

std::string_view name(FaultKind kind) {
  switch (kind) {
    case FaultKind::crash:
      return "crash";
    case FaultKind::power_cut:
      return "power_cut";
    case FaultKind::power_cut_all:
      return "power_cut_all";
    case FaultKind::partition:
      return "partition";
    case FaultKind::partition_one_way:
      return "partition_one_way";
    case FaultKind::drop:
      return "drop";
    case FaultKind::delay:
      return "delay";
    case FaultKind::duplicate:
      return "duplicate";
    case FaultKind::reorder:
      return "reorder";
    case FaultKind::pause:
      return "pause";
    case FaultKind::lost:
      return "lost";
  }
  return "?";
}

Plan draw_plan(std::uint64_t seed) {
  Plan plan;
  plan.seed = seed;
  Prng accounts = stream(seed, Domain::workload, 1);
  plan.accounts = draw_accounts(accounts);
  Prng transfers = stream(seed, Domain::workload, 2);
  plan.transfers = draw_transfers(transfers);

  Prng swarm = stream(seed, Domain::swarm);
  std::vector<FaultKind> kinds;
  for (std::uint64_t more = 1 + swarm.below(4); more > 0; --more) {
    kinds.push_back(static_cast<FaultKind>(swarm.below(fault_kinds)));
  }
  const std::uint64_t faults = 1 + swarm.below(6);
  for (std::uint32_t number = 1; number <= faults; ++number) {
    Prng prng = stream(seed, Domain::fault, number);
    const FaultKind kind = kinds[prng.below(kinds.size())];
    const bool again = std::any_of(plan.faults.begin(), plan.faults.end(),
                                   [](const Fault& fault) { return fault.kind == FaultKind::lost; });
    if (kind == FaultKind::lost && again) continue;  // one machine, no more
    Fault fault = draw_fault(prng, kind, plan.transfers);
    fault.number = number;
    fault.at = std::max(fault.at, Duration{});
    plan.faults.push_back(fault);
  }
  return plan;
}

Plan calm(Plan plan) {
  plan.faults.clear();
  return plan;
}

}  // namespace coffer::sim::ladder
